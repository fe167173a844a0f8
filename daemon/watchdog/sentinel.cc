// SPDX-License-Identifier: Apache-2.0
// The round: sleep, look, judge. The pools are in sentinel_pools.cc, the server is in
// sentinel_server.cc, what follows from a judgement in sentinel_acts.cc.
#include "daemon/watchdog/sentinel.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/sample/own_row.h"

namespace canary::watchdog {
namespace {

using runtime::LoopRecord;
using runtime::RunRecord;
using runtime::ThreadRecord;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTick = 100 * kMillisecond;
constexpr std::int64_t kFastTick = 25 * kMillisecond;
constexpr std::int64_t kFastFor = 5 * kSecond;  // after an incident was raised
constexpr std::int64_t kFullEvery = 500 * kMillisecond;
constexpr std::int64_t kCompareAfter = 200 * kMillisecond;  // between two samples
constexpr int kPauseTicks = 3;

std::uint32_t bucket_of(std::int64_t nanoseconds) {
  std::uint64_t milliseconds = static_cast<std::uint64_t>(nanoseconds / kMillisecond);
  std::uint32_t bucket = 0;
  while (milliseconds > 0 && bucket < kTickBuckets - 1) {
    milliseconds >>= 1;
    ++bucket;
  }
  return bucket;
}

void add_to(std::atomic<std::uint64_t>& counter, std::uint64_t amount) {
  counter.store(counter.load(memory_order_relaxed) + amount, memory_order_relaxed);
}

}  // namespace

void Sentinel::History::add(ThreadSample const& sample, std::uint64_t count) {
  samples.data()[added % kSamples] = sample;
  counts.data()[added % kSamples] = count;
  ++added;
}

ThreadSample const& Sentinel::History::newest() const {
  return samples.data()[(added + kSamples - 1) % kSamples];
}

// The newest that is old enough, else the oldest there is.
std::size_t Sentinel::History::compared() const {
  std::size_t const held = added < kSamples ? added : kSamples;
  std::size_t index = added > 0 ? (added - 1) % kSamples : 0;
  for (std::size_t back = 1; back < held; ++back) {
    index = (added - 1 - back) % kSamples;
    if (newest().at_ns - samples.data()[index].at_ns >= kCompareAfter) break;
  }
  return index;
}

Sentinel::Sentinel(Setup const& setup, Inputs& inputs, Record& record, WatchdogLines& lines,
                   MemoryBlock& block)
    : setup_(setup),
      inputs_(inputs),
      record_(record),
      lines_(lines),
      block_(&block),
      server_(inputs.asking) {
  block_->memory.load(memory_);
  incidents_ = Incidents{memory_.last_incident};
  publish_quarantine();
}

void Sentinel::run() {
  environment_.open(setup_.processors);
  notifier_.open(setup_.notify);
  now_ns_ = previous_ns_ = runtime::now_ns();
  around_ = environment_.read(true);
  publish_memory();
  while (!inputs_.end.load(memory_order_acquire)) {
    tick();
    bool const fast = loop_late_ || dying_ns_ != 0 || now_ns_ - raised_ns_ < kFastFor;
    sleep(fast);
  }
  if (dump_open_) finish_dump();
  // Asked to end: what the next start finds is no restart.
  memory_.clean = 1;
  memory_.last_incident = incidents_.last_id();
  publish_memory();
  listen();
  feed_systemd();
  release_row();
  notifier_.close();
  server_.close();
  environment_.close();
  loop_files_.close();
  for (Watched& each : watched_) each.files.close();
}

void Sentinel::sleep(bool fast) {
  std::int64_t const from = runtime::now_ns();
  std::int64_t planned = from + (fast ? kFastTick : kTick);
  if (dump_open_ && next_sample_ns_ < planned) planned = next_sample_ns_;
  std::int64_t const wait = planned > from ? planned - from : 0;
  timespec const limit{.tv_sec = wait / kSecond, .tv_nsec = wait % kSecond};
  pollfd wake{.fd = setup_.wake, .events = POLLIN, .revents = 0};
  if (::ppoll(&wake, 1, &limit, nullptr) > 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] auto const ignored = ::read(setup_.wake, &count, sizeof count);
  }
  look_around(from, planned);
}

