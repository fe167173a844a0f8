// SPDX-License-Identifier: Apache-2.0
// Brings what happens into the history on disk, and its answers to whoever asks, over a thread of
// its own: the loop never waits for the disk, and an answer is never of what a crash could lose.
//
//   loop: note() ──▶ waiting entries ──keep()──▶ batches ──▶ the database's thread: Store
//   HTTP threads: ask() ───────────────────────────────────▶
//
// Thread: loop, but counts() and ask().
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/history/store.h"
#include "daemon/log/log.h"
#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "runtime/thread_pool.h"
#include "runtime/trace.h"

namespace canary::history {

inline constexpr char kFileName[] = "history.db";  // in the state directory

class Recorder {
 public:
  // `log` outlives it. Starts the thread; opens nothing yet.
  Recorder(runtime::Executor executor, daemon::Log& log, std::filesystem::path file, Bounds bounds);
  ~Recorder();
  Recorder(Recorder const&) = delete;
  Recorder& operator=(Recorder const&) = delete;

  // Is written soon. Where the disk stands still for so long that kMostWaiting wait, it is dropped,
  // counted and said.
  void note(Entry entry);
  static constexpr std::size_t kMostWaiting = 50'000;
  static constexpr std::size_t kMostWaitingBytes = std::size_t{32} << 20;  // of their texts
  // Changes of one probe's findings and versions within an hour; what is more is left out, which an
  // entry says: a repository may have other things wrong with it each time.
  static constexpr std::size_t kMostChanges = 2'000;
  void set_bounds(Bounds bounds);

  // Looks for damage once, then writes what is noted until it is cancelled, and keeps the history
  // within its bounds.
  runtime::Task<void> keep();
  // Writes what is left. False where the deadline passed before. REQUIRES: keep() has ended.
  runtime::Task<bool> finish(runtime::Deadline deadline);

  // Notices a thread that ended; see ThreadPool::look().
  void look() { pool_->look(); }
  void set_told(std::function<void(runtime::PoolTrouble const&)> told) {
    pool_->set_told(std::move(told));
  }

  struct Counts {
    std::uint64_t written = 0, dropped = 0;  // entries
    std::size_t waiting = 0;
    bool works = true;  // the last batch was written
  };
  Counts counts() const;

  // What `question` gives on the database's thread; nothing where that does not come within `limit`
  // or too many wait already. A question that reads for longer is given up, for those that wait
  // behind it. Thread: any but the loop's.
  template <class T>
  std::optional<DatabaseResult<T>> ask(std::function<DatabaseResult<T>(Store&)> question,
                                       std::chrono::milliseconds limit);

 private:
  template <class T>
  struct Answer {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<DatabaseResult<T>> value;
    std::atomic<bool> unwanted{false};
  };
  // What is written at once. One that a stop interrupts may have been written all the same.
  struct Batch {
    std::vector<Entry> entries;
    bool written = false;  // on the database's thread
  };
  struct Done {
    DatabaseResult<bool> result = false;  // of thin(): there is more
    std::vector<std::string> notices;
  };
  static constexpr int kMostAsking = 16;
  // While it lives questions read until then; what is written has no limit.
  class Limited {
   public:
    Limited(Store& store, std::chrono::steady_clock::time_point until) : store_(store) {
      store_.until(until);
    }
    ~Limited() { store_.until(std::nullopt); }
    Limited(Limited const&) = delete;
    Limited& operator=(Limited const&) = delete;

   private:
    Store& store_;
  };

  bool is_left_out(std::string const& probe, Time at);
  void put_into_queue(Entry entry);
  std::shared_ptr<Batch> take_batch();
  runtime::Task<Done> on_thread(runtime::StaticName name, std::function<Done()> work,
                                runtime::Trace trace);
  runtime::Task<bool> write_batch(runtime::Trace trace);
  runtime::Task<void> write_rest(runtime::Trace trace);
  runtime::Task<bool> check(runtime::Trace trace);
  runtime::Task<bool> thin(runtime::Trace trace);
  void tell(Done const& written, std::size_t entries);

  runtime::Executor executor_;
  daemon::Log& log_;
  std::string const path_;
  std::shared_ptr<Store> store_;  // used on the thread only
  std::shared_ptr<runtime::ThreadPool> pool_;
  std::deque<Entry> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::map<std::string, std::size_t> changes_;  // by probe, of this hour
  std::chrono::sys_time<std::chrono::hours> hour_{};
  std::shared_ptr<Batch> unwritten_;  // that failed: the first of the next time
  runtime::Event wake_;
  std::optional<runtime::Clock::time_point> thinned_;  // when that was begun
  bool thins_ = false;                                 // there is more
  bool failing_ = false, dropping_ = false;
  std::atomic<std::uint64_t> written_{0}, dropped_{0};
  std::atomic<std::size_t> waiting_count_{0};
  std::atomic<bool> works_{true};
  std::atomic<int> asking_{0};
};

template <class T>
std::optional<DatabaseResult<T>> Recorder::ask(std::function<DatabaseResult<T>(Store&)> question,
                                               std::chrono::milliseconds limit) {
  if (asking_.fetch_add(1) >= kMostAsking) {
    asking_.fetch_sub(1);
    return std::nullopt;
  }
  auto const answer = std::make_shared<Answer<T>>();
  auto const until = std::chrono::steady_clock::now() + limit;
  // In the queue for as long as somebody waits: it does not grow while the disk stands still.
  auto const place =
      pool_->enqueue({.name = "history.read",
                      .run = [answer, store = store_, until,
                              question = std::move(question)]() -> runtime::ThreadPool::OnLoop {
                        if (answer->unwanted) return {};
                        Limited const limited{*store, until};
                        auto value = question(*store);
                        std::lock_guard const lock{answer->mutex};
                        answer->value.emplace(std::move(value));
                        answer->came.notify_all();
                        return {};
                      }});
  std::unique_lock lock{answer->mutex};
  answer->came.wait_for(lock, limit, [&] { return answer->value.has_value(); });
  answer->unwanted = true;
  asking_.fetch_sub(1);
  return std::move(answer->value);
}

}  // namespace canary::history
