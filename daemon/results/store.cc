// SPDX-License-Identifier: Apache-2.0
// Publication by pointer: each probe has a slot that points at its newest immutable row; readers
// announce the epoch at which they began, and what was replaced in that epoch or later stays.
#include "daemon/results/store.h"

#include <algorithm>
#include <limits>
#include <thread>

namespace canary::daemon {

// All accesses to pointers, epoch and pins are sequentially consistent: a reader announces itself
// before it loads a pointer, the loop replaces a pointer before it looks for readers, so at least
// one of them sees the other.
struct ResultStore::Entry {
  explicit Entry(ProbeFacts facts) : history(std::move(facts)) {}
  History history;
  std::shared_ptr<ProbeRow const> row;
  std::atomic<ProbeRow const*> slot{nullptr};
};

struct ResultStore::Directory {
  std::vector<std::shared_ptr<Entry>> entries;  // never empty slots
};

ResultStore::ResultStore(DaemonFacts daemon) : daemon_facts_(std::move(daemon)) {
  directory_owner_ = std::make_shared<Directory const>();
  directory_.store(directory_owner_.get());
  publish_daemon();
}

ResultStore::~ResultStore() = default;

ResultStore::Entry* ResultStore::find(std::string_view probe) {
  auto const found = entries_.find(std::string{probe});
  return found == entries_.end() ? nullptr : found->second.get();
}

void ResultStore::configure(std::vector<ProbeFacts> const& probes) {
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries;
  auto directory = std::make_shared<Directory>();
  directory->entries.reserve(probes.size());
  for (auto const& facts : probes) {
    auto const known = entries_.find(facts.name);
    std::shared_ptr<Entry> entry;
    if (known != entries_.end()) {
      entry = known->second;
      entry->history.reconfigured(facts);
    } else {
      entry = std::make_shared<Entry>(facts);
    }
    publish(*entry);
    if (entries.emplace(facts.name, entry).second) directory->entries.push_back(entry);
  }
  entries_ = std::move(entries);
  auto replaced = std::exchange(directory_owner_, std::move(directory));
  directory_.store(directory_owner_.get());
  retire(std::move(replaced));  // holds the entries of probes that are gone, and their rows
}

void ResultStore::config_accepted(SysTime at) {
  daemon_facts_.reload_successful = true;
  daemon_facts_.last_reload_success = at;
  daemon_facts_.last_reload_attempt = at;
  daemon_facts_.reload_error.clear();
  publish_daemon();
}

void ResultStore::config_refused(SysTime at, std::string why) {
  daemon_facts_.reload_successful = false;
  daemon_facts_.last_reload_attempt = at;
  daemon_facts_.reload_error = std::move(why);
  publish_daemon();
}

void ResultStore::scheduled(std::string_view probe, SysTime next_run) {
  if (Entry* const entry = find(probe)) {
    entry->history.scheduled(next_run);
    publish(*entry);
  }
}

void ResultStore::started(std::string_view probe, SysTime at, std::chrono::nanoseconds lag) {
  if (Entry* const entry = find(probe)) {
    schedule_lag_.observe(std::max(lag, std::chrono::nanoseconds{0}));
    entry->history.started(at);
    publish(*entry);
  }
}

std::optional<StateChange> ResultStore::finished(std::string_view probe, SysTime at,
                                                 std::chrono::nanoseconds duration,
                                                 probes::Report report) {
  Entry* const entry = find(probe);
  if (entry == nullptr) return std::nullopt;
  auto change = entry->history.finished(at, duration, std::move(report));
  publish(*entry);
  return change;
}

void ResultStore::abandoned(std::string_view probe) {
  if (Entry* const entry = find(probe)) {
    entry->history.abandoned();
    publish(*entry);
  }
}

void ResultStore::stalled(std::string_view probe) {
  if (Entry* const entry = find(probe)) {
    entry->history.stalled();
    publish(*entry);
  }
}

void ResultStore::skipped(std::string_view probe, SkipReason reason, std::uint64_t count) {
  if (count == 0) return;
  if (Entry* const entry = find(probe)) {
    entry->history.skipped(reason, count);
    publish(*entry);
  }
}

void ResultStore::publish(Entry& entry) {
  auto replaced = std::exchange(entry.row, std::make_shared<ProbeRow const>(entry.history.row()));
  entry.slot.store(entry.row.get());
  retire(std::move(replaced));
}

void ResultStore::publish_daemon() {
  auto replaced = std::exchange(daemon_owner_, std::make_shared<DaemonFacts const>(daemon_facts_));
  daemon_.store(daemon_owner_.get());
  retire(std::move(replaced));
}

void ResultStore::retire(std::shared_ptr<void const> replaced) {
  if (replaced) {
    // A reader of this epoch, or of an earlier one, may still hold it; one of the next can't.
    retired_.emplace_back(epoch_.fetch_add(1), std::move(replaced));
  }
  reclaim();
}

void ResultStore::reclaim() {
  std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
  for (auto const& pin : pins_) {
    std::uint64_t const epoch = pin.load();
    if (epoch != 0) oldest = std::min(oldest, epoch);
  }
  auto const kept =
      std::ranges::find_if(retired_, [oldest](auto const& entry) { return entry.first >= oldest; });
  retired_.erase(retired_.begin(), kept);  // in order of epochs
}

ResultStore::Reading ResultStore::read() const {
  std::atomic<std::uint64_t>* mine = nullptr;
  while (mine == nullptr) {
    for (auto& pin : pins_) {
      std::uint64_t expected = 0;
      if (pin.load() == 0 && pin.compare_exchange_strong(expected, epoch_.load())) {
        mine = &pin;
        break;
      }
    }
    if (mine == nullptr) std::this_thread::yield();  // never the loop: it does not read
  }
  Reading reading{mine};
  Directory const* const directory = directory_.load();
  reading.snapshot_.daemon = daemon_.load();
  reading.snapshot_.probes.reserve(directory->entries.size());
  for (auto const& entry : directory->entries) {
    reading.snapshot_.probes.push_back(entry->slot.load());
  }
  reading.snapshot_.schedule_lag = schedule_lag_.load();
  return reading;
}

ResultStore::Reading::~Reading() {
  if (pin_ != nullptr) pin_->store(0);
}

}  // namespace canary::daemon
