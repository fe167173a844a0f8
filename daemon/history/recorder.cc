// SPDX-License-Identifier: Apache-2.0
#include "daemon/history/recorder.h"

#include <algorithm>
#include <iterator>
#include <new>

#include "runtime/cancellation.h"
#include "runtime/contract.h"
#include "runtime/job.h"
#include "runtime/task_group.h"

namespace canary::history {
namespace {

using runtime::Clock;
using runtime::Deadline;
using runtime::Task;
using runtime::Trace;
using namespace std::chrono_literals;

constexpr std::size_t kBatch = 2'000;  // entries: some 10 ms of the thread
constexpr auto kGather = 500ms;        // how long an entry waits for others
constexpr auto kAgain = 5s;            // after a failure
constexpr auto kThinEvery = 10min;
constexpr auto kEndWait = 3s;

Time wall_now() {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

// About what it takes beside its own size.
std::size_t bytes_of(Entry const& entry) {
  auto const of_words = [](Words const& words) {
    return words.check.size() + words.subject.size() + words.reason.size() + words.message.size() +
           words.evidence.size() + words.url.size();
  };
  struct Count {
    decltype(of_words) const& of;
    std::size_t operator()(RunEntry const& run) const {
      return run.probe.size() + run.url.size() + (run.telling ? of(*run.telling) : 0);
    }
    std::size_t operator()(MissedEntry const& missed) const { return missed.probe.size(); }
    std::size_t operator()(ChangeEntry const& change) const {
      return change.probe.size() + of(change.finding);
    }
    std::size_t operator()(VersionEntry const& version) const {
      return version.probe.size() + version.thing.size();
    }
    std::size_t operator()(EventEntry const& event) const {
      return event.subject.size() + event.detail.size();
    }
  };
  return std::visit(Count{of_words}, entry);
}

}  // namespace

Recorder::Recorder(runtime::Executor executor, daemon::Log& log, std::filesystem::path file,
                   Bounds bounds)
    : executor_(executor),
      log_(log),
      path_(file.string()),
      store_(std::make_shared<Store>(std::move(file), bounds)),
      pool_(runtime::ThreadPool::start(
          {.name = "history", .threads = 1, .kind = runtime::ThreadRecord::files})),
      wake_(executor) {}

Recorder::~Recorder() { pool_->stop(kEndWait); }

void Recorder::note(Entry entry) {
  runtime::require_loop_thread();
  auto const* const change = std::get_if<ChangeEntry>(&entry);
  if (change != nullptr && is_left_out(change->probe, change->at)) return;
  auto const* const version = std::get_if<VersionEntry>(&entry);
  if (version != nullptr && is_left_out(version->probe, version->at)) return;
  put_into_queue(std::move(entry));
}

bool Recorder::is_left_out(std::string const& probe, Time at) {
  auto const hour = std::chrono::floor<std::chrono::hours>(at);
  if (hour != std::exchange(hour_, hour)) changes_.clear();
  std::size_t const number = ++changes_[probe];
  if (number == kMostChanges + 1) {
    put_into_queue(EventEntry{.kind = "changes_left_out",
                              .subject = probe,
                              .detail = "more than " + std::to_string(kMostChanges) +
                                        " findings and versions changed within an hour; the "
                                        "rest of them is left out",
                              .at = at});
  }
  return number > kMostChanges;
}

void Recorder::put_into_queue(Entry entry) {
  std::size_t const bytes = bytes_of(entry);
  if (waiting_.size() >= kMostWaiting || waiting_bytes_ + bytes > kMostWaitingBytes) {
    ++dropped_;
    if (!std::exchange(dropping_, true)) {
      log_.error("the history on disk cannot follow; what happens from now on is not in it",
                 {{"file", path_}, {"waiting", waiting_.size()}});
    }
    return;
  }
  waiting_bytes_ += bytes;
  waiting_.push_back(std::move(entry));
  waiting_count_ = waiting_.size();
  wake_.notify();
}

void Recorder::set_bounds(Bounds bounds) {
  pool_->put(
      {.name = "history.bounds", .run = [store = store_, bounds]() -> runtime::ThreadPool::OnLoop {
         store->set_bounds(bounds);
         return {};
       }});
}

Recorder::Counts Recorder::counts() const {
  return {.written = written_, .dropped = dropped_, .waiting = waiting_count_, .works = works_};
}

std::shared_ptr<Recorder::Batch> Recorder::take_batch() {
  auto const end =
      waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kBatch));
  auto batch = std::make_shared<Batch>();
  std::for_each(waiting_.begin(), end,
                [this](Entry const& one) { waiting_bytes_ -= bytes_of(one); });
  batch->entries.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return batch;
}

