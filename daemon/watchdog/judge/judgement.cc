// SPDX-License-Identifier: Apache-2.0
// Source of system call numbers: this machine's own table.
#include "daemon/watchdog/judge/judgement.h"

#include <sys/syscall.h>

namespace canary::watchdog {
namespace {

bool waits_for_events(std::int64_t system_call) {
#ifdef SYS_epoll_wait
  if (system_call == SYS_epoll_wait) return true;
#endif
#ifdef SYS_epoll_pwait2
  if (system_call == SYS_epoll_pwait2) return true;
#endif
  return system_call == SYS_epoll_pwait;
}

Level level_of(std::int64_t age, std::int64_t suspect, std::int64_t stalled, std::int64_t hung) {
  if (age >= hung) return Level::hung;
  if (age >= stalled) return Level::stalled;
  return age >= suspect ? Level::suspect : Level::fine;
}

// An age that began at `since`, with its grace and the CPU time for which there is none.
struct Aging {
  ThreadGrace const& grace;
  std::int64_t since = 0, now = 0, cpu = 0;

  std::int64_t with_bound_of(std::int64_t limit) const {
    std::int64_t const age = since == 0 ? 0 : grace.age(since, now, bound_of(limit));
    return age > cpu ? age : cpu;
  }
  std::int64_t elapsed() const { return now - since; }
};

// A debugger may hold what it looks at for as long as any grace lasts.
Level loop_level(Aging const& aging, bool traced, Limits const& limits) {
  auto const allowed = [&](std::int64_t limit) {
    return !traced || aging.elapsed() >= limit + bound_of(limit);
  };
  if (aging.with_bound_of(limits.loop_dead) >= limits.loop_dead && allowed(limits.loop_dead)) {
    return Level::dead;
  }
  std::int64_t const age = aging.with_bound_of(limits.loop_hung);
  Level const level = level_of(age, limits.loop_suspect, limits.loop_stall, limits.loop_hung);
  return level == Level::hung && !allowed(limits.loop_hung) ? Level::stalled : level;
}

Incident incident(Subject subject, Level level, Verdict verdict, std::int64_t since,
                  std::int64_t age) {
  Incident result;
  result.subject = subject;
  result.level = level;
  result.verdict = level == Level::fine       ? Verdict::none
                   : verdict == Verdict::none ? Verdict::unknown
                                              : verdict;
  result.since_ns = since;
  result.age_ns = age;
  return result;
}

// A thread that waits for events in the middle of a job or a handler is in a blocking call.
Verdict at_work(Verdict verdict) {
  return verdict == Verdict::lost_wakeup ? Verdict::blocking_call : verdict;
}

// How long the beat is overdue, and since when; while stopping there is none.
std::int64_t beat_expected(LoopFacts const& loop) {
  if (loop.stopping) return INT64_MAX;
  if (loop.beats == 0) return loop.entered_ns;
  return loop.beat_due_ns;
}

Verdict loop_verdict(LoopFacts const& loop, Verdict thread, bool handler_is_old) {
  // Nobody's fault comes before everybody's.
  if (thread != Verdict::none && !accuses(thread)) return thread;
  if (handler_is_old) return at_work(thread);
  bool const moved_between_samples = loop.handlers != loop.handlers_sample;
  if (loop.handler_since_ns == 0 && !moved_between_samples) return thread;
  if (loop.handlers != loop.handlers_before) return Verdict::flood;
  return loop.handler_since_ns == 0 ? thread : at_work(thread);
}

}  // namespace

Verdict thread_verdict(ThreadSample const& before, ThreadSample const& now) {
  if (!now.known) {
    bool const both = before.timed && now.timed && before.at_ns != 0 && now.at_ns > before.at_ns;
    bool const busy = both && (now.cpu_ns - before.cpu_ns) * 2 >= now.at_ns - before.at_ns;
    return busy ? Verdict::cpu_loop : Verdict::none;
  }
  if (now.state == 't' || (now.state == 'T' && now.traced)) return Verdict::traced;
  if (now.state == 'T') return Verdict::stopped;
  if (now.state == 'D') return Verdict::disk;
  std::int64_t const elapsed = before.known ? now.at_ns - before.at_ns : 0;
  bool const timed = before.timed && now.timed;
  if (elapsed <= 0 || !timed) {
    if (now.state == 'R') return Verdict::none;  // one sample does not tell
  } else {
    std::int64_t const ran = now.cpu_ns - before.cpu_ns;
    if (ran * 2 >= elapsed) return Verdict::cpu_loop;  // whatever it was seen in by chance
    if (now.state == 'R') {
      if (ran * 10 >= elapsed) return Verdict::cpu_loop;  // the rest was withheld and is grace
      bool const wanted = before.state == 'R' || (now.delay_ns - before.delay_ns) * 2 >= elapsed;
      return wanted ? Verdict::starved : Verdict::blocking_call;
    }
  }
  if (now.state == 'Z' || now.state == 'X') return Verdict::none;
  if (now.system_call == SYS_futex) return Verdict::lock;
  return waits_for_events(now.system_call) ? Verdict::lost_wakeup : Verdict::blocking_call;
}

std::int64_t withheld(ThreadSample const& before, ThreadSample const& now, std::int64_t& ahead) {
  if (!before.known || !now.known) return 0;
  std::int64_t const elapsed = now.at_ns - before.at_ns;
  if (elapsed <= 0) return 0;
  if (now.state == 't' || now.state == 'T') return elapsed;
  std::int64_t delayed = now.delay_ns - before.delay_ns;
  // The kernel counts a wait once it is over: what was grace meanwhile is not so again.
  std::int64_t const known_before = delayed < ahead ? delayed : ahead;
  delayed -= known_before;
  ahead -= known_before;
  if (now.state == 'R' && before.state == 'R' && before.timed && now.timed) {
    std::int64_t const idle = elapsed - (now.cpu_ns - before.cpu_ns);
    // A CPU's account of a running thread may be a clock tick behind.
    constexpr std::int64_t kClockTick = 10'000'000;
    if (idle > delayed + kClockTick) {
      ahead += idle - delayed;
      delayed = idle;
    }
  }
  return delayed < elapsed ? delayed : elapsed;
}

bool waits_for_lock(ThreadSample const& sample) {
  return sample.known && sample.state == 'S' && sample.system_call == SYS_futex;
}

Incident judge_loop(LoopFacts const& loop, ThreadSample const& before, ThreadSample const& now,
                    Limits const& limits, ThreadGrace const& grace, std::int64_t now_ns) {
  if (loop.left_run) {
    if (loop.stopping) return incident(Subject::loop, Level::fine, Verdict::none, 0, 0);
    Aging const aging{.grace = grace, .since = loop.left_ns, .now = now_ns};
    std::int64_t const age = aging.with_bound_of(limits.loop_hung);
    Level const level = loop_level(aging, false, limits);
    return incident(Subject::loop, level < Level::stalled ? Level::stalled : level,
                    Verdict::left_loop, loop.left_ns, age);
  }
  if (!loop.in_run) return incident(Subject::loop, Level::fine, Verdict::none, 0, 0);
  std::int64_t const expected = beat_expected(loop);
  Aging const beat{.grace = grace, .since = expected < now_ns ? expected : 0, .now = now_ns};
  Aging const held{.grace = grace,
                   .since = loop.handler_since_ns,
                   .now = now_ns,
                   .cpu = loop.handler_since_ns == 0 ? 0 : loop.handler_cpu_ns};
  std::int64_t const late = beat.with_bound_of(limits.loop_hung);
  std::int64_t const handler = held.with_bound_of(limits.loop_hung);
  bool const by_handler = handler >= late && handler > 0;
  Aging const& aging = by_handler ? held : beat;
  Level const level = aging.since == 0 ? Level::fine : loop_level(aging, now.traced, limits);
  Verdict verdict = loop_verdict(loop, thread_verdict(before, now), handler >= limits.loop_suspect);
  bool const overdrawn = grace.overdrawn(aging.since, now_ns, bound_of(limits.loop_hung));
  // However little CPU a quota gives it, it used that up in here.
  bool const computed = by_handler && held.cpu >= limits.loop_stall / (overdrawn ? 10 : 1);
  if (computed && (verdict == Verdict::starved || verdict == Verdict::none)) {
    verdict = Verdict::cpu_loop;
  }
  Incident result = incident(Subject::loop, level, verdict, by_handler ? held.since : expected,
                             by_handler ? handler : late);
  result.overdrawn = overdrawn;
  result.system_call = now.state == 'R' ? -1 : now.system_call;
  return result;
}

std::int64_t standing_since(LoopFacts const& loop, std::int64_t now_ns) {
  if (loop.stopping) return 0;
  if (loop.left_run) return loop.left_ns;
  if (!loop.in_run) return 0;
  std::int64_t const expected = beat_expected(loop);
  std::int64_t since = expected < now_ns ? expected : 0;
  bool const held = loop.handler_since_ns != 0 && loop.handler_since_ns < now_ns;
  if (held && (since == 0 || loop.handler_since_ns < since)) since = loop.handler_since_ns;
  return since;
}

// A little before it counts as hung: whoever looks then is told.
bool stands_long(std::int64_t since_ns, Limits const& limits, std::int64_t now_ns) {
  return since_ns != 0 && now_ns - since_ns >= limits.loop_hung / 4 * 3;
}

bool loop_is_late(LoopFacts const& loop, Limits const& limits, std::int64_t now_ns) {
  if (!loop.in_run) return loop.left_run && !loop.stopping;
  if (loop.handler_since_ns != 0 && now_ns - loop.handler_since_ns >= limits.loop_suspect) {
    return true;
  }
  std::int64_t const expected = beat_expected(loop);
  return expected < now_ns && now_ns - expected >= limits.loop_suspect;
}

Incident judge_run(RunFacts const& run, Limits const& limits, Grace const& grace,
                   std::int64_t now_ns) {
  Verdict const verdict = run.orphan ? Verdict::orphan_await : Verdict::stalled_run;
  std::int64_t const moved = run.progress_ns > run.started_ns ? run.progress_ns : run.started_ns;
  if (run.in_handler) return incident(Subject::run, Level::fine, verdict, moved, 0);
  std::int64_t ending = INT64_MAX;
  if (run.deadline_ns < now_ns) ending = run.deadline_ns;
  if (run.cancelling && run.cancelling_ns < ending) ending = run.cancelling_ns;
  if (ending < now_ns && grace.age(ending, now_ns) >= limits.run_unwind) {
    return incident(Subject::run, Level::hung, verdict, ending, grace.age(ending, now_ns));
  }
  std::int64_t const age = grace.age(moved, now_ns);
  if (run.asked) {  // until it has unwound, whatever it does
    bool const unheard = !run.cancelling && age >= limits.run_stall + limits.run_unwind;
    return incident(Subject::run, unheard ? Level::hung : Level::stalled, verdict, moved, age);
  }
  if (run.cancelling) return incident(Subject::run, Level::fine, verdict, moved, age);
  Level const level = age >= limits.run_stall
                          ? Level::stalled
                          : (age >= limits.run_stall / 2 ? Level::suspect : Level::fine);
  return incident(Subject::run, level, verdict, moved, age);
}

Incident judge_lookup(std::int64_t since_ns, bool orphan, Limits const& limits, Grace const& grace,
                      std::int64_t now_ns) {
  std::int64_t const age = grace.age(since_ns, now_ns);
  std::int64_t const limit = limits.resolve + limits.run_unwind;
  Level const level = age >= limit ? Level::stalled : Level::fine;
  return incident(Subject::resolver, level, orphan ? Verdict::orphan_await : Verdict::stalled_run,
                  since_ns, age);
}

Incident judge_scheduler(SchedulerFacts const& scheduler, Limits const& limits, Grace const& grace,
                         std::int64_t now_ns) {
  bool const overdue =
      scheduler.next_due_ns < now_ns && scheduler.last_pass_ns < scheduler.next_due_ns;
  std::int64_t const age = overdue ? grace.age(scheduler.next_due_ns, now_ns) : 0;
  std::int64_t const limit = limits.scheduler_stall;
  return incident(Subject::scheduler, level_of(age, limit / 2, limit, limit * 3), Verdict::overdue,
                  overdue ? scheduler.next_due_ns : 0, age);
}

std::int64_t limit_of(Subject pool, Limits const& limits) {
  bool const files = pool == Subject::disk || pool == Subject::files;
  return files ? limits.disk_stall : limits.worker_stall;
}

std::int64_t round_limit(Limits const& limits) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::int64_t const limit = limits.server_stall / 10 * 8;
  return limit < 3 * kSecond ? 3 * kSecond : (limit > 8 * kSecond ? 8 * kSecond : limit);
}

