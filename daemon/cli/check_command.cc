// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/config.h"
#include "config/duration.h"
#include "daemon/check/check.h"
#include "daemon/check/progress_bar.h"
#include "daemon/check/report_text.h"
#include "daemon/cli/bounded.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/output.h"
#include "probes/tuf/probe.h"
#include "runtime/limits.h"
#include "runtime/signals.h"

namespace canary::daemon {
namespace {

constexpr int kCouldNotTell = 3;
constexpr std::chrono::milliseconds kReadWithin{60'000};  // a configuration

struct CheckFlags {
  std::string config;
  std::vector<std::string> probes;
  std::string root, metadata_url, targets_url;
  std::vector<std::string> targets;
  std::string at = "now";
  std::string expiring_within;  // empty: the thresholds of a configuration that sets none
  std::string timeout = config::to_text(config::ProbeSpec{}.timeout);
  std::string ca_file;
  std::string output = "text";
  bool quiet = false;
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

config::ExpiryPolicy expiry_of(CheckFlags const& flags) {
  if (flags.expiring_within.empty()) return {};
  auto const warning =
      value_or_wrong_use(config::parse_duration(flags.expiring_within), "--expiring-within");
  config::ExpiryThresholds const all{std::chrono::floor<std::chrono::seconds>(warning),
                                     std::chrono::seconds{0}};
  return {.root = all,
          .timestamp = all,
          .snapshot = all,
          .targets = all,
          .delegated = all,
          .roles = {}};
}

config::TargetSelection selection(std::vector<std::string> const& words) {
  using Kind = config::TargetSelection::Kind;
  if (words.empty() || words == std::vector<std::string>{"none"}) return {Kind::none, {}};
  if (words == std::vector<std::string>{"all"}) return {Kind::all, {}};
  return {Kind::names, words};
}

config::ProbeSpec spec_of(CheckFlags const& flags) {
  auto const url = [](std::string const& text, char const* option) {
    return value_or_wrong_use(config::Url::parse(text), option);
  };
  config::TufSpec tuf{.metadata_url = url(flags.metadata_url, "--metadata-url")};
  if (!flags.targets_url.empty()) tuf.targets_url = url(flags.targets_url, "--targets-url");
  tuf.root = flags.root;
  tuf.targets = selection(flags.targets);
  tuf.expiry = expiry_of(flags);
  std::string const name = tuf.metadata_url.text();
  config::ProbeSpec spec{.name = {name}, .repository = name, .kind = std::move(tuf)};
  spec.timeout = value_or_wrong_use(config::parse_duration(flags.timeout), "--timeout");
  if (!flags.ca_file.empty()) spec.http.ca_file = flags.ca_file;
  return spec;
}

std::vector<config::ProbeSpec> specs_of_config(CheckFlags const& flags) {
  auto loaded = config::load(flags.config, config::process_environment());
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
  return chosen;
}

tuf::RootFile root_file(std::string const& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  struct ::stat status{};
  if (!file || ::stat(path.c_str(), &status) != 0) {
    throw WrongUse("--root: cannot read " + path);
  }
  return {.bytes = std::move(text).str(),
          .name = path,
          .last_modified = std::chrono::sys_seconds{std::chrono::seconds{status.st_mtim.tv_sec}}};
}

// The pinned root on its own: nothing is fetched.
CheckedProbe check_root_alone(CheckFlags const& flags, std::chrono::sys_seconds at) {
  config::ProbeSpec spec{.name = {flags.root},
                         .repository = flags.root,
                         .kind = config::TufSpec{.metadata_url = {}, .root = flags.root}};
  auto report = tuf::check_root(root_file(flags.root), at, expiry_of(flags).root);
  return {.spec = std::move(spec), .report = std::move(report), .complete = true, .duration = {}};
}

void print(std::vector<CheckedProbe> const& checked, CheckFlags const& flags) {
  bool const colour = ::isatty(STDOUT_FILENO) != 0;
  std::string const text = flags.output == "json"
                               ? report_json(checked)
                               : report_text(checked, {.colour = colour, .quiet = flags.quiet});
  put(text);
}

// What is to be checked, or, of a root alone, what was found.
struct Prepared {
  CheckRequest request;
  std::optional<CheckedProbe> root_alone;
};

// Reads what the flags name, which may stand still.
Prepared prepare(CheckFlags const& flags, runtime::Stage& stage) {
  auto const at = value_or_wrong_use(config::parse_time(flags.at, now()), "--at");
  Prepared prepared;
  if (flags.config.empty() && flags.metadata_url.empty()) {
    stage.enter("reading " + flags.root);
    prepared.root_alone = check_root_alone(flags, at);
    return prepared;
  }
  if (flags.at != "now") prepared.request.at = at;
  if (flags.config.empty()) {
    prepared.request.probes.push_back(spec_of(flags));
  } else {
    prepared.request.probes = specs_of_config(flags);
  }
  return prepared;
}

int check_command(CheckFlags const& flags) {
  runtime::StopOnSignal const interrupt{kCouldNotTell};
  runtime::raise_descriptor_limit();
  auto const limit = flags.config.empty()
                         ? value_or_wrong_use(config::parse_duration(flags.timeout), "--timeout")
                         : kReadWithin;
  Prepared prepared =
      bounded({.command = "canaryd check", .limit = limit, .code = kCouldNotTell},
              interrupt.token(), [flags](runtime::Stage& stage) { return prepare(flags, stage); });
  if (prepared.root_alone) {
    std::vector<CheckedProbe> const checked{std::move(*prepared.root_alone)};
    print(checked, flags);
    return exit_code(checked);
  }
  CheckProgress progress{prepared.request.probes.size()};
  std::vector<CheckedProbe> checked;
  {
    ProgressBar const bar{progress};
    checked = check(std::move(prepared.request), progress, interrupt.token());
  }
  print(checked, flags);
  return exit_code(checked);
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
  auto* const root = command
                         ->add_option("--root", flags->root,
                                      "The pinned root.json; alone, it is checked by itself")
                         ->excludes(config);
  auto* const metadata = command
                             ->add_option("--metadata-url", flags->metadata_url,
                                          "Where the metadata is: http, https or file")
                             ->needs(root);
  command
      ->add_option("--targets-url", flags->targets_url,
                   "Where the targets are; \"targets\" beside the metadata unless given")
      ->needs(metadata);
  command
      ->add_option("--targets", flags->targets,
                   "all, none (the default), or names of targets to download and verify")
      ->needs(metadata);
  command->add_option("--at", flags->at, "Judge expiry as of this time (RFC 3339, UTC)")
      ->capture_default_str();
  command
      ->add_option("--expiring-within", flags->expiring_within,
                   "Remaining validity below which any expiry is a warning, whatever the role; "
                   "without it, the thresholds of a configuration that sets none")
      ->excludes(config);
  command->add_option("--timeout", flags->timeout, "Of the whole check (without --config)")
      ->capture_default_str()
      ->excludes(config);
  command
      ->add_option("--ca-file", flags->ca_file, "PEM certificates to trust instead of the system's")
      ->needs(metadata);
  command->add_option("--output", flags->output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_flag("-q,--quiet", flags->quiet, "Leave out what is ok (text)");
  command->footer(
      "Exit: 0 healthy, 1 warning, 2 critical, 3 could not tell or wrong use; 2 wins over 3.\n"
      "A wrong answer (a listed file missing, garbage, a bad signature) is critical;\n"
      "no answer (DNS, connection, timeout, 5xx) is could not tell.\n"
      "Examples:\n"
      "  canaryd check --root root.json --metadata-url https://repo.example/metadata --targets "
      "all\n"
      "  canaryd check --root root.json --metadata-url file:///srv/repo/metadata --at 2027-01-01\n"
      "  canaryd check --config /etc/canaryd/canaryd.yml sigstore --output json | jq .severity");
  command->callback([flags, &chosen] {
    if (flags->config.empty() && flags->root.empty()) {
      throw CLI::ValidationError("check",
                                 "give --root FILE, with --metadata-url URL, or --config FILE");
    }
    if (flags->config.empty() && !flags->probes.empty()) {
      throw CLI::ValidationError("PROBE", "names of probes need --config FILE");
    }
    chosen = [flags] {
      try {
        return check_command(*flags);
      } catch (WrongUse const& wrong) {
        std::fprintf(stderr, "%s\n", wrong.what());
        return kCouldNotTell;
      }
    };
  });
}

}  // namespace canary::daemon
