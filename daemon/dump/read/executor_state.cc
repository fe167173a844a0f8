// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/read/executor_state.h"

#include <algorithm>
#include <limits>

#include "daemon/text/source_path.h"

namespace canary::dump {
namespace {

using runtime::FrameRecord;
using runtime::LoopRecord;
using runtime::Operation;
using runtime::OperationHead;
using runtime::RunRecord;
using runtime::Tables;
using runtime::TextOffset;
using runtime::ThreadRecord;
using std::memory_order_acquire;
using std::memory_order_relaxed;

constexpr int kAttempts = 4;
constexpr auto kNever = std::numeric_limits<std::int64_t>::max();

// What another process wrote may be anything: no difference overflows.
std::int64_t from_to(std::int64_t from, std::int64_t to) {
  std::int64_t result = 0;
  if (!__builtin_sub_overflow(to, from, &result) && result != -kNever - 1) return result;
  return to < from ? -kNever : kNever;
}

std::int64_t age(std::int64_t now, std::int64_t since) {
  return since > now ? 0 : from_to(since, now);
}

// Reads under a sequence lock; false where the record moved each time.
template <class Record, class Read>
bool steady(Record const& record, Read read) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::uint32_t const before = record.sequence.load(memory_order_acquire);
    read();
    std::atomic_thread_fence(memory_order_acquire);
    if ((before & 1) == 0 && record.sequence.load(memory_order_relaxed) == before) return true;
  }
  return false;
}

Place place_of(TextOffset file, TextOffset function, std::uint32_t line, TextOf const& text) {
  return {.file = std::string{source_path(text(file))}, .function = text(function), .line = line};
}

HandlerState handler_of(Operation const& operation, TextOf const& text) {
  return {.object_type = text(operation.object_type),
          .operation = text(operation.operation),
          .place = place_of(operation.file, operation.function, operation.line, text)};
}

HandlerState handler_of(runtime::HandlerRecord const& record, TextOf const& text) {
  std::uint64_t const kind = record.kind.load(memory_order_relaxed);
  std::uint64_t const place = record.place.load(memory_order_relaxed);
  return {.object_type = text(runtime::first_of(kind)),
          .operation = text(runtime::second_of(kind)),
          .place = place_of(runtime::first_of(place), runtime::second_of(place),
                            record.line.load(memory_order_relaxed), text)};
}

// Puts rows under their parents; `parents[i]` belongs to `frames[i]`.
std::vector<FrameState> as_tree(std::vector<FrameState> frames,
                                std::vector<std::uint8_t> const& parents) {
  std::vector<FrameState> result;
  std::vector<bool> placed(frames.size());
  auto const place = [&](auto const& self, std::uint8_t parent, std::uint8_t depth) -> void {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (placed[i] || parents[i] != parent || depth > runtime::kFramesPerRun) continue;
      placed[i] = true;
      frames[i].depth = depth;
      std::uint8_t const index = frames[i].index;
      result.push_back(frames[i]);
      self(self, index, static_cast<std::uint8_t>(depth + 1));
    }
  };
  place(place, runtime::kNoFrame, 1);
  // Those whose parent is gone hang under the run.
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (placed[i]) continue;
    placed[i] = true;
    frames[i].depth = 1;
    std::uint8_t const index = frames[i].index;
    result.push_back(frames[i]);
    place(place, index, 2);
  }
  return result;
}

void read_frames(RunState& into, RunRecord const& record, TextOf const& text, std::int64_t now) {
  std::vector<FrameState> frames;
  std::vector<std::uint8_t> parents;
  std::uint32_t const used = record.used_frames.load(memory_order_relaxed);
  for (std::uint8_t i = 0; i < runtime::kFramesPerRun; ++i) {
    if ((used >> i & 1) == 0) continue;
    FrameRecord const& row = record.frames[i];
    std::string const file = text(row.file.load(memory_order_relaxed));
    frames.push_back({.name = text(row.name.load(memory_order_relaxed)),
                      .detail = row.detail.load(),
                      .place = {.file = std::string{source_path(file)},
                                .line = row.line.load(memory_order_relaxed)},
                      .wait = row.kind.load(memory_order_relaxed) == FrameRecord::wait,
                      .index = i,
                      .age_ns = age(now, row.since_ns.load(memory_order_relaxed))});
    parents.push_back(row.parent.load(memory_order_relaxed));
  }
  into.frames = as_tree(std::move(frames), parents);
}

