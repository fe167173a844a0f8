// SPDX-License-Identifier: Apache-2.0
// Who hangs, why and how badly: from plain values to a judgement.
// Thread: none (pure; `now` is always a parameter). Times are monotonic nanoseconds, 0 is "never".
#pragma once

#include <cstdint>

#include "daemon/watchdog/judge/grace.h"
#include "daemon/watchdog/judge/verdict.h"

namespace canary::watchdog {

// WatchdogSettings in nanoseconds.
struct Limits {
  std::int64_t loop_suspect = 250'000'000, loop_stall = 1'000'000'000, loop_hung = 10'000'000'000,
               loop_dead = 30'000'000'000;
  std::int64_t run_stall = 60'000'000'000, run_unwind = 5'000'000'000;
  std::int64_t worker_stall = 30'000'000'000, disk_stall = 30'000'000'000;
  std::int64_t server_stall = 10'000'000'000, scheduler_stall = 10'000'000'000;
  std::int64_t resolve = 60'000'000'000;  // the longest that a lookup may take by configuration
};

// A thread as the kernel tells of it at one moment.
struct ThreadSample {
  bool known = false;
  bool traced = false;            // TracerPid: somebody debugs it
  char state = '?';               // R S D T t Z
  std::int64_t system_call = -1;  // its number; -1: none, or not told
  std::int64_t at_ns = 0;
  bool timed = true;          // cpu_ns is known
  std::int64_t cpu_ns = 0;    // on a CPU so far
  std::int64_t delay_ns = 0;  // waited for a CPU so far; grows only once it gets one
};

// What two samples of a thread that should move but does not say; none: they do not tell.
// lost_wakeup: it waits for events (epoll). Without /proc only its CPU clock tells.
Verdict thread_verdict(ThreadSample const& before, ThreadSample const& now);

// How much of the time between two samples the thread could not run although it would have: it
// waited for a CPU, or somebody stopped it. `ahead` is what was reported before the kernel did.
std::int64_t withheld(ThreadSample const& before, ThreadSample const& now, std::int64_t& ahead);

// Does it wait for a lock? Then what is withheld from the lock's holder keeps it waiting, too.
bool waits_for_lock(ThreadSample const& sample);

struct LoopFacts {
  bool in_run = false, left_run = false;
  bool stopping = false;              // asked to: beats end, and so may the loop
  std::int64_t entered_ns = 0;        // when it was first seen in run()
  std::int64_t left_ns = 0;           // when it was first seen to have left
  std::uint64_t handlers = 0;         // completed
  std::uint64_t handlers_before = 0;  // at the last moment when all was well
  std::uint64_t handlers_sample = 0;  // when the first of the two samples was taken
  std::uint64_t beats = 0;
  std::int64_t handler_since_ns = 0, beat_due_ns = 0;
  std::int64_t handler_cpu_ns = 0;  // CPU time that its thread used inside that handler, at least
};

// Level fine: there is nothing to say. Fills subject, level, verdict, since, age and system call;
// who it was is the caller's to add. A verdict that accuses nobody comes with the level that its
// age would have: it must not raise anything, unless the grace is overdrawn. CPU time used inside
// one handler has no grace.
Incident judge_loop(LoopFacts const& loop, ThreadSample const& before, ThreadSample const& now,
                    Limits const& limits, ThreadGrace const& grace, std::int64_t now_ns);

// The wall clock's truth, whosever fault it is: since when the loop has not turned; 0: it turns, or
// need not.
std::int64_t standing_since(LoopFacts const& loop, std::int64_t now_ns);
// Long enough to be told.
bool stands_long(std::int64_t since_ns, Limits const& limits, std::int64_t now_ns);

// Has the loop not turned for so long that others' waiting is its fault?
bool loop_is_late(LoopFacts const& loop, Limits const& limits, std::int64_t now_ns);

struct RunFacts {
  bool cancelling = false;
  bool asked = false;       // the watchdog asked for its end
  bool orphan = false;      // a row of its stack waits for nothing that is pending
  bool in_handler = false;  // its handler runs now: then the loop is judged, not the run
  std::int64_t started_ns = 0, deadline_ns = INT64_MAX, cancelling_ns = 0, progress_ns = 0;
};
Incident judge_run(RunFacts const& run, Limits const& limits, Grace const& grace,
                   std::int64_t now_ns);

// A lookup of names that began at `since_ns`.
Incident judge_lookup(std::int64_t since_ns, bool orphan, Limits const& limits, Grace const& grace,
                      std::int64_t now_ns);

struct SchedulerFacts {
  std::int64_t next_due_ns = INT64_MAX, last_pass_ns = 0;
};
Incident judge_scheduler(SchedulerFacts const& scheduler, Limits const& limits, Grace const& grace,
                         std::int64_t now_ns);

// What a thread is at, or its last beat.
struct JobFacts {
  Subject pool = Subject::cpu;   // whose thread it is
  std::int64_t since_ns = 0;     // 0: it is idle
  std::int64_t limit_ns = 0;     // from then on it is stalled, hung at twice that
  std::int64_t withheld_ns = 0;  // from this thread alone, in this job
  std::int64_t cpu_ns = 0;       // that it used in this job, at least
};
Incident judge_job(JobFacts const& job, ThreadSample const& before, ThreadSample const& now,
                   ThreadGrace const& grace, std::int64_t now_ns);
// Of a job of that pool.
std::int64_t limit_of(Subject pool, Limits const& limits);
// Of a thread that says each second that it comes round.
std::int64_t round_limit(Limits const& limits);

struct QueueFacts {
  std::uint32_t threads = 0, busy = 0;
  std::int64_t oldest_queued_ns = 0;  // 0: nothing waits
};
Incident judge_queue(Subject pool, QueueFacts const& queue, Limits const& limits,
                     ThreadGrace const& grace, std::int64_t now_ns);

// A question put to the server at `asked_ns` and not answered; 0: none is open.
Incident judge_server(std::int64_t asked_ns, Limits const& limits, ThreadGrace const& grace,
                      std::int64_t now_ns);

// Has the server been silent for so long that somebody must answer for it? Sooner than it is called
// stalled, so that who asks once is still there. `suspected`: soonest where the loop hangs, whose
// lock it may wait for, and where it needed help just now.
bool server_needs_help(std::int64_t asked_ns, bool suspected, Limits const& limits,
                       ThreadGrace const& grace, std::int64_t now_ns);

}  // namespace canary::watchdog
