// SPDX-License-Identifier: Apache-2.0
// The threads beside the loop: the disk's and the hash workers'.
#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/sentinel.h"

namespace canary::watchdog {
namespace {

using runtime::ThreadRecord;
using std::memory_order_acquire;
using std::memory_order_relaxed;

bool is_pool(std::uint8_t kind) { return kind == ThreadRecord::disk || kind == ThreadRecord::cpu; }

}  // namespace

Sentinel::Watched* Sentinel::watched(std::int32_t thread) {
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

// The most that was withheld since the look at `from_ns` from a thread of these kinds.
std::int64_t Sentinel::withheld_from(runtime::Tables& tables, bool (*of)(std::uint8_t kind),
                                     std::int64_t from_ns) {
  std::int64_t most = 0;
  for (ThreadRecord const& row : tables.threads()) {
    std::uint8_t const kind = row.kind.load(memory_order_relaxed);
    if (!of(kind)) continue;
    std::int32_t const thread = row.thread.load(memory_order_acquire);
    Watched* const each = thread == 0 ? nullptr : watched(thread);
    if (each == nullptr) continue;
    each->seen = true;
    ThreadSample const sample = each->files.sample(ThreadFiles::Depth::brief, now_ns_);
    // Only from look to look: what was before counts for nobody.
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

// Who holds the lock is not told: it may be any thread that works for the loop.
std::int64_t Sentinel::withheld_from_holders(runtime::Tables& tables) {
  return withheld_from(tables, is_pool, previous_ns_);
}

// Judges what each thread is at, then each queue.
void Sentinel::judge_pools(runtime::Tables& tables) {
  QueueFacts disk, cpu;
  bool disk_held = false, cpu_held = false;  // a thread of it, by a debugger
  for (ThreadRecord const& row : tables.threads()) {
    std::uint8_t const kind = row.kind.load(memory_order_relaxed);
    std::int32_t const thread = row.thread.load(memory_order_acquire);
    if (!is_pool(kind) || thread == 0) continue;
    QueueFacts& queue = kind == ThreadRecord::disk ? disk : cpu;
    ++queue.threads;
    if (row.job_since_ns.load(memory_order_acquire) != 0) ++queue.busy;
    std::int64_t const queued = row.oldest_queued_ns.load(memory_order_relaxed);
    if (queued != 0) queue.oldest_queued_ns = queued;
    JobFacts job{.pool = kind == ThreadRecord::disk ? Subject::disk : Subject::cpu,
                 .since_ns = row.job_since_ns.load(memory_order_acquire)};
    job.limit_ns = limit_of(job.pool, settings_.limits);
    // While it is idle it says that it comes round.
    if (job.since_ns == 0) {
      job.since_ns = row.beat_ns.load(memory_order_acquire);
      job.limit_ns = round_limit(settings_.limits);
    }
    judge_thread(row, job, thread);
    Watched const* const files = watched(thread);
    if (files != nullptr && files->history.added > 0 && files->history.newest().traced) {
      (kind == ThreadRecord::disk ? disk_held : cpu_held) = true;
    }
  }
  judge_pool_queue(Subject::disk, disk, disk_held, "disk queue");
  judge_pool_queue(Subject::cpu, cpu, cpu_held, "cpu queue");
  disk_stalled_ = false;
  for (std::size_t i = 0; i < kIncidents; ++i) {
    bool const disk = incidents_.is_open(i) && incidents_.at(i).subject == Subject::disk;
    if (disk && incidents_.at(i).level >= Level::stalled) disk_stalled_ = true;
  }
}

// While a debugger holds one of its threads, that is why jobs wait; but not for ever.
void Sentinel::judge_pool_queue(Subject pool, QueueFacts const& queue, bool held,
                                std::string_view name) {
  if (queue.threads == 0) return;
  std::int64_t const limit = limit_of(pool, settings_.limits);
  if (held && now_ns_ - queue.oldest_queued_ns < limit + bound_of(limit)) return;
  Incident judged = judge_queue(pool, queue, settings_.limits, for_all_, now_ns_);
  copy_text(judged.name, name);
  report(judged);
}

}  // namespace canary::watchdog
