// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json/value.hpp>

#include "daemon/app/app_options.h"
#include "daemon/cli/bounded.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/exit_status.h"
#include "daemon/cli/output.h"
#include "daemon/cli/running_daemon.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kEndsWithin = 2min;  // the daemon gives a reading up after --watchdog.step-stall

int no_answer(std::string const& why) {
  std::fprintf(stderr, "canaryd reload: %s\n", why.c_str());
  return kExitUnknown;
}

int tell(json::value const& outcome) {
  auto const& lines = outcome.at("lines").as_array();
  if (outcome.at("outcome") == "accepted") {
    put(lines.empty() ? "reloaded; nothing has changed\n" : "reloaded\n");
    for (auto const& line : lines) put("  " + std::string{line.as_string()} + "\n");
    return kExitClean;
  }
  for (auto const& line : lines) std::fprintf(stderr, "%s\n", line.as_string().c_str());
  bool const refused = outcome.at("outcome") == "refused";
  std::fprintf(stderr, "canaryd reload: %s; the running configuration stays in force\n",
               refused ? "refused" : "failed");
  return refused ? kExitBadConfig : kExitUnknown;
}

int reload(DaemonFlags const& flags, runtime::Stage& stage) {
  auto const daemon = find_daemon(flags, stage);
  if (!daemon) return no_answer(daemon.error());
  auto const outcome = ask_until_done(
      daemon.value(),
      {.command = "canaryd reload", .post = "/-/reload", .where = "/-/reload/", .number = "reload"},
      stage);
  return outcome ? tell(outcome.value()) : no_answer(outcome.error().body);
}

}  // namespace

void add_reload_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "reload", "Has the running canaryd read its configuration again, and says what came of it");
  auto const flags = std::make_shared<DaemonFlags>();
  add_daemon_flags(*command, *flags);
  command->footer(
      "Prints what has changed, field by field, or every problem of a configuration that is "
      "refused: "
      "then nothing has changed. `systemctl reload canaryd` runs this.");
  command->callback([flags, &chosen] {
    chosen = [flags] {
      return run_bounded({.command = "canaryd reload", .limit = kEndsWithin, .code = kExitUnknown},
                         [flags = *flags](runtime::Stage& stage) { return reload(flags, stage); });
    };
  });
}

}  // namespace canary::daemon
