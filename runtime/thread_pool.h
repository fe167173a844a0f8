// SPDX-License-Identifier: Apache-2.0
// Threads that take jobs from one queue: what Workers and FileThreads are made of. A thread that
// ended is noticed and replaced; one that stands still in a job can be given up and replaced, too.
// No thread of the pool allocates or frees while it holds the pool's lock, so that one that is
// stopped there by the allocator stops nobody else.
// Thread: any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/deadline.h"
#include "runtime/tables.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::runtime {

struct PoolSettings {
  std::string name;            // of its threads; at most 15 bytes
  std::size_t threads = 1;     // that take jobs
  std::size_t most = threads;  // with those that were given up
  ThreadRecord::Kind kind = ThreadRecord::cpu;
  // A thread that is in one job for so long while others wait is given up; zero: never.
  std::chrono::nanoseconds give_up_after{0};
  // Starts with one thread, and another whenever a job finds all of them at work.
  bool as_needed = false;
};

// What befell a thread of a pool.
struct PoolTrouble {
  enum class Kind : std::uint8_t { ended, given_up } kind = Kind::ended;
  std::string thread;                  // its name
  std::string job;                     // what it was at; "": it was idle
  std::string about;                   // the job's file; "": none
  std::chrono::nanoseconds lasted{0};  // the job, so far
};
// "in tls.files (/etc/ca.pem) for 3.1 s".
std::string sentence(PoolTrouble const& trouble);
std::string to_text(std::chrono::nanoseconds lasted);  // "0.3 s", "12 s"

// Why a job was not run to its end: its thread ended.
struct JobLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// All places for threads are taken by such as stand still.
struct AllStand : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void post_to(Executor const& executor, std::function<void()> work);

class ThreadPool : public std::enable_shared_from_this<ThreadPool> {
 public:
  using OnLoop = std::function<void()>;
  struct Work {
    StaticName name;
    std::string key = {};    // at most one job of a key is at work; "": any number
    std::string about = {};  // the file, for whoever looks at the thread's row
    // On a thread of the pool; what it returns is posted to the executor, unless the pool has
    // ended.
    std::function<OnLoop()> run;
    std::optional<Executor> executor = {};
    // Gives what is posted instead where the job was not run to its end; null: nothing is.
    std::function<OnLoop(std::exception_ptr)> lost = {};
  };
  class Place;  // in the queue; see Workers::Job

  // Starts its threads. Throws std::system_error where not even one can be had.
  static std::shared_ptr<ThreadPool> start(PoolSettings settings);
  ~ThreadPool();
  ThreadPool(ThreadPool const&) = delete;
  ThreadPool& operator=(ThreadPool const&) = delete;

  std::shared_ptr<Place const> enqueue(Work work);
  void put(Work work);  // to be run, whoever waits

  // Notices threads that ended or stand still, and replaces them. Whoever waits for a job calls it.
  // A thread that ends within a minute of another ends the process: what kills them goes on.
  // REQUIRES: the loop of the jobs lives.
  void look();
  // `told` is called by whoever looked, for each thread that was replaced.
  void set_told(std::function<void(PoolTrouble const&)> told);

  std::size_t queued() const;
  // The job that has been at work for longest, of this key ("": of all); nothing: none is.
  std::optional<PoolTrouble> longest(std::string const& key = {}) const;
  std::vector<PoolTrouble> at_work() const;
  std::size_t threads() const;  // those that were given up included

  // Drops what has not begun, and waits for the threads up to `limit`. Those that still stand in a
  // job then are left to themselves, and what they bring is dropped. True where none is.
  bool stop(std::chrono::nanoseconds limit);

 private:
  struct Queued;
  struct KeyQueue;
  struct Worker;
  using Queue = std::list<std::shared_ptr<Queued>>;
  using KeyQueues = std::map<std::string, KeyQueue, std::less<>>;
  struct Look;
  explicit ThreadPool(PoolSettings settings);

  static void* enter(void* of);
  void work(Worker& me);
  bool next(Worker& me, Queue& mine);
  void finish(Worker& me);
  void deliver(Executor const& executor, OnLoop what);

  // These REQUIRE the lock.
  std::size_t active() const;
  Queue::iterator push(Queue& node);
  void release_key(Queued& job, KeyQueues::node_type& gone);
  void wake_one();
  std::shared_ptr<Worker> one_more();
  void rows_show_queue();
  PoolTrouble trouble_of(Worker const& worker, PoolTrouble::Kind kind) const;
  void reap(Look& look);
  void give_up(Look& look);
  void refuse(Look& look);

  // Without the lock. False where the system gives no thread.
  bool launch(std::shared_ptr<Worker> const& worker);
  void abandon(Queue::iterator place, Queued& job);

  PoolSettings const settings_;
  mutable std::mutex mutex_;
  Queue queue_;      // may be taken
  KeyQueues keyed_;  // by key: one is at work or may be taken, these wait for it
  std::vector<std::shared_ptr<Worker>> workers_;
  std::size_t wanted_;         // threads that take jobs
  std::int64_t ended_ns_ = 0;  // when a thread was last seen to have ended
  bool stopping_ = false;
  std::function<void(PoolTrouble const&)> told_;
  std::mutex delivery_;  // held by a thread of the pool while it posts
  bool closed_ = false;  // under delivery_: the loop may be gone
};

class ThreadPool::Place {
 public:
  Place(std::shared_ptr<ThreadPool> pool, Queue::iterator place);
  ~Place();
  Place(Place const&) = delete;
  Place& operator=(Place const&) = delete;
  void look() const { pool_->look(); }

 private:
  std::shared_ptr<ThreadPool> pool_;
  std::shared_ptr<Queued> job_;
  Queue::iterator place_;
};

}  // namespace canary::runtime
