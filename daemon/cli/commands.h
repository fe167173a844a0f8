// SPDX-License-Identifier: Apache-2.0
// canaryd's subcommands. Each adds itself to the command line and, when it was chosen, sets what is
// to be done once the whole line is understood.
// Thread: main.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace canary::daemon {

// What the chosen subcommand does; returns the exit code.
using Action = std::function<int()>;

void add_run_command(CLI::App& app, Action& chosen);
void add_check_command(CLI::App& app, Action& chosen);
void add_demo_command(CLI::App& app, Action& chosen);
void add_config_command(CLI::App& app, Action& chosen);
void add_version_command(CLI::App& app, Action& chosen);

}  // namespace canary::daemon
