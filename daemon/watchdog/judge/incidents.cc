// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/judge/incidents.h"

namespace canary::watchdog {
namespace {

bool belongs_to_run(Subject subject) {
  return subject == Subject::run || subject == Subject::resolver;
}

// Several, each of which may hang by itself; main's are its own and control's.
bool has_threads(Subject subject) {
  return subject == Subject::disk || subject == Subject::cpu || subject == Subject::files ||
         subject == Subject::main;
}

// Is it the same thing that hangs still? The loop, the server and the scheduler exist once.
bool same_incident(Incident const& a, Incident const& b) {
  if (a.subject != b.subject) return false;
  if (belongs_to_run(a.subject)) return a.run == b.run && a.generation == b.generation;
  return !has_threads(a.subject) || a.thread == b.thread;
}

// Is it the same kind of stall again? One incident of it is told of in full.
bool same_kind(Incident const& a, Incident const& b) {
  return a.subject == b.subject && a.file == b.file && a.line == b.line &&
         a.operation == b.operation &&
         __builtin_memcmp(a.name.data(), b.name.data(), a.name.size()) == 0;
}

// Not anybody's fault, as opposed to not known.
bool is_nobodys_fault(Verdict verdict) { return verdict != Verdict::none && !accuses(verdict); }

bool power_of_two(std::uint32_t value) { return (value & (value - 1)) == 0; }

}  // namespace

void Incidents::begin(bool pause, bool loop_only) {
  paused_ = pause;
  ending_ = 0;
  for (Entry& entry : entries_) {
    entry.reported = loop_only && entry.incident.subject != Subject::loop;
  }
}

std::size_t Incidents::open() const {
  std::size_t count = 0;
  for (Entry const& entry : entries_) count += entry.open ? 1 : 0;
  return count;
}

Incidents::Entry* Incidents::find_open(Incident const& judged) {
  for (Entry& entry : entries_) {
    if (entry.open && same_incident(entry.incident, judged)) return &entry;
  }
  return nullptr;
}

Incidents::Entry* Incidents::begin_entry(Incident const& judged, std::int64_t now_ns) {
  Entry* chosen = nullptr;
  for (Entry& entry : entries_) {
    if (entry.open) continue;
    bool const remembered = entry.occurrences > 0 && now_ns - entry.ended_ns < kFoldFor;
    if (remembered && same_kind(entry.incident, judged)) {
      chosen = &entry;
      break;
    }
    if (chosen == nullptr || entry.ended_ns < chosen->ended_ns) chosen = &entry;
  }
  if (chosen == nullptr) {
    ++lost_;
    return nullptr;
  }
  bool const again = chosen->occurrences > 0 && now_ns - chosen->ended_ns < kFoldFor &&
                     same_kind(chosen->incident, judged);
  std::uint32_t const occurrences = again ? chosen->occurrences : 0;
  std::uint64_t const suppressed = again ? chosen->suppressed : 0;
  *chosen = {};
  chosen->open = true;
  chosen->occurrences = occurrences;
  chosen->suppressed = suppressed;
  chosen->incident = judged;
  chosen->incident.level = Level::fine;
  chosen->incident.id = ++last_id_;
  return chosen;
}

// At most some a minute; the last dump before the end is always let through.
bool Incidents::may_dump(Level level, std::int64_t now_ns) {
  std::int64_t* oldest = dumped_ns_.data();
  for (std::int64_t& each : dumped_ns_) {
    if (each < *oldest) oldest = &each;
  }
  bool const room = *oldest == 0 || now_ns - *oldest >= kMinute;
  if (!room && level != Level::dead) return false;
  *oldest = now_ns;
  return true;
}

void Incidents::choose_dump(Entry& entry, bool raised, std::int64_t now_ns, Step& step) {
  Incident const& incident = entry.incident;
  bool const doubled = entry.dumped_age_ns > 0 && incident.age_ns >= 2 * entry.dumped_age_ns &&
                       incident.age_ns - entry.dumped_age_ns >= kDumpAgainAfter;
  if (!raised && !doubled) return;
  // A stall that has been seen before is dumped the 2nd, 4th, 8th ... time.
  bool const folded = incident.level == Level::stalled && !power_of_two(entry.occurrences);
  entry.dumped_age_ns = incident.age_ns;
  if (!folded && may_dump(incident.level, now_ns)) {
    step.effects |= Effect::dump;
  } else {
    ++entry.suppressed;
    step.effects |= Effect::suppressed;
  }
}

Step Incidents::report(Incident const& judged, std::int64_t now_ns) {
  Step step;
  Entry* entry = find_open(judged);
  bool const innocent =
      judged.level == Level::fine || (is_nobodys_fault(judged.verdict) && !judged.overdrawn);
  if (innocent || paused_) {
    // Keeps an open incident open where somebody else holds the thread for the moment.
    if (entry != nullptr && judged.level != Level::fine) entry->reported = true;
    if (entry != nullptr && paused_) entry->reported = true;
    return step;
  }
  if (entry == nullptr) entry = begin_entry(judged, now_ns);
  if (entry == nullptr) return step;
  entry->reported = true;
  std::uint64_t const id = entry->incident.id;
  Level const from = entry->incident.level;
  Level const to = judged.level > from ? judged.level : from;
  entry->incident = judged;
  entry->incident.id = id;
  entry->incident.level = to;
  bool const raised = to > from;
  if (raised) {
    step.effects |= Effect::count;
    if (from < Level::stalled && to >= Level::stalled) {
      ++entry->occurrences;
      if (judged.subject == Subject::loop && judged.run != runtime::kNoRun) {
        step.effects |= Effect::culprit;
      }
    }
    if (to >= Level::stalled || judged.subject == Subject::loop) step.effects |= Effect::log;
    if (to >= Level::stalled) step.effects |= Effect::remember;
    if (belongs_to_run(judged.subject) && to >= Level::stalled && from < Level::stalled) {
      step.effects |= Effect::cancel_run;
    }
    if (judged.subject == Subject::run && to >= Level::hung) step.effects |= Effect::mark_stalled;
  }
  if (to >= Level::stalled) choose_dump(*entry, raised, now_ns, step);
  if (is_vital(judged.subject) && to == Level::dead) step.effects |= Effect::die;
  step.from = from;
  step.to = to;
  step.suppressed = entry->suppressed;
  step.incident = entry->incident;
  return step;
}

bool Incidents::end(std::int64_t now_ns, Step& step) {
  if (paused_) return false;
  for (; ending_ < kIncidents; ++ending_) {
    Entry& entry = entries_.data()[ending_];
    if (!entry.open || entry.reported) continue;
    entry.open = false;
    entry.ended_ns = now_ns;
    step = {};
    step.effects = Effect::over;
    step.from = entry.incident.level;
    step.suppressed = entry.suppressed;
    step.incident = entry.incident;
    return true;
  }
  return false;
}

}  // namespace canary::watchdog
