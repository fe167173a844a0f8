// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/config.h"
#include "config/duration.h"
#include "daemon/app/run_daemon.h"
#include "daemon/cli/commands.h"
#include "probes/kind.h"

namespace canary::daemon {
namespace {

using config::LogFormat;
using config::LogLevel;
using OnDead = config::WatchdogSettings::OnDead;

constexpr std::chrono::milliseconds kLeastPatience{100}, kMostPatience{3'600'000};

std::map<std::string, LogLevel> const kLevels{{"debug", LogLevel::debug},
                                              {"info", LogLevel::info},
                                              {"warn", LogLevel::warn},
                                              {"error", LogLevel::error}};
std::map<std::string, LogFormat> const kFormats{{"logfmt", LogFormat::logfmt},
                                                {"json", LogFormat::json}};

std::map<std::string, OnDead> const kOnDead{
    {"abort", OnDead::abort}, {"exec", OnDead::exec}, {"report", OnDead::report}};

// What the command line sets over the file.
struct RunFlags {
  std::string config;
  std::vector<std::string> listen_addresses;
  std::string log_level, log_format, on_dead;  // empty: the file's
  std::chrono::milliseconds patience = AppOptions{}.patience;
  std::string external_url;
  std::optional<std::string> route_prefix;
  std::string web_config;
  bool systemd_socket = false;
  std::optional<config::Shard> shard;
  std::string vantage;
};

Result<config::Config, std::vector<config::Problem>> load(RunFlags const& flags) {
  auto loaded =
      config::load(flags.config, config::process_environment(), probes::configured_kinds());
  if (!loaded) return loaded;
  config::Config config = std::move(loaded).value();
  if (!flags.listen_addresses.empty()) config.web.listen_addresses = flags.listen_addresses;
  if (!flags.log_level.empty()) config.log.level = kLevels.at(flags.log_level);
  if (!flags.log_format.empty()) config.log.format = kFormats.at(flags.log_format);
  if (!flags.on_dead.empty()) config.watchdog.on_dead = kOnDead.at(flags.on_dead);
  if (flags.shard) config.shard = *flags.shard;
  if (!flags.vantage.empty()) config.vantage = flags.vantage;
  config::keep_shard(config);
  return config;
}

int run(RunFlags const& flags, std::function<void(AppOptions&)> const& adjust) {
  auto const signals = block_daemon_signals();
  AppOptions options{.load = [flags] { return load(flags); },
                     .config_file = flags.config,
                     .patience = flags.patience,
                     .place = web_place(flags.external_url, flags.route_prefix).value(),
                     .web_config_file = flags.web_config,
                     .systemd_sockets = flags.systemd_socket};
  if (!flags.log_level.empty()) options.log.level = kLevels.at(flags.log_level);
  if (!flags.log_format.empty()) options.log.format = kFormats.at(flags.log_format);
  if (adjust) adjust(options);
  return run_daemon(std::move(options), signals);
}

// Of a flag; the parser's own text tells what is wrong with it.
std::string bad_patience(std::string const& text, std::chrono::milliseconds& into) {
  auto const parsed = config::parse_duration(text);
  if (!parsed) return parsed.error();
  if (parsed.value() < kLeastPatience || parsed.value() > kMostPatience) {
    return "expected " + config::to_text(kLeastPatience) + " to " + config::to_text(kMostPatience) +
           ", got " + text;
  }
  into = parsed.value();
  return {};
}

}  // namespace

void add_shard_flag(CLI::App& command, std::optional<config::Shard>& shard) {
  command
      .add_option_function<std::string>(
          "--shard",
          [&shard](std::string const& text) {
            auto const parsed = config::parse_shard(text);
            if (!parsed) throw CLI::ValidationError("--shard", parsed.error());
            shard = parsed.value();
          },
          "Of the probes the share that falls to the canaryd of this index (from 0 on) among so "
          "many; over the file's")
      ->type_name("INDEX/COUNT");
}

void add_run_command(CLI::App& app, Action& chosen,
                     std::function<void(AppOptions&)> const& adjust) {
  auto* const command = app.add_subcommand(
      "run", "Monitors the configured probes until SIGTERM or SIGINT; SIGHUP reloads");
  auto const flags = std::make_shared<RunFlags>();
  command->add_option("--config", flags->config, "Configuration file (YAML)")->required();
  command->add_option("--web.listen-address", flags->listen_addresses,
                      "Where metrics are served, HOST:PORT; repeatable; over the file's");
  command->add_option("--web.external-url", flags->external_url,
                      "Where a proxy has the pages: http(s)://HOST[/PATH], for links and /sd");
  command->add_option("--web.route-prefix", flags->route_prefix,
                      "Before every path that is answered; the external URL's path unless given");
  command->add_option("--web.config.file", flags->web_config,
                      "TLS, client certificates, passwords and headers of the HTTP server, as "
                      "Prometheus' exporters have them (YAML)");
  command
      ->add_flag(
          "--web.systemd-socket", flags->systemd_socket,
          "Serves on the sockets that a socket unit of systemd hands over, not on the file's "
          "addresses")
      ->excludes("--web.listen-address");
  command->add_option("--log.level", flags->log_level, "Over the file's")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  command->add_option("--log.format", flags->log_format, "Over the file's")
      ->check(CLI::IsMember({"logfmt", "json"}));
  command
      ->add_option("--watchdog.on-dead", flags->on_dead,
                   "What ends a loop that hangs for good; over the file's")
      ->check(CLI::IsMember({"abort", "exec", "report"}));
  command
      ->add_option_function<std::string>(
          "--watchdog.step-stall",
          [flags](std::string const& text) {
            auto const wrong = bad_patience(text, flags->patience);
            if (!wrong.empty()) throw CLI::ValidationError("--watchdog.step-stall", wrong);
          },
          "How long one step of the start (a file, the lock, a folder) or the reading of a reload "
          "may stand still: then a start fails, a reload is given up")
      ->type_name("DURATION")
      ->default_str(config::to_text(flags->patience));
  add_shard_flag(*command, flags->shard);
  command
      ->add_option("--vantage", flags->vantage,
                   "The place that it looks from, a label of its metrics; over the file's")
      ->check([](std::string const& name) { return config::check_vantage(name); });
  command->footer("A reload with a bad file keeps the old configuration and says why.");
  command->callback([flags, adjust, &chosen] {
    auto const place = web_place(flags->external_url, flags->route_prefix);
    if (!place) throw CLI::ValidationError(place.error());
    chosen = [flags, adjust] { return run(*flags, adjust); };
  });
}

}  // namespace canary::daemon
