// SPDX-License-Identifier: Apache-2.0
// Owns what is known of every probe and lets other threads read it, without a lock that they could
// share with the loop. An event costs one small row, whatever the number of probes.
// Thread: loop, but read() from any.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/results/history.h"
#include "daemon/results/snapshot.h"

namespace canary::daemon {

// Readers pin an epoch; what the loop replaces is freed by the loop (never by a reader, which could
// wait for an allocator's lock that a stuck loop holds), once no reader is left that could see it.
class ResultStore {
 public:
  explicit ResultStore(DaemonFacts daemon);
  ~ResultStore();  // REQUIRES: no Reading is left
  ResultStore(ResultStore const&) = delete;
  ResultStore& operator=(ResultStore const&) = delete;

  // The probes of a configuration. Those with a known name keep their history, others are new;
  // what is missing is forgotten.
  void configure(std::vector<ProbeFacts> const& probes);
  // The outcome of loading a configuration, also the first one.
  void config_accepted(SysTime at);
  void config_refused(SysTime at, std::string why);

  // Events of one probe; a name that is not (or no longer) configured is ignored.
  void scheduled(std::string_view probe, SysTime next_run);
  // `lag`: how late it started, against its schedule.
  void started(std::string_view probe, SysTime at, std::chrono::nanoseconds lag);
  std::optional<StateChange> finished(std::string_view probe, SysTime at,
                                      std::chrono::nanoseconds duration, probes::Report report);
  void abandoned(std::string_view probe);
  void stalled(std::string_view probe);
  // So many due runs did not start: one publication, however many they are.
  void skipped(std::string_view probe, SkipReason reason, std::uint64_t count);

  // Replaced values that a reader may still see.
  std::size_t retired() const { return retired_.size(); }

  // A consistent row of each probe while it lives; keep it for a rendering, not longer: it holds
  // back the memory of everything replaced meanwhile.
  class Reading {
   public:
    Reading(Reading&& other) noexcept
        : pin_(std::exchange(other.pin_, nullptr)), snapshot_(std::move(other.snapshot_)) {}
    Reading& operator=(Reading&&) = delete;
    ~Reading();
    Snapshot const& operator*() const { return snapshot_; }
    Snapshot const* operator->() const { return &snapshot_; }

   private:
    friend class ResultStore;
    explicit Reading(std::atomic<std::uint64_t>* pin) : pin_(pin) {}
    std::atomic<std::uint64_t>* pin_;
    Snapshot snapshot_;
  };
  // Waits only while kReaders others read at once; never for the loop.
  Reading read() const;
  static constexpr std::size_t kReaders = 64;

 private:
  struct Entry;
  struct Directory;

  void publish(Entry& entry);
  void publish_daemon();
  void retire(std::shared_ptr<void const> replaced);
  void reclaim();
  Entry* find(std::string_view probe);

  DaemonFacts daemon_facts_;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries_;
  std::shared_ptr<Directory const> directory_owner_;
  std::shared_ptr<DaemonFacts const> daemon_owner_;
  std::vector<std::pair<std::uint64_t, std::shared_ptr<void const>>> retired_;

  std::atomic<Directory const*> directory_{nullptr};
  std::atomic<DaemonFacts const*> daemon_{nullptr};
  AtomicHistogram<kLagBounds.size()> schedule_lag_{kLagBounds};
  std::atomic<std::uint64_t> epoch_{1};
  mutable std::array<std::atomic<std::uint64_t>, kReaders> pins_{};  // 0: free
};

}  // namespace canary::daemon
