// SPDX-License-Identifier: Apache-2.0
#include "runtime/workers.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

namespace canary::runtime {

struct Workers::Impl {
  void work() {
    std::unique_lock lock{mutex};
    while (true) {
      changed.wait(lock, [this] { return stopping || !queue.empty(); });
      if (stopping) return;
      auto const job = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> queue;
  bool stopping = false;
  std::vector<std::thread> threads;
};

Workers::Workers(std::string name, std::size_t threads) : impl_(std::make_unique<Impl>()) {
  for (std::size_t i = 0; i < threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get(), name] {
      ::pthread_setname_np(::pthread_self(), name.c_str());
      impl->work();
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

void Workers::enqueue(std::function<void()> work) {
  {
    std::lock_guard const lock{impl_->mutex};
    impl_->queue.push_back(std::move(work));
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
