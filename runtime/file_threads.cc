// SPDX-License-Identifier: Apache-2.0
#include "runtime/file_threads.h"

#include <algorithm>

namespace canary::runtime {
namespace {

// A row has room for no more; the end of a path tells more than its beginning.
constexpr std::size_t kShown = 40;

}  // namespace

std::string sentence(DiskWait const& wait) {
  return wait.file + " waits for the disk: " + wait.why;
}

FileThreads::FileThreads(FileThreadLimits limits)
    : limits_(limits),
      pool_(ThreadPool::start({.name = "files",
                               .threads = limits.threads,
                               .most = limits.most,
                               .kind = ThreadRecord::files,
                               .give_up_after = limits.give_up_after})) {}

FileThreads::~FileThreads() { pool_->stop(limits_.end_wait); }

std::string FileThreads::key_of(FileAsk const& ask) {
  return ask.key.empty() ? ask.file.string() : ask.key;
}

std::string FileThreads::shown(FileAsk const& ask) {
  std::string path = ask.file.string();
  constexpr std::string_view kLeftOut = "…";
  if (path.size() <= kShown) return path;
  return std::string{kLeftOut} + path.substr(path.size() - (kShown - kLeftOut.size()));
}

Deadline FileThreads::patience(FileAsk const& ask) const {
  if (ask.known) return ask.until.within(limits_.give_up_after);
  if (ask.until == Deadline::never()) return Deadline::after(limits_.patience);
  return ask.until.within(std::min<Clock::duration>(limits_.patience, ask.until.left() / 4 * 3));
}

// A look that has waited for its turn says nothing of its disk: as long as no thread has been at it
// for `give_up_after`, it has until then, and `patience` in all.
bool FileThreads::stands_since(FileAsk const& ask, Clock::time_point began, Deadline& until) const {
  auto const waited = Clock::now() - began;
  if (!ask.known || waited >= limits_.patience || ask.until.passed()) return true;
  auto const job = pool_->longest(key_of(ask));
  auto const lasted = job ? job->lasted : std::chrono::nanoseconds{0};
  if (lasted >= limits_.give_up_after) return true;
  until = ask.until.within(limits_.give_up_after - lasted);
  return false;
}

std::vector<PoolTrouble> FileThreads::standing() const {
  auto jobs = pool_->at_work();
  std::erase_if(jobs,
                [this](PoolTrouble const& job) { return job.lasted < limits_.give_up_after; });
  return jobs;
}

std::optional<DiskWait> FileThreads::stands_still(FileAsk const& ask) const {
  auto const job = pool_->longest(key_of(ask));
  if (!job || job->lasted < (ask.known ? limits_.give_up_after : limits_.patience))
    return std::nullopt;
  return still_waits(ask, job->lasted);
}

// Longer than this caller has waited may have waited who asked before it.
DiskWait FileThreads::still_waits(FileAsk const& ask, std::chrono::nanoseconds waited) const {
  auto const job = pool_->longest(key_of(ask));
  auto const lasted = job ? std::max(job->lasted, waited) : waited;
  bool const other = job && !job->about.empty() && job->about != shown(ask);
  return {ask.file.string(),
          (other ? job->about + " has not answered for " : "no answer for ") + to_text(lasted)};
}

}  // namespace canary::runtime
