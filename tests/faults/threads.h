// SPDX-License-Identifier: Apache-2.0
// Every thread that /proc shows of a running canaryd, and what canaryd must make of each, at its
// default limits: stopped, computing without end, ended, held by a debugger. And of a handler that
// computes without end under a quota.
// Thread: the caller's; processes end with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/faults/stage.h"

namespace canary::faults {

struct KnownThread {
  // What comes of it where its thread ends by itself.
  enum class Ended : std::uint8_t { restarted, replaced, told };
  std::string name;     // as /proc/PID/task/TID/comm has it
  std::string subject;  // as the log has it; "" for the watchdog
  bool vital = false;   // /-/healthy is 503 while it stands still
  Ended ended = Ended::restarted;
  bool passing = false;  // there while there is something for it to do
};
// A new thread belongs here, and into the list of docs/hangs.md.
std::vector<KnownThread> const& known_threads();
// nullptr: there is none of that name.
KnownThread const* known_thread(std::string const& name);

// The first thread of that very name; throws where there is none.
int thread_named(Stage const& stage, std::string const& name);
// Does canaryd tell by a series of /metrics that it stands still?
bool told_by_metric(Metrics const& page, KnownThread const& thread);

enum class Mischief : std::uint8_t { stopped, computes, ended, traced };
std::string to_text(Mischief mischief);

// All times are seconds since the mischief began; nothing: it was not seen.
struct ThreadOutcome {
  std::optional<double> metric, line, unhealthy;
  std::string end;
  std::vector<std::string> complaints;  // empty: all is as it should be
};
ThreadOutcome try_thread(KnownThread const& thread, Mischief mischief);

// A handler of the loop computes for ever; the process has `percent` of one processor.
struct QuotaOutcome {
  std::optional<double> told, ended;
  std::string unavailable;
  std::vector<std::string> complaints;
};
QuotaOutcome compute_under_quota(int percent);

}  // namespace canary::faults
