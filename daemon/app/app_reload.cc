// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <exception>
#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/differences.h"
#include "config/duration.h"
#include "config/touched_files.h"
#include "daemon/app/app.h"
#include "daemon/app/places.h"
#include "daemon/discovery/kept_lists.h"
#include "runtime/limits.h"

namespace canary::daemon {
namespace {

constexpr std::chrono::milliseconds kLookEvery{100};  // at a reading that goes on

void log_problems(Log& log, std::vector<config::Problem> const& problems) {
  for (auto const& problem : problems) {
    log.error("configuration refused, the running one stays", {{"problem", to_text(problem)}});
  }
}

// Without memory for a sentence, a short one that needs none.
std::string explained(std::exception const& failed) {
  try {
    return runtime::explain(failed);
  } catch (std::bad_alloc const&) {
    return "no more memory";
  }
}

// What a reload cannot change without a restart.
std::vector<std::string> waiting_for_restart(config::Config const& old,
                                             config::Config const& fresh) {
  std::vector<std::string> fields;
  if (!(old.web == fresh.web)) fields.emplace_back("web");
  if (old.state_directory != fresh.state_directory) fields.emplace_back("state_directory");
  if (!(old.remote_write == fresh.remote_write)) fields.emplace_back("remote_write");
  if (old.workers != fresh.workers) fields.emplace_back("workers");
  return fields;
}

// `lists`, and of sources that have none there what was kept when they had one.
std::vector<FetchedListPointer> with_kept(config::Config const& base,
                                          std::vector<FetchedListPointer> lists,
                                          config::Config const& known) {
  std::vector<config::DiscoverySource> without;
  for (auto const& source : base.discovery) {
    bool const has = std::ranges::any_of(
        lists, [&source](auto const& list) { return list->source == source.name; });
    if (!has) without.push_back(source);
  }
  auto kept = read_kept_lists(places(known.state_directory).lists(), without, wall_now());
  std::ranges::move(kept.lists, std::back_inserter(lists));
  return lists;
}

// Without memory for the reason it has failed all the same.
ReloadOutcome failed_for(std::string const& why) {
  ReloadOutcome outcome;
  try {
    outcome.lines.push_back(why);
  } catch (std::bad_alloc const&) {
    outcome.lines.clear();
  }
  return outcome;
}

std::string reason_of(ReloadOutcome const& outcome) {
  return outcome.lines.empty() ? "no more memory" : outcome.lines.front();
}

}  // namespace

ReloadOutcome App::reload() {
  if (options_.config_file.empty()) return failed_for("there is no file that could be read again");
  if (reading_ && !reading_->ended()) {
    auto const at = reading_at_->look();
    log_.error("reload refused: the reading of the one before still stands still",
               {{"step", at.what}, {"for", at.age}});
    std::string const why = "the reload before still stands still: " + to_text(at);
    refuse_reload(why);
    return failed_for(why);
  }
  watchdog_.reloading();
  step("reading " + options_.config_file);
  ReloadOutcome outcome;
  try {
    outcome = reload_now();
  } catch (std::exception const& failed) {
    steps_.end_reading();
    outcome = failed_for(explained(failed));
    if (!stop_.stop_requested()) {
      log_.error("the reload failed; the running configuration stays",
                 {{"detail", reason_of(outcome)}});
    }
  }
  if (stop_.stop_requested()) return failed_for("canaryd stops");
  if (!outcome.accepted()) refuse_reload(reason_of(outcome));
  watchdog_.reloaded();
  return outcome;
}

// What changed, or why the running configuration stays, which is in the log then.
ReloadOutcome App::reload_now() {
  start_reading();
  bool ended = false;
  do {
    ended =
        reading_->wait(runtime::Deadline::after(std::min(options_.patience, kLookEvery)), stop_);
  } while (!ended && !stop_.stop_requested() && reading_at_->look().age < options_.patience);
  steps_.end_reading();
  if (ended) return take_over(reading_->take());
  auto const at = reading_at_->look();
  if (stop_.stop_requested()) {
    log_.warn("a reload that stood still is left for the stop",
              {{"step", at.what}, {"for", at.age}});
    return failed_for("canaryd stops");
  }
  log_.error("the reload did not end in time; the running configuration stays",
             {{"step", at.what}, {"for", at.age}, {"limit", options_.patience}});
  return failed_for("it did not end within " + config::to_text(options_.patience) + ": " +
                    to_text(at));
}

// It may outlive the app, but never the log: then the process ends at once.
void App::start_reading() {
  reading_at_ = steps_.begin_reading();
  reading_at_->enter("reading " + options_.config_file);
  reading_.emplace("reload", [options = options_, known = config_, lists = lists_of(*lists_),
                              at = reading_at_, log = &log_] {
    config::OnEachFile const tell{
        [&at](auto const& file) { at->enter("reading " + file.string()); },
        [&at] { at->goes_on(); }};
    Reading read{.loaded = load_all(options), .lists = {}, .whole = {}, .saved = {}};
    if (!read.loaded) return read;
    auto const& base = read.loaded.value().config;
    at->enter("reading " + places(known->state_directory).lists().string());
    read.lists = take_again(base, with_kept(base, lists, *known));
    read.whole = merged(base, read.lists);
    // A reload does not move the state directory.
    at->enter("reading " + saved_directory(*known).string());
    read.saved = load_states_of_new(saved_directory(*known), read.whole, *known, *log);
    return read;
  });
}

ReloadOutcome App::take_over(Reading reading) {
  if (!reading.loaded) {
    log_problems(log_, reading.loaded.error());
    ReloadOutcome outcome{.kind = ReloadOutcome::Kind::refused, .lines = {}};
    for (auto const& problem : reading.loaded.error()) outcome.lines.push_back(to_text(problem));
    return outcome;
  }
  auto const base =
      std::make_shared<config::Config const>(std::move(reading.loaded.value().config));
  auto const lists = std::make_shared<TakenLists const>(std::move(reading.lists));
  auto const fresh = std::make_shared<config::Config const>(std::move(reading.whole));
  step("scheduling " + std::to_string(fresh->probes.size()) + " probes");
  // What can fail comes first, so that a reload that fails has changed nothing.
  ReloadOutcome outcome{.kind = ReloadOutcome::Kind::accepted,
                        .lines = config::differences(*config_, *fresh)};
  auto const later = waiting_for_restart(*config_, *fresh);
  for (auto const& field : later) {
    outcome.lines.push_back(field + " takes effect at the next restart");
  }
  ask_for_whole([&](Services::Decided decided) {
    return services_->reconfigure(fit(*fresh), std::move(reading.saved), in_force(*lists),
                                  std::move(decided));
  });
  for (auto const& field : later) {
    log_.warn("a changed setting takes effect at the next restart", {{"field", field}});
  }
  auto const& access = reading.loaded.value().access;
  if (access && access->identity != gate_->access()->identity && !take_access(access)) {
    outcome.lines.emplace_back("TLS of --web.config.file takes effect at the next restart");
  }
  base_ = base;
  lists_ = lists;
  config_ = fresh;
  show_config();
  log_.configure(fresh->log);
  watchdog_.set_settings(fresh->watchdog);
  tell_longest_lookup(*fresh);
  watchdog_.lift_quarantine();
  log_.info("configuration reloaded", {{"probes", config_->probes.size()}});
  tell_of_share();
  return outcome;
}

// For the metrics and the API, which live on the loop.
void App::refuse_reload(std::string const& why) {
  try {
    ask(services_->refuse(why));
  } catch (std::exception const& failed) {
    log_.error("the loop does not answer: no metric tells of the reload that failed",
               {{"detail", failed.what()}});
  }
}

}  // namespace canary::daemon