void Sentinel::look_around(std::int64_t slept_from_ns, std::int64_t planned_ns) {
  previous_ns_ = now_ns_;
  now_ns_ = runtime::now_ns();
  std::int64_t const late = now_ns_ - planned_ns;
  bool const costly = late > (planned_ns - slept_from_ns) / 4 || now_ns_ - costly_ns_ >= kSecond;
  if (costly) costly_ns_ = now_ns_;
  Surroundings const fresh = environment_.read(costly);
  Assessment const found = assess(around_, fresh, slept_from_ns, planned_ns);
  around_ = fresh;
  grace_all_ns_ = found.grace_ns;
  starved_all_ns_ = found.starved_ns;
  for_all_.add(previous_ns_, now_ns_, grace_all_ns_ - starved_all_ns_, grace_all_ns_);
  add_to(record_.lateness.data()[bucket_of(found.late_ns)], 1);
  add_to(record_.lateness_sum_ns, static_cast<std::uint64_t>(found.late_ns));
  if (found.disturbed) note_disturbance(found.kind, found.lasted_ns);
  if (found.clock_step_ns != 0) note_disturbance(Disturbance::clock_step, found.clock_step_ns);
  if (found.pause) server_.forget(now_ns_);
  // Who is stopped again and again, or so starved that it looks like it, is judged in between.
  if (found.pause && (pause_ticks_ > 0 || judged_ticks_ >= kPauseTicks)) {
    pause_ticks_ = kPauseTicks;
    judged_ticks_ = 0;
  } else if (pause_ticks_ > 0) {
    --pause_ticks_;
  } else if (judged_ticks_ < kPauseTicks) {
    ++judged_ticks_;
  }
}

void Sentinel::note_disturbance(Disturbance kind, std::int64_t lasted_ns) {
  add_to(record_.disturbances.data()[static_cast<std::size_t>(kind)], 1);
  std::int64_t const size = lasted_ns < 0 ? -lasted_ns : lasted_ns;
  bool const own = kind != Disturbance::clock_step && kind != Disturbance::traced;
  if (own && size >= kSecond) {
    auto const suspect = static_cast<std::size_t>(Level::suspect);
    add_to(record_.stalls.data()[static_cast<std::size_t>(Subject::watchdog)].data()[suspect], 1);
  }
  constexpr std::int64_t kTellEvery = 10 * kSecond;
  bool const worth = size >= kSecond || kind == Disturbance::traced;
  if (!worth || (disturbed_ns_ != 0 && now_ns_ - disturbed_ns_ < kTellEvery)) return;
  disturbed_ns_ = now_ns_;
  Line line;
  line.kind = Line::Kind::disturbed;
  line.disturbance = kind;
  line.nanoseconds = lasted_ns;
  push(line);
}

void Sentinel::tick() {
  record_.tick_ns.store(now_ns_, memory_order_release);
  add_to(record_.ticks, 1);
  listen();
  if (runtime::Tables* const tables = runtime::tables()) {
    claim_row(*tables);
    // The moment of each tick is in the tables, too: who reads them after the process's end knows
    // when that was.
    if (row_ != nullptr) row_->job_since_ns.store(now_ns_, memory_order_release);
    // Not before it is known what came of the process before: its own are in systemd's store still.
    if (!tables_left_ && setup_.memory >= 0) {
      notifier_.leave_tables(tables->descriptor());
      tables_left_ = true;
    }
    LoopFacts const loop = look_at_loop(*tables);
    bool const full =
        loop_late_ || now_ns_ - full_ns_ >= kFullEvery || now_ns_ - raised_ns_ < kFastFor;
    incidents_.begin(pause_ticks_ > 0, !full);
    judge_the_loop(*tables, loop);
    if (full) {
      full_ns_ = now_ns_;
      judge_the_rest(*tables);
    }
    Step over;
    while (incidents_.end(now_ns_, over)) act(over);
    publish_incidents();
  }
  go_on_with_dump();
  dump_before_the_end();
  dump_on_request();
  end_if_due();
  feed_systemd();
  keep_alive_time();
  if (setup_.dumper.poll != nullptr && now_ns_ - polled_ns_ >= kSecond) {
    polled_ns_ = now_ns_;
    tell_of_unreadable(setup_.dumper.poll(setup_.dumper.self));
  }
}

