// SPDX-License-Identifier: Apache-2.0
// What canaryd's commands return: the one list of it. `--help` shows it, the table of
// docs/canaryd.md has it (a test compares both, and brings each about), and main() holds what a
// command returned against it.
// Thread: main.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace canary::daemon {

// Of check and run-now: could not tell; of those that ask the running canaryd: it gives no answer.
// 0, 1 and 78 are in daemon/app/app_options.h.
inline constexpr int kExitUnknown = 3;

struct ExitStatus {
  int code;
  std::string_view when;
};

struct CommandExit {
  std::string_view command;  // "config diff"; "": the program without one
  // Of wrong use, of output that could not be written and of libraries that do not fit: nothing was
  // done, or nobody was told.
  int failure;
  std::span<ExitStatus const> statuses;  // ascending

  bool has(int code) const;
};

// That of the command that the arguments of main() begin with; a word that is none: the program's.
CommandExit const& exit_of(int argc, char const* const* argv);

// Adds "Exit status:" to the help of each command below `app`, before its examples.
void add_exit_statuses(CLI::App& app);

}  // namespace canary::daemon
