// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/sample/tables_view.h"

#include "daemon/text/fixed_text.h"

namespace canary::watchdog {
namespace {

using runtime::FrameRecord;
using runtime::RunRecord;
using runtime::Tables;
using std::memory_order_acquire;
using std::memory_order_relaxed;

constexpr std::uint32_t bit(std::size_t index) { return std::uint32_t{1} << index; }

struct Rows {
  std::uint32_t used = 0, parents = 0;
  std::array<std::uint8_t, runtime::kFramesPerRun> parent{};
};

Rows rows_of(RunRecord const& run) {
  Rows rows;
  rows.used = run.used_frames.load(memory_order_relaxed);
  for (std::size_t i = 0; i < runtime::kFramesPerRun; ++i) {
    if ((rows.used & bit(i)) == 0) continue;
    std::uint8_t const parent = run.frames.data()[i].parent.load(memory_order_relaxed);
    rows.parent.data()[i] = parent;
    if (parent < runtime::kFramesPerRun) rows.parents |= bit(parent);
  }
  return rows;
}

int depth_of(Rows const& rows, std::size_t row) {
  int depth = 0;
  while (row < runtime::kFramesPerRun && depth < 40) {
    row = rows.parent.data()[row];
    ++depth;
  }
  return depth;
}

void fill_name(Place& place, RunRecord const& run) {
  auto const name = run.name.bytes();
  copy_text(place.name, std::string_view{name.data()});
}

void point_at(Place& place, FrameRecord const& row) {
  place.operation = row.name.load(memory_order_relaxed);
  place.file = row.file.load(memory_order_relaxed);
  place.line = row.line.load(memory_order_relaxed);
}

bool is_lookup(FrameRecord const& row) {
  char const* const name = runtime::text_at(row.name.load(memory_order_relaxed));
  return __builtin_strncmp(name, "dns.", 4) == 0;
}

}  // namespace

void say_where(Incident& incident, Place const& place) {
  incident.run = place.run;
  incident.generation = place.generation;
  incident.operation = place.operation;
  incident.file = place.file;
  incident.function = place.function;
  incident.line = place.line;
  incident.name = place.name;
}

Place handler_place(Tables& tables) {
  runtime::Operation const operation = runtime::operation_of_handler(tables);
  Place place;
  place.operation = operation.operation;
  place.file = operation.file;
  place.function = operation.function;
  place.line = operation.line;
  place.run = operation.run;
  if (place.run < tables.runs().size()) {
    RunRecord const& run = tables.runs().data()[place.run];
    place.generation = run.generation.load(memory_order_relaxed);
    place.probe = run.kind.load(memory_order_relaxed) == RunRecord::probe;
    fill_name(place, run);
    // The row that the handler resumed tells the await's line where Asio does not.
    if (place.file == 0 && operation.frame < runtime::kFramesPerRun) {
      point_at(place, run.frames.data()[operation.frame]);
    }
  }
  return place;
}

RunView view_run(Tables& tables, std::uint16_t index) {
  RunRecord const& run = tables.runs().data()[index];
  RunView view;
  std::uint32_t const sequence = run.sequence.load(memory_order_acquire);
  std::uint8_t const state = run.state.load(memory_order_relaxed);
  if (state == RunRecord::free || run.kind.load(memory_order_relaxed) != RunRecord::probe) {
    return view;
  }
  view.live = true;
  view.place.run = index;
  view.place.probe = true;
  view.place.generation = run.generation.load(memory_order_relaxed);
  fill_name(view.place, run);
  RunFacts& facts = view.facts;
  facts.cancelling = state == RunRecord::cancelling;
  facts.asked = run.ask_cancel.load(memory_order_relaxed) == view.place.generation;
  facts.started_ns = run.started_ns.load(memory_order_relaxed);
  facts.deadline_ns = run.deadline_ns.load(memory_order_relaxed);
  facts.cancelling_ns = run.cancelling_ns.load(memory_order_relaxed);
  facts.progress_ns = run.progress_ns.load(memory_order_relaxed);
  facts.in_handler = tables.loop().handler_since_ns.load(memory_order_relaxed) != 0 &&
                     runtime::operation_of_handler(tables).run == index;

  Rows const rows = rows_of(run);
  int deepest = 0;
  std::int64_t oldest = INT64_MAX;
  for (std::size_t i = 0; i < runtime::kFramesPerRun; ++i) {
    if ((rows.used & bit(i)) == 0) continue;
    FrameRecord const& row = run.frames.data()[i];
    std::int64_t const since = row.since_ns.load(memory_order_relaxed);
    if (is_lookup(row) && (view.lookup_ns == 0 || since < view.lookup_ns)) {
      view.lookup_ns = since;
      point_at(view.lookup, row);
    }
    if ((rows.parents & bit(i)) != 0) continue;
    int const depth = depth_of(rows, i);
    if (depth > deepest || (depth == deepest && since < oldest)) {
      deepest = depth;
      oldest = since;
      point_at(view.place, row);
    }
  }
  view.lookup.run = index;
  view.lookup.generation = view.place.generation;
  view.lookup.name = view.place.name;
  std::atomic_thread_fence(memory_order_acquire);
  view.torn = sequence % 2 == 1 || run.sequence.load(memory_order_relaxed) != sequence;
  return view;
}

bool find_orphan(Tables& tables, std::uint16_t index) {
  RunRecord const& run = tables.runs().data()[index];
  std::uint32_t awaited = 0;
  for (runtime::OperationRecord const& operation : tables.operations()) {
    runtime::OperationHead const head = operation.load_head();
    if (head.state != runtime::OperationHead::pending || head.run != index) continue;
    if (head.frame < runtime::kFramesPerRun) awaited |= bit(head.frame);
  }
  Rows const rows = rows_of(run);
  std::uint32_t const tips = rows.used & ~rows.parents;
  return (tips & ~awaited) != 0;
}

}  // namespace canary::watchdog
