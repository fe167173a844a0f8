// SPDX-License-Identifier: Apache-2.0
// Every thread with a row: is it there still, does it come round, does its job end?
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

constexpr std::int64_t kSecond = 1'000'000'000;

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

}  // namespace

void Sentinel::judge_threads(runtime::Tables& tables) {
  if (stopping_) return;  // they end
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
  if (!gone && thread == setup_.process) {
    Watched* const files = watched(thread);
    if (files != nullptr) files->seen = true;
    gone = files != nullptr && files->files.sample(ThreadFiles::Depth::brief, now_ns_).state == 'Z';
  }
  return gone && row.thread.load(memory_order_acquire) == thread &&
         row.kind.load(memory_order_acquire) == kind;
}

// Nothing brings it back: whoever all need ends the process by the ladder of a dead loop.
void Sentinel::report_ended(ThreadRecord const& row, Subject subject, std::size_t place) {
  std::int64_t& since = gone_ns_.data()[place];
  if (since == 0) since = now_ns_;
  Incident ended;
  ended.subject = subject;
  ended.level = is_vital(subject) ? Level::dead : Level::stalled;
  ended.verdict = Verdict::ended;
  ended.thread = row.thread.load(memory_order_relaxed);
  ended.since_ns = since;
  ended.age_ns = now_ns_ - since;
  name_after(ended, row);
  stands(subject, Verdict::ended);
  report(ended);
}

// `job`: since when it is at something that should have ended, and its limit.
void Sentinel::judge_thread(ThreadRecord const& row, JobFacts job, std::int32_t thread) {
  Watched* const files = watched(thread);
  if (files != nullptr) files->seen = true;
  // Two samples are needed by the time that it is judged.
  std::int64_t const look_from = job.limit_ns / 4 < kSecond ? job.limit_ns / 4 : kSecond;
  if (job.since_ns == 0 || now_ns_ - job.since_ns < look_from) return;
  ThreadSample before, newest;
  if (files != nullptr) {
    bool const same = files->usage.since_ns == job.since_ns;
    ThreadSample const last = same ? files->history.newest() : ThreadSample{};
    if (!same) files->withheld_ns = files->job_ahead_ns = 0;
    files->history.add(files->files.sample(ThreadFiles::Depth::full, now_ns_), 0);
    newest = files->history.newest();
    if (files->history.added > 1) {
      before = files->history.samples.data()[files->history.compared()];
    }
    // What befell everybody is counted for everybody.
    std::int64_t const own = withheld(last, newest, files->job_ahead_ns);
    std::int64_t const everybodys = last.known ? for_all_.whole(last.at_ns, now_ns_) : 0;
    if (own > everybodys) files->withheld_ns += own - everybodys;
    job.withheld_ns = files->withheld_ns;
    job.cpu_ns = files->usage.in(job.since_ns, newest);
  }
  // Whoever looks is told long before a job's own limit says that somebody is at fault; not of time
  // in which nothing of the process ran.
  std::int64_t const round = round_limit(settings_.limits);
  std::int64_t const stood = now_ns_ - job.since_ns - for_all_.everybodys(job.since_ns, now_ns_);
  if (stood >= (job.limit_ns < round ? job.limit_ns : round)) {
    stands(job.pool, thread_verdict(before, newest));
  }
  Incident judged = judge_job(job, before, newest, for_all_, now_ns_);
  if (judged.level == Level::fine) return;
  judged.thread = thread;
  name_after(judged, row);
  report(judged);
}

// Whosever fault it is.
void Sentinel::stands(Subject subject, Verdict seen) {
  standing_.data()[static_cast<std::size_t>(subject)] =
      seen == Verdict::none ? Verdict::unknown : seen;
}

// A part that stands still without being accused is told of once.
void Sentinel::publish_standing() {
  for (std::size_t i = 0; i < kSubjects; ++i) {
    Verdict const now = standing_.data()[i];
    Verdict const before = standing_before_.data()[i];
    record_.standing.data()[i].store(static_cast<std::uint8_t>(now), memory_order_relaxed);
    standing_before_.data()[i] = now;
    if ((now == Verdict::none) == (before == Verdict::none)) continue;
    Incident about;
    about.subject = static_cast<Subject>(i);
    about.verdict = now;
    say(now == Verdict::none ? Line::Kind::turns : Line::Kind::stands, about);
  }
}

}  // namespace canary::watchdog
