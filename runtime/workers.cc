// SPDX-License-Identifier: Apache-2.0
#include "runtime/workers.h"

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "runtime/thread_row.h"

namespace canary::runtime {

namespace {
constexpr std::chrono::seconds kBeat{1};  // of a thread that is idle
}

struct Workers::Impl {
  struct Queued {
    StaticName name;
    std::int64_t since_ns;
    std::function<void()> work;
  };
  using Queue = std::list<std::shared_ptr<Queued>>;

  void work(ThreadRow& row) {
    std::unique_lock lock{mutex};
    while (true) {
      row.beat();
      if (!changed.wait_for(lock, kBeat, [this] { return stopping || !queue.empty(); })) continue;
      if (stopping) return;
      std::shared_ptr<Queued> const job = std::move(queue.front());
      queue.pop_front();
      std::function<void()> run = std::exchange(job->work, nullptr);
      rows_show_queue();
      lock.unlock();
      row.begin(job->name);
      run();
      // Before the lock is taken again: what it owned may take long to go, and the loop queues.
      run = nullptr;
      row.end();
      lock.lock();
    }
  }

  // REQUIRES: the lock is held.
  Queue::iterator push(std::shared_ptr<Queued> job) {
    auto const at = queue.insert(queue.end(), std::move(job));
    rows_show_queue();
    return at;
  }

  // Takes a job out of the queue, unless a thread has begun it.
  void abandon(Queue::iterator place, Queued& job) {
    std::function<void()> dropped;  // goes after the lock
    std::lock_guard const lock{mutex};
    if (!job.work) return;
    dropped = std::exchange(job.work, nullptr);
    queue.erase(place);
    rows_show_queue();
  }

  // REQUIRES: the lock is held.
  void rows_show_queue() {
    auto const waiting = static_cast<std::uint32_t>(queue.size());
    std::int64_t const oldest = queue.empty() ? 0 : queue.front()->since_ns;
    for (ThreadRow* const row : rows) row->queue(waiting, oldest);
  }

  std::mutex mutex;
  std::condition_variable changed;
  Queue queue;
  std::vector<ThreadRow*> rows;
  bool stopping = false;
  std::vector<std::thread> threads;
};

class Workers::Place {
 public:
  Place(std::shared_ptr<Impl> of, Impl::Queue::iterator place)
      : of_(std::move(of)), job_(*place), place_(place) {}
  ~Place() { of_->abandon(place_, *job_); }
  Place(Place const&) = delete;
  Place& operator=(Place const&) = delete;

 private:
  std::shared_ptr<Impl> of_;
  std::shared_ptr<Impl::Queued> job_;
  Impl::Queue::iterator place_;
};

Workers::Workers(std::string name, std::size_t threads, ThreadRecord::Kind kind)
    : impl_(std::make_shared<Impl>()) {
  auto const work = [impl = impl_.get(), name, kind] {
    ThreadRow row{kind, name.c_str()};
    {
      std::lock_guard const lock{impl->mutex};
      impl->rows.push_back(&row);
    }
    impl->work(row);
    std::lock_guard const lock{impl->mutex};
    std::erase(impl->rows, &row);
    row.leave();
  };
  impl_->threads.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    try {
      impl_->threads.emplace_back(work);
    } catch (std::system_error const&) {
      if (i == 0) throw;
      return;  // fewer do the same work
    }
  }
}

Workers::~Workers() {
  std::vector<std::function<void()>> dropped;  // goes after the lock
  {
    std::lock_guard const lock{impl_->mutex};
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  for (auto& thread : impl_->threads) thread.join();
  std::lock_guard const lock{impl_->mutex};
  // A place then finds nothing to give up.
  for (auto const& job : impl_->queue) dropped.push_back(std::exchange(job->work, nullptr));
  impl_->queue.clear();
}

std::shared_ptr<Workers::Place const> Workers::enqueue(StaticName name,
                                                       std::function<void()> work) {
  auto job = std::make_shared<Impl::Queued>(Impl::Queued{name, coarse_now_ns(), std::move(work)});
  std::shared_ptr<Place const> place;
  {
    std::lock_guard const lock{impl_->mutex};
    place = std::make_shared<Place>(impl_, impl_->push(std::move(job)));
  }
  impl_->changed.notify_one();
  return place;
}

void Workers::put(StaticName name, std::function<void()> work) {
  auto job = std::make_shared<Impl::Queued>(Impl::Queued{name, coarse_now_ns(), std::move(work)});
  {
    std::lock_guard const lock{impl_->mutex};
    impl_->push(std::move(job));
  }
  impl_->changed.notify_one();
}

std::size_t Workers::queued() const {
  std::lock_guard const lock{impl_->mutex};
  return impl_->queue.size();
}

void post_to(Executor const& executor, std::function<void()> work) {
  asio::post(executor, std::move(work));
}

}  // namespace canary::runtime
