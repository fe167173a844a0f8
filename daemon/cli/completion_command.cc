// SPDX-License-Identifier: Apache-2.0
// `canaryd completion SHELL`: what a shell completes, from the parser's own tree of commands.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "daemon/cli/commands.h"
#include "daemon/cli/output.h"

namespace canary::daemon {
namespace {

struct Flag {
  std::vector<std::string> longs, shorts;  // without dashes
  std::string what;
  bool takes_value = false;
  std::string values;  // "text json" where it takes one of a few; else a file or free text
};

struct Command {
  std::string path;  // "config check"; empty: the program itself
  std::string name, what;
  std::vector<Flag> flags;
  std::vector<std::string> inside;  // names of its own subcommands
};

// "TEXT:{debug,info}" -> "debug info".
std::string choices(std::string const& type) {
  auto const open = type.find('{');
  auto const close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  std::string found = type.substr(open + 1, close - open - 1);
  for (char& c : found) c = c == ',' ? ' ' : c;
  return found;
}

// The first sentence, which is what has room beside a word.
std::string brief(std::string text) {
  for (char const* const end : {"; ", ": ", ". ", "\n"}) {
    if (auto const at = text.find(end); at != std::string::npos) text.resize(at);
  }
  return text;
}

// `group`: of that heading of the help alone, where it is not "".
std::vector<Flag> flags_of(CLI::App const& app, std::string_view group = {}) {
  std::vector<Flag> flags;
  for (auto const* const option : app.get_options()) {
    if (option->get_group().empty() || (!group.empty() && option->get_group() != group)) continue;
    Flag flag{.longs = option->get_lnames(),
              .shorts = option->get_snames(),
              .what = brief(option->get_description()),
              .takes_value = option->get_items_expected_max() > 0,
              .values = choices(option->get_type_name())};
    if (!flag.longs.empty() || !flag.shorts.empty()) flags.push_back(std::move(flag));
  }
  return flags;
}

// What the parser takes there, those of the command around it included where it looks on there:
// what stands under a heading of its own is for that command alone.
std::vector<Flag> taken_flags(CLI::App const& app) {
  auto flags = flags_of(app);
  if (!app.get_fallthrough() || app.get_parent() == nullptr) return flags;
  for (auto& outer : flags_of(*app.get_parent(), "Options")) {
    bool const there =
        std::ranges::any_of(flags, [&](Flag const& own) { return own.longs == outer.longs; });
    if (!there) flags.push_back(std::move(outer));
  }
  return flags;
}

void walk(CLI::App const& app, std::string const& path, std::vector<Command>& all) {
  Command command{.path = path,
                  .name = app.get_name(),
                  .what = brief(app.get_description()),
                  .flags = taken_flags(app)};
  std::vector<CLI::App const*> below;
  for (auto const* const each : app.get_subcommands({})) {
    if (each->get_group().empty()) continue;
    command.inside.push_back(each->get_name());
    below.push_back(each);
  }
  all.push_back(std::move(command));
  for (auto const* const each : below) {
    walk(*each, path.empty() ? each->get_name() : path + " " + each->get_name(), all);
  }
}

std::string joined(std::vector<std::string> const& words, std::string_view between) {
  std::string text;
  for (auto const& each : words) text.append(text.empty() ? "" : between).append(each);
  return text;
}

// In single quotes, for every shell.
std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (char const c : text) out += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
  return out + "'";
}

// What _arguments of zsh would take for its own.
std::string escaped(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (c == '[' || c == ']' || c == ':') out += '\\';
    out += c;
  }
  return out;
}

std::vector<std::string> dashed(Flag const& flag) {
  std::vector<std::string> words;
  words.reserve(flag.shorts.size() + flag.longs.size());
  for (auto const& each : flag.shorts) words.push_back("-" + each);
  for (auto const& each : flag.longs) words.push_back("--" + each);
  return words;
}

// "'run'|'check'|'config check'", for a case of a shell.
std::string paths(std::vector<Command> const& all, std::string_view between) {
  std::vector<std::string> found;
  for (auto const& each : all) {
    if (!each.path.empty()) found.push_back(in_quotes(each.path));
  }
  return joined(found, between);
}

