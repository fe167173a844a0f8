// SPDX-License-Identifier: Apache-2.0
// The threads beside the loop: the disk's and the hash workers'.
#include "daemon/watchdog/fixed_text.h"
#include "daemon/watchdog/sentinel.h"

namespace canary::watchdog {
namespace {

using runtime::ThreadRecord;
using std::memory_order_acquire;
using std::memory_order_relaxed;

constexpr std::int64_t kSecond = 1'000'000'000;

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

// Who holds the lock is not told: it may be any thread that works for the loop.
std::int64_t Sentinel::withheld_from_holders(runtime::Tables& tables) {
  std::int64_t most = 0;
  for (ThreadRecord const& row : tables.threads()) {
    std::uint8_t const kind = row.kind.load(memory_order_relaxed);
    if (!is_pool(kind)) continue;
    std::int32_t const thread = row.thread.load(memory_order_acquire);
    Watched* const each = thread == 0 ? nullptr : watched(thread);
    if (each == nullptr) continue;
    ThreadSample const sample = each->files.sample(ThreadFiles::Depth::brief, now_ns_);
    // Only from tick to tick: what was before counts for nobody.
    if (each->beside.at_ns == previous_ns_) {
      std::int64_t const one = withheld(each->beside, sample, each->ahead_ns);
      if (one > most) most = one;
    } else {
      each->ahead_ns = 0;
    }
    each->beside = sample;
  }
  return most;
}

// Judges what each thread is at, then each queue.
void Sentinel::judge_pools(runtime::Tables& tables) {
  for (Watched& each : watched_) each.seen = false;
  QueueFacts disk, cpu;
  for (ThreadRecord const& row : tables.threads()) {
    std::uint8_t const kind = row.kind.load(memory_order_relaxed);
    std::int32_t const thread = row.thread.load(memory_order_acquire);
    if (!is_pool(kind) || thread == 0) continue;
    QueueFacts& queue = kind == ThreadRecord::disk ? disk : cpu;
    ++queue.threads;
    if (row.job_since_ns.load(memory_order_acquire) != 0) ++queue.busy;
    std::int64_t const queued = row.oldest_queued_ns.load(memory_order_relaxed);
    if (queued != 0) queue.oldest_queued_ns = queued;
    judge_worker(row, kind == ThreadRecord::disk ? Subject::disk : Subject::cpu, thread);
  }
  judge_pool_queue(Subject::disk, disk, "disk queue");
  judge_pool_queue(Subject::cpu, cpu, "cpu queue");
  for (Watched& each : watched_) {
    if (!each.seen) each.files.close();
  }
  disk_stalled_ = false;
  for (std::size_t i = 0; i < kEpisodes; ++i) {
    bool const disk = book_.is_open(i) && book_.at(i).subject == Subject::disk;
    if (disk && book_.at(i).level >= Level::stalled) disk_stalled_ = true;
  }
}

void Sentinel::judge_worker(runtime::ThreadRecord const& row, Subject pool, std::int32_t thread) {
  Watched* const files = watched(thread);
  if (files != nullptr) files->seen = true;
  std::int64_t const since = row.job_since_ns.load(memory_order_acquire);
  std::int64_t const limit =
      pool == Subject::disk ? settings_.limits.disk_stall : settings_.limits.worker_stall;
  // Two samples are needed by the time that it is judged.
  std::int64_t const look_from = limit / 4 < kSecond ? limit / 4 : kSecond;
  if (since == 0 || now_ns_ - since < look_from) return;
  ThreadSample before, newest;
  JobFacts job{.pool = pool, .since_ns = since};
  if (files != nullptr) {
    bool const same = files->usage.since_ns == since;
    ThreadSample const last = same ? files->history.newest() : ThreadSample{};
    if (!same) files->withheld_ns = files->job_ahead_ns = 0;
    files->history.add(files->files.sample(ThreadFiles::Depth::full, now_ns_), 0);
    newest = files->history.newest();
    if (files->history.added > 1) {
      before = files->history.samples.data()[files->history.compared()];
    }
    // What befell everybody is counted for everybody.
    std::int64_t const own = withheld(last, newest, files->job_ahead_ns);
    std::int64_t const everybodys = last.known ? for_all_.excused(last.at_ns, now_ns_) : 0;
    if (own > everybodys) files->withheld_ns += own - everybodys;
    job.withheld_ns = files->withheld_ns;
    job.cpu_ns = files->usage.in(since, newest);
  }
  Episode judged = judge_job(job, before, newest, settings_.limits, for_all_, now_ns_);
  if (judged.level == Level::fine) return;
  judged.thread = thread;
  judged.operation = row.job.load(memory_order_relaxed);
  auto const name = row.name.bytes();
  copy_text(judged.name, std::string_view{name.data()});
  report(judged);
}

void Sentinel::judge_pool_queue(Subject pool, QueueFacts const& queue, std::string_view name) {
  if (queue.threads == 0) return;
  Episode judged = judge_queue(pool, queue, settings_.limits, for_all_, now_ns_);
  copy_text(judged.name, name);
  report(judged);
}

}  // namespace canary::watchdog
