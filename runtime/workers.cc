// SPDX-License-Identifier: Apache-2.0
#include "runtime/workers.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include "runtime/thread_row.h"

namespace canary::runtime {

struct Workers::Impl {
  struct Queued {
    StaticName name;
    std::int64_t since_ns;
    std::function<void()> work;
  };

  void work(ThreadRow& row) {
    std::unique_lock lock{mutex};
    while (true) {
      changed.wait(lock, [this] { return stopping || !queue.empty(); });
      if (stopping) return;
      Queued job = std::move(queue.front());
      queue.pop_front();
      rows_show_queue();
      lock.unlock();
      row.begin(job.name);
      job.work();
      // Before the lock is taken again: what it owned may take long to go, and the loop queues.
      job.work = nullptr;
      row.end();
      lock.lock();
    }
  }

  // REQUIRES: the lock is held.
  void rows_show_queue() {
    auto const waiting = static_cast<std::uint32_t>(queue.size());
    std::int64_t const oldest = queue.empty() ? 0 : queue.front().since_ns;
    for (ThreadRow* const row : rows) row->queue(waiting, oldest);
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Queued> queue;
  std::vector<ThreadRow*> rows;
  bool stopping = false;
  std::vector<std::thread> threads;
};

Workers::Workers(std::string name, std::size_t threads, ThreadRecord::Kind kind)
    : impl_(std::make_unique<Impl>()) {
  for (std::size_t i = 0; i < threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get(), name, kind] {
      ThreadRow row{kind, name.c_str()};
      {
        std::lock_guard const lock{impl->mutex};
        impl->rows.push_back(&row);
      }
      impl->work(row);
      std::lock_guard const lock{impl->mutex};
      std::erase(impl->rows, &row);
    });
  }
}

Workers::~Workers() {
  {
    std::lock_guard const lock{impl_->mutex};
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  for (auto& thread : impl_->threads) thread.join();
}

void Workers::enqueue(StaticName name, std::function<void()> work) {
  {
    std::lock_guard const lock{impl_->mutex};
    impl_->queue.push_back({name, coarse_now_ns(), std::move(work)});
    impl_->rows_show_queue();
  }
  impl_->changed.notify_one();
}

void throw_operation_aborted() {
  throw boost::system::system_error{asio::error::operation_aborted};
}

void post_to(Executor const& executor, std::function<void()> work) {
  asio::post(executor, std::move(work));
}

}  // namespace canary::runtime
