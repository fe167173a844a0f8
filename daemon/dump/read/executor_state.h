// SPDX-License-Identifier: Apache-2.0
// The tables as plain values: what the loop, every run, every operation and every thread is at.
// Reads live tables while they are written (a record that keeps moving is marked so, never
// undefined), and copied ones of another process alike.
// Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/tables.h"

namespace canary::dump {

// Gives a static text by its offset; "" for none, "?" for one it does not know.
using TextOf = std::function<std::string(runtime::TextOffset)>;
// Of this program itself.
TextOf own_texts();

// Where in the source something was asked for. Empty where nobody said.
struct Place {
  std::string file, function;
  std::uint32_t line = 0;
};

struct FrameState {
  std::string name, detail;
  Place place;
  bool wait = false;
  std::uint8_t index = 0;
  std::uint8_t depth = 0;  // 1 under the run
  std::int64_t age_ns = 0;
  bool waited_for = false;  // an operation is pending for it or for a row under it
};

struct RunState {
  std::uint16_t index = 0;
  std::uint32_t generation = 0;
  std::string name;
  bool service = false, cancelling = false, ask_cancel = false, stalled = false;
  bool moving = false;   // it was written while being read, again and again
  bool handler = false;  // the handler that runs now is its own
  std::int64_t age_ns = 0, deadline_in_ns = 0, cancelling_for_ns = 0, progress_age_ns = 0;
  bool has_deadline = false;
  std::uint64_t progress = 0;
  std::uint32_t frames_lost = 0;
  std::vector<FrameState> frames;  // parents before their children
};

struct OperationState {
  std::string object_type, operation;
  Place place;
  std::int64_t age_ns = 0;
  std::uint64_t object = 0, handle = 0;
  bool has_handle = false;
  std::uint16_t run = runtime::kNoRun;
  std::string run_name;
  std::string frame_name;
};

struct HandlerState {
  std::string object_type, operation;
  Place place;
  std::int64_t took_ns = 0;  // for the one that runs: so far
};

// Beats in one stretch of the last ten minutes.
struct LagState {
  std::int64_t ago_ns = 0;  // when the stretch ended; 0 for the one that lasts
  std::uint32_t beats = 0;  // 0: none came through
  std::int64_t worst_ns = 0;
};

struct LoopState {
  std::string state;  // "not started", "in run()", "left run()"
  std::int32_t thread = 0;
  std::uint64_t handlers = 0, beats = 0, operations_lost = 0;
  bool running = false;
  HandlerState handler;
  std::uint16_t run = runtime::kNoRun;
  std::int64_t beat_due_in_ns = 0, beat_age_ns = 0;
  std::array<std::uint64_t, runtime::kLagBuckets> lag{};
  std::uint64_t lag_sum_ns = 0;
  std::vector<LagState> lag_history;  // since the start, the latest first
  std::vector<HandlerState> longest;  // the longest first
};

struct ThreadState {
  std::int32_t thread = 0;
  std::string kind, name, job;
  std::int64_t job_age_ns = 0;
  bool busy = false;
  std::uint64_t jobs = 0;
  std::uint32_t queued = 0;
  std::int64_t oldest_queued_age_ns = 0;
};

struct ExecutorState {
  std::int64_t now_ns = 0;
  std::int32_t process = 0;
  std::int64_t up_ns = 0;
  std::string build_id;
  LoopState loop;
  std::int64_t next_due_in_ns = 0, last_pass_age_ns = 0;
  bool scheduled = false;
  std::uint64_t passes = 0;
  std::vector<RunState> runs;              // probes before services, the oldest first
  std::vector<OperationState> operations;  // the oldest first
  std::vector<ThreadState> threads;
};

// As in ExecutorState, but for RunState::handler.
std::vector<RunState> read_runs(runtime::Tables& tables, TextOf const& text, std::int64_t now_ns);

// `now_ns` is CLOCK_MONOTONIC's: now, or when the tables were copied.
ExecutorState read_executor(runtime::Tables& tables, TextOf const& text, std::int64_t now_ns);

}  // namespace canary::dump
