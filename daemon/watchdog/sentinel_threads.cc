// SPDX-License-Identifier: Apache-2.0
// The threads beside the loop: is each there still, does it come round, do its job and its queue
// end?
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/sentinel.h"

namespace canary::watchdog {
namespace {

using runtime::ThreadRecord;
using std::memory_order_acquire;
using std::memory_order_relaxed;

Subject subject_of(std::uint8_t kind) {
  switch (kind) {
    case ThreadRecord::disk:
      return Subject::disk;
    case ThreadRecord::cpu:
      return Subject::cpu;
    case ThreadRecord::log:
      return Subject::log;
    case ThreadRecord::server:
      return Subject::server;
    case ThreadRecord::main:
      return Subject::main;
    case ThreadRecord::emergency:
      return Subject::emergency;
    case ThreadRecord::watchdog:
      return Subject::watchdog;
    case ThreadRecord::files:
      return Subject::files;
    default:
      return Subject::loop;
  }
}

// "files /etc/ca.pem": the thread, and what it is at with which file; an idle one is at nothing.
void name_after(Incident& incident, ThreadRecord const& row) {
  auto const name = row.name.bytes();
  bool const busy = row.job_since_ns.load(memory_order_acquire) != 0;
  if (busy) incident.operation = row.job.load(memory_order_relaxed);
  auto const about = row.about.bytes();
  std::array<char, sizeof incident.name> text{};
  std::size_t at = 0;
  for (char const* piece :
       {name.data(), busy && about[0] != 0 ? " " : "", busy ? about.data() : ""}) {
    for (; *piece != 0 && at + 1 < text.size(); ++piece) text.data()[at++] = *piece;
  }
  copy_text(incident.name, std::string_view{text.data(), at});
}

// Since when the thread of that kind is in its job that is in one for longest; 0: none is.
std::int64_t longest_of(runtime::Tables& tables, ThreadRecord::Kind kind) {
  std::int64_t longest = 0;
  for (ThreadRecord const& row : tables.threads()) {
    if (row.kind.load(memory_order_relaxed) != kind) continue;
    std::int64_t const since = row.job_since_ns.load(memory_order_acquire);
    if (since != 0 && (longest == 0 || since < longest)) longest = since;
  }
  return longest;
}

}  // namespace

void Sentinel::judge_threads(runtime::Tables& tables) {
  if (phases_.stopping()) return;  // they end
  for (std::size_t i = 0; i < tables.threads().size(); ++i) {
    ThreadRecord const& row = tables.threads().data()[i];
    std::uint8_t const kind = row.kind.load(memory_order_acquire);
    std::int32_t const thread = row.thread.load(memory_order_acquire);
    if (kind == ThreadRecord::unused || kind == ThreadRecord::watchdog || thread == 0) {
      gone_ns_.data()[i] = 0;
      continue;
    }
    if (is_gone(row, kind, thread)) {
      report_ended(row, subject_of(kind), i);
      continue;
    }
    gone_ns_.data()[i] = 0;
    std::int64_t const beat = row.beat_ns.load(memory_order_acquire);
    bool const of_pool = kind == ThreadRecord::disk || kind == ThreadRecord::cpu;
    // A thread of files is judged by its job, whether or not it says that it comes round.
    if (of_pool || (beat == 0 && kind != ThreadRecord::files)) continue;
    JobFacts job{.pool = subject_of(kind),
                 .since_ns = row.job_since_ns.load(memory_order_acquire),
                 .limit_ns = settings_.limits.disk_stall};
    if (job.since_ns == 0) job.since_ns = beat, job.limit_ns = round_limit(settings_.limits);
    judge_thread(row, job, thread);
  }
}

// It is no more, and did not give its row back. Main stays as a zombie for as long as others live.
bool Sentinel::is_gone(ThreadRecord const& row, std::uint8_t kind, std::int32_t thread) {
  bool gone = ::syscall(SYS_tgkill, setup_.process, thread, 0) != 0 && errno == ESRCH;
  if (!gone && thread == setup_.process) gone = threads_.is_zombie(thread, at_.now_ns);
  return gone && row.thread.load(memory_order_acquire) == thread &&
         row.kind.load(memory_order_acquire) == kind;
}

// Nothing brings it back: whoever all need ends the process by the ladder of a dead loop.
void Sentinel::report_ended(ThreadRecord const& row, Subject subject, std::size_t place) {
  std::int64_t& since = gone_ns_.data()[place];
  if (since == 0) since = at_.now_ns;
  Incident ended;
  ended.subject = subject;
  ended.level = is_vital(subject) ? Level::dead : Level::stalled;
  ended.verdict = Verdict::ended;
  ended.thread = row.thread.load(memory_order_relaxed);
  ended.since_ns = since;
  ended.age_ns = at_.now_ns - since;
  name_after(ended, row);
  standing_.stands(subject, Verdict::ended);
  report(ended);
}

// `job`: since when it is at something that should have ended, and its limit.
void Sentinel::judge_thread(ThreadRecord const& row, JobFacts job, std::int32_t thread) {
  ThreadSampler::Look const look = threads_.look(thread, job, graces_.all(), at_.now_ns);
  if (!look.due) return;
  // Whoever looks is told long before a job's own limit says that somebody is at fault; not of time
  // in which nothing of the process ran.
  std::int64_t const round = round_limit(settings_.limits);
  std::int64_t const stood =
      at_.now_ns - job.since_ns - graces_.all().everybodys(job.since_ns, at_.now_ns);
  if (stood >= (job.limit_ns < round ? job.limit_ns : round)) {
    standing_.stands(job.pool, thread_verdict(look.before, look.newest));
  }
  Incident judged = judge_job(look.job, look.before, look.newest, graces_.all(), at_.now_ns);
  if (judged.level == Level::fine) return;
  judged.thread = thread;
  name_after(judged, row);
  report(judged);
}

// Judges what each thread is at, then each queue.
void Sentinel::judge_pools(runtime::Tables& tables) {
  QueueFacts disk, cpu;
  // A disk that stands still is one incident, however many threads wait for it.
  std::int64_t const disk_since = longest_of(tables, ThreadRecord::disk);
  bool disk_held = false, cpu_held = false;  // a thread of it, by a debugger
  for (ThreadRecord const& row : tables.threads()) {
    std::uint8_t const kind = row.kind.load(memory_order_relaxed);
    std::int32_t const thread = row.thread.load(memory_order_acquire);
    if (!is_pool(kind) || thread == 0) continue;
    QueueFacts& queue = kind == ThreadRecord::disk ? disk : cpu;
    ++queue.threads;
    std::int64_t const since = row.job_since_ns.load(memory_order_acquire);
    bool const busy = since != 0;
    if (busy) ++queue.busy;
    std::int64_t const queued = row.oldest_queued_ns.load(memory_order_relaxed);
    if (queued != 0) queue.oldest_queued_ns = queued;
    JobFacts job{.pool = kind == ThreadRecord::disk ? Subject::disk : Subject::cpu,
                 .since_ns = since};
    job.limit_ns = limit_of(job.pool, settings_.limits);
    // While it is idle it says that it comes round.
    if (!busy) {
      job.since_ns = row.beat_ns.load(memory_order_acquire);
      job.limit_ns = round_limit(settings_.limits);
    }
    bool const behind_another = job.pool == Subject::disk && busy && since > disk_since;
    if (!behind_another) judge_thread(row, job, thread);
    if (threads_.is_traced(thread)) {
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
  if (held && at_.now_ns - queue.oldest_queued_ns < limit + bound_of(limit)) return;
  Incident judged = judge_queue(pool, queue, settings_.limits, graces_.all(), at_.now_ns);
  copy_text(judged.name, name);
  report(judged);
}

}  // namespace canary::watchdog
