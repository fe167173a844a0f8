// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/act/actions.h"

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/tell/counters.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kEndAfter = 2 * kSecond;  // from dead to the end

std::string_view text_of(std::array<char, 104> const& text) {
  std::size_t size = 0;
  while (size < text.size() && text.data()[size] != 0) ++size;
  return {text.data(), size};
}

bool has(Step const& step, std::uint32_t effect) { return (step.effects & effect) != 0; }

}  // namespace

void Actions::act(Step const& step, Incidents const& incidents, Moment const& at) {
  Incident const& incident = step.incident;
  if (has(step, Effect::over)) {
    over(step);
    return;
  }
  if (has(step, Effect::count)) raised(step, incidents, at);
  if (is_vital(incident.subject) && step.to >= Level::hung) parts_.memory.note_hung(true);
  if (has(step, Effect::log)) parts_.lines.say(Line::Kind::stall, incident, incident.age_ns);
  if (has(step, Effect::suppressed)) {
    add_to(parts_.record.dumps_suppressed);
    parts_.lines.say(Line::Kind::suppressed, incident, 0, step.suppressed);
  }
  // What recovers comes before what takes time; the dump still sees the run, which unwinds later.
  if (has(step, Effect::dump)) parts_.dumps.of_incident(incident, incidents);
  if (has(step, Effect::cancel_run)) parts_.runs.cancel(incident);
  if (has(step, Effect::mark_stalled)) parts_.runs.mark_stalled(incident);
  if (has(step, Effect::remember)) {
    parts_.memory.set_last_incident(incidents.last_id());
    parts_.memory.remember(incident, at.wall_ns);
  }
  if (has(step, Effect::culprit)) quarantine(incident, at);
  if (has(step, Effect::die) && !dying()) {
    dying_ns_ = at.now_ns;
    dying_ = incident;
    parts_.lines.say(Line::Kind::dying, incident, kEndAfter);
  }
}

void Actions::over(Step const& step) {
  Incident const& incident = step.incident;
  if (step.from >= Level::stalled) {
    parts_.lines.say(Line::Kind::over, incident, incident.age_ns, step.suppressed);
  }
  if (dying() && incident.subject == dying_.subject) dying_ns_ = 0;
  if (is_vital(incident.subject) && step.from >= Level::hung) parts_.memory.note_hung(false);
}

void Actions::raised(Step const& step, Incidents const& incidents, Moment const& at) {
  raised_ns_ = at.now_ns;
  parts_.writer.incidents(incidents);  // before the dump, which takes time
  parts_.writer.raised(step);
}

void Actions::quarantine(Incident const& incident, Moment const& at) {
  if (!is_of_probe(incident)) return;
  bool const fresh = parts_.memory.count_stall(
      text_of(incident.name), at.wall_ns, policy_.quarantine_after, policy_.quarantine_window_ns);
  if (!fresh) return;
  parts_.lines.say(Line::Kind::quarantined, incident, policy_.quarantine_window_ns,
                   static_cast<std::uint64_t>(policy_.quarantine_after));
}

void Actions::end_if_due(std::int64_t stop_limit_ns, Incidents const& incidents,
                         ThreadGrace const& grace, Moment const& at) {
  if (stop_limit_ns != 0) end_late_stop(stop_limit_ns, incidents, grace, at.now_ns);
  if (!dying() || policy_.on_dead == OnDead::report || parts_.dumps.open()) return;
  if (grace.age(dying_ns_, at.now_ns, bound_of(kEndAfter)) < kEndAfter) return;
  if (!parts_.end.begun()) {
    parts_.memory.set_last_incident(incidents.last_id());
    parts_.memory.publish();
    if (!parts_.record.executor_stands()) parts_.memory.note_alive(at.wall_ns);
  }
  parts_.end.end(dying_, policy_.on_dead, at.now_ns);
}

// It is dumped, and given a second for that.
void Actions::end_late_stop(std::int64_t limit_ns, Incidents const& incidents,
                            ThreadGrace const& grace, std::int64_t now_ns) {
  std::int64_t const late = grace.age(limit_ns, now_ns, bound_of(kSecond));
  if (late <= 0) return;
  if (stop_dumped_) {
    if (late > kSecond) parts_.end.give_up();
    return;
  }
  stop_dumped_ = true;
  Incident about;
  about.subject = Subject::loop;
  about.level = Level::dead;
  about.since_ns = limit_ns;
  copy_text(about.name, "stop");
  parts_.lines.say(Line::Kind::dying, about);
  parts_.memory.note_hung(true);
  parts_.dumps.of_process("stop", incidents);
}

}  // namespace canary::watchdog