// A thread that ended, or has no memory, is a failure as any other: it is tried again.
Task<Recorder::Done> Recorder::on_thread(runtime::StaticName name, std::function<Done()> work,
                                         Trace trace) {
  Done done;
  try {
    auto job = runtime::Job<Done>::start(
        *pool_, executor_, {.name = name, .about = path_, .run = nullptr}, std::move(work));
    done = co_await job.result(trace, name);
  } catch (runtime::JobLost const& lost) {
    done.result = DatabaseFault{0, lost.what()};
  } catch (runtime::AllStand const& standing) {
    done.result = DatabaseFault{0, standing.what()};
  } catch (std::bad_alloc const&) {
    done.result = DatabaseFault{0, "out of memory"};
  }
  co_return done;
}

Task<void> Recorder::keep() {
  runtime::require_loop_thread();
  runtime::RunTrace const row{"history", Deadline::never(), runtime::RunRecord::service};
  bool checks = true;
  while (true) {
    // A piece at a time of each: what is noted meanwhile is written in between.
    if (checks) checks = co_await check(row.trace());
    bool const thins = co_await thin(row.trace());
    if (waiting_.empty() && !unwritten_) {
      if (checks || thins) continue;
      auto const until = Deadline::after(kThinEvery);
      bool const woken = co_await wake_.wait_until(row.trace(), "history.wait", until);
      if (!woken && !until.passed()) runtime::throw_operation_aborted();
      continue;
    }
    if (!checks && !thins) {
      co_await runtime::sleep_until(row.trace(), "history.gather", Deadline::after(kGather));
    }
    bool const written = co_await write_batch(row.trace());
    if (written) continue;
    co_await runtime::sleep_until(row.trace(), "history.again", Deadline::after(kAgain));
  }
}

// False where it could not be written: it is kept.
Task<bool> Recorder::write_batch(Trace trace) {
  if (!unwritten_) unwritten_ = take_batch();
  std::function<Done()> write = [store = store_, batch = unwritten_] {
    Done now;
    if (!batch->written) {
      auto const result = store->write(batch->entries);
      batch->written = result.has_value();
      if (!result) now.result = result.error();
    }
    now.notices = store->take_notices();
    return now;
  };
  auto const done = co_await on_thread("history.write", std::move(write), trace);
  tell(done, unwritten_->entries.size());
  if (done.result) unwritten_.reset();
  waiting_count_ = waiting_.size();
  co_return done.result.has_value();
}

void Recorder::tell(Done const& written, std::size_t entries) {
  for (auto const& notice : written.notices) log_.warn(notice, {{"file", path_}});
  bool const fails = !written.result;
  works_ = !fails;
  if (fails != std::exchange(failing_, fails)) {
    if (fails) {
      log_.warn("the history is not written; probing goes on, and it is tried again",
                {{"file", path_}, {"detail", written.result.error().text}});
    } else {
      log_.info("the history is written again", {{"file", path_}});
    }
  }
  if (fails) return;
  written_ += entries;
  if (std::exchange(dropping_, false)) {
    log_.info("the history on disk follows again", {{"file", path_}, {"lost", dropped_.load()}});
  }
}

// A page that is damaged may go unnoticed by what is written beside it. True where there is more to
// look through.
Task<bool> Recorder::check(Trace trace) {
  std::function<Done()> work = [store = store_] {
    auto result = store->check();  // a failure is the next batch's, too
    return Done{.result = std::move(result), .notices = store->take_notices()};
  };
  auto const done = co_await on_thread("history.check", std::move(work), trace);
  for (auto const& notice : done.notices) log_.warn(notice, {{"file", path_}});
  bool const more = done.result && done.result.value();
  co_return more;
}

// True where there is more to thin.
Task<bool> Recorder::thin(Trace trace) {
  if (!thins_ && thinned_ && Clock::now() - *thinned_ < kThinEvery) co_return false;
  if (!thins_) thinned_ = Clock::now();
  std::function<Done()> work = [store = store_, now = wall_now()] {
    auto result = store->thin(now);
    return Done{.result = std::move(result), .notices = store->take_notices()};
  };
  auto const done = co_await on_thread("history.thin", std::move(work), trace);
  for (auto const& notice : done.notices) log_.warn(notice, {{"file", path_}});
  thins_ = done.result && done.result.value();
  co_return thins_;
}

Task<bool> Recorder::finish(Deadline deadline) {
  runtime::RunTrace const row{"history", deadline, runtime::RunRecord::service};
  runtime::TaskGroup group{executor_};
  group.start(write_rest(row.trace()));
  co_return co_await group.join_until(deadline, row.trace());
}

Task<void> Recorder::write_rest(Trace trace) {
  bool written = true;
  while (written && (!waiting_.empty() || unwritten_)) written = co_await write_batch(trace);
}

}  // namespace canary::history
