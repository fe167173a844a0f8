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
#include "daemon/cli/hangs_text.h"
#include "daemon/cli/output.h"
#include "daemon/cli/running_daemon.h"
#include "daemon/cli/status_text.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;

constexpr int kHangs = 1;
constexpr int kStandsIn = 503;  // HTTP's, of who answers for a server that hangs
constexpr std::chrono::seconds kAnswersWithin{10};

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

bool turns_in(json::value const& hangs) { return hangs.at("executor").at("ok").as_bool(); }

// While the HTTP server hangs, the watchdog answers in its place, and knows this much.
int refused(RunningDaemon const& daemon, PrivateAnswer const& why, bool as_json,
            runtime::Stage& stage) {
  auto const hang = why.status == kStandsIn ? not_well(daemon, "/-/healthy", stage) : std::nullopt;
  if (!hang) return no_status(why.body);
  if (as_json) {
    json::object const all{{"watchdog", *hang}, {"hangs", nullptr}, {"probes", nullptr}};
    put(json::serialize(all) + "\n");
  } else {
    put("canaryd hangs: " + *hang + "\n`canaryd dump --last` prints where\n");
  }
  return kHangs;
}

// Of one probe, with all that is known of it.
int status_of_probe(RunningDaemon const& daemon, Wanted const& wanted, runtime::Stage& stage) {
  auto const answer =
      ask_daemon(daemon, "/api/v1/probes/" + config::percent_encode(wanted.probe), stage);
  if (answer.status == 404) return no_status("no probe is called \"" + wanted.probe + "\"");
  auto const hangs = ask_daemon(daemon, "/api/v1/hangs", stage);
  if (answer.status != 200 || hangs.status != 200) {
    return refused(daemon, answer.status != 200 ? answer : hangs, wanted.as_json, stage);
  }
  auto const hang_values = json::parse(hangs.body);
  bool const turns = turns_in(hang_values);
  // What is known of the probe is of before.
  if (!turns && !wanted.as_json) put(hangs_text(hang_values));
  put(wanted.as_json ? answer.body : probe_text(json::parse(answer.body), output_wants_colour()));
  return turns ? 0 : kHangs;
}

int status(Wanted const& wanted, runtime::Stage& stage) {
  auto const daemon = find_daemon(wanted.flags, stage);
  if (!daemon) return no_status(daemon.error());
  if (wanted.live) return liveness_of(daemon.value(), stage);
  if (!wanted.probe.empty()) return status_of_probe(daemon.value(), wanted, stage);
  auto const hangs = ask_daemon(daemon.value(), "/api/v1/hangs", stage);
  auto const probes = ask_daemon(daemon.value(), "/api/v1/probes", stage);
  if (hangs.status != 200 || probes.status != 200) {
    return refused(daemon.value(), hangs.status != 200 ? hangs : probes, wanted.as_json, stage);
  }
  auto const hang_values = json::parse(hangs.body);
  auto const probe_values = json::parse(probes.body);
  if (wanted.as_json) {
    json::object const all{{"hangs", hang_values}, {"probes", probe_values.at("probes")}};
    put(json::serialize(all) + "\n");
  } else {
    put(hangs_text(hang_values));
    put(probes_text(probe_values, output_wants_colour()));
  }
  return turns_in(hang_values) ? 0 : kHangs;
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
