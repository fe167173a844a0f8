// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "daemon/cli/bounded.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/running_daemon.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;

constexpr int kUnfit = 1;
constexpr int kNoAnswer = 3;
constexpr std::chrono::seconds kAnswersWithin{10};

std::string text(json::value const& value) {
  if (value.is_string()) return std::string{value.as_string()};
  return value.is_null() ? "-" : json::serialize(value);
}

// "critical    demo  since T, last run T".
std::string probe_line(json::object const& probe) {
  std::string line = "  " + text(probe.at("state"));
  line.resize(std::max<std::size_t>(line.size() + 1, 12), ' ');
  line += text(probe.at("name"));
  if (probe.at("stale").as_bool()) line += "  (stale)";
  if (auto const accepted = probe.at("accepted").to_number<int>(); accepted > 0) {
    line += "  (" + std::to_string(accepted) + " accepted)";
  }
  if (probe.at("last_run").is_null()) return line + "  has not been looked at yet";
  if (probe.at("since").is_string()) line += "  since " + text(probe.at("since")) + ",";
  return line + " last run " + text(probe.at("last_run"));
}

// "last failure T (expired): timestamp: expired …, https://…".
std::string failure_line(json::object const& failure) {
  std::string line =
      "last failure " + text(failure.at("at")) + " (" + text(failure.at("reason")) + ")";
  if (auto const* const sentence = failure.if_contains("sentence")) {
    std::string const said = text(*sentence);
    line += ": " + said;
    std::string const url = text(failure.at("url"));
    if (said.find(url) == std::string::npos) line += ", " + url;
  }
  return line;
}

void print_probes(json::value const& probes) {
  for (auto const& entry : probes.at("probes").as_array()) {
    auto const& probe = entry.as_object();
    std::printf("%s\n", probe_line(probe).c_str());
    auto const& failure = probe.at("last_failure");
    if (failure.is_object()) {
      std::printf("              %s\n", failure_line(failure.as_object()).c_str());
    }
  }
}

void print_previous_run(json::value const& previous) {
  if (!previous.is_object() || previous.at("end") == "orderly") return;
  if (previous.at("started").is_string()) {
    std::printf("the run before ended unclean (%s); nobody watched for %s s, until this start\n",
                text(previous.at("end")).c_str(), text(previous.at("blind_seconds")).c_str());
  }
  auto const& words = previous.at("last_words");
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
  for (auto const& episode : hangs.at("episodes").as_array()) {
    std::printf("  %s: %s %s for %s s: %s\n", text(episode.at("level")).c_str(),
                text(episode.at("subject")).c_str(), text(episode.at("name")).c_str(),
                text(episode.at("age_seconds")).c_str(), text(episode.at("verdict")).c_str());
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
  return kNoAnswer;
}

int status(DaemonFlags const& flags, bool as_json, runtime::Stage& stage) {
  auto const places = find_places(flags);
  if (!places) return no_status(places.error());
  auto const daemon = find_daemon(places.value(), stage);
  if (!daemon) return no_status(daemon.error());
  auto const hangs = ask_daemon(daemon.value(), "/api/v1/hangs", stage);
  auto const probes = ask_daemon(daemon.value(), "/api/v1/probes", stage);
  if (hangs.status != 200 || probes.status != 200) {
    return no_status((hangs.status != 200 ? hangs : probes).body);
  }
  auto const hang_values = json::parse(hangs.body);
  auto const probe_values = json::parse(probes.body);
  if (as_json) {
    json::object const all{{"hangs", hang_values}, {"probes", probe_values.at("probes")}};
    std::printf("%s\n", json::serialize(all).c_str());
  } else {
    print_hangs(hang_values);
    print_probes(probe_values);
  }
  return hang_values.at("executor").at("ok").as_bool() ? 0 : kUnfit;
}

}  // namespace

void add_status_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "status", "How the running canaryd fares: its loop, its last stall, its probes");
  auto const flags = std::make_shared<DaemonFlags>();
  auto const output = std::make_shared<std::string>("text");
  add_daemon_flags(*command, *flags);
  command->add_option("--output", *output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer("Exit: 0 canaryd works, 1 its loop hangs, 3 it does not answer.");
  command->callback([flags, output, &chosen] {
    chosen = [flags, output] {
      return run_bounded({.command = "canaryd status", .limit = kAnswersWithin, .code = kNoAnswer},
                         [flags = *flags, as_json = *output == "json"](runtime::Stage& stage) {
                           return status(flags, as_json, stage);
                         });
    };
  });
}

}  // namespace canary::daemon
