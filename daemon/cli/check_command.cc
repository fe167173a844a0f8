// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/config.h"
#include "config/duration.h"
#include "config/flags.h"
#include "daemon/check/check.h"
#include "daemon/check/progress_bar.h"
#include "daemon/check/report_junit.h"
#include "daemon/check/report_nagios.h"
#include "daemon/check/report_text.h"
#include "daemon/cli/bounded.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/exit_status.h"
#include "daemon/cli/output.h"
#include "probes/kind.h"
#include "runtime/limits.h"
#include "runtime/signals.h"

namespace canary::daemon {
namespace {

constexpr std::chrono::milliseconds kReadWithin{60'000};  // a configuration

struct CheckFlags {
  std::string config;
  std::vector<std::string> probes;
  probes::Kind const* kind =
      nullptr;               // `check KIND`; null: of the first one, or of a configuration
  config::GivenFlags given;  // the kind's
  std::string at = "now";
  std::string expiring_within;  // empty: the thresholds of a configuration that sets none
  std::string output = "text";
  bool quiet = false;
  bool explain = false;
};

struct WrongUse : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T>
T value_or_wrong_use(Result<T, std::string> parsed, std::string const& option) {
  if (!parsed) throw WrongUse(option + ": " + parsed.error());
  return std::move(parsed).value();
}

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::optional<std::chrono::seconds> expiring_within(CheckFlags const& flags) {
  if (flags.expiring_within.empty()) return std::nullopt;
  auto const span =
      value_or_wrong_use(config::parse_duration(flags.expiring_within), "--expiring-within");
  return std::chrono::floor<std::chrono::seconds>(span);
}

probes::Kind const& kind_of(CheckFlags const& flags) {
  return flags.kind == nullptr ? *probes::kinds().front() : *flags.kind;
}

// What the reader of a configuration knows of it.
config::Kind const& configured(probes::Kind const& kind) {
  auto const& all = probes::configured_kinds();
  return *std::ranges::find(all, kind.declaration().kind,
                            [](config::Kind const& each) { return each.spec.name(); });
}

// `check` itself takes flags of the first kind, also before and behind the name of another one.
void refuse_flags_of_others(CheckFlags const& flags) {
  auto const own = config::flags_of(configured(kind_of(flags)));
  std::string const kind{kind_of(flags).declaration().kind};
  for (auto const& [name, values] : flags.given) {
    if (std::ranges::find(own, name, &config::Flag::name) == own.end()) {
      std::string why = "--";
      throw WrongUse(why.append(name).append(": check ").append(kind).append(" has no such flag"));
    }
  }
  bool const ends = std::ranges::any_of(
      own, [](config::Flag const& flag) { return flag.own && flag.path.back() == "warning"; });
  if (!ends && !flags.expiring_within.empty()) {
    throw WrongUse("--expiring-within: nothing ends of what check " + kind + " looks at");
  }
}

config::ProbeSpec spec_of(CheckFlags const& flags) {
  auto spec = config::probe_of(configured(kind_of(flags)), flags.given);
  if (!spec) {
    std::string text;
    for (auto const& wrong : spec.error()) text += (text.empty() ? "" : "\n") + wrong;
    throw WrongUse(text);
  }
  if (auto const warning = expiring_within(flags)) {
    config::set_thresholds(spec.value().kind, *warning);
  }
  return std::move(spec).value();
}

std::vector<config::ProbeSpec> specs_of_config(CheckFlags const& flags) {
  auto loaded =
      config::load(flags.config, config::process_environment(), probes::configured_kinds());
  if (!loaded) {
    std::string text;
    for (auto const& problem : loaded.error()) text += to_text(problem) + "\n";
    text.pop_back();
    throw WrongUse(text);
  }
  std::vector<config::ProbeSpec> chosen;
  for (auto const& name : flags.probes) {
    auto const& all = loaded.value().probes;
    auto const found =
        std::ranges::find(all, name, [](auto const& spec) { return spec.name.text; });
    if (found == all.end()) throw WrongUse(flags.config + " has no probe called \"" + name + "\"");
    chosen.push_back(*found);
  }
  if (flags.probes.empty()) {
    for (auto const& spec : loaded.value().probes) {
      if (spec.enabled) chosen.push_back(spec);
    }
  }
  if (chosen.empty()) throw WrongUse(flags.config + " has no enabled probe: nothing was checked");
  return chosen;
}

// What can be checked without asking anybody, such as a pinned root on its own.
std::optional<CheckedProbe> check_alone(CheckFlags const& flags, std::chrono::sys_seconds at) {
  probes::Kind const& kind = kind_of(flags);
  auto report = kind.check_alone(flags.given, at, expiring_within(flags));
  if (!report) throw WrongUse(report.error());
  if (!report.value()) return std::nullopt;
  std::string name;
  for (auto const& [flag, values] : flags.given) {
    if (flag != "timeout") name = values.back();
  }
  return CheckedProbe{.spec = {.name = {name}, .repository = name, .kind = kind.spec()},
                      .report = std::move(*report.value()),
                      .complete = true,
                      .duration = {}};
}

// What is to be checked, or what was found where nobody had to be asked.
struct Prepared {
  CheckRequest request;
  std::optional<CheckedProbe> alone;
};

std::string written(std::vector<CheckedProbe> const& checked, CheckFlags const& flags,
                    std::chrono::sys_seconds at) {
  bool const quiet = flags.quiet, explain = flags.explain;
  if (flags.output == "junit") return report_junit(checked, {.quiet = quiet, .explain = explain});
  if (flags.output == "nagios") {
    return report_nagios(checked, {.quiet = quiet, .explain = explain, .at = at});
  }
  bool const colour = ::isatty(STDOUT_FILENO) != 0;
  TextStyle const style{.colour = colour, .quiet = quiet, .explain = explain};
  return flags.output == "json" ? report_json(checked, style) : report_text(checked, style);
}

// Reads what the flags name, which may stand still.
Prepared prepare(CheckFlags const& flags, runtime::Stage& stage) {
  auto const at = value_or_wrong_use(config::parse_time(flags.at, now()), "--at");
  Prepared prepared;
  if (flags.at != "now") prepared.request.at = at;
  if (!flags.config.empty()) {
    prepared.request.probes = specs_of_config(flags);
    return prepared;
  }
  refuse_flags_of_others(flags);
  stage.enter("reading the files that the flags name");
  prepared.alone = check_alone(flags, at);
  if (!prepared.alone) prepared.request.probes.push_back(spec_of(flags));
  return prepared;
}

std::chrono::milliseconds timeout_of(CheckFlags const& flags) {
  auto const given = flags.given.find("timeout");
  if (given == flags.given.end()) return config::ProbeSpec{}.timeout;
  return value_or_wrong_use(config::parse_duration(given->second.back()), "--timeout");
}

int check_command(CheckFlags const& flags) {
  runtime::StopOnSignal const interrupt{kExitUnknown};
  runtime::raise_descriptor_limit();
  Bound const bound{.command = "canaryd check",
                    .limit = flags.config.empty() ? timeout_of(flags) : kReadWithin,
                    .code = kExitUnknown,
                    .out = flags.output == "nagios" ? "CANARYD UNKNOWN: " : ""};
  Prepared prepared = bounded(bound, interrupt.token(),
                              [flags](runtime::Stage& stage) { return prepare(flags, stage); });
  auto const at = prepared.request.at.value_or(now());
  std::vector<CheckedProbe> checked;
  if (prepared.alone) {
    checked.push_back(std::move(*prepared.alone));
  } else {
    CheckProgress progress{prepared.request.probes.size()};
    ProgressBar const bar{progress};
    checked = check(std::move(prepared.request), progress, interrupt.token());
  }
  put(written(checked, flags, at));
  return exit_code(checked);
}

// Of the texts of fields, which are Markdown.
std::string plain(std::string text) {
  std::erase(text, '`');
  for (auto link = text.find("]("); link != std::string::npos; link = text.find("](", link)) {
    text.erase(link, text.find(')', link) + 1 - link);
    auto const open = text.rfind('[', link);
    if (open != std::string::npos) text.erase(open, 1);
  }
  return text;
}

CLI::Option* add_flag_of(CLI::App& command, config::Flag const& flag, config::GivenFlags& given,
                         std::string const& names) {
  auto* const option = command
                           .add_option_function<std::vector<std::string>>(
                               names,
                               [&given, name = flag.name](std::vector<std::string> const& values) {
                                 given[name] = values;
                               },
                               plain(flag.text))
                           ->expected(1);
  using Form = config::Flag::Form;
  if (flag.form == Form::list) option->expected(1, CLI::detail::expected_max_vector_size);
  if (flag.form == Form::headers) option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return option;
}

// `check KIND`: the kind's fields are its flags.
void add_kind(CLI::App& check, probes::Kind const& kind, std::shared_ptr<CheckFlags> const& flags) {
  std::string const name{kind.declaration().kind};
  auto* const command = check.add_subcommand(name, "Checks " + std::string{kind.title()});
  command->fallthrough();
  for (auto const& flag : config::flags_of(configured(kind))) {
    std::string names = "--" + flag.name;
    if (flag.own && flag.name == kind.positional()) names += "," + flag.name;
    add_flag_of(*command, flag, flags->given, names);
  }
  command->callback([flags, &kind] { flags->kind = &kind; });
}

// What `check` itself takes of the flags of the first kind: 0.1 knew no other.
void add_first_kind(CLI::App& command, std::shared_ptr<CheckFlags> const& flags,
                    CLI::Option* config) {
  for (auto const& flag : config::flags_of(configured(*probes::kinds().front()))) {
    bool const dotted = flag.name.find('.') != std::string::npos;
    bool const known = flag.name == "timeout" || flag.name == "ca-file";
    if (dotted || (!flag.own && !known)) continue;
    add_flag_of(command, flag, flags->given, "--" + flag.name)
        ->excludes(config)
        ->group("Options where no kind is named");
  }
}

}  // namespace

void add_check_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "check", "Checks repositories once, as a client would, and says what is wrong with them");
  auto const flags = std::make_shared<CheckFlags>();
  auto* const config =
      command->add_option("--config", flags->config, "Take the probes from a configuration file");
  command->add_option("PROBE", flags->probes,
                      "With --config: names of probes; all enabled ones where none is given");
  add_first_kind(*command, flags, config);
  for (auto const* const kind : probes::kinds()) add_kind(*command, *kind, flags);
  command->require_subcommand(0, 1);
  command->add_option("--at", flags->at, "Judge expiry as of this time (RFC 3339, UTC)")
      ->capture_default_str();
  command
      ->add_option("--expiring-within", flags->expiring_within,
                   "Remaining validity below which any expiry is a warning, whatever the role; "
                   "without it, the thresholds of a configuration that sets none")
      ->excludes(config);
  command
      ->add_option("--output", flags->output,
                   "text; json; junit for continuous integration; nagios: as a plugin of it")
      ->check(CLI::IsMember({"text", "json", "junit", "nagios"}))
      ->capture_default_str();
  command->add_flag("-q,--quiet", flags->quiet, "Leave out what is ok");
  command->add_flag("--explain", flags->explain,
                    "Say of each finding that is not ok which step of which specification it is, "
                    "file and URL, what was expected, whom it breaks and what to do");
  command->footer(
      "Examples:\n"
      "  canaryd check --root root.json --metadata-url https://repo.example/metadata --targets "
      "all\n"
      "  canaryd check --root root.json --metadata-url file:///srv/repo/metadata --at 2027-01-01\n"
      "  canaryd check --config /etc/canaryd/canaryd.yml sigstore --output json | jq .severity");
  command->callback([flags, &chosen] {
    if (!flags->config.empty() && flags->kind != nullptr) {
      // A probe may be called as a kind is.
      if (!flags->given.empty()) {
        throw CLI::ValidationError("check", "a kind and its flags exclude --config");
      }
      flags->probes.emplace_back(flags->kind->declaration().kind);
    }
    if (flags->config.empty() && flags->kind == nullptr && flags->given.empty()) {
      throw CLI::ValidationError("check",
                                 "give a kind and what to check, --root FILE, with --metadata-url "
                                 "URL, or --config FILE");
    }
    if (flags->config.empty() && !flags->probes.empty()) {
      throw CLI::ValidationError("PROBE", "names of probes need --config FILE");
    }
    chosen = [flags] {
      try {
        return check_command(*flags);
      } catch (WrongUse const& wrong) {
        std::fprintf(stderr, "canaryd check: %s\n", wrong.what());
        if (flags->output == "nagios") put(nagios_unknown(wrong.what()));
        return kExitUnknown;
      }
    };
  });
}

}  // namespace canary::daemon