Incident judge_job(JobFacts const& job, ThreadSample const& before, ThreadSample const& now,
                   ThreadGrace const& grace, std::int64_t now_ns) {
  std::int64_t const limit = job.limit_ns;
  std::int64_t const bound = bound_of(limit);
  std::int64_t const own = job.withheld_ns < bound ? job.withheld_ns : bound;
  std::int64_t age = job.since_ns == 0 ? 0 : grace.age(job.since_ns, now_ns, bound) - own;
  if (age < job.cpu_ns) age = job.since_ns == 0 ? 0 : job.cpu_ns;
  Level level = level_of(age, limit / 2, limit, limit * 2);
  bool const may_be_hung = now_ns - job.since_ns >= 2 * limit + bound;
  if (now.traced && level > Level::stalled && !may_be_hung) level = Level::stalled;
  Verdict verdict = at_work(thread_verdict(before, now));
  if (verdict == Verdict::starved && job.cpu_ns >= limit / 2) verdict = Verdict::cpu_loop;
  Incident result = incident(job.pool, level, verdict, job.since_ns, age);
  result.overdrawn = job.withheld_ns > bound || grace.overdrawn(job.since_ns, now_ns, bound);
  result.system_call = now.state == 'R' ? -1 : now.system_call;
  return result;
}

