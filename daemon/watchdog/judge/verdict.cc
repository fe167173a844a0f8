// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/judge/verdict.h"

namespace canary::watchdog {

// No `default`: the compiler names what is missing.
std::string_view to_text(Subject subject) {
  switch (subject) {
    case Subject::loop:
      return "loop";
    case Subject::run:
      return "run";
    case Subject::scheduler:
      return "scheduler";
    case Subject::disk:
      return "disk";
    case Subject::cpu:
      return "cpu";
    case Subject::server:
      return "server";
    case Subject::resolver:
      return "resolver";
    case Subject::watchdog:
      return "watchdog";
    case Subject::main:
      return "main";
    case Subject::log:
      return "log";
    case Subject::emergency:
      return "emergency";
    case Subject::files:
      return "files";
  }
  return "unknown";
}

std::string_view to_text(Level level) {
  switch (level) {
    case Level::fine:
      return "fine";
    case Level::suspect:
      return "suspect";
    case Level::stalled:
      return "stalled";
    case Level::hung:
      return "hung";
    case Level::dead:
      return "dead";
  }
  return "unknown";
}

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::none:
      return "none";
    case Verdict::cpu_loop:
      return "cpu_loop";
    case Verdict::lock:
      return "lock";
    case Verdict::blocking_call:
      return "blocking_call";
    case Verdict::disk:
      return "disk";
    case Verdict::starved:
      return "starved";
    case Verdict::stopped:
      return "stopped";
    case Verdict::traced:
      return "traced";
    case Verdict::suspended:
      return "suspended";
    case Verdict::lost_wakeup:
      return "lost_wakeup";
    case Verdict::flood:
      return "flood";
    case Verdict::stalled_run:
      return "stalled_run";
    case Verdict::orphan_await:
      return "orphan_await";
    case Verdict::overdue:
      return "overdue";
    case Verdict::pool_exhausted:
      return "pool_exhausted";
    case Verdict::no_answer:
      return "no_answer";
    case Verdict::left_loop:
      return "left_loop";
    case Verdict::nested:
      return "nested";
    case Verdict::ended:
      return "ended";
    case Verdict::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view in_words(Verdict verdict) {
  switch (verdict) {
    case Verdict::starved:
      return "starved of CPU";
    case Verdict::traced:
      return "traced by a debugger";
    case Verdict::none:
    case Verdict::unknown:
      return "why is not known";
    default:
      return to_text(verdict);
  }
}

bool is_part(Subject subject) {
  switch (subject) {
    case Subject::scheduler:
    case Subject::disk:
    case Subject::cpu:
    case Subject::server:
    case Subject::resolver:
    case Subject::main:
    case Subject::log:
    case Subject::emergency:
      return true;
    case Subject::loop:
    case Subject::run:
    case Subject::watchdog:
    case Subject::files:
      return false;
  }
  return false;
}

bool is_vital(Subject subject) {
  switch (subject) {
    case Subject::loop:
    case Subject::server:
    case Subject::log:
    case Subject::emergency:
    case Subject::main:
    case Subject::watchdog:
      return true;
    case Subject::run:
    case Subject::scheduler:
    case Subject::disk:
    case Subject::cpu:
    case Subject::resolver:
    case Subject::files:
      return false;
  }
  return false;
}

bool accuses(Verdict verdict) {
  switch (verdict) {
    case Verdict::none:
    case Verdict::starved:
    case Verdict::stopped:
    case Verdict::traced:
    case Verdict::suspended:
      return false;
    default:
      return true;
  }
}

std::string_view to_text(Disturbance disturbance) {
  switch (disturbance) {
    case Disturbance::late:
      return "late";
    case Disturbance::starved:
      return "starved";
    case Disturbance::stopped:
      return "stopped";
    case Disturbance::suspended:
      return "suspended";
    case Disturbance::traced:
      return "traced";
    case Disturbance::clock_step:
      return "clock_step";
  }
  return "unknown";
}

}  // namespace canary::watchdog
