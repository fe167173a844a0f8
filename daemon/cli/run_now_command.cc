// SPDX-License-Identifier: Apache-2.0
// `canaryd run-now`: a run in the daemon, besides the schedule.
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "config/url.h"
#include "daemon/cli/bounded.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/exit_status.h"
#include "daemon/cli/order.h"
#include "daemon/cli/output.h"
#include "daemon/cli/running_daemon.h"
#include "daemon/cli/status_text.h"

namespace canary::daemon {
namespace {

// Longer than a run that goes on and another one that is as slow: a probe's timeout is bounded.
constexpr std::chrono::hours kEndsWithin{2};

struct RunNowFlags {
  DaemonFlags daemon;
  std::string probe, output = "text";
  bool quiet = false;
};

int could_not_tell(std::string const& why) {
  std::fprintf(stderr, "canaryd run-now: %s\n", why.c_str());
  return kExitUnknown;
}

int run_now(RunNowFlags const& flags, runtime::Stage& stage) {
  if (flags.probe.empty()) return could_not_tell("which probe?");
  auto const daemon = find_daemon(flags.daemon, stage);
  if (!daemon) return could_not_tell(daemon.error());
  std::string const shown = "output=" + flags.output + (flags.quiet ? "&quiet=1" : "") +
                            (output_wants_colour() ? "&colour=1" : "");
  auto const told = carry_out("canaryd run-now", daemon.value(),
                              "/-/run?probe=" + config::percent_encode(flags.probe), shown, stage);
  if (!told) return could_not_tell(told.error().why);
  put(std::string{told.value().at("text").as_string()});
  // Of a daemon that is newer it may be a number that this program does not know.
  int const code = told.value().at("exit").to_number<int>();
  return code >= 0 && code <= kExitUnknown ? code : kExitUnknown;
}

}  // namespace

void add_run_now_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "run-now", "Runs a probe in the running canaryd now, and says what was found");
  auto const flags = std::make_shared<RunNowFlags>();
  add_daemon_flags(*command, flags->daemon);
  command->add_option("PROBE", flags->probe, "This one")->required();
  command->add_option("--output", flags->output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_flag("-q,--quiet", flags->quiet, "Leave out what is ok");
  command->footer(
      "The run is one like any other: by what the daemon trusts, within its limits of concurrency, "
      "and in metrics, page and history. Where a run of the probe goes on, the one that is asked "
      "for begins after it. The schedule stays as it is.");
  command->callback([flags, &chosen] {
    chosen = [flags] {
      return run_bounded({.command = "canaryd run-now", .limit = kEndsWithin, .code = kExitUnknown},
                         [flags = *flags](runtime::Stage& stage) { return run_now(flags, stage); });
    };
  });
}

}  // namespace canary::daemon
