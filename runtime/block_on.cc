// SPDX-License-Identifier: Apache-2.0
#include "runtime/block_on.h"

#include <condition_variable>
#include <exception>
#include <mutex>

#include <boost/asio/cancellation_signal.hpp>

#include "runtime/spawn.h"

namespace canary::runtime {
namespace {

constexpr auto kGrace = std::chrono::seconds{1};

struct Waiting {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool done = false;
  std::exception_ptr thrown;
  asio::cancellation_signal signal;  // loop thread only
};

}  // namespace

void wait_for(Loop& loop, Task<void> work, Deadline deadline, std::stop_token stop,
              std::source_location where) {
  if (Loop::on_loop_thread()) {
    throw NestedLoop("block_on at " + to_text(where) +
                     " on the loop thread, which would wait for itself; the loop runs since " +
                     loop.running_since() + "; use co_await");
  }
  if (!loop.running()) {
    throw LoopNotRunning("block_on at " + to_text(where) +
                         ": nothing runs the loop, so the wait would never end");
  }
  auto const waiting = std::make_shared<Waiting>();
  spawn(loop.executor(), std::move(work), waiting->signal.slot(),
        [waiting](std::exception_ptr thrown) {
          {
            std::lock_guard const lock{waiting->mutex};
            waiting->done = true;
            waiting->thrown = thrown;
          }
          waiting->changed.notify_all();
        });

  std::unique_lock lock{waiting->mutex};
  auto const done = [&waiting] { return waiting->done; };
  bool finished = false;
  if (deadline == Deadline::never()) {
    finished = waiting->changed.wait(lock, stop, done);
  } else {
    finished = waiting->changed.wait_until(lock, stop, deadline.point(), done);
  }
  if (!finished) {
    lock.unlock();
    loop.post([waiting] { waiting->signal.emit(asio::cancellation_type::terminal); });
    lock.lock();
    bool const unwound = waiting->changed.wait_for(lock, kGrace, done);
    std::string const what = "block_on at " + to_text(where) +
                             (unwound ? "" : " (the work did not unwind within a second)");
    if (stop.stop_requested()) throw Interrupted(what + ": interrupted", unwound);
    throw DeadlinePassed(what + ": the deadline passed", unwound);
  }
  if (waiting->thrown) std::rethrow_exception(waiting->thrown);
}

}  // namespace canary::runtime
