// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/tell/health.h"

namespace canary::watchdog {

HealthText why_it_stands(Record const& record, runtime::Tables& tables, std::int64_t now_ns) {
  HealthText text;
  if (!record.executor_stands()) return text;
  auto const verdict =
      static_cast<Verdict>(record.executor_verdict.load(std::memory_order_relaxed));
  text.add("the loop has not turned for ");
  add_seconds(text, now_ns - tables.loop().beat_ns.load(std::memory_order_relaxed));
  text.add(": ").add(in_words(verdict));
  return text;
}

HealthText what_stands(Record const& record) {
  HealthText text;
  for (std::size_t i = 0; i < kSubjects; ++i) {
    auto const subject = static_cast<Subject>(i);
    auto const seen =
        static_cast<Verdict>(record.standing.data()[i].load(std::memory_order_relaxed));
    if (seen == Verdict::none || !is_vital(subject)) continue;
    text.add(to_text(subject)).add(" stands still: ").add(in_words(seen));
    return text;
  }
  return text;
}

HealthText why_not_live(Record const& record, std::int64_t now_ns) {
  auto text = why_nobody_judges(record.tick_ns.load(std::memory_order_acquire), now_ns);
  if (!text.view().empty()) return text;
  for (runtime::Published<Incident> const& place : record.incidents) {
    Incident incident;
    if (!place.known() || !place.load(incident)) continue;
    if (incident.level < Level::hung || !is_vital(incident.subject)) continue;
    text.add(to_text(incident.subject)).add(" ").add(to_text(incident.level)).add(" for ");
    add_seconds(text, incident.age_ns);
    text.add(": ").add(in_words(incident.verdict));
    return text;
  }
  return text;
}

}  // namespace canary::watchdog
