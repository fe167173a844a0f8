// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/exit_status.h"

#include <algorithm>
#include <array>

#include <CLI/CLI.hpp>

#include "daemon/app/app_options.h"

namespace canary::daemon {
namespace {

constexpr ExitStatus kProgram[] = {{0, "of --help and --version"},
                                   {1, "no command, or one that does not exist"}};
constexpr ExitStatus kRun[] = {
    {0, "stopped cleanly"},
    {1,
     "could not start (an address is taken, another canaryd runs there, the environment gives too "
     "little, a file stands still), did not stop in time, or wrong use"},
    {78, "the configuration is refused; a service manager should not restart on it"}};
constexpr ExitStatus kCheck[] = {
    {0, "healthy"},
    {1, "warning, such as an expiry that is near"},
    {2,
     "critical: an answer is wrong (expired, a listed file missing, garbage, too long, a bad "
     "signature or hash, an older version); wins over 3"},
    {3,
     "could not tell: no answer (name lookup, connection, timeout, 5xx), interrupted, wrong use, "
     "or a configuration that is refused"},
    {130, "interrupted a second time"}};
constexpr ExitStatus kDemo[] = {{0, "stopped cleanly, or signed"},
                                {1, "could not start, could not sign, or wrong use"}};
constexpr ExitStatus kStatus[] = {
    {0, "canaryd works"},
    {1, "it hangs: its loop, or its HTTP server"},
    {3, "it does not answer, is not found, has no such probe, or wrong use"}};
constexpr ExitStatus kTop[] = {
    {0, "left"},
    {1, "there is no terminal, its kind (TERM) is not known, or wrong use"},
    {3, "no canaryd answers"}};
constexpr ExitStatus kHistory[] = {{0, "it was read"}, {1, "it cannot be read, or wrong use"}};
constexpr ExitStatus kRunNow[] = {
    {0, "healthy"},
    {1, "warning"},
    {2, "critical"},
    {3,
     "could not tell, no such probe, a run that a reload or a stop ended, nobody answers, or wrong "
     "use"}};
constexpr ExitStatus kForget[] = {
    {0, "forgotten"},
    {1, "refused: no such probe, no reason, a file that cannot be removed, or wrong use"},
    {3,
     "the canaryd that runs does not answer, or its disk does not within 30 s, or nobody can tell "
     "whether one runs"}};
constexpr ExitStatus kReload[] = {
    {0, "reloaded"},
    {1, "wrong use"},
    {3,
     "failed: nobody answers, the loop hangs, a file stands still, or "
     "it takes more than two minutes"},
    {78, "refused; the running configuration stays in force"}};
constexpr ExitStatus kDump[] = {
    {0, "printed"}, {1, "no canaryd answers, there is no dump, it cannot be read, or wrong use"}};
constexpr ExitStatus kConfig[] = {
    {0, "the configuration is good"},
    {1, "wrong use"},
    {78,
     "it is refused, or reading it does not end within a minute or is interrupted: the last file "
     "is named"}};
constexpr ExitStatus kConfigDiff[] = {
    {0, "nothing differs"},
    {1, "something differs"},
    {2, "wrong use"},
    {78, "one is refused, or reading it does not end within a minute or is interrupted"}};
constexpr ExitStatus kOther[] = {{0, "printed"}, {1, "wrong use"}};

// The program comes first: it is what a word that is no command falls to.
constexpr std::array kAll{
    CommandExit{"", 1, kProgram},
    CommandExit{"run", 1, kRun},
    CommandExit{"check", kExitUnknown, kCheck},
    CommandExit{"demo", 1, kDemo},
    CommandExit{"status", kExitUnknown, kStatus},
    CommandExit{"top", 1, kTop},
    CommandExit{"history", 1, kHistory},
    CommandExit{"run-now", kExitUnknown, kRunNow},
    CommandExit{"forget", 1, kForget},
    CommandExit{"reload", 1, kReload},
    CommandExit{"dump", 1, kDump},
    CommandExit{"config check", 1, kConfig},
    CommandExit{"config show", 1, kConfig},
    CommandExit{"config diff", 2, kConfigDiff},
    CommandExit{"version", 1, kOther},
    CommandExit{"completion", 1, kOther},
};

CommandExit const* find(std::string_view command) {
  auto const* const found = std::ranges::find(kAll, command, &CommandExit::command);
  return found == kAll.end() ? nullptr : &*found;
}

std::string text_of(CommandExit const& exit) {
  std::string text = "Exit status:";
  for (auto const& each : exit.statuses) {
    std::string const code = std::to_string(each.code);
    text.append("\n  ").append(code).append(5 - code.size(), ' ').append(each.when);
  }
  return text;
}

void add_to(CLI::App& command, CommandExit const& exit) {
  std::string const footer = command.get_footer();
  auto const examples = ("\n" + footer).find("\nExample");
  if (examples == std::string::npos) {
    command.footer((footer.empty() ? "" : footer + "\n") + text_of(exit));
  } else {
    command.footer(footer.substr(0, examples) + text_of(exit) + "\n" + footer.substr(examples));
  }
}

// `above`: the command around them, whose statuses are those of its subcommands that have none.
void add_below(CLI::App& app, std::string const& path, CommandExit const* above) {
  for (auto* const each : app.get_subcommands({})) {
    std::string const own = path.empty() ? each->get_name() : path + " " + each->get_name();
    auto const* const exit = find(own) != nullptr ? find(own) : above;
    add_below(*each, own, exit);
    if (exit != nullptr) add_to(*each, *exit);
  }
}

}  // namespace

bool CommandExit::has(int code) const {
  return std::ranges::find(statuses, code, &ExitStatus::code) != statuses.end();
}

CommandExit const& exit_of(int argc, char const* const* argv) {
  std::string const first = argc > 1 ? argv[1] : "";
  std::string const both = argc > 2 ? first + " " + argv[2] : first;
  if (auto const* const found = find(both)) return *found;
  auto const* const found = find(first);
  return found != nullptr ? *found : kAll.front();
}

void add_exit_statuses(CLI::App& app) {
  add_below(app, "", nullptr);
  add_to(app, kAll.front());
}

}  // namespace canary::daemon