// What was noted before goes on in the memory that is kept.
void Sentinel::adopt() {
  Memory const early = memory_;
  block_ = inputs_.adopted.block;
  setup_.memory = inputs_.adopted.memory;
  setup_.dumper = inputs_.adopted.dumper;
  block_->memory.load(memory_);
  memory_.hung = early.hung;
  if (early.has_stall != 0) {
    memory_.has_stall = 1;
    memory_.stall = early.stall;
  }
  incidents_.go_on_behind(memory_.last_incident);
  publish_memory();
  publish_quarantine();
  inputs_.adopt.store(2, memory_order_release);
}

void Sentinel::listen() {
  if (inputs_.adopt.load(memory_order_acquire) == 1) adopt();
  Settings settings;
  if (inputs_.settings.load(settings)) settings_ = settings;
  resolve_ns_ = inputs_.resolve_ns.load(memory_order_relaxed);
  if (resolve_ns_ != 0) settings_.limits.resolve = resolve_ns_;
  if (std::uint32_t const told = inputs_.reloading.load(memory_order_acquire); told != reloading_) {
    reloading_ = told;
    notifier_.reloading(now_ns_);
  }
  std::uint32_t const ready = inputs_.ready.load(memory_order_acquire);
  std::uint32_t const reloaded = inputs_.reloaded.load(memory_order_acquire);
  // Ready once the loop has really turned.
  runtime::Tables* const tables = runtime::tables();
  bool const turned = tables != nullptr && tables->loop().beats.load(memory_order_relaxed) > 0;
  if ((ready != ready_ || reloaded != reloaded_) && turned) {
    ready_ = ready;
    reloaded_ = reloaded;
    notifier_.ready();
  }
  if (inputs_.stop_limit_ns.load(memory_order_acquire) != 0 && !stopping_) {
    stopping_ = true;
    draining_ = live_runs_;
    notifier_.stopping();
  }
  if (std::uint32_t const lift = inputs_.lift_quarantine.load(memory_order_acquire);
      lift != lifted_) {
    lifted_ = lift;
    block_->culprits.count.store(0, memory_order_release);
    publish_memory();
    publish_quarantine();
  }
}

void Sentinel::claim_row(runtime::Tables& tables) {
  if (row_ != nullptr && row_in_ == &tables) return;
  row_in_ = &tables;
  row_ = claim_own_row(tables, ThreadRecord::watchdog, "watchdog",
                       {.low = setup_.stack_low, .high = setup_.stack_high});
  if (row_ != nullptr) row_->job.store(setup_.job, memory_order_relaxed);
}

void Sentinel::release_row() { release_own_row(row_); }