RunState read_run(RunRecord const& record, std::uint16_t index, TextOf const& text,
                  std::int64_t now) {
  RunState run;
  bool const whole = steady(record, [&] {
    run = {};
    run.index = index;
    run.generation = record.generation.load(memory_order_relaxed);
    run.name = record.name.load();
    run.service = record.kind.load(memory_order_relaxed) == RunRecord::service;
    run.cancelling = record.state.load(memory_order_relaxed) == RunRecord::cancelling;
    run.ask_cancel = record.ask_cancel.load(memory_order_relaxed) == run.generation;
    run.stalled = record.stalled.load(memory_order_relaxed) == run.generation;
    run.age_ns = age(now, record.started_ns.load(memory_order_relaxed));
    std::int64_t const deadline = record.deadline_ns.load(memory_order_relaxed);
    run.has_deadline = deadline != kNever;
    run.deadline_in_ns = run.has_deadline ? from_to(now, deadline) : 0;
    if (run.cancelling) {
      run.cancelling_for_ns = age(now, record.cancelling_ns.load(memory_order_relaxed));
    }
    run.progress = record.progress.load(memory_order_relaxed);
    run.progress_age_ns = age(now, record.progress_ns.load(memory_order_relaxed));
    run.frames_lost = record.frames_lost.load(memory_order_relaxed);
    read_frames(run, record, text, now);
  });
  run.moving = !whole;
  return run;
}

std::vector<LagState> lag_history_of(LoopRecord const& loop, std::int64_t started,
                                     std::int64_t now) {
  std::vector<LagState> history;
  std::int64_t const latest = now / runtime::kLagSlotNs;
  std::int64_t const first = started / runtime::kLagSlotNs;
  for (std::int64_t number = latest; number >= first && number > 0; --number) {
    if (history.size() == runtime::kLagSlots) break;
    LagState stretch;
    if (number != latest) stretch.ago_ns = now - (number + 1) * runtime::kLagSlotNs;
    auto const& slot = loop.lag_history[static_cast<std::size_t>(number) % runtime::kLagSlots];
    if (slot.number.load(memory_order_acquire) == number) {
      stretch.beats = slot.beats.load(memory_order_relaxed);
      stretch.worst_ns = static_cast<std::int64_t>(slot.worst_ns.load(memory_order_relaxed));
    }
    history.push_back(stretch);
  }
  return history;
}

void read_loop(LoopState& into, Tables& tables, TextOf const& text, std::int64_t now) {
  LoopRecord const& loop = tables.loop();
  static constexpr char const* kStates[] = {"not started", "in run()", "left run()"};
  std::uint8_t const state = loop.state.load(memory_order_relaxed);
  into.state = state < 3 ? kStates[state] : "unknown";
  into.thread = loop.thread.load(memory_order_relaxed);
  into.handlers = loop.handlers.load(memory_order_relaxed);
  into.beats = loop.beats.load(memory_order_relaxed);
  into.operations_lost = loop.operations_lost.load(memory_order_relaxed);
  std::int64_t since = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    since = loop.handler_since_ns.load(memory_order_acquire);
    std::uint64_t const done = loop.handlers.load(memory_order_relaxed);
    Operation const operation = since == 0 ? Operation{} : operation_of_handler(tables);
    into.handler = handler_of(operation, text);
    into.run = operation.run;
    if (loop.handlers.load(memory_order_acquire) == done) break;
  }
  into.running = since != 0;
  into.handler.took_ns = since == 0 ? 0 : age(now, since);
  into.beat_due_in_ns = from_to(now, loop.beat_due_ns.load(memory_order_relaxed));
  into.beat_age_ns = age(now, loop.beat_ns.load(memory_order_relaxed));
  for (std::size_t i = 0; i < into.lag.size(); ++i) {
    into.lag[i] = loop.lag[i].load(memory_order_relaxed);
  }
  into.lag_sum_ns = loop.lag_sum_ns.load(memory_order_relaxed);
  into.lag_history = lag_history_of(loop, tables.header().started_monotonic_ns, now);
  for (auto const& each : loop.longest) {
    std::int64_t const took = each.nanoseconds.load(memory_order_relaxed);
    if (took == 0) continue;
    into.longest.push_back(handler_of(each, text));
    into.longest.back().took_ns = took;
  }
  std::ranges::sort(into.longest, std::ranges::greater{}, &HandlerState::took_ns);
}

OperationState state_of(Operation const& operation, TextOf const& text, std::int64_t now) {
  HandlerState const kind = handler_of(operation, text);
  OperationState state;
  state.object_type = kind.object_type;
  state.operation = kind.operation;
  state.place = kind.place;
  state.age_ns = age(now, operation.since_ns);
  state.object = operation.object;
  state.handle = operation.native_handle;
  state.has_handle = operation.native_handle != 0;
  state.run = operation.run;
  return state;
}

