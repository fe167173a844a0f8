// SPDX-License-Identifier: Apache-2.0
// `canaryd forget`: in the running daemon, or, where none runs, in the state directory itself.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "config/config.h"
#include "config/harmless.h"
#include "config/url.h"
#include "daemon/app/forget.h"
#include "daemon/app/state_lock.h"
#include "daemon/cli/bounded.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/exit_status.h"
#include "daemon/cli/order.h"
#include "daemon/cli/output.h"
#include "daemon/cli/running_daemon.h"
#include "probes/kind.h"

namespace canary::daemon {
namespace {

constexpr int kRefused = 1;
constexpr std::chrono::seconds kForgetsWithin{30};

struct ForgetFlags {
  DaemonFlags daemon;
  std::string probe, reason;
};

int failed(std::string const& why, int code = kRefused) {
  std::fprintf(stderr, "canaryd forget: %s\n", why.c_str());
  return code;
}

int forget_in(RunningDaemon const& daemon, ForgetFlags const& flags, runtime::Stage& stage) {
  auto const told = carry_out("canaryd forget", daemon,
                              "/-/forget?probe=" + config::percent_encode(flags.probe) +
                                  "&reason=" + config::percent_encode(flags.reason),
                              "", stage);
  if (!told) return failed(told.error().why, told.error().refused ? kRefused : kExitUnknown);
  put(std::string{told.value().at("text").as_string()} + "\n");
  return 0;
}

// Nobody runs: what the next start would trust is dropped. Where the state directory is, and of
// which kind the probe, the configuration says.
int forget_at_rest(ForgetFlags const& flags, runtime::Stage& stage) {
  auto loaded =
      config::load(flags.daemon.config, config::process_environment(), probes::configured_kinds());
  if (!loaded) {
    for (auto const& problem : loaded.error())
      std::fprintf(stderr, "%s\n", to_text(problem).c_str());
    return failed("no canaryd runs, and without a configuration nobody knows its probes");
  }
  auto& config = loaded.value();
  if (!flags.daemon.state_directory.empty()) {
    auto const places = find_places(flags.daemon);
    if (!places) return failed(places.error());
    config.state_directory = places.value().state;
  }
  if (!config::is_probe_name(flags.probe)) {
    return failed("no probe is called \"" + make_harmless(flags.probe, 100) + "\"");
  }
  stage.enter("taking the lock of " + config.state_directory.string());
  auto const forgotten = daemon::forget_at_rest(config, flags.probe, flags.reason);
  if (!forgotten) return failed(forgotten.error());
  for (auto const& trouble : forgotten.value().troubles) {
    std::fprintf(stderr, "canaryd forget: %s\n", trouble.c_str());
  }
  put(forgotten_text(flags.probe, forgotten.value().files) + "; no canaryd runs\n");
  return 0;
}

int forget(ForgetFlags const& flags, runtime::Stage& stage) {
  if (flags.probe.empty()) return failed("which probe?");
  if (flags.reason.find_first_not_of(" \t\r\n") == std::string::npos) {
    return failed("--reason is empty: it is what others find in the history");
  }
  auto const daemon = find_daemon(flags.daemon, stage);
  if (daemon) return forget_in(daemon.value(), flags, stage);
  auto const places = find_places(flags.daemon);
  if (!places) return failed(daemon.error());
  // Where it can't be told whether somebody runs, nothing is touched.
  bool const nobody = look_at_owner(places.value().state).kind == Ownership::Kind::nobody;
  return nobody ? forget_at_rest(flags, stage) : failed(daemon.error(), kExitUnknown);
}

}  // namespace

void add_forget_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "forget", "Drops what was trusted of a repository that was re-keyed or restored on purpose");
  auto const flags = std::make_shared<ForgetFlags>();
  add_daemon_flags(*command, flags->daemon);
  command->add_option("PROBE", flags->probe, "Of this probe")->required();
  command->add_option("--reason", flags->reason, "Why: shown on the page and in the history")
      ->required();
  command->footer(
      "The newest root, timestamp and snapshot that were seen, which make a rollback visible, are "
      "dropped, in the running canaryd, or, where none runs, in the state directory: the next run "
      "begins from the pinned root, as a client does that is installed today. Clients in the field "
      "forget nothing.\n"
      "Example:\n"
      "  canaryd forget releases --reason 'restored from the backup of Monday, by Anna'");
  command->callback([flags, &chosen] {
    chosen = [flags] {
      return run_bounded(
          {.command = "canaryd forget", .limit = kForgetsWithin, .code = kExitUnknown},
          [flags = *flags](runtime::Stage& stage) { return forget(flags, stage); });
    };
  });
}

}  // namespace canary::daemon
