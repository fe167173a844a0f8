// SPDX-License-Identifier: Apache-2.0
// What a ThreadPool is made of, for its own sources alone.
// Thread: any; under the pool's lock unless it says otherwise.
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include <cerrno>
#include <cstdint>
#include <memory>

#include "runtime/thread_pool.h"
#include "runtime/thread_row.h"

namespace canary::runtime {

// Not a condition variable: a thread that is ended while it waits for one holds up whoever signals
// it later.
class Semaphore {
 public:
  Semaphore() { ::sem_init(&semaphore_, 0, 0); }
  ~Semaphore() { ::sem_destroy(&semaphore_); }
  Semaphore(Semaphore const&) = delete;
  Semaphore& operator=(Semaphore const&) = delete;
  void post() { ::sem_post(&semaphore_); }
  // True when it was posted, false after a second.
  bool wait_a_second() {
    timespec until{};
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    ++until.tv_sec;
    while (::sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &until) != 0) {
      if (errno != EINTR) return false;
    }
    return true;
  }

 private:
  sem_t semaphore_;
};

struct ThreadPool::Queued {
  Work work;
  std::int64_t since_ns;
  Queue* in = nullptr;  // where it stands; nullptr: begun, or dropped
};

struct ThreadPool::KeyQueue {
  Queue waiting;
};

struct ThreadPool::Worker {
  // What follows is under the lock.
  bool launched = false;
  bool idle = false;  // waits to be woken
  bool given_up = false;
  bool left = false;  // it ended as it should
  std::shared_ptr<Queued> job;
  std::int64_t launched_ns = 0;
  std::int64_t since_ns = 0;       // of the job
  std::unique_ptr<ThreadRow> row;  // not on the thread's stack, which goes with it
  pthread_t thread{};

  Semaphore wake;
};

}  // namespace canary::runtime
