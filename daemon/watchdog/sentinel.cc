// SPDX-License-Identifier: Apache-2.0
// The round: sleep, look, judge, act. Runs and the loop are judged here, the threads beside it in
// sentinel_threads.cc, the HTTP server in sentinel_server.cc.
#include "daemon/watchdog/sentinel.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/sample/own_row.h"
#include "daemon/watchdog/sample/tables_view.h"

namespace canary::watchdog {
namespace {

using runtime::RunRecord;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTick = 100 * kMillisecond;
constexpr std::int64_t kFastTick = 25 * kMillisecond;
constexpr std::int64_t kFastFor = 5 * kSecond;  // after an incident was raised
constexpr std::int64_t kFullEvery = 500 * kMillisecond;

std::string_view text_of(runtime::Published<ShortWords> const& published, ShortWords& into) {
  if (!published.known() || !published.load(into)) return {};
  into.back() = 0;
  return {into.data()};
}

}  // namespace

Sentinel::Sentinel(Setup const& setup, Inputs& inputs, Record& record, WatchdogLines& lines,
                   MemoryBlock& block)
    : setup_(setup),
      inputs_(inputs),
      record_(record),
      server_(inputs.asking),
      lines_(lines, record),
      writer_(record, lines_),
      stand_in_({.board = *setup.emergency,
                 .wake = setup.emergency_wake,
                 .listeners = inputs.takeover,
                 .channels = inputs.asking,
                 .preamble = inputs.preamble,
                 .record = record,
                 .lines = lines_}),
      dumps_(setup.dumper, record, lines_),
      memory_(block, setup.memory, record),
      runs_(setup.cancel, record, lines_),
      process_end_({.listeners = inputs.listeners,
                    .handed_on = inputs.handed_on,
                    .process = setup.process,
                    .arguments = setup.arguments,
                    .environment = setup.environment,
                    .signals = setup.signals,
                    .niceness = setup.niceness}),
      actions_({.dumps = dumps_,
                .memory = memory_,
                .runs = runs_,
                .end = process_end_,
                .record = record,
                .writer = writer_,
                .lines = lines_}),
      systemd_(record) {
  incidents_ = Incidents{memory_.last_incident()};
}

void Sentinel::run() {
  environment_.open(setup_.processors);
  systemd_.notifier().open(setup_.notify);
  at_.now_ns = at_.previous_ns = runtime::now_ns();
  around_ = environment_.read(true);
  at_.wall_ns = around_.wall_ns;
  lines_.set_time(at_.wall_ns);
  dumps_.set_time(at_.wall_ns);
  memory_.publish();
  while (!inputs_.end.load(memory_order_acquire)) {
    tick();
    bool const fast =
        loop_late_ || actions_.dying() || at_.now_ns - actions_.raised_ns() < kFastFor;
    sleep(fast);
  }
  if (dumps_.open()) dumps_.finish();
  memory_.set_last_incident(incidents_.last_id());
  memory_.end_in_order();
  listen();
  feed_systemd();
  release_own_row(row_);
  systemd_.notifier().close();
  server_.close();
  environment_.close();
  loop_.close();
  threads_.close();
}

void Sentinel::sleep(bool fast) {
  std::int64_t const from = runtime::now_ns();
  std::int64_t planned = from + (fast ? kFastTick : kTick);
  if (dumps_.open() && dumps_.next_ns() < planned) planned = dumps_.next_ns();
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
  at_.previous_ns = at_.now_ns;
  at_.now_ns = runtime::now_ns();
  std::int64_t const late = at_.now_ns - planned_ns;
  bool const costly = late > (planned_ns - slept_from_ns) / 4 || at_.now_ns - costly_ns_ >= kSecond;
  if (costly) costly_ns_ = at_.now_ns;
  Surroundings const fresh = environment_.read(costly);
  Assessment const found = assess(around_, fresh, slept_from_ns, planned_ns);
  around_ = fresh;
  at_.wall_ns = fresh.wall_ns;
  lines_.set_time(at_.wall_ns);
  dumps_.set_time(at_.wall_ns);
  graces_.add_all(found, at_);
  writer_.woke(found, at_.now_ns);
  if (found.pause) server_.forget(at_.now_ns);
  pause_.look(found.pause);
}

void Sentinel::tick() {
  writer_.tick(at_.now_ns);
  listen();
  if (runtime::Tables* const tables = runtime::tables()) look_at_tables(*tables);
  dumps_.go_on(at_.now_ns);
  dump_before_the_end();
  dumps_.on_request(incidents_, at_.now_ns);
  actions_.end_if_due(inputs_.stop_limit_ns.load(memory_order_acquire), incidents_, graces_.all(),
                      at_);
  feed_systemd();
  keep_alive_time();
  dumps_.poll(at_.now_ns);
}

void Sentinel::look_at_tables(runtime::Tables& tables) {
  claim_row(tables);
  // The moment of each tick is in the tables, too: who reads them after the process's end knows
  // when that was.
  if (row_ != nullptr) row_->job_since_ns.store(at_.now_ns, memory_order_release);
  // Not before it is known what came of the process before: its own are in systemd's store still.
  if (!tables_left_ && memory_.is_kept()) {
    systemd_.notifier().leave_tables(tables.descriptor());
    tables_left_ = true;
  }
  bool const deep = at_.now_ns - full_ns_ >= kFullEvery;
  LoopSampler::Look const look =
      loop_.look(tables, threads_, settings_.limits, phases_.stopping(), deep, at_);
  loop_late_ = look.late;
  if (look.held) writer_.disturbed(Disturbance::traced, 0, at_.now_ns);
  if (look.sampled) graces_.add_loop(look.withheld_ns, at_);
  graces_.add_runs(loop_late_, disk_stalled_, at_);

  bool const full = loop_late_ || deep || at_.now_ns - actions_.raised_ns() < kFastFor;
  incidents_.begin(pause_.on(), !full);
  judge_the_loop(tables, look);
  if (full) {
    full_ns_ = at_.now_ns;
    judge_the_rest(tables);
  }
  Step over;
  while (incidents_.end(at_.now_ns, over)) actions_.act(over, incidents_, at_);
  writer_.incidents(incidents_);
}

// What was noted before goes on in the memory that is kept.
void Sentinel::adopt() {
  dumps_.set_dumper(inputs_.adopted.dumper);
  memory_.adopt(*inputs_.adopted.block, inputs_.adopted.memory);
  incidents_.go_on_behind(memory_.last_incident());
  inputs_.adopt.store(2, memory_order_release);
}

void Sentinel::listen() {
  if (inputs_.adopt.load(memory_order_acquire) == 1) adopt();
  Settings settings;
  if (inputs_.settings.load(settings)) settings_ = settings;
  actions_.set_policy(settings_.policy);
  std::int64_t const resolve = inputs_.resolve_ns.load(memory_order_relaxed);
  if (resolve != 0) settings_.limits.resolve = resolve;
  phases_.look(inputs_, systemd_.notifier(), live_runs_, at_.now_ns);
  std::uint32_t const lift = inputs_.lift_quarantine.load(memory_order_acquire);
  if (lift == lifted_) return;
  lifted_ = lift;
  memory_.lift_quarantine();
}

void Sentinel::claim_row(runtime::Tables& tables) {
  if (row_ != nullptr && row_in_ == &tables) return;
  row_in_ = &tables;
  row_ = claim_own_row(tables, runtime::ThreadRecord::watchdog, "watchdog",
                       {.low = setup_.stack_low, .high = setup_.stack_high});
  if (row_ != nullptr) row_->job.store(setup_.job, memory_order_relaxed);
}

void Sentinel::report(Incident const& judged) {
  Step const step = incidents_.report(judged, at_.now_ns);
  if (step.effects != 0) actions_.act(step, incidents_, at_);
}

void Sentinel::judge_the_loop(runtime::Tables& tables, LoopSampler::Look const& look) {
  Incident judged = judge_loop(look.facts, look.before, look.newest, settings_.limits,
                               graces_.loop(), at_.now_ns);
  if (judged.level != Level::fine) {
    // Only who has been at it for long is at fault; in a flood it is whoever happens to run.
    bool const culprit = look.facts.handler_since_ns != 0;
    say_where(judged, culprit ? handler_place(tables) : Place{});
    judged.thread = tables.loop().thread.load(memory_order_relaxed);
  }
  report(judged);
  writer_.loop_late(tables.loop(), standing_since(look.facts, at_.now_ns), settings_.limits,
                    at_.now_ns);
  Verdict const seen = thread_verdict(look.before, look.newest);
  writer_.loop_stands(loop_watch_.look(look.facts, judged, seen, settings_.limits, at_.now_ns),
                      judged, at_.now_ns);
}

void Sentinel::judge_the_rest(runtime::Tables& tables) {
  judge_runs(tables);
  threads_.begin_round();
  standing_.begin_round();
  judge_pools(tables);
  judge_scheduler(tables);
  judge_the_server();
  judge_threads(tables);
  threads_.end_round();
  writer_.parts_stand(standing_);
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
    Incident judged = judge_run(view.facts, settings_.limits, graces_.waiting(), at_.now_ns);
    if (judged.level != Level::fine) {
      view.facts.orphan = find_orphan(tables, i);
      judged = judge_run(view.facts, settings_.limits, graces_.waiting(), at_.now_ns);
      say_where(judged, view.place);
      report(judged);
    }
    if (view.lookup_ns == 0) continue;
    judged = judge_lookup(view.lookup_ns, view.facts.orphan, settings_.limits, graces_.runs(),
                          at_.now_ns);
    if (judged.level == Level::fine) continue;
    say_where(judged, view.lookup);
    report(judged);
  }
  live_runs_ = live;
  record_.runs_stalled.store(stalled, memory_order_relaxed);
}

