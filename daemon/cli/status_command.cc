// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "config/url.h"
#include "daemon/cli/bounded.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/exit_status.h"
#include "daemon/cli/output.h"
#include "daemon/cli/running_daemon.h"
#include "daemon/cli/status_text.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;

constexpr int kHangs = 1;
constexpr int kStandsIn = 503;  // HTTP's, of who answers for a server that hangs
constexpr std::chrono::seconds kAnswersWithin{10};

std::string text(json::value const& value) {
  if (value.is_string()) return std::string{value.as_string()};
  return value.is_null() ? "-" : json::serialize(value);
}

void print_previous_run(json::value const& previous) {
  if (!previous.is_object() || previous.at("end") == "orderly") return;
  if (previous.at("started").is_string()) {
    std::printf("the run before ended unclean (%s); nobody watched for %s s, until this start\n",
                text(previous.at("end")).c_str(), text(previous.at("blind_seconds")).c_str());
  }
  auto const& words = previous.at("crash_record");
  if (!words.is_object() || words.at("in_order").as_bool()) return;
  std::string line = "  at its end, " + text(words.at("ended")) + ", its loop ";
  if (auto const& handler = words.at("handler"); handler.is_object()) {
    line += "had run a handler for " + text(handler.at("seconds")) +
            " s: " + text(handler.at("site")) + ", of " + text(handler.at("run"));
  } else {
    line += "waited";
  }
  std::printf("%s; runs going on: %s\n", line.c_str(), text(words.at("runs")).c_str());
  if (words.at("post_mortem").is_string()) {
    std::printf("  post-mortem: %s\n", text(words.at("post_mortem")).c_str());
  }
}

void print_hangs(json::value const& hangs) {
  auto const& executor = hangs.at("executor");
  std::printf("executor: %s\n",
              executor.at("ok").as_bool() ? "turns" : text(executor.at("reason")).c_str());
  for (auto const& incident : hangs.at("incidents").as_array()) {
    std::printf("  %s: %s %s for %s s: %s\n", text(incident.at("level")).c_str(),
                text(incident.at("subject")).c_str(), text(incident.at("name")).c_str(),
                text(incident.at("age_seconds")).c_str(), text(incident.at("verdict")).c_str());
  }
  if (auto const& stall = hangs.at("last_stall"); stall.is_object()) {
    std::printf("last stall: %s, %s %s: %s; %s\n", text(stall.at("at")).c_str(),
                text(stall.at("subject")).c_str(), text(stall.at("name")).c_str(),
                text(stall.at("verdict")).c_str(), text(stall.at("site")).c_str());
  }
  print_previous_run(hangs.at("previous_run"));
  for (auto const& probe : hangs.at("quarantined").as_array()) {
    std::printf("quarantined: %s is not run any more; it hung canaryd again and again\n",
                text(probe).c_str());
  }
  if (auto const& last = hangs.at("dumps").at("last"); last.is_object()) {
    std::printf("last dump: %s, %s\n", text(last.at("at")).c_str(), text(last.at("path")).c_str());
  }
}

int no_status(std::string const& why) {
  std::fprintf(stderr, "canaryd status: %s\n", why.c_str());
  return kExitUnknown;
}

struct Wanted {
  DaemonFlags flags;
  std::string probe;  // empty: all
  bool as_json = false;
  bool live = false;  // only /-/live
};

// The judgement alone, for a container's health check.
int liveness_of(RunningDaemon const& daemon, runtime::Stage& stage) {
  auto const answer = ask_daemon(daemon, "/-/live", stage);
  if (answer.status == 0) return no_status(answer.body);
  put(answer.body);
  return answer.status == 200 ? 0 : kHangs;
}

// While the HTTP server hangs, the watchdog answers in its place, and knows this much.
int status_of_watchdog(RunningDaemon const& daemon, bool as_json, std::string const& refused,
                       runtime::Stage& stage) {
  auto answer = ask_daemon(daemon, "/-/healthy", stage);
  if (answer.status != kStandsIn) return no_status(refused);
  while (answer.body.ends_with('\n')) answer.body.pop_back();
  if (as_json) {
    json::object const all{{"watchdog", answer.body}, {"hangs", nullptr}, {"probes", nullptr}};
    put(json::serialize(all) + "\n");
  } else {
    put("canaryd hangs: " + answer.body + "\n`canaryd dump --last` prints where\n");
  }
  return kHangs;
}

// Of one probe, with all that is known of it.
int status_of_probe(RunningDaemon const& daemon, Wanted const& wanted, runtime::Stage& stage) {
  auto const answer =
      ask_daemon(daemon, "/api/v1/probes/" + config::percent_encode(wanted.probe), stage);
  if (answer.status == 404) return no_status("no probe is called \"" + wanted.probe + "\"");
  if (answer.status != 200) return no_status(answer.body);
  put(wanted.as_json ? answer.body : probe_text(json::parse(answer.body), output_wants_colour()));
  return 0;
}

int status(Wanted const& wanted, runtime::Stage& stage) {
  auto const daemon = find_daemon(wanted.flags, stage);
  if (!daemon) return no_status(daemon.error());
  if (wanted.live) return liveness_of(daemon.value(), stage);
  if (!wanted.probe.empty()) return status_of_probe(daemon.value(), wanted, stage);
  auto const hangs = ask_daemon(daemon.value(), "/api/v1/hangs", stage);
  auto const probes = ask_daemon(daemon.value(), "/api/v1/probes", stage);
  if (hangs.status != 200 || probes.status != 200) {
    auto const& refused = hangs.status != 200 ? hangs : probes;
    return refused.status == kStandsIn
               ? status_of_watchdog(daemon.value(), wanted.as_json, refused.body, stage)
               : no_status(refused.body);
  }
  auto const hang_values = json::parse(hangs.body);
  auto const probe_values = json::parse(probes.body);
  if (wanted.as_json) {
    json::object const all{{"hangs", hang_values}, {"probes", probe_values.at("probes")}};
    put(json::serialize(all) + "\n");
  } else {
    print_hangs(hang_values);
    put(probes_text(probe_values, output_wants_colour()));
  }
  return hang_values.at("executor").at("ok").as_bool() ? 0 : kHangs;
}

}  // namespace

void add_status_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "status", "How the running canaryd fares: its loop, its last stall, its probes");
  auto const flags = std::make_shared<DaemonFlags>();
  auto const output = std::make_shared<std::string>("text");
  auto const probe = std::make_shared<std::string>();
  add_daemon_flags(*command, *flags);
  auto const live = std::make_shared<bool>(false);
  command->add_flag("--live", *live,
                    "Only what /-/live says: does nothing but a restart help? For health checks");
  command->add_option("PROBE", *probe, "Only this one: each finding, and all that ends");
  command->add_option("--output", *output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer(
      "The worst first. FOR is how long the state is what it is, ENDS NEXT the first of roles and "
      "certificates to end. Coloured on a terminal, unless NO_COLOR is set.");
  command->callback([flags, output, probe, live, &chosen] {
    chosen = [flags, output, probe, live] {
      return run_bounded(
          {.command = "canaryd status", .limit = kAnswersWithin, .code = kExitUnknown},
          [wanted = Wanted{*flags, *probe, *output == "json", *live}](runtime::Stage& stage) {
            return status(wanted, stage);
          });
    };
  });
}

}  // namespace canary::daemon
