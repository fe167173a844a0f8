// SPDX-License-Identifier: Apache-2.0
// canaryd's command line: which subcommand, and what a wrong use of it returns.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "daemon/check/report_nagios.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/output.h"
#include "daemon/versions/versions.h"
#include "runtime/aside.h"
#include "runtime/limits.h"

namespace {

constexpr int kWrongUseOfCheck = 3;  // and of run-now
constexpr int kNoAnswerOfStatus = 3;
constexpr int kCritical = 2;
constexpr int kFailure = 1;

// Of a command whose exit status is a verdict, wrong use is "could not tell".
bool tells_by_status(std::string const& command) {
  return command == "check" || command == "run-now";
}

// Two versions of a library in one process are refused before anything else is done.
bool versions_fit() {
  auto const objects = canary::daemon::loaded_objects();
  auto const found = canary::daemon::conflicts(canary::daemon::components(objects), objects);
  for (auto const& conflict : found) std::fprintf(stderr, "canaryd: %s\n", conflict.c_str());
  return found.empty();
}

// A word that is no subcommand gets its own message; the parser's would not name it.
bool names_a_subcommand(CLI::App const& app, int argc, char** argv) {
  std::string const word = argc > 1 ? argv[1] : "";
  if (word.empty() || word.starts_with('-')) return true;
  for (auto const* const each : app.get_subcommands({})) {
    if (each->get_name() == word) return true;
  }
  std::fprintf(stderr, "canaryd: there is no command \"%s\"; canaryd --help lists them\n",
               word.c_str());
  return false;
}

// The exit status of a command that came to nothing, which standard error knows. Who runs it as a
// plugin of Nagios reads standard output alone, whatever is wrong with the rest of the line.
int failed(int argc, char** argv, std::string const& why) {
  if (argc < 2 || !tells_by_status(argv[1])) return kFailure;
  for (int i = 2; i < argc; ++i) {
    std::string_view const word = argv[i];
    bool const next =
        word == "--output" && i + 1 < argc && std::string_view{argv[i + 1]} == "nagios";
    if (next || word == "--output=nagios") canary::daemon::put(canary::daemon::nagios_unknown(why));
  }
  return kWrongUseOfCheck;
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

  if (!names_a_subcommand(app, argc, argv)) return kFailure;
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    std::ostringstream help;
    int const code = app.exit(error, help, std::cerr);
    canary::daemon::put(help.str());
    return code == 0 ? 0 : failed(argc, argv, error.what());  // 0: --help, --version
  }
  try {
    if (!versions_fit()) return failed(argc, argv, "two versions of a library are loaded");
    return action();
  } catch (std::exception const& thrown) {
    std::string const why = canary::runtime::explain(thrown);
    std::fprintf(stderr, "canaryd: %s\n", why.c_str());
    return failed(argc, argv, why);
  }
}

// Of a result that nobody got: "could not tell" where the command has a word for that. What is
// known to be bad stays so.
int without_output(int code, std::string const& command) {
  if (tells_by_status(command)) return code == kCritical ? code : kWrongUseOfCheck;
  if (command == "status" || command == "reload") return kNoAnswerOfStatus;
  return code == 0 ? kFailure : code;
}

int run(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that is gone is told like a full disk
  int const chosen = chosen_command(argc, argv);
  int const code =
      canary::daemon::output_arrived() ? chosen : without_output(chosen, argc > 1 ? argv[1] : "");
  // What stands still uses what an orderly end would destroy.
  if (canary::runtime::calls_left() > 0) ::_exit(code);
  return code;
}

}  // namespace

int main(int argc, char** argv) { return canary::runtime::run_prepared(&run, argc, argv); }
