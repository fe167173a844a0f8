// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "config/config.h"
#include "daemon/app/app.h"
#include "daemon/cli/commands.h"

namespace canary::daemon {
namespace {

int check_file(std::string const& file) {
  auto const loaded = config::load(file, config::process_environment());
  if (!loaded) {
    for (auto const& problem : loaded.error()) {
      std::fprintf(stderr, "%s\n", to_text(problem).c_str());
    }
    return kExitBadConfig;
  }
  std::printf("%s: good; probes: %zu\n", file.c_str(), loaded.value().probes.size());
  return kExitClean;
}

int show_file(std::string const& file) {
  auto const loaded = config::load(file, config::process_environment());
  if (!loaded) return check_file(file);
  std::fputs(config::show(loaded.value()).c_str(), stdout);
  return kExitClean;
}

}  // namespace

void add_config_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand("config", "Checks a configuration, or shows it");
  command->require_subcommand(1);
  auto const file = std::make_shared<std::string>();
  auto* const check = command->add_subcommand(
      "check",
      "Reads a configuration and its includes and names all that is wrong with it; "
      "exit 0, or 78 where it is refused");
  check->add_option("FILE", *file, "Configuration to read")->required();
  check->callback([file, &chosen] { chosen = [file] { return check_file(*file); }; });
  auto* const show = command->add_subcommand(
      "show", "Prints the configuration in effect: every default written out, secrets masked");
  show->add_option("FILE", *file, "Configuration to read")->required();
  show->callback([file, &chosen] { chosen = [file] { return show_file(*file); }; });
}

}  // namespace canary::daemon