LoopFacts Sentinel::look_at_loop(runtime::Tables& tables) {
  LoopRecord const& loop = tables.loop();
  LoopFacts facts;
  std::uint8_t const state = loop.state.load(memory_order_acquire);
  facts.in_run = state == LoopRecord::in_run;
  facts.left_run = state == LoopRecord::left_run;
  facts.stopping = stopping_;
  if (!facts.in_run) entered_ns_ = 0;
  if (facts.in_run && entered_ns_ == 0) entered_ns_ = now_ns_;
  if (!facts.left_run) left_ns_ = 0;
  if (facts.left_run && left_ns_ == 0) left_ns_ = now_ns_;
  facts.entered_ns = entered_ns_;
  facts.left_ns = left_ns_;
  facts.handler_since_ns = loop.handler_since_ns.load(memory_order_acquire);
  facts.handlers = loop.handlers.load(memory_order_relaxed);
  facts.beats = loop.beats.load(memory_order_relaxed);
  facts.beat_due_ns = loop.beat_due_ns.load(memory_order_relaxed);

  bool const late = loop_is_late(facts, settings_.limits, now_ns_);
  if (!late) handlers_before_ = facts.handlers;
  facts.handlers_before = handlers_before_;
  loop_late_ = late;
  sample_loop(tables, late);
  add_grace_of_runs(facts);
  return facts;
}

void Sentinel::sample_loop(runtime::Tables& tables, bool full) {
  LoopRecord const& loop = tables.loop();
  std::int32_t const thread = loop.thread.load(memory_order_relaxed);
  if (thread != loop_files_.thread()) {
    loop_history_.clear();
    ahead_ns_ = 0;
    loop_files_.close();
    if (thread != 0) loop_files_.open(thread);
  }
  if (thread == 0) return;
  bool const deep = full || now_ns_ - full_ns_ >= kFullEvery;
  ThreadSample const before = loop_history_.newest();
  bool const comparable = loop_history_.added > 0;
  ThreadSample const sample =
      loop_files_.sample(deep ? ThreadFiles::Depth::full : ThreadFiles::Depth::brief, now_ns_);
  loop_history_.add(sample, loop.handlers.load(memory_order_relaxed));
  if (sample.traced && !loop_traced_) note_disturbance(Disturbance::traced, 0);
  if (deep) loop_traced_ = sample.traced;
  std::int64_t own = comparable ? withheld(before, sample, ahead_ns_) : 0;
  if (waits_for_lock(sample)) {
    std::int64_t const others = withheld_from_holders(tables);
    if (others > own) own = others;
  }
  grace_loop_ns_ = own > grace_all_ns_ ? own : grace_all_ns_;
  for_loop_.add(previous_ns_, now_ns_, grace_all_ns_ - starved_all_ns_, grace_loop_ns_);
}

std::int64_t Sentinel::Usage::in(std::int64_t work_since_ns, ThreadSample const& now) {
  if (work_since_ns == 0 || !now.timed || now.cpu_ns == 0) return 0;
  if (work_since_ns != since_ns) {
    since_ns = work_since_ns;
    cpu_ns = now.cpu_ns;
  }
  return now.cpu_ns - cpu_ns;
}

// A run cannot move while the loop does not turn, and waits a little for a state directory that
// stands still: that is told of the disk, once.
void Sentinel::add_grace_of_runs(LoopFacts const&) {
  std::int64_t const elapsed = now_ns_ - previous_ns_;
  for_runs_.add(previous_ns_, now_ns_, loop_late_ ? elapsed : grace_loop_ns_);
  bool const held_up = loop_late_ || disk_stalled_;
  for_waiting_.add(previous_ns_, now_ns_, held_up ? elapsed : grace_loop_ns_);
}

void Sentinel::judge_the_loop(runtime::Tables& tables, LoopFacts const& loop) {
  LoopFacts facts = loop;
  std::size_t const compared = loop_history_.compared();
  ThreadSample const before =
      loop_history_.added > 1 ? loop_history_.samples.data()[compared] : ThreadSample{};
  ThreadSample const newest = loop_history_.added > 0 ? loop_history_.newest() : ThreadSample{};
  facts.handlers_sample = loop_history_.counts.data()[compared];
  facts.handler_cpu_ns = loop_usage_.in(facts.handler_since_ns, newest);
  Incident judged = judge_loop(facts, before, newest, settings_.limits, for_loop_, now_ns_);
  if (judged.level != Level::fine) {
    // Only who has been at it for long is at fault; in a flood it is whoever happens to run.
    bool const culprit = facts.handler_since_ns != 0;
    loop_place_ = culprit ? handler_place(tables) : Place{};
    say_where(judged, loop_place_);
    judged.thread = tables.loop().thread.load(memory_order_relaxed);
  }
  report(judged);
  tell_of_standing(facts, judged, thread_verdict(before, newest));
}

