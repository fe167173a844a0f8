// SPDX-License-Identifier: Apache-2.0
#include "runtime/thread_pool.h"

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

#include "runtime/thread_pool_parts.h"

namespace canary::runtime {

void post_to(Executor const& executor, std::function<void()> work) {
  asio::post(executor, std::move(work));
}

ThreadPool::ThreadPool(PoolSettings settings)
    : settings_(std::move(settings)), wanted_(settings_.as_needed ? 1 : settings_.threads) {}
ThreadPool::~ThreadPool() = default;

std::shared_ptr<ThreadPool> ThreadPool::start(PoolSettings settings) {
  std::shared_ptr<ThreadPool> const pool{new ThreadPool{std::move(settings)}};
  for (std::size_t i = 0; i < pool->wanted_; ++i) {
    auto const worker = std::make_shared<Worker>();
    {
      std::lock_guard const lock{pool->mutex_};
      pool->workers_.push_back(worker);
    }
    // Fewer do the same work.
    if (!pool->launch(worker) && i == 0) {
      throw std::system_error(errno, std::generic_category(), "a thread " + pool->settings_.name);
    }
  }
  return pool;
}

bool ThreadPool::launch(std::shared_ptr<Worker> const& worker) {
  using Of = std::pair<std::shared_ptr<ThreadPool>, std::shared_ptr<Worker>>;
  std::unique_ptr<Of> of{new (std::nothrow) Of{shared_from_this(), worker}};
  pthread_t thread{};
  int const failed = of ? ::pthread_create(&thread, nullptr, &ThreadPool::enter, of.get()) : ENOMEM;
  std::lock_guard const lock{mutex_};
  if (failed != 0) {
    std::erase(workers_, worker);
    errno = failed;
    return false;
  }
  [[maybe_unused]] auto* const owned_by_the_thread = of.release();
  worker->thread = thread;
  worker->launched = true;
  worker->launched_ns = coarse_now_ns();
  if (stopping_) ::pthread_detach(thread);  // nobody knows of it any more
  return true;
}

void* ThreadPool::enter(void* of) {
  using Of = std::pair<std::shared_ptr<ThreadPool>, std::shared_ptr<Worker>>;
  std::unique_ptr<Of> const own{static_cast<Of*>(of)};
  auto& [pool, me] = *own;
  {
    auto row = std::make_unique<ThreadRow>(pool->settings_.kind, pool->settings_.name.c_str());
    std::lock_guard const lock{pool->mutex_};
    me->row = std::move(row);
  }
  pool->work(*me);
  std::unique_ptr<ThreadRow> row;  // goes after the lock
  std::lock_guard const lock{pool->mutex_};
  row = std::move(me->row);
  row->leave();
  return nullptr;
}

void ThreadPool::work(Worker& me) {
  while (true) {
    Queue mine;  // goes after the lock
    if (next(me, mine)) return;
    if (mine.empty()) {
      do {
        me.row->beat();
      } while (!me.wake.wait_a_second());
      continue;
    }
    Work& work = mine.front()->work;
    me.row->begin(work.name, work.about);
    OnLoop then = work.run();
    if (then && work.executor) deliver(*work.executor, std::move(then));
    // Before the lock is taken again: what it owned may take long to go, and the loop queues.
    work.run = nullptr;
    me.row->end();
    finish(me);
  }
}

// Takes a job into `mine`, where there is one. True: this thread is to end.
bool ThreadPool::next(Worker& me, Queue& mine) {
  std::lock_guard const lock{mutex_};
  if (me.given_up && active() < wanted_) me.given_up = false;
  if (stopping_ || me.given_up) {
    me.left = true;
    return true;
  }
  if (queue_.empty()) {
    me.idle = true;
    return false;
  }
  mine.splice(mine.end(), queue_, queue_.begin());
  auto const& job = mine.front();
  job->in = nullptr;
  me.job = job;
  me.since_ns = coarse_now_ns();
  rows_show_queue();
  return false;
}

void ThreadPool::finish(Worker& me) {
  std::shared_ptr<Queued> job;  // these go after the lock
  KeyQueues::node_type same_key;
  std::lock_guard const lock{mutex_};
  job = std::move(me.job);
  me.since_ns = 0;
  release_key(*job, same_key);
}

// The next job of its key may be taken.
void ThreadPool::release_key(Queued& job, KeyQueues::node_type& gone) {
  if (job.work.key.empty()) return;
  auto const same_key = keyed_.find(job.work.key);
  if (same_key == keyed_.end()) return;
  Queue& waiting = same_key->second.waiting;
  if (waiting.empty()) {
    gone = keyed_.extract(same_key);
    return;
  }
  waiting.front()->in = &queue_;
  queue_.splice(queue_.end(), waiting, waiting.begin());
  rows_show_queue();
  wake_one();
}

// Under the delivery's own lock: once closed_ is set, the loop may be gone.
void ThreadPool::deliver(Executor const& executor, OnLoop what) {
  std::lock_guard const lock{delivery_};
  if (!closed_) post_to(executor, std::move(what));
}

std::size_t ThreadPool::active() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      workers_, [](auto const& worker) { return !worker->given_up && !worker->left; }));
}

