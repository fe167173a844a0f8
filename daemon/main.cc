// SPDX-License-Identifier: Apache-2.0
// canaryd's command line: which subcommand, and what a wrong use of it returns.
#include <unistd.h>

#include <cassert>
#include <csignal>
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "daemon/check/report_nagios.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/exit_status.h"
#include "daemon/cli/output.h"
#include "daemon/cli/wrong_use.h"
#include "daemon/versions/versions.h"
#include "runtime/aside.h"
#include "runtime/limits.h"

namespace {

// Two versions of a library in one process are refused before anything else is done.
bool versions_fit() {
  auto const objects = canary::daemon::loaded_objects();
  auto const found = canary::daemon::conflicts(canary::daemon::components(objects), objects);
  for (auto const& conflict : found) std::fprintf(stderr, "canaryd: %s\n", conflict.c_str());
  return found.empty();
}

// The exit status of a command that came to nothing, which standard error knows. Who runs `check`
// as a plugin of Nagios reads standard output alone, whatever is wrong with the rest of the line.
int failed(int argc, char** argv, std::string const& why) {
  auto const& exit = canary::daemon::exit_of(argc, argv);
  for (int i = 2; exit.command == "check" && i < argc; ++i) {
    std::string_view const word = argv[i];
    bool const next =
        word == "--output" && i + 1 < argc && std::string_view{argv[i + 1]} == "nagios";
    if (next || word == "--output=nagios") canary::daemon::put(canary::daemon::nagios_unknown(why));
  }
  return exit.failure;
}

// What was asked for, or what a wrong use returns.
int chosen_command(int argc, char** argv) {
  CLI::App app{
      "canaryd watches software-update repositories the way a client sees them, and says so before "
      "the fleet is stuck."};
  app.name("canaryd");
  app.require_subcommand(1);
  app.set_version_flag("--version", "canaryd " CANARY_VERSION);
  canary::daemon::Action action;
  canary::daemon::add_run_command(app, action);
  canary::daemon::add_check_command(app, action);
  canary::daemon::add_demo_command(app, action);
  canary::daemon::add_status_command(app, action);
  canary::daemon::add_top_command(app, action);
  canary::daemon::add_history_command(app, action);
  canary::daemon::add_run_now_command(app, action);
  canary::daemon::add_forget_command(app, action);
  canary::daemon::add_reload_command(app, action);
  canary::daemon::add_dump_command(app, action);
  canary::daemon::add_config_command(app, action);
  canary::daemon::add_version_command(app, action);
  canary::daemon::add_completion_command(app, action);
  // After the subcommands, which would inherit it.
  app.footer(
      "Examples:\n"
      "  canaryd demo\n"
      "  canaryd check --root root.json --metadata-url https://repo.example/metadata\n"
      "  canaryd run --config /etc/canaryd/canaryd.yml\n"
      "Each subcommand explains itself: canaryd check --help");

  canary::daemon::add_exit_statuses(app);

  auto const wrong_use = [&](std::string const& why) {
    canary::daemon::tell_wrong_use(app, argc, argv, why);
    return failed(argc, argv, why);
  };
  if (auto const why = canary::daemon::unknown_word(app, argc, argv); !why.empty()) {
    return wrong_use(why);
  }
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    if (error.get_exit_code() != 0) return wrong_use(error.what());
    std::ostringstream help;  // --help, --version
    app.exit(error, help);
    canary::daemon::put(help.str());
    return 0;
  }
  try {
    if (!versions_fit()) return failed(argc, argv, "two versions of a library are loaded");
    return action();
  } catch (std::exception const& thrown) {
    std::string const why = canary::runtime::explain(thrown);
    std::string name = "canaryd";
    if (auto const command = canary::daemon::exit_of(argc, argv).command; !command.empty()) {
      name.append(" ").append(command);
    }
    std::fprintf(stderr, "%s: %s\n", name.c_str(), why.c_str());
    return failed(argc, argv, why);
  }
}

int run(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that is gone is told like a full disk
  auto const& exit = canary::daemon::exit_of(argc, argv);
  int code = chosen_command(argc, argv);
  // A result that nobody got is no success; what is known to be bad stays so.
  if (!canary::daemon::output_arrived() && code == 0) code = exit.failure;
  assert(exit.has(code));
  // What stands still uses what an orderly end would destroy.
  if (canary::runtime::calls_left() > 0) ::_exit(code);
  return code;
}

}  // namespace

int main(int argc, char** argv) { return canary::runtime::run_prepared(&run, argc, argv); }
