// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/sample/thread_sampler.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

void ThreadSampler::begin_round() {
  for (Watched& each : watched_) each.seen = false;
}

void ThreadSampler::end_round() {
  for (Watched& each : watched_) {
    if (!each.seen) each.files.close();
  }
}

void ThreadSampler::close() {
  for (Watched& each : watched_) each.files.close();
}

ThreadSampler::Watched* ThreadSampler::watched(std::int32_t thread) {
  Watched* unused = nullptr;
  for (Watched& each : watched_) {
    if (each.files.thread() == thread) return &each;
    if (unused == nullptr && each.files.thread() == 0) unused = &each;
  }
  if (unused == nullptr || !unused->files.open(thread)) return nullptr;
  unused->history.clear();
  unused->beside = {};
  unused->usage = {};
  return unused;
}

ThreadSampler::Look ThreadSampler::look(std::int32_t thread, JobFacts job,
                                        ThreadGrace const& everybody, std::int64_t now_ns) {
  Look result{.job = job};
  Watched* const files = watched(thread);
  if (files != nullptr) files->seen = true;
  // Two samples are needed by the time that it is judged.
  std::int64_t const look_from = job.limit_ns / 4 < kSecond ? job.limit_ns / 4 : kSecond;
  result.due = job.since_ns != 0 && now_ns - job.since_ns >= look_from;
  if (!result.due || files == nullptr) return result;
  bool const same = files->usage.is_of(job.since_ns);
  ThreadSample const last = same ? files->history.newest() : ThreadSample{};
  if (!same) files->withheld_ns = files->job_ahead_ns = 0;
  files->history.add(files->files.sample(ThreadFiles::Depth::full, now_ns), 0);
  result.newest = files->history.newest();
  result.before = files->history.earlier();
  std::int64_t const own = withheld(last, result.newest, files->job_ahead_ns);
  std::int64_t const everybodys = last.known ? everybody.whole(last.at_ns, now_ns) : 0;
  if (own > everybodys) files->withheld_ns += own - everybodys;
  result.job.withheld_ns = files->withheld_ns;
  result.job.cpu_ns = files->usage.in(job.since_ns, result.newest);
  return result;
}

bool ThreadSampler::is_traced(std::int32_t thread) {
  Watched const* const files = watched(thread);
  return files != nullptr && files->history.newest().traced;
}

bool ThreadSampler::is_zombie(std::int32_t thread, std::int64_t now_ns) {
  Watched* const files = watched(thread);
  if (files == nullptr) return false;
  files->seen = true;
  return files->files.sample(ThreadFiles::Depth::brief, now_ns).state == 'Z';
}

std::int64_t ThreadSampler::withheld_from(runtime::Tables& tables, bool (*of)(std::uint8_t kind),
                                          std::int64_t from_ns, std::int64_t now_ns) {
  std::int64_t most = 0;
  for (runtime::ThreadRecord const& row : tables.threads()) {
    if (!of(row.kind.load(std::memory_order_relaxed))) continue;
    std::int32_t const thread = row.thread.load(std::memory_order_acquire);
    Watched* const each = thread == 0 ? nullptr : watched(thread);
    if (each == nullptr) continue;
    each->seen = true;
    ThreadSample const sample = each->files.sample(ThreadFiles::Depth::brief, now_ns);
    if (each->beside.at_ns == from_ns) {
      std::int64_t const one = withheld(each->beside, sample, each->ahead_ns);
      if (one > most) most = one;
    } else {
      each->ahead_ns = 0;
    }
    each->beside = sample;
  }
  return most;
}

}  // namespace canary::watchdog