void ThreadPool::wake_one() {
  for (auto const& worker : workers_) {
    if (!worker->idle) continue;
    worker->idle = false;
    worker->wake.post();
    return;
  }
}

// Where a job waits and all are at work; nullptr: no other is needed, or may be.
std::shared_ptr<ThreadPool::Worker> ThreadPool::one_more() {
  bool const none_is_free =
      std::ranges::none_of(workers_, [](auto const& worker) { return worker->idle; });
  bool const may = wanted_ < settings_.threads && workers_.size() < settings_.most;
  if (queue_.empty() || stopping_ || !may || !none_is_free) return nullptr;
  try {
    workers_.push_back(std::make_shared<Worker>());
  } catch (std::bad_alloc const&) {  // those that are there do the same work
    return nullptr;
  }
  ++wanted_;
  return workers_.back();
}

void ThreadPool::rows_show_queue() {
  auto const waiting = static_cast<std::uint32_t>(queue_.size());
  std::int64_t const oldest = queue_.empty() ? 0 : queue_.front()->since_ns;
  for (auto const& worker : workers_) {
    if (worker->row) worker->row->queue(waiting, oldest);
  }
}

// `node` has the job alone.
ThreadPool::Queue::iterator ThreadPool::push(Queue& node) {
  auto const place = node.begin();
  Queued& job = **place;
  Queue* into = &queue_;
  if (!job.work.key.empty()) {
    auto const [same_key, first] = keyed_.try_emplace(job.work.key);
    if (!first) into = &same_key->second.waiting;
  }
  job.in = into;
  into->splice(into->end(), node);
  if (into == &queue_) {
    rows_show_queue();
    wake_one();
  }
  return place;
}

std::shared_ptr<ThreadPool::Place const> ThreadPool::enqueue(Work work) {
  Queue node;
  node.push_back(std::make_shared<Queued>(Queued{std::move(work), coarse_now_ns()}));
  std::shared_ptr<Place const> place;
  std::shared_ptr<Worker> fresh;
  {
    std::lock_guard const lock{mutex_};
    place = std::make_shared<Place>(shared_from_this(), push(node));
    fresh = one_more();
  }
  if (fresh) launch(fresh);
  return place;
}

void ThreadPool::put(Work work) {
  Queue node;
  node.push_back(std::make_shared<Queued>(Queued{std::move(work), coarse_now_ns()}));
  std::shared_ptr<Worker> fresh;
  {
    std::lock_guard const lock{mutex_};
    push(node);
    fresh = one_more();
  }
  if (fresh) launch(fresh);
}