// Whosever fault it is. The loop gets one tick to turn after both of us were held.
void Sentinel::tell_of_standing(LoopFacts const& loop, Incident const& judged, Verdict seen) {
  std::int64_t const since = standing_since(loop, now_ns_);
  bool const stands = stands_long(since, settings_.limits, now_ns_);
  standing_ticks_ = stands ? standing_ticks_ + 1 : 0;
  bool const told = standing_ticks_ > 1;
  Verdict verdict = judged.verdict;
  if (verdict == Verdict::none && told) verdict = seen == Verdict::none ? Verdict::unknown : seen;
  record_.executor_verdict.store(static_cast<std::uint8_t>(verdict), memory_order_relaxed);
  std::int64_t const before = record_.executor_standing_ns.load(memory_order_relaxed);
  record_.executor_standing_ns.store(told ? since : 0, memory_order_release);
  Incident about = judged;
  about.subject = Subject::loop;
  about.verdict = verdict;
  if (told && !standing_said_ && !record_.executor_stalled()) {
    standing_said_ = true;
    say(Line::Kind::stands, about, now_ns_ - since);
  } else if (!told && standing_said_) {
    standing_said_ = false;
    say(Line::Kind::turns, about, now_ns_ - before);
  }
}

void Sentinel::judge_the_rest(runtime::Tables& tables) {
  judge_runs(tables);
  for (Watched& each : watched_) each.seen = false;
  standing_ = {};
  judge_pools(tables);
  runtime::SchedulerRecord const& scheduler = tables.scheduler();
  SchedulerFacts facts;
  facts.next_due_ns = scheduler.next_due_ns.load(memory_order_relaxed);
  facts.last_pass_ns = scheduler.last_pass_ns.load(memory_order_relaxed);
  // Before its first pass it has promised nothing.
  if (facts.last_pass_ns != 0 && !stopping_) {
    Incident judged = judge_scheduler(facts, settings_.limits, for_runs_, now_ns_);
    copy_text(judged.name, "scheduler");
    report(judged);
  }
  ask_server();
  judge_threads(tables);
  for (Watched& each : watched_) {
    if (!each.seen) each.files.close();
  }
  publish_standing();
}

void Sentinel::judge_runs(runtime::Tables& tables) {
  std::uint32_t live = 0, stalled = 0;
  auto const count = static_cast<std::uint16_t>(tables.runs().size());
  for (std::uint16_t i = 0; i < count; ++i) {
    RunRecord const& run = tables.runs().data()[i];
    if (run.state.load(memory_order_relaxed) == RunRecord::free) continue;
    RunView view = view_run(tables, i);
    if (!view.live) continue;
    ++live;
    if (run.stalled.load(memory_order_relaxed) == view.place.generation) ++stalled;
    if (view.torn) continue;
    Incident judged = judge_run(view.facts, settings_.limits, for_waiting_, now_ns_);
    if (judged.level != Level::fine) {
      view.facts.orphan = find_orphan(tables, i);
      judged = judge_run(view.facts, settings_.limits, for_waiting_, now_ns_);
      say_where(judged, view.place);
      report(judged);
    }
    if (view.lookup_ns == 0) continue;
    judged = judge_lookup(view.lookup_ns, view.facts.orphan, settings_.limits, for_runs_, now_ns_);
    if (judged.level == Level::fine) continue;
    say_where(judged, view.lookup);
    report(judged);
  }
  live_runs_ = live;
  record_.runs_stalled.store(stalled, memory_order_relaxed);
}

}  // namespace canary::watchdog
