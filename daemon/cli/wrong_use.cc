// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/wrong_use.h"

#include <algorithm>
#include <cstdio>

#include <CLI/CLI.hpp>

namespace canary::daemon {
namespace {

// How far the words of a command line name commands.
struct Named {
  CLI::App const* command;
  std::string path;  // "canaryd config diff"
  int words;         // of argv, the program included
};

CLI::App const* below(CLI::App const& app, std::string const& name) {
  auto const all = app.get_subcommands({});
  auto const found =
      std::ranges::find(all, name, [](auto const* each) { return each->get_name(); });
  return found == all.end() ? nullptr : *found;
}

Named named_by(CLI::App const& app, int argc, char const* const* argv) {
  Named named{&app, app.get_name(), 1};
  while (named.words < argc) {
    auto const* const next = below(*named.command, argv[named.words]);
    if (next == nullptr) break;
    named = {next, named.path + " " + next->get_name(), named.words + 1};
  }
  return named;
}

}  // namespace

void tell_wrong_use(CLI::App const& app, int argc, char const* const* argv,
                    std::string const& why) {
  std::string const path = named_by(app, argc, argv).path;
  std::fprintf(stderr, "%s: %s (try %s --help)\n", path.c_str(), why.c_str(), path.c_str());
}

std::string unknown_word(CLI::App const& app, int argc, char const* const* argv) {
  auto const named = named_by(app, argc, argv);
  if (named.words == argc || named.command->get_require_subcommand_min() == 0) return {};
  std::string const word = argv[named.words];
  if (!word.starts_with('-')) return "there is no command \"" + word + "\"";
  bool const known = named.command->get_option_no_throw(word.substr(0, word.find('='))) != nullptr;
  return known ? "" : "there is no option " + word + " before a command";
}

}  // namespace canary::daemon