std::string for_bash(std::vector<Command> const& all) {
  std::string text =
      "# bash completion for canaryd; written by `canaryd completion bash`\n"
      "_canaryd() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= words= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"${command:+$command }${COMP_WORDS[i]}\" in\n"
      "      " +
      paths(all, "|") +
      ") command=${command:+$command }${COMP_WORDS[i]} ;;\n"
      "    esac\n  done\n  COMPREPLY=()\n  case \"$command $prev\" in\n";
  for (auto const& command : all) {
    for (auto const& flag : command.flags) {
      if (!flag.takes_value) continue;
      for (auto const& word : dashed(flag)) {
        text += "    " + in_quotes(command.path + " " + word) + ") ";
        if (!flag.values.empty()) {
          text += "COMPREPLY=($(compgen -W " + in_quotes(flag.values) + " -- \"$cur\")); ";
        }
        text += "return ;;\n";
      }
    }
  }
  text += "  esac\n  case \"$command\" in\n";
  for (auto const& command : all) {
    std::vector<std::string> options;
    for (auto const& flag : command.flags) {
      for (auto& word : dashed(flag)) options.push_back(std::move(word));
    }
    text += "    " + in_quotes(command.path) + ") words=" + in_quotes(joined(command.inside, " "));
    text += "; [[ $cur == -* ]] && words=" + in_quotes(joined(options, " ")) + " ;;\n";
  }
  return text +
         "  esac\n"
         "  [ -z \"$words\" ] || COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "}\n"
         "complete -o bashdefault -o default -F _canaryd canaryd\n";
}

std::string zsh_flags(Command const& command) {
  std::string text;
  for (auto const& flag : command.flags) {
    for (auto const& word : dashed(flag)) {
      std::string spec = word + "[" + escaped(flag.what) + "]";
      if (flag.takes_value) {
        spec += flag.values.empty() ? ":value:_files" : ":value:(" + flag.values + ")";
      }
      text += " \\\n        " + in_quotes(spec);
    }
  }
  return text;
}

std::string for_zsh(std::vector<Command> const& all) {
  std::string text =
      "#compdef canaryd\n"
      "# zsh completion for canaryd; written by `canaryd completion zsh`\n"
      "_canaryd() {\n"
      "  local command= depth=0 i\n"
      "  local -a inside\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    case \"${command:+$command }${words[i]}\" in\n"
      "      (" +
      paths(all, "|") +
      ") command=\"${command:+$command }${words[i]}\"; depth=$((i - 1)) ;;\n"
      "    esac\n  done\n"
      "  shift $depth words\n  (( CURRENT -= depth ))\n"
      "  case \"$command\" in\n";
  for (auto const& command : all) {
    text += "    (" + in_quotes(command.path) + ")\n";
    if (!command.inside.empty()) {
      text += "      inside=(";
      for (auto const& name : command.inside) {
        for (auto const& each : all) {
          std::string const path = command.path.empty() ? name : command.path + " " + name;
          if (each.path == path) text += "\n        " + in_quotes(name + ":" + each.what);
        }
      }
      text += ")\n      [[ $PREFIX == -* ]] || _describe command inside\n";
    }
    text += "      _arguments" + zsh_flags(command);
    text += command.inside.empty() ? " \\\n        '*:file:_files' ;;\n" : " ;;\n";
  }
  return text + "  esac\n}\n_canaryd \"$@\"\n";
}

std::string for_fish(std::vector<Command> const& all) {
  std::string text =
      "# fish completion for canaryd; written by `canaryd completion fish`\n"
      "function __canaryd_at\n"
      "  set -l command ''\n"
      "  for word in (commandline -opc)[2..]\n"
      "    switch (string trim -- \"$command $word\")\n"
      "      case " +
      paths(all, " ") +
      "\n        set command (string trim -- \"$command $word\")\n"
      "    end\n  end\n"
      "  test \"$command\" = \"$argv[1]\"\n"
      "end\n";
  for (auto const& command : all) {
    std::string const start = "complete -c canaryd -n \"__canaryd_at '" + command.path + "'\"";
    for (auto const& name : command.inside) {
      for (auto const& each : all) {
        std::string const path = command.path.empty() ? name : command.path + " " + name;
        if (each.path == path) {
          text.append(start).append(" -f -a ").append(name).append(" -d ");
          text.append(in_quotes(each.what)).append("\n");
        }
      }
    }
    for (auto const& flag : command.flags) {
      text += start;
      for (auto const& each : flag.shorts) text += " -s " + each;
      for (auto const& each : flag.longs) text += " -l " + each;
      if (flag.takes_value) {
        text += flag.values.empty() ? " -r -F" : " -x -a " + in_quotes(flag.values);
      }
      text += " -d " + in_quotes(flag.what) + "\n";
    }
  }
  return text;
}

}  // namespace

void add_completion_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand("completion", "Prints what a shell completes");
  command->group("");  // for packages; a person has it installed
  auto const shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([shell, &app, &chosen] {
    chosen = [shell, &app] {
      std::vector<Command> all;
      walk(app, "", all);
      put(*shell == "bash" ? for_bash(all) : *shell == "zsh" ? for_zsh(all) : for_fish(all));
      return 0;
    };
  });
}

}  // namespace canary::daemon
