// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/actions.h"

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
bool same_episode(Episode const& a, Episode const& b) {
  if (a.subject != b.subject) return false;
  if (belongs_to_run(a.subject)) return a.run == b.run && a.generation == b.generation;
  return !has_threads(a.subject) || a.thread == b.thread;
}

// Is it the same kind of stall again? One episode of it is told of in full.
bool same_kind(Episode const& a, Episode const& b) {
  return a.subject == b.subject && a.file == b.file && a.line == b.line &&
         a.operation == b.operation &&
         __builtin_memcmp(a.name.data(), b.name.data(), a.name.size()) == 0;
}

// Not anybody's fault, as opposed to not known.
bool excused(Verdict verdict) { return verdict != Verdict::none && !accuses(verdict); }

bool power_of_two(std::uint32_t value) { return (value & (value - 1)) == 0; }

}  // namespace

void Book::begin(bool grace, bool loop_only) {
  grace_ = grace;
  ending_ = 0;
  for (Entry& entry : entries_) {
    entry.reported = loop_only && entry.episode.subject != Subject::loop;
  }
}

std::size_t Book::open() const {
  std::size_t count = 0;
  for (Entry const& entry : entries_) count += entry.open ? 1 : 0;
  return count;
}

Book::Entry* Book::find_open(Episode const& judged) {
  for (Entry& entry : entries_) {
    if (entry.open && same_episode(entry.episode, judged)) return &entry;
  }
  return nullptr;
}

Book::Entry* Book::begin_entry(Episode const& judged, std::int64_t now_ns) {
  Entry* chosen = nullptr;
  for (Entry& entry : entries_) {
    if (entry.open) continue;
    bool const remembered = entry.occurrences > 0 && now_ns - entry.ended_ns < kFoldFor;
    if (remembered && same_kind(entry.episode, judged)) {
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
                     same_kind(chosen->episode, judged);
  std::uint32_t const occurrences = again ? chosen->occurrences : 0;
  std::uint64_t const suppressed = again ? chosen->suppressed : 0;
  *chosen = {};
  chosen->open = true;
  chosen->occurrences = occurrences;
  chosen->suppressed = suppressed;
  chosen->episode = judged;
  chosen->episode.level = Level::fine;
  chosen->episode.id = ++last_id_;
  return chosen;
}

// At most some a minute; the last words before the end are always let through.
bool Book::may_dump(Level level, std::int64_t now_ns) {
  std::int64_t* oldest = dumped_ns_.data();
  for (std::int64_t& each : dumped_ns_) {
    if (each < *oldest) oldest = &each;
  }
  bool const room = *oldest == 0 || now_ns - *oldest >= kMinute;
  if (!room && level != Level::dead) return false;
  *oldest = now_ns;
  return true;
}

void Book::choose_dump(Entry& entry, bool raised, std::int64_t now_ns, Step& step) {
  Episode const& episode = entry.episode;
  bool const doubled = entry.dumped_age_ns > 0 && episode.age_ns >= 2 * entry.dumped_age_ns &&
                       episode.age_ns - entry.dumped_age_ns >= kDumpAgainAfter;
  if (!raised && !doubled) return;
  // A stall that has been seen before is dumped the 2nd, 4th, 8th ... time.
  bool const folded = episode.level == Level::stalled && !power_of_two(entry.occurrences);
  entry.dumped_age_ns = episode.age_ns;
  if (!folded && may_dump(episode.level, now_ns)) {
    step.effects |= Effect::dump;
  } else {
    ++entry.suppressed;
    step.effects |= Effect::suppressed;
  }
}

Step Book::report(Episode const& judged, std::int64_t now_ns) {
  Step step;
  Entry* entry = find_open(judged);
  bool const innocent =
      judged.level == Level::fine || (excused(judged.verdict) && !judged.overdrawn);
  if (innocent || grace_) {
    // Keeps an open episode open where somebody else holds the thread for the moment.
    if (entry != nullptr && judged.level != Level::fine) entry->reported = true;
    if (entry != nullptr && grace_) entry->reported = true;
    return step;
  }
  if (entry == nullptr) entry = begin_entry(judged, now_ns);
  if (entry == nullptr) return step;
  entry->reported = true;
  std::uint64_t const id = entry->episode.id;
  Level const from = entry->episode.level;
  Level const to = judged.level > from ? judged.level : from;
  entry->episode = judged;
  entry->episode.id = id;
  entry->episode.level = to;
  bool const raised = to > from;
  if (raised) {
    step.effects |= Effect::count;
    if (from < Level::stalled && to >= Level::stalled) {
      ++entry->occurrences;
      if (judged.subject == Subject::loop && judged.run != runtime::kNoRun) {
        step.effects |= Effect::blame;
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
  step.episode = entry->episode;
  return step;
}

bool Book::end(std::int64_t now_ns, Step& step) {
  if (grace_) return false;
  for (; ending_ < kEpisodes; ++ending_) {
    Entry& entry = entries_.data()[ending_];
    if (!entry.open || entry.reported) continue;
    entry.open = false;
    entry.ended_ns = now_ns;
    step = {};
    step.effects = Effect::over;
    step.from = entry.episode.level;
    step.suppressed = entry.suppressed;
    step.episode = entry.episode;
    return true;
  }
  return false;
}

}  // namespace canary::watchdog