// The rows of `run` over the operation's own row wait for it, too.
void mark_waited_for(RunState& run, std::uint8_t frame, OperationState& operation) {
  std::size_t at = run.frames.size();
  for (std::size_t i = 0; i < run.frames.size(); ++i) {
    if (run.frames[i].index == frame) at = i;
  }
  if (at == run.frames.size()) return;
  operation.frame_name = run.frames[at].name;
  std::uint8_t depth = run.frames[at].depth;
  run.frames[at].waited_for = true;
  while (at-- > 0) {
    if (run.frames[at].depth >= depth) continue;
    depth = run.frames[at].depth;
    run.frames[at].waited_for = true;
  }
}

void read_operations(ExecutorState& state, Tables& tables, TextOf const& text) {
  for (auto const& record : tables.operations()) {
    Operation pending;
    if (record.read(pending) != OperationHead::pending) continue;
    OperationState operation = state_of(pending, text, state.now_ns);
    for (auto& run : state.runs) {
      if (run.index != operation.run) continue;
      operation.run_name = run.name;
      mark_waited_for(run, pending.frame, operation);
    }
    state.operations.push_back(std::move(operation));
  }
  std::ranges::sort(state.operations, [](OperationState const& a, OperationState const& b) {
    return a.age_ns != b.age_ns ? a.age_ns > b.age_ns : a.object < b.object;
  });
}

void read_threads(ExecutorState& state, Tables& tables, TextOf const& text) {
  static constexpr char const* kKinds[] = {"unused", "loop", "disk",     "cpu",       "log",
                                           "server", "main", "watchdog", "emergency", "files"};
  for (auto const& row : tables.threads()) {
    std::uint8_t const kind = row.kind.load(memory_order_acquire);
    if (kind == ThreadRecord::unused) continue;
    ThreadState thread;
    thread.thread = row.thread.load(memory_order_relaxed);
    thread.kind = kind < std::size(kKinds) ? kKinds[kind] : "unknown";
    thread.name = row.name.load();
    std::int64_t const since = row.job_since_ns.load(memory_order_acquire);
    thread.busy = since != 0;
    if (thread.busy) {
      thread.job = text(row.job.load(memory_order_relaxed));
      if (auto const about = row.about.load(); !about.empty()) thread.job += " (" + about + ")";
      thread.job_age_ns = age(state.now_ns, since);
    }
    thread.jobs = row.jobs.load(memory_order_relaxed);
    thread.queued = row.queued.load(memory_order_relaxed);
    std::int64_t const oldest = row.oldest_queued_ns.load(memory_order_relaxed);
    if (oldest != 0) thread.oldest_queued_age_ns = age(state.now_ns, oldest);
    state.threads.push_back(std::move(thread));
  }
}

}  // namespace

TextOf own_texts() {
  return [](runtime::TextOffset offset) { return std::string{runtime::text_at(offset)}; };
}

std::vector<RunState> read_runs(Tables& tables, TextOf const& text, std::int64_t now_ns) {
  std::vector<RunState> runs;
  for (std::size_t i = 0; i < tables.runs().size(); ++i) {
    if (tables.runs()[i].state.load(memory_order_acquire) == RunRecord::free) continue;
    runs.push_back(read_run(tables.runs()[i], static_cast<std::uint16_t>(i), text, now_ns));
  }
  std::ranges::sort(runs, [](RunState const& a, RunState const& b) {
    if (a.service != b.service) return b.service;
    return a.age_ns != b.age_ns ? a.age_ns > b.age_ns : a.index < b.index;
  });
  return runs;
}

ExecutorState read_executor(Tables& tables, TextOf const& text, std::int64_t now_ns) {
  ExecutorState state;
  state.now_ns = now_ns;
  auto const& header = tables.header();
  state.process = header.process;
  state.up_ns = age(now_ns, header.started_monotonic_ns);
  for (unsigned char const byte : header.build_id) {
    state.build_id += "0123456789abcdef"[byte >> 4];
    state.build_id += "0123456789abcdef"[byte & 15];
  }
  read_loop(state.loop, tables, text, now_ns);
  auto const& scheduler = tables.scheduler();
  std::int64_t const due = scheduler.next_due_ns.load(memory_order_relaxed);
  state.scheduled = due != kNever && due != 0;
  state.next_due_in_ns = state.scheduled ? from_to(now_ns, due) : 0;
  state.last_pass_age_ns = age(now_ns, scheduler.last_pass_ns.load(memory_order_relaxed));
  state.passes = scheduler.passes.load(memory_order_relaxed);
  state.runs = read_runs(tables, text, now_ns);
  for (auto& run : state.runs) run.handler = state.loop.running && state.loop.run == run.index;
  read_operations(state, tables, text);
  read_threads(state, tables, text);
  return state;
}

}  // namespace canary::dump
