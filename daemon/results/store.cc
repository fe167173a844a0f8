// SPDX-License-Identifier: Apache-2.0
// Publication by pointer: each probe has a slot that points at its newest immutable row; readers
// announce the epochs in which they loaded pointers, and what was there in one of those stays.
#include "daemon/results/store.h"

#include <algorithm>
#include <functional>
#include <thread>

#include "runtime/contract.h"

namespace canary::daemon {

// All accesses to pointers, epoch and pins are sequentially consistent: a reader announces itself
// before it loads a pointer, the loop replaces a pointer before it looks for readers, so at least
// one of them sees the other.
struct ResultStore::Entry {
  explicit Entry(ProbeFacts facts) : history(std::move(facts)) {}
  History history;
  Published<ProbeRow> row;
  std::atomic<ProbeRow const*> slot{nullptr};
};

struct ResultStore::Directory {
  std::vector<std::shared_ptr<Entry>> entries;  // never empty slots
};

ResultStore::ResultStore(DaemonFacts daemon) : daemon_facts_(std::move(daemon)) {
  replace(directory_owner_, directory_, std::make_shared<Directory const>());
  publish_daemon();
}

ResultStore::~ResultStore() = default;

ResultStore::Entry* ResultStore::find(std::string_view probe) {
  auto const found = entries_.find(std::string{probe});
  return found == entries_.end() ? nullptr : found->second.get();
}

void ResultStore::put(ProbeFacts const& facts, SavedStates& saved) {
  runtime::require_loop_thread();
  if (Entry* const known = find(facts.name)) {
    if (known->history.row().facts == facts) return;  // most, of many probes: their rows stay
    known->history.reconfigured(facts);
    publish(*known);
    return;
  }
  auto const entry = std::make_shared<Entry>(facts);
  if (auto state = saved.extract(facts.name)) entry->history.restore(std::move(state.mapped()));
  publish(*entry);
  entries_.emplace(facts.name, entry);
}

void ResultStore::arrange(std::vector<std::string> const& probes) {
  runtime::require_loop_thread();
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries;
  entries.reserve(probes.size());
  auto directory = std::make_shared<Directory>();
  directory->entries.reserve(probes.size());
  for (auto const& name : probes) {
    auto entry = entries_.extract(name);
    if (!entry) continue;  // twice
    directory->entries.push_back(entry.mapped());
    entries.insert(std::move(entry));
  }
  entries_ = std::move(entries);
  // What is replaced holds the entries of probes that are gone, and their rows.
  replace<Directory>(directory_owner_, directory_, std::move(directory));
}

void ResultStore::configure(std::vector<ProbeFacts> const& probes, SavedStates saved) {
  std::vector<std::string> names;
  for (auto const& facts : probes) {
    put(facts, saved);
    names.push_back(facts.name);
  }
  arrange(names);
}

void ResultStore::config_accepted(SysTime at, Accepted config) {
  daemon_facts_.full_metrics = config.full_metrics;
  daemon_facts_.shard = config.shard;
  daemon_facts_.elsewhere = config.elsewhere;
  daemon_facts_.vantage = std::move(config.vantage);
  config_accepted(at);
}

void ResultStore::config_accepted(SysTime at) {
  runtime::require_loop_thread();
  daemon_facts_.reload_successful = true;
  daemon_facts_.last_reload_success = at;
  daemon_facts_.last_reload_attempt = at;
  daemon_facts_.reload_error = {};
  publish_daemon();
}

void ResultStore::config_refused(SysTime at, std::string why) {
  runtime::require_loop_thread();
  daemon_facts_.reload_successful = false;
  daemon_facts_.last_reload_attempt = at;
  daemon_facts_.reload_error = std::move(why);
  publish_daemon();
}

void ResultStore::sources(std::vector<SourceFacts> sources) {
  runtime::require_loop_thread();
  daemon_facts_.sources = std::move(sources);
  publish_daemon();
}

void ResultStore::elsewhere(std::size_t probes) {
  runtime::require_loop_thread();
  daemon_facts_.elsewhere = probes;
  publish_daemon();
}

void ResultStore::scheduled(std::string_view probe, SysTime next_run) {
  runtime::require_loop_thread();
  if (Entry* const entry = find(probe)) {
    entry->history.scheduled(next_run);
    publish(*entry);
  }
}

void ResultStore::started(std::string_view probe, SysTime at, std::chrono::nanoseconds lag) {
  runtime::require_loop_thread();
  if (Entry* const entry = find(probe)) {
    schedule_lag_.observe(std::max(lag, std::chrono::nanoseconds{0}));
    entry->history.started(at);
    publish(*entry);
  }
}

std::optional<Changes> ResultStore::finished(std::string_view probe, SysTime at,
                                             std::chrono::nanoseconds duration,
                                             probes::Report report) {
  runtime::require_loop_thread();
  Entry* const entry = find(probe);
  if (entry == nullptr) return std::nullopt;
  auto changes = entry->history.finished(at, duration, std::move(report));
  publish(*entry);
  return changes;
}

std::shared_ptr<ProbeRow const> ResultStore::row(std::string_view probe) {
  runtime::require_loop_thread();
  Entry* const entry = find(probe);
  return entry == nullptr ? nullptr : entry->row.value;
}

void ResultStore::abandoned(std::string_view probe) {
  runtime::require_loop_thread();
  if (Entry* const entry = find(probe)) {
    entry->history.abandoned();
    publish(*entry);
  }
}

void ResultStore::stalled(std::string_view probe) {
  runtime::require_loop_thread();
  if (Entry* const entry = find(probe)) {
    entry->history.stalled();
    publish(*entry);
  }
}

void ResultStore::trust_dropped(std::string_view probe, TrustDropped dropped) {
  runtime::require_loop_thread();
  if (Entry* const entry = find(probe)) {
    entry->history.trust_dropped(std::move(dropped));
    publish(*entry);
  }
}

void ResultStore::skipped(std::string_view probe, SkipReason reason, std::uint64_t count) {
  runtime::require_loop_thread();
  if (count == 0) return;
  if (Entry* const entry = find(probe)) {
    entry->history.skipped(reason, count);
    publish(*entry);
  }
}

void ResultStore::publish(Entry& entry) {
  replace(entry.row, entry.slot, std::make_shared<ProbeRow const>(entry.history.row()));
}

void ResultStore::publish_daemon() {
  replace(daemon_owner_, daemon_, std::make_shared<DaemonFacts const>(daemon_facts_));
}

template <class T>
void ResultStore::replace(Published<T>& owner, std::atomic<T const*>& slot,
                          std::shared_ptr<T const> value) {
  // Room first: what cannot be retired would be freed under its readers.
  if (retired_.size() == retired_.capacity()) retired_.reserve(2 * retired_.size() + 16);
  // A reader whose last epoch is before this one can't have found the new value.
  std::uint64_t const born = epoch_.fetch_add(1) + 1;
  Published<T> replaced = std::exchange(owner, Published<T>{std::move(value), born});
  slot.store(owner.value.get());
  if (replaced.value) {
    // A reader of this epoch may still have found it; one of the next can't.
    retired_.push_back({replaced.born, epoch_.fetch_add(1), std::move(replaced.value)});
  }
  reclaim();
}

// Frees what no reader can see. A reader that is stuck holds back what was there while it read, and
// nothing of what came later; so that it costs nothing either, what it holds back is not gone
// through again before a reader came or went.
void ResultStore::reclaim() {
  runtime::require_loop_thread();
  std::vector<PinnedEpochs> pinned;
  for (auto const& pin : pins_) {
    PinnedEpochs const epochs{pin.first.load(), pin.last.load()};
    if (epochs.first != 0) pinned.push_back(epochs);
  }
  auto const seen = [&pinned](Retired const& retired) {
    return std::ranges::any_of(pinned, [&](PinnedEpochs const& reader) {
      return retired.born <= reader.last && retired.replaced >= reader.first;
    });
  };
  if (pinned != pinned_) checked_ = 0;
  auto const begin = retired_.begin() + static_cast<std::ptrdiff_t>(checked_);
  retired_.erase(std::remove_if(begin, retired_.end(), std::not_fn(seen)), retired_.end());
  checked_ = retired_.size();
  pinned_ = std::move(pinned);
}

// What allocates comes first: a reader that threw would hold its pin for ever.
ResultStore::Reading ResultStore::read() const {
  Reading reading{nullptr};
  while (reading.pin_ == nullptr) {
    for (auto& pin : pins_) {
      std::uint64_t expected = 0;
      if (pin.first.load() == 0 && pin.first.compare_exchange_strong(expected, epoch_.load())) {
        reading.pin_ = &pin;
        break;
      }
    }
    if (reading.pin_ == nullptr) std::this_thread::yield();  // never the loop: it does not read
  }
  Directory const* const directory = directory_.load();
  reading.snapshot_.daemon = daemon_.load();
  reading.snapshot_.probes.reserve(directory->entries.size());
  for (auto const& entry : directory->entries) {
    reading.snapshot_.probes.push_back(entry->slot.load());
  }
  reading.snapshot_.schedule_lag = schedule_lag_.load();
  reading.pin_->last.store(epoch_.load());
  return reading;
}

ResultStore::Reading::~Reading() {
  if (pin_ == nullptr) return;
  pin_->last.store(kStillReading);
  pin_->first.store(0);
}

}  // namespace canary::daemon
