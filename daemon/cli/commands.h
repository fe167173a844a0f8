// SPDX-License-Identifier: Apache-2.0
// canaryd's subcommands. Each adds itself to the command line and, when it was chosen, sets what is
// to be done once the whole line is understood.
// Thread: main.
#pragma once

#include <functional>
#include <optional>

#include "config/shard.h"

namespace CLI {
class App;
}

namespace canary::daemon {

struct AppOptions;

// What the chosen subcommand does; returns the exit code.
using Action = std::function<int()>;

// `adjust` is for programs of the tests: it may change what the daemon starts with.
void add_run_command(CLI::App& app, Action& chosen,
                     std::function<void(AppOptions&)> const& adjust = {});
void add_check_command(CLI::App& app, Action& chosen);
void add_demo_command(CLI::App& app, Action& chosen);
void add_completion_command(CLI::App& app, Action& chosen);
void add_config_command(CLI::App& app, Action& chosen);
void add_dump_command(CLI::App& app, Action& chosen);
void add_forget_command(CLI::App& app, Action& chosen);
void add_run_now_command(CLI::App& app, Action& chosen);
void add_reload_command(CLI::App& app, Action& chosen);
void add_status_command(CLI::App& app, Action& chosen);
void add_top_command(CLI::App& app, Action& chosen);
void add_history_command(CLI::App& app, Action& chosen);
void add_version_command(CLI::App& app, Action& chosen);

// --shard of a subcommand; nothing where it is not given.
void add_shard_flag(CLI::App& command, std::optional<config::Shard>& shard);

}  // namespace canary::daemon
