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

using SavedStates = std::unordered_map<std::string, SavedState>;

// Readers pin the epochs in which they read; what the loop replaces is freed by the loop (never by
// a reader, which could wait for an allocator's lock that a stuck loop holds), once no reader is
// left that could see it.
class ResultStore {
 private:
  // The epochs in which a reader loaded what it shows.
  struct Pin {
    std::atomic<std::uint64_t> first{0};  // 0: free
    std::atomic<std::uint64_t> last{kStillReading};
  };
  static constexpr std::uint64_t kStillReading = ~std::uint64_t{0};

 public:
  explicit ResultStore(DaemonFacts daemon);
  ~ResultStore();  // REQUIRES: no Reading is left
  ResultStore(ResultStore const&) = delete;
  ResultStore& operator=(ResultStore const&) = delete;

  // A probe of a configuration, which of thousands is taken over one by one: a known name keeps its
  // history; a new one begins with what is `saved` under it, and is seen by readers once arrange()
  // has been called.
  void put(ProbeFacts const& facts, SavedStates& saved);
  // The names of all probes of the configuration, in its order; what else there was is forgotten.
  // REQUIRES: each was put().
  void arrange(std::vector<std::string> const& probes);
  // Both, at once: the loop is held for as long as it takes.
  void configure(std::vector<ProbeFacts> const& probes, SavedStates saved = {});
  // The outcome of loading a configuration, also the first one.
  struct Accepted {
    bool full_metrics = false;  // metrics.detail
    config::Shard shard{};
    std::size_t elsewhere = 0;  // enabled probes of other shards
    std::string vantage{};
  };
  void config_accepted(SysTime at, Accepted config);
  void config_accepted(SysTime at);  // the one in use is (again) what the files say
  void config_refused(SysTime at, std::string why);
  // How the sources of probes fare; and what lists have left to other shards, all in all.
  void sources(std::vector<SourceFacts> sources);
  void elsewhere(std::size_t probes);

  // Events of one probe; a name that is not (or no longer) configured is ignored.
  void scheduled(std::string_view probe, SysTime next_run);
  // `lag`: how late it started, against its schedule.
  void started(std::string_view probe, SysTime at, std::chrono::nanoseconds lag);
  // nullopt where the probe is not configured.
  std::optional<Changes> finished(std::string_view probe, SysTime at,
                                  std::chrono::nanoseconds duration, probes::Report report);
  void abandoned(std::string_view probe);
  void stalled(std::string_view probe);
  void trust_dropped(std::string_view probe, TrustDropped dropped);
  // So many due runs did not start: one publication, however many they are.
  void skipped(std::string_view probe, SkipReason reason, std::uint64_t count);

  // The newest row; nullptr where the probe is not configured. Immutable: for other threads, too.
  std::shared_ptr<ProbeRow const> row(std::string_view probe);

  // Replaced values that a reader may still see: of each reader at most those that were there while
  // it began, however long it holds them.
  std::size_t retired() const { return retired_.size(); }

  // A consistent row of each probe while it lives; keep it for a rendering, not longer: it holds
  // back the memory of what it shows.
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
    explicit Reading(Pin* pin) : pin_(pin) {}
    Pin* pin_;
    Snapshot snapshot_;
  };
  // Waits only while kReaders others read at once; never for the loop.
  Reading read() const;
  static constexpr std::size_t kReaders = 64;

 private:
  struct Entry;
  struct Directory;

  // What readers may see from the epoch `born` until it is replaced.
  template <class T>
  struct Published {
    std::shared_ptr<T const> value;
    std::uint64_t born = 0;
  };
  struct Retired {
    std::uint64_t born = 0, replaced = 0;  // epochs, both included
    std::shared_ptr<void const> value;
  };
  struct PinnedEpochs {
    std::uint64_t first = 0, last = 0;
    friend bool operator==(PinnedEpochs const&, PinnedEpochs const&) = default;
  };

  void publish(Entry& entry);
  void publish_daemon();
  template <class T>
  void replace(Published<T>& owner, std::atomic<T const*>& slot, std::shared_ptr<T const> value);
  void reclaim();
  Entry* find(std::string_view probe);

  DaemonFacts daemon_facts_;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries_;
  Published<Directory> directory_owner_;
  Published<DaemonFacts> daemon_owner_;
  std::vector<Retired> retired_;
  std::vector<PinnedEpochs> pinned_;  // when retired_ was last gone through
  std::size_t checked_ = 0;           // of retired_: held back by pinned_

  std::atomic<Directory const*> directory_{nullptr};
  std::atomic<DaemonFacts const*> daemon_{nullptr};
  AtomicHistogram<kLagBounds.size()> schedule_lag_{kLagBounds};
  std::atomic<std::uint64_t> epoch_{1};
  mutable std::array<Pin, kReaders> pins_{};
};

}  // namespace canary::daemon
