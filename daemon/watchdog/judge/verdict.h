// SPDX-License-Identifier: Apache-2.0
// What the watchdog says of those it watches: words that the judgement, the dump, metrics, the log
// and the API share.
// Thread: none (values). Plain data: copied by the watchdog, which allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/tables.h"

namespace canary::watchdog {

// disk: the state directory's thread; files: one of those for everybody else's files.
enum class Subject : std::uint8_t {
  loop,
  run,
  scheduler,
  disk,
  cpu,
  server,
  resolver,
  watchdog,
  main,
  log,
  emergency,
  files
};
inline constexpr std::size_t kSubjects = 12;

// miss is counted, a stall is dumped and (a run) cancelled, hung is dumped again, dead acted on.
enum class Level : std::uint8_t { fine, suspect, stalled, hung, dead };
inline constexpr std::size_t kLevels = 5;

enum class Verdict : std::uint8_t {
  none,
  cpu_loop,        // the thread computes: a handler runs and its CPU clock moves
  lock,            // the thread waits for a futex
  blocking_call,   // the thread is in another system call that waits
  disk,            // the thread waits for a device, uninterruptibly
  starved,         // runnable, but the machine gives it no CPU: nobody's fault
  stopped,         // SIGSTOP, the freezer: nobody's fault
  traced,          // a debugger holds it: nobody's fault
  suspended,       // the machine slept: nobody's fault
  lost_wakeup,     // the loop waits in epoll although its beat is due
  flood,           // handlers run, each short, and the queue never drains
  stalled_run,     // the loop turns; this run makes no progress or does not unwind
  orphan_await,    // likewise, and nothing is pending that could ever wake it
  overdue,         // the scheduler let a due run pass
  pool_exhausted,  // every thread of the pool is busy, jobs wait
  no_answer,       // the server does not answer its own question
  left_loop,       // run() has returned, though nobody asked for it
  nested,          // reserved for the report of a nested run
  ended,           // the thread is gone though its work is not done
  unknown,         // it stands still, and nothing tells why (no /proc, no clock of its CPU time)
};
inline constexpr std::size_t kVerdicts = 20;

std::string_view to_text(Subject subject);
std::string_view to_text(Level level);
std::string_view to_text(Verdict verdict);
// For a sentence: "starved of CPU".
std::string_view in_words(Verdict verdict);

// What befell the machine or the process, and is nobody's fault.
enum class Disturbance : std::uint8_t {
  late,        // the watchdog itself woke late, for want of a better reason
  starved,     // CPU time that the machine or the cgroup's quota withheld
  stopped,     // SIGSTOP or the freezer
  suspended,   // the machine slept
  traced,      // a debugger held the loop's thread
  clock_step,  // the wall clock jumped
};
inline constexpr std::size_t kDisturbances = 6;
std::string_view to_text(Disturbance disturbance);

// A part of canaryd with a series of its own in canaryd_subject_stalled. Not the loop and the
// watchdog, which have metrics of their own.
bool is_part(Subject subject);

// Once it is judged hung, only a restart helps: what /-/live tells.
bool is_vital(Subject subject);

// Is anybody at fault? Not for starved, stopped, traced, suspended.
bool accuses(Verdict verdict);

inline constexpr std::size_t kIncidents = 64;  // current ones; more are counted, not shown

// One stall from its first sign to its end. The same incident grows through the levels.
struct Incident {
  std::uint64_t id = 0;  // counts up over restarts
  Subject subject = Subject::loop;
  Level level = Level::fine;
  Verdict verdict = Verdict::none;
  std::uint16_t run = runtime::kNoRun;  // the culprit, or whose handler it was
  std::uint32_t generation = 0;         // of that run
  std::int32_t thread = 0;              // kernel thread id of who is stuck; 0: no thread is
  std::int64_t system_call = -1;        // its number; -1: none
  std::int64_t since_ns = 0;            // monotonic
  std::int64_t age_ns = 0;              // without the time that is nobody's fault
  // More was withheld than the grace allows: its verdict, nobody's fault as such, counts after all.
  bool overdrawn = false;
  runtime::TextOffset operation = 0, file = 0, function = 0;
  std::uint32_t line = 0;
  std::array<char, 104> name{};  // the probe, the service, the pool
};

}  // namespace canary::watchdog
