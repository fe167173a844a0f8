// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "config/config.h"
#include "daemon/app/app.h"

namespace canary::daemon {
namespace {

void log_problems(Log& log, std::vector<config::Problem> const& problems) {
  for (auto const& problem : problems) {
    log.error("configuration refused, the running one stays", {{"problem", to_text(problem)}});
  }
}

// What a reload cannot change without a restart.
void warn_of_restart(Log& log, config::Config const& old, config::Config const& fresh) {
  auto const warn = [&log](char const* field) {
    log.warn("a changed setting takes effect at the next restart", {{"field", field}});
  };
  if (!(old.web == fresh.web)) warn("web");
  if (old.state_directory != fresh.state_directory) warn("state_directory");
  if (old.workers != fresh.workers) warn("workers");
}

}  // namespace

SavedStates App::saved_states(config::Config const& fresh, config::Config const* known) {
  std::unordered_set<std::string_view> names;
  if (known != nullptr) {
    for (auto const& spec : known->probes) names.insert(spec.name.text);
  }
  std::vector<config::ProbeSpec> probes;
  for (auto const& spec : fresh.probes) {
    if (!names.contains(spec.name.text)) probes.push_back(spec);
  }
  // A reload does not move the state directory.
  return load_saved_states(saved_directory(known != nullptr ? *known : fresh), probes, log_);
}

void App::reload() {
  if (!options_.reload) return;
  watchdog_.reloading();
  watchdog_.progressed("reading " + options_.config_file);
  try {
    reload_now();
  } catch (std::exception const& failed) {
    log_.error("the loop did not take the configuration in time; the running one stays",
               {{"detail", failed.what()}});
  }
  watchdog_.reloaded();
}

void App::reload_now() {
  auto fresh = options_.reload();
  if (!fresh) {
    log_problems(log_, fresh.error());
    ask(services_->refuse(to_text(fresh.error().front())));
    return;
  }
  watchdog_.progressed("scheduling " + std::to_string(fresh.value().probes.size()) + " probes");
  warn_of_restart(log_, options_.config, fresh.value());
  log_.configure(fresh.value().log);
  watchdog_.set_settings(fresh.value().watchdog);
  tell_longest_lookup(fresh.value());
  watchdog_.lift_quarantine();
  auto saved = saved_states(fresh.value(), &options_.config);
  ask(services_->reconfigure(fit(fresh.value()), std::move(saved)));
  options_.config = std::move(fresh).value();
  log_.info("configuration reloaded", {{"probes", options_.config.probes.size()}});
}

}  // namespace canary::daemon
