// SPDX-License-Identifier: Apache-2.0
// How a pool notices threads that ended or stand still, and replaces them.
#include <pthread.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "runtime/contract.h"
#include "runtime/thread_pool_parts.h"

namespace canary::runtime {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kEndsAgainWithin = 60 * kSecond;
constexpr std::size_t kNamed = 4;  // of those that stand still, in a message

std::string all_stand(std::vector<PoolTrouble> const& jobs) {
  std::string text = "all file threads stand still";
  for (std::size_t i = 0; i < jobs.size() && i < kNamed; ++i) {
    text += (i == 0 ? ": " : ", ") + (jobs[i].about.empty() ? jobs[i].job : jobs[i].about) +
            " for " + to_text(jobs[i].lasted);
  }
  return text + (jobs.size() > kNamed ? ", …" : "");
}

}  // namespace

std::string to_text(std::chrono::nanoseconds lasted) {
  auto const tenths = std::chrono::duration_cast<std::chrono::milliseconds>(lasted).count() / 100;
  if (tenths >= 100) return std::to_string(tenths / 10) + " s";
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string sentence(PoolTrouble const& trouble) {
  if (trouble.job.empty()) return "idle";
  return "in " + trouble.job + (trouble.about.empty() ? "" : " (" + trouble.about + ")") + " for " +
         to_text(trouble.lasted);
}

// What a look found to do without the lock.
struct ThreadPool::Look {
  std::int64_t now;
  std::vector<PoolTrouble> troubles;
  std::vector<std::shared_ptr<Worker>> fresh, gone;
  std::vector<std::unique_ptr<ThreadRow>> rows;
  std::vector<std::pair<std::shared_ptr<Queued>, std::exception_ptr>> lost;
  std::vector<KeyQueues::node_type> emptied;
  Queue nodes;
};

// Those that ended, as they should or not.
void ThreadPool::reap(Look& look) {
  for (auto const& worker : workers_) {
    if (!worker->launched || ::pthread_tryjoin_np(worker->thread, nullptr) != 0) continue;
    look.gone.push_back(worker);
    // It is replaced, and missed no longer. What a thread held that ended in the middle stays.
    if (worker->row) look.rows.push_back(std::move(worker->row)), look.rows.back()->leave();
    if (worker->left) continue;
    bool const replaced_another = ended_ns_ != 0 && worker->launched_ns >= ended_ns_;
    require(!replaced_another || look.now - ended_ns_ >= kEndsAgainWithin,
            "a thread that was replaced does not end again within a minute");
    ended_ns_ = look.now;
    look.troubles.push_back(trouble_of(*worker, PoolTrouble::Kind::ended));
    if (!worker->job) continue;
    JobLost const why{"the thread \"" + settings_.name + "\" ended " +
                      sentence(look.troubles.back())};
    release_key(*worker->job, look.emptied.emplace_back());
    look.lost.emplace_back(std::move(worker->job), std::make_exception_ptr(why));
  }
  std::erase_if(workers_, [&look](auto const& worker) {
    return std::ranges::find(look.gone, worker) != look.gone.end();
  });
}

// Those that stand still while others wait.
void ThreadPool::give_up(Look& look) {
  std::int64_t const limit = settings_.give_up_after.count();
  if (limit == 0 || queue_.empty()) return;
  for (auto const& worker : workers_) {
    if (worker->idle) return;
  }
  for (auto const& worker : workers_) {
    if (worker->given_up || !worker->job || look.now - worker->since_ns < limit) continue;
    worker->given_up = true;
    look.troubles.push_back(trouble_of(*worker, PoolTrouble::Kind::given_up));
  }
}

// Where no thread is left that could take a job, nor a place for another.
void ThreadPool::refuse(Look& look) {
  if (queue_.empty() || active() > 0) return;
  std::vector<PoolTrouble> jobs;
  jobs.reserve(workers_.size());
  for (auto const& worker : workers_) jobs.push_back(trouble_of(*worker, {}));
  std::ranges::sort(jobs, std::greater{}, &PoolTrouble::lasted);
  auto const why = std::make_exception_ptr(AllStand{all_stand(jobs)});
  while (!queue_.empty()) {
    auto const job = queue_.front();
    look.nodes.splice(look.nodes.end(), queue_, queue_.begin());
    job->in = nullptr;
    release_key(*job, look.emptied.emplace_back());
    look.lost.emplace_back(job, why);
  }
  rows_show_queue();
}

void ThreadPool::look() {
  Look look{.now = coarse_now_ns()};
  std::function<void(PoolTrouble const&)> told;
  {
    std::lock_guard const lock{mutex_};
    if (stopping_) return;
    reap(look);
    give_up(look);
    while (active() < wanted_ && workers_.size() < settings_.most) {
      workers_.push_back(look.fresh.emplace_back(std::make_shared<Worker>()));
    }
    refuse(look);
    if (!queue_.empty()) wake_one();
    told = told_;
  }
  for (auto const& worker : look.fresh) launch(worker);
  for (auto const& [job, why] : look.lost) {
    if (job->work.lost && job->work.executor) post_to(*job->work.executor, job->work.lost(why));
  }
  if (!told) return;
  for (auto const& trouble : look.troubles) told(trouble);
}

}  // namespace canary::runtime
