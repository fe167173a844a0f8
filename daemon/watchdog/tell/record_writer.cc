// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/tell/record_writer.h"

#include "daemon/watchdog/tell/counters.h"

namespace canary::watchdog {
namespace {

using std::memory_order_relaxed;
using std::memory_order_release;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSayEvery = 10 * kSecond;  // of disturbances

std::uint32_t bucket_of(std::int64_t nanoseconds) {
  std::uint64_t milliseconds = static_cast<std::uint64_t>(nanoseconds / kMillisecond);
  std::uint32_t bucket = 0;
  while (milliseconds > 0 && bucket < kTickBuckets - 1) {
    milliseconds >>= 1;
    ++bucket;
  }
  return bucket;
}

std::atomic<std::uint64_t>& stalls_of(Record& record, Subject subject, Level level) {
  auto& levels = record.stalls.data()[static_cast<std::size_t>(subject)];
  return levels.data()[static_cast<std::size_t>(level)];
}

}  // namespace

void RecordWriter::tick(std::int64_t now_ns) {
  record_.tick_ns.store(now_ns, memory_order_release);
  add_to(record_.ticks);
}

void RecordWriter::woke(Assessment const& found, std::int64_t now_ns) {
  add_to(record_.lateness.data()[bucket_of(found.late_ns)]);
  add_to(record_.lateness_sum_ns, static_cast<std::uint64_t>(found.late_ns));
  if (found.disturbed) disturbed(found.kind, found.lasted_ns, now_ns);
  if (found.clock_step_ns != 0) disturbed(Disturbance::clock_step, found.clock_step_ns, now_ns);
}

void RecordWriter::disturbed(Disturbance kind, std::int64_t lasted_ns, std::int64_t now_ns) {
  add_to(record_.disturbances.data()[static_cast<std::size_t>(kind)]);
  std::int64_t const size = lasted_ns < 0 ? -lasted_ns : lasted_ns;
  bool const own = kind != Disturbance::clock_step && kind != Disturbance::traced;
  if (own && size >= kSecond) add_to(stalls_of(record_, Subject::watchdog, Level::suspect));
  bool const worth = size >= kSecond || kind == Disturbance::traced;
  if (!worth || (disturbed_ns_ != 0 && now_ns - disturbed_ns_ < kSayEvery)) return;
  disturbed_ns_ = now_ns;
  Line line;
  line.kind = Line::Kind::disturbed;
  line.disturbance = kind;
  line.nanoseconds = lasted_ns;
  lines_.push(line);
}

void RecordWriter::raised(Step const& step) {
  for (auto level = static_cast<std::size_t>(step.from) + 1;
       level <= static_cast<std::size_t>(step.to); ++level) {
    add_to(stalls_of(record_, step.incident.subject, static_cast<Level>(level)));
  }
  if (step.from < Level::stalled && step.to >= Level::stalled) {
    add_to(record_.verdicts.data()[static_cast<std::size_t>(step.incident.verdict)]);
  }
}

void RecordWriter::incidents(Incidents const& incidents) {
  std::uint32_t current = 0;
  Level executor = Level::fine;
  vital_hung_ = false;
  for (std::size_t i = 0; i < kIncidents; ++i) {
    if (incidents.is_open(i)) {
      Incident const& incident = incidents.at(i);
      record_.incidents.data()[i].store(incident);
      shown_.data()[i] = true;
      ++current;
      if (incident.subject == Subject::loop) executor = incident.level;
      if (is_vital(incident.subject) && incident.level >= Level::hung) vital_hung_ = true;
    } else if (shown_.data()[i]) {
      record_.incidents.data()[i].store(Incident{});
      shown_.data()[i] = false;
    }
  }
  record_.current_incidents.store(current, memory_order_relaxed);
  record_.incidents_lost.store(incidents.lost(), memory_order_relaxed);
  record_.executor_level.store(static_cast<std::uint8_t>(executor), memory_order_release);
}

void RecordWriter::loop_stands(LoopStanding const& standing, Incident const& judged,
                               std::int64_t now_ns) {
  record_.executor_verdict.store(static_cast<std::uint8_t>(standing.verdict), memory_order_relaxed);
  std::int64_t const before = record_.executor_standing_ns.load(memory_order_relaxed);
  record_.executor_standing_ns.store(standing.since_ns, memory_order_release);
  bool const stands = standing.since_ns != 0;
  Incident about = judged;
  about.subject = Subject::loop;
  about.verdict = standing.verdict;
  if (stands && !loop_said_ && !record_.executor_stalled()) {
    loop_said_ = true;
    lines_.say(Line::Kind::stands, about, now_ns - standing.since_ns);
  } else if (!stands && loop_said_) {
    loop_said_ = false;
    lines_.say(Line::Kind::turns, about, now_ns - before);
  }
}

void RecordWriter::loop_late(runtime::LoopRecord const& loop, std::int64_t standing_ns,
                             Limits const& limits, std::int64_t now_ns) {
  record_.loop_suspect_ns.store(limits.loop_suspect, memory_order_relaxed);
  record_.loop_stall_ns.store(limits.loop_stall, memory_order_relaxed);
  record_.curve.look(loop, standing_ns == 0 ? 0 : now_ns - standing_ns, now_ns);
}

void RecordWriter::parts_stand(PartsStanding const& standing) {
  for (std::size_t i = 0; i < kSubjects; ++i) {
    Verdict const now = standing.at(i);
    Verdict const before = stood_.data()[i];
    record_.standing.data()[i].store(static_cast<std::uint8_t>(now), memory_order_relaxed);
    stood_.data()[i] = now;
    if ((now == Verdict::none) == (before == Verdict::none)) continue;
    Incident about;
    about.subject = static_cast<Subject>(i);
    about.verdict = now;
    lines_.say(now == Verdict::none ? Line::Kind::turns : Line::Kind::stands, about);
  }
}

}  // namespace canary::watchdog
