// SPDX-License-Identifier: Apache-2.0
// Threads for files that are not canaryd's own and whose disk may never answer: file: repositories,
// pinned roots, certificates and keys, secrets, hosts and resolv.conf. One that stands still is
// given up and replaced, so that a frozen file system holds up nobody but who needs it.
// Thread: loop; jobs on their own threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include "config/result.h"
#include "runtime/deadline.h"
#include "runtime/job.h"
#include "runtime/task.h"
#include "runtime/thread_pool.h"
#include "runtime/trace.h"

namespace canary::runtime {

// What is wanted of a file.
struct FileAsk {
  StaticName name;             // of the wait and of the job
  std::filesystem::path file;  // for messages, dumps and the run's frame
  std::string key = {};        // at most one job of a key is at work; "": the file's path
  Deadline until = Deadline::never();
  // What it was before is known and will do: the look waits until a thread has been at it for
  // `give_up_after` only, and not at all where the file is known to stand still.
  bool known = false;
};

// The disk has not answered (yet).
struct DiskWait {
  std::string file;
  std::string why;  // "no answer for 3.0 s"
  friend bool operator==(DiskWait const&, DiskWait const&) = default;
};
// "/x waits for the disk: no answer for 3.0 s".
std::string sentence(DiskWait const& wait);

template <class T>
using FileResult = canary::Result<T, DiskWait>;

struct FileThreadLimits {
  std::size_t threads = 2;                         // that take jobs
  std::size_t most = 16;                           // with those that were given up
  std::chrono::milliseconds give_up_after{1'000};  // in one job, while others wait
  std::chrono::milliseconds patience{10'000};      // for a file of which nothing is known
  std::chrono::milliseconds end_wait{1'000};
};

class FileThreads {
 public:
  // Made after the Loop, so that its threads have rows in the tables.
  explicit FileThreads(FileThreadLimits limits = {});
  // Runs no further job. A thread that stands still for `end_wait` more is left to itself.
  ~FileThreads();
  FileThreads(FileThreads const&) = delete;
  FileThreads& operator=(FileThreads const&) = delete;

  // Runs `work` (called without arguments on one of the threads) and waits for its result: until
  // `ask.until`, but at most `patience`, and three quarters of what is left, so that there is time
  // to say what was waited for; not at all where a job of this key has stood still for so long
  // already. Throws operation_aborted when cancelled; rethrows what `work` threw.
  template <class F>
  Task<FileResult<std::invoke_result_t<F>>> run(Trace trace, FileAsk ask, F work) {
    if (auto stands = stands_still(ask)) co_return std::move(*stands);
    auto job = start(co_await asio::this_coro::executor, ask, std::move(work));
    co_return co_await wait(trace, std::move(ask), std::move(job));
  }

  // The same in two steps.
  template <class F>
  Job<std::invoke_result_t<F>> start(Executor executor, FileAsk const& ask, F work) {
    ThreadPool::Work how{.name = ask.name, .key = key_of(ask), .about = shown(ask), .run = nullptr};
    return Job<std::invoke_result_t<F>>::start(*pool_, executor, std::move(how), std::move(work));
  }
  template <class T>
  Task<FileResult<T>> wait(Trace trace, FileAsk ask, Job<T> job) {
    Frame const frame{trace, "file", shown(ask)};
    auto const began = Clock::now();
    auto until = patience(ask);
    try {
      bool done = co_await job.done_by(until, frame.trace(), ask.name);
      while (!done && !stands_since(ask, began, until)) {
        done = co_await job.done_by(until, frame.trace(), ask.name);
      }
      if (done) co_return FileResult<T>{outcome::in_place_type<T>, job.take()};
    } catch (AllStand const& none) {
      co_return DiskWait{ask.file.string(), none.what()};
    }
    co_return still_waits(ask, Clock::now() - began);
  }

  // See ThreadPool: threads that ended or stand still are replaced, and told of. Thread: loop.
  void look() { pool_->look(); }
  void set_told(std::function<void(PoolTrouble const&)> told) { pool_->set_told(std::move(told)); }
  // Thread: any.
  std::size_t queued() const { return pool_->queued(); }
  std::size_t threads() const { return pool_->threads(); }  // those that were given up included
  // What has been at work for `give_up_after` or longer.
  std::vector<PoolTrouble> standing() const;

 private:
  static std::string key_of(FileAsk const& ask);
  static std::string shown(FileAsk const& ask);
  Deadline patience(FileAsk const& ask) const;
  bool stands_since(FileAsk const& ask, Clock::time_point began, Deadline& until) const;
  std::optional<DiskWait> stands_still(FileAsk const& ask) const;
  DiskWait still_waits(FileAsk const& ask, std::chrono::nanoseconds waited) const;

  FileThreadLimits const limits_;
  std::shared_ptr<ThreadPool> pool_;  // shared with jobs, which may outlive this
};

}  // namespace canary::runtime
