// SPDX-License-Identifier: Apache-2.0
// canaryd-faults: `canaryd run` with hands laid on it. Everything but tests/faults/inject*.cc is
// the product's own.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>

#include <CLI/CLI.hpp>

#include "daemon/app/app_options.h"
#include "daemon/cli/commands.h"
#include "tests/faults/inject.h"

namespace {

// The address in use, for who cannot read the log.
void tell_address(std::vector<std::string> const& addresses) {
  char const* const folder = std::getenv("CANARY_FAULT_DIR");
  if (folder == nullptr) return;
  std::string const file = std::string{folder} + "/address";
  std::ofstream{file + ".new"} << addresses.front();
  std::rename((file + ".new").c_str(), file.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"canaryd, made to hang on purpose"};
  app.require_subcommand(1);
  canary::daemon::Action action;
  canary::daemon::add_run_command(app, action, [](canary::daemon::AppOptions& options) {
    options.started = tell_address;
    if (std::getenv("CANARY_FAULT") != nullptr) {
      options.around_runs = canary::faults::around_runs;
    }
  });
  try {
    app.parse(argc, argv);
    return action();
  } catch (CLI::ParseError const& error) {
    return app.exit(error);
  } catch (std::exception const& failed) {
    std::fprintf(stderr, "canaryd: %s\n", failed.what());
    return 1;
  }
}