// Takes a job out of the queue, unless a thread has begun it.
void ThreadPool::abandon(Queue::iterator place, Queued& job) {
  Queue dropped;  // these go after the lock
  KeyQueues::node_type same_key;
  std::lock_guard const lock{mutex_};
  if (job.in == nullptr) return;
  bool const held_its_key = job.in == &queue_;
  dropped.splice(dropped.end(), *job.in, place);
  job.in = nullptr;
  if (held_its_key) release_key(job, same_key);
  rows_show_queue();
}

PoolTrouble ThreadPool::trouble_of(Worker const& worker, PoolTrouble::Kind kind) const {
  PoolTrouble trouble{.kind = kind, .thread = settings_.name};
  if (!worker.job) return trouble;
  trouble.job = worker.job->work.name.text();
  trouble.about = worker.job->work.about;
  trouble.lasted =
      std::chrono::nanoseconds{std::max<std::int64_t>(0, coarse_now_ns() - worker.since_ns)};
  return trouble;
}

void ThreadPool::set_told(std::function<void(PoolTrouble const&)> told) {
  std::lock_guard const lock{mutex_};
  told_ = std::move(told);
}

std::size_t ThreadPool::queued() const {
  std::lock_guard const lock{mutex_};
  std::size_t waiting = queue_.size();
  for (auto const& [key, same_key] : keyed_) waiting += same_key.waiting.size();
  return waiting;
}

std::size_t ThreadPool::threads() const {
  std::lock_guard const lock{mutex_};
  return workers_.size();
}

std::vector<PoolTrouble> ThreadPool::at_work() const {
  std::vector<PoolTrouble> jobs;
  std::lock_guard const lock{mutex_};
  for (auto const& worker : workers_) {
    if (worker->job) jobs.push_back(trouble_of(*worker, PoolTrouble::Kind::given_up));
  }
  return jobs;
}

std::optional<PoolTrouble> ThreadPool::longest(std::string const& key) const {
  std::optional<PoolTrouble> found;
  std::lock_guard const lock{mutex_};
  for (auto const& worker : workers_) {
    if (!worker->job || (!key.empty() && worker->job->work.key != key)) continue;
    auto trouble = trouble_of(*worker, PoolTrouble::Kind::given_up);
    if (!found || trouble.lasted > found->lasted) found = std::move(trouble);
  }
  return found;
}

bool ThreadPool::stop(std::chrono::nanoseconds limit) {
  Queue dropped;  // goes after the lock
  std::vector<std::shared_ptr<Worker>> workers;
  {
    std::lock_guard const lock{mutex_};
    stopping_ = true;
    told_ = nullptr;
    for (auto& [key, same_key] : keyed_) queue_.splice(queue_.end(), same_key.waiting);
    for (auto const& job : queue_) job->in = nullptr;  // a place then finds nothing to give up
    dropped.swap(queue_);
    workers.swap(workers_);
    for (auto const& worker : workers) {
      if (std::exchange(worker->idle, false)) worker->wake.post();
    }
  }
  auto const until = Deadline::after(limit);
  bool all = true;
  for (auto const& worker : workers) {
    if (!worker->launched) continue;
    timespec pause{.tv_sec = 0, .tv_nsec = 20'000};
    while (::pthread_tryjoin_np(worker->thread, nullptr) != 0) {
      if (until.passed()) {
        ::pthread_detach(worker->thread);
        all = false;
        break;
      }
      ::nanosleep(&pause, nullptr);  // one that stands still tells nobody that it ended
      pause.tv_nsec = std::min(pause.tv_nsec * 2, 5'000'000L);
    }
  }
  std::lock_guard const lock{delivery_};
  closed_ = true;
  return all;
}

ThreadPool::Place::Place(std::shared_ptr<ThreadPool> pool, Queue::iterator place)
    : pool_(std::move(pool)), job_(*place), place_(place) {}

ThreadPool::Place::~Place() { pool_->abandon(place_, *job_); }

}  // namespace canary::runtime