Incident judge_queue(Subject pool, QueueFacts const& queue, Limits const& limits,
                     ThreadGrace const& grace, std::int64_t now_ns) {
  std::int64_t const limit = limit_of(pool, limits);
  std::int64_t const age =
      queue.oldest_queued_ns == 0 ? 0 : grace.age(queue.oldest_queued_ns, now_ns, bound_of(limit));
  bool const all_busy = queue.busy >= queue.threads;
  return incident(pool, level_of(age, limit / 2, limit, limit * 2),
                  all_busy ? Verdict::pool_exhausted : Verdict::lost_wakeup, queue.oldest_queued_ns,
                  age);
}

Incident judge_server(std::int64_t asked_ns, Limits const& limits, ThreadGrace const& grace,
                      std::int64_t now_ns) {
  std::int64_t const limit = limits.server_stall;
  std::int64_t const age = asked_ns == 0 ? 0 : grace.age(asked_ns, now_ns, bound_of(limit));
  return incident(Subject::server, level_of(age, limit / 2, limit, limit * 2), Verdict::no_answer,
                  asked_ns, age);
}

bool server_needs_help(std::int64_t asked_ns, bool suspected, Limits const& limits,
                       ThreadGrace const& grace, std::int64_t now_ns) {
  if (asked_ns == 0) return false;
  constexpr std::int64_t kSuspected = 1'000'000'000;
  std::int64_t patience = limits.server_stall / 2;
  if (suspected && kSuspected < patience) patience = kSuspected;
  return grace.age(asked_ns, now_ns, bound_of(patience)) >= patience;
}

}  // namespace canary::watchdog