void Sentinel::judge_scheduler(runtime::Tables& tables) {
  runtime::SchedulerRecord const& scheduler = tables.scheduler();
  SchedulerFacts facts;
  facts.next_due_ns = scheduler.next_due_ns.load(memory_order_relaxed);
  facts.last_pass_ns = scheduler.last_pass_ns.load(memory_order_relaxed);
  // Before its first pass it has promised nothing.
  if (facts.last_pass_ns == 0 || phases_.stopping()) return;
  Incident judged = watchdog::judge_scheduler(facts, settings_.limits, graces_.runs(), at_.now_ns);
  copy_text(judged.name, "scheduler");
  report(judged);
}

// A thread found a defect of canaryd's and ends the process: its stack is among the others'. The
// next start calls that aborted.
void Sentinel::dump_before_the_end() {
  if (inputs_.ending.load(memory_order_acquire) != 1) return;
  memory_.note_hung(true);
  dumps_.of_process("ended", incidents_);
  inputs_.ending.store(2, memory_order_release);
}

void Sentinel::feed_systemd() {
  if (!systemd_.notifier().enabled()) return;
  ShortWords step, words;
  PhaseView const phase{.phase = phases_.phase(),
                        .step = text_of(inputs_.step, step),
                        .words = text_of(inputs_.sentence, words),
                        .runs = live_runs_};
  Sentence sentence;
  write_sentence(sentence, incidents_, record_, phase, at_.now_ns);
  systemd_.feed({.stopping = phases_.stopping(),
                 .vital_hung = writer_.vital_hung(),
                 .dying = actions_.dying(),
                 .progress = phases_.progress(inputs_, live_runs_),
                 .sentence = &sentence,
                 .now_ns = at_.now_ns});
}

// A process whose loop hangs watches nothing: the time of a stall counts as blind.
void Sentinel::keep_alive_time() {
  if (at_.now_ns - alive_ns_ < kSecond || record_.executor_stands()) return;
  alive_ns_ = at_.now_ns;
  memory_.note_alive(at_.wall_ns);
}

}  // namespace canary::watchdog
