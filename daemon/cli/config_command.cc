// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "config/config.h"
#include "config/differences.h"
#include "daemon/app/app_options.h"
#include "daemon/cli/bounded.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/config_files.h"
#include "daemon/cli/output.h"
#include "daemon/publish/web_access.h"
#include "probes/kind.h"

namespace canary::daemon {
namespace {

constexpr std::chrono::seconds kReadWithin{60};
constexpr int kDiffer = 1;

Bound bound_of(char const* command) {
  return {.command = command, .limit = kReadWithin, .code = kExitBadConfig};
}

int refuse(std::string const& why) {
  std::fprintf(stderr, "canaryd config check: %s\n", why.c_str());
  return kExitBadConfig;
}

// What is looked at.
struct Checked {
  std::string file, user;
  std::string web_file;                // of --web.config.file; "": there is none
  std::optional<config::Shard> shard;  // nothing: the file's
};

// "12", or of a shard "4 of 12 in shard 0/3".
std::string probes_text(config::Config config) {
  std::string all = std::to_string(config.probes.size());
  config::keep_shard(config);
  if (config.shard.is_all()) return all;
  return std::to_string(config.probes.size()) + " of " + all + " in shard " + to_text(config.shard);
}

int check_file(std::string const& file, std::optional<config::Shard> shard = std::nullopt) {
  auto loaded = config::load(file, config::process_environment(), probes::configured_kinds());
  if (!loaded) {
    for (auto const& problem : loaded.error()) {
      std::fprintf(stderr, "%s\n", to_text(problem).c_str());
    }
    return kExitBadConfig;
  }
  if (shard) loaded.value().shard = *shard;
  std::size_t const sources = loaded.value().discovery.size();
  std::string const lists = sources == 0 ? ""
                                         : ", and those of " + std::to_string(sources) +
                                               (sources == 1 ? " list" : " lists") +
                                               " that canaryd fetches as it runs";
  put(file + ": good; probes: " + probes_text(std::move(loaded).value()) + lists + "\n");
  return kExitClean;
}

int check_web_file(std::string const& file) {
  if (file.empty()) return kExitClean;
  auto const access = read_web_access(file);
  if (!access) {
    for (auto const& problem : access.error()) {
      std::fprintf(stderr, "%s\n", to_text(problem).c_str());
    }
    return kExitBadConfig;
  }
  put(file + ": good; TLS: " + (access.value()->tls ? "yes" : "no") +
      ", users: " + std::to_string(access.value()->users.size()) + "\n");
  return kExitClean;
}

int check_both(Checked const& checked) {
  int const code = check_file(checked.file, checked.shard);
  int const web = check_web_file(checked.web_file);
  return code == kExitClean ? web : code;
}

// As the service will meet it.
int check_as_user(Checked const& checked) {
  if (auto const trouble = become(checked.user); !trouble.empty()) return refuse(trouble);
  auto const loaded =
      config::load(checked.file, config::process_environment(), probes::configured_kinds());
  if (!loaded) return check_both(checked);
  auto const lines = look_into_files(loaded.value());
  for (auto const& line : lines) {
    std::fprintf(stderr, "%s: %s\n", checked.file.c_str(), line.c_str());
  }
  if (lines.empty()) return check_both(checked);
  check_web_file(checked.web_file);
  return kExitBadConfig;
}

int show_file(std::string const& file) {
  auto const loaded = config::load(file, config::process_environment(), probes::configured_kinds());
  if (!loaded) return check_file(file);
  put(config::show(loaded.value()));
  return kExitClean;
}

int differ(std::string const& old, std::string const& fresh) {
  auto const environment = config::process_environment();
  auto const before = config::load(old, environment, probes::configured_kinds());
  if (!before) return check_file(old);
  auto const after = config::load(fresh, environment, probes::configured_kinds());
  if (!after) return check_file(fresh);
  auto const lines = config::differences(before.value(), after.value());
  for (auto const& line : lines) put(line + "\n");
  return lines.empty() ? kExitClean : kDiffer;
}

void add_diff(CLI::App& command, Action& chosen) {
  auto const old = std::make_shared<std::string>(), fresh = std::make_shared<std::string>();
  auto* const diff = command.add_subcommand(
      "diff",
      "What is not the same in two configurations in effect, a line each; comments, order and "
      "defaults that are written out make no difference");
  diff->add_option("OLD", *old, "Configuration to begin with")->required();
  diff->add_option("NEW", *fresh, "Configuration to compare with it")->required();
  diff->callback([old, fresh, &chosen] {
    chosen = [old, fresh] {
      return run_bounded(
          bound_of("canaryd config diff"),
          [old = *old, fresh = *fresh](runtime::Stage&) { return differ(old, fresh); });
    };
  });
}

}  // namespace

void add_config_command(CLI::App& app, Action& chosen) {
  auto* const command =
      app.add_subcommand("config", "Checks a configuration, shows it, or compares two");
  command->require_subcommand(1);
  auto* const check = command->add_subcommand(
      "check", "Reads a configuration and its includes and names all that is wrong with it");
  auto const checked = std::make_shared<Checked>();
  check->add_option("FILE", checked->file, "Configuration to read")->required();
  check->add_option(
      "--as-user", checked->user,
      "As this user, such as canaryd, and more closely: roots are roots, CAs are CAs, "
      "URLs are folders, nothing is hidden from the service; needs root");
  check->add_option("--web.config.file", checked->web_file,
                    "The file that `run` is given so, too: TLS, passwords and headers");
  add_shard_flag(*check, checked->shard);
  check->callback([checked, &chosen] {
    chosen = [checked] {
      return run_bounded(bound_of("canaryd config check"), [checked = *checked](runtime::Stage&) {
        return checked.user.empty() ? check_both(checked) : check_as_user(checked);
      });
    };
  });
  auto const file = std::make_shared<std::string>();
  auto* const show = command->add_subcommand(
      "show", "Prints the configuration in effect: every default written out, secrets masked");
  show->add_option("FILE", *file, "Configuration to read")->required();
  show->callback([file, &chosen] {
    chosen = [file] {
      return run_bounded(bound_of("canaryd config show"),
                         [file = *file](runtime::Stage&) { return show_file(file); });
    };
  });
  add_diff(*command, chosen);
}

}  // namespace canary::daemon
