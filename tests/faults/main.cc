// SPDX-License-Identifier: Apache-2.0
// canaryd-faults: `canaryd run` with hands laid on it. Everything but tests/faults/inject*.cc is
// the product's own.
#include <chrono>
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

// Below what a probe may wait for, which no configuration may have: a stalled run is quick to come.
void shorten_run_stall(canary::daemon::AppOptions& options) {
  char const* const wanted = std::getenv("CANARY_RUN_STALL_MS");
  if (wanted == nullptr) return;
  options.load = [load = options.load, limit = std::chrono::milliseconds{std::atoi(wanted)}] {
    auto loaded = load();
    if (loaded) loaded.value().watchdog.run_stall = limit;
    return loaded;
  };
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"canaryd, made to hang on purpose"};
  app.require_subcommand(1);
  canary::daemon::Action action;
  canary::daemon::add_run_command(app, action, [](canary::daemon::AppOptions& options) {
    options.started = tell_address;
    shorten_run_stall(options);
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
