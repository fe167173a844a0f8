// SPDX-License-Identifier: Apache-2.0
#include <time.h>

#include <atomic>
#include <string>
#include <vector>

#include <boost/asio/detail/handler_tracking.hpp>
#include <boost/asio/execution_context.hpp>

#include "runtime/leaf.h"
#include "runtime/refusal.h"
#include "runtime/tables.h"

namespace canary::runtime {

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

namespace tracking {
namespace {

using std::memory_order_relaxed;
using std::memory_order_release;

constinit thread_local Location* innermost = nullptr;

// Records for operations made on other threads than the loop's (they post results): claimed one by
// one. The loop's own come from a list that nobody else touches.
std::size_t foreign_from(Tables& tables) {
  return tables.operations().size() - tables.operations().size() / 16;
}

std::vector<std::uint32_t>& free_records(Tables& tables) {
  static std::vector<std::uint32_t> list = [&tables] {
    std::vector<std::uint32_t> all;
    for (std::size_t i = foreign_from(tables); i > 0; --i) {
      all.push_back(static_cast<std::uint32_t>(i - 1));
    }
    return all;
  }();
  return list;
}

// An index + 1, or 0 where the table is full.
std::uint32_t claim(Tables& tables) {
  if (on_loop_thread) {
    auto& list = free_records(tables);
    if (list.empty()) return 0;
    std::uint32_t const index = list.back();
    list.pop_back();
    tables.operations()[index].pending.store(1, memory_order_relaxed);
    return index + 1;
  }
  auto const operations = tables.operations();
  for (std::size_t i = foreign_from(tables); i < operations.size(); ++i) {
    std::uint8_t expected = 0;
    if (operations[i].pending.load(memory_order_relaxed) == 0 &&
        operations[i].pending.compare_exchange_strong(expected, 1, std::memory_order_acquire)) {
      return static_cast<std::uint32_t>(i + 1);
    }
  }
  return 0;
}

void release(Tables& tables, std::uint32_t record) {
  std::uint32_t const index = record - 1;
  tables.operations()[index].pending.store(0, memory_order_release);
  if (index < foreign_from(tables)) free_records(tables).push_back(index);
}

}  // namespace

void scheduler_created() {
  if (!scheduler_permit) {
    throw SecondLoop(
        "a second Asio scheduler was built (an io_context, thread_pool or system_executor besides "
        "canaryd's Loop); several runtimes in one process block inside each other, so it is "
        "refused");
  }
}

Location::Location(char const* file, int line, char const* function) noexcept
    : file_(file), function_(function), line_(line), outer_(innermost) {
  if (file_ != nullptr) innermost = this;
}

Location::~Location() {
  if (file_ != nullptr) innermost = outer_;
}

void created(boost::asio::execution_context&, Tracked const& operation, char const* object_type,
             void const* object, std::uintmax_t native_handle, char const* name) noexcept {
  operation.record = 0;
  Tables* const all = tables();
  if (all == nullptr) return;
  std::uint32_t const record = claim(*all);
  if (record == 0) {
    all->loop().operations_lost.fetch_add(1, memory_order_relaxed);
    return;
  }
  operation.record = record;
  OperationRecord& row = all->operations()[record - 1];
  std::uint32_t const sequence = row.sequence.load(memory_order_relaxed);
  row.sequence.store(sequence + 1, memory_order_relaxed);
  std::atomic_thread_fence(memory_order_release);
  row.since_ns.store(now_ns(), memory_order_relaxed);
  row.object.store(reinterpret_cast<std::uintptr_t>(object), memory_order_relaxed);
  row.native_handle.store(native_handle, memory_order_relaxed);
  row.object_type.store(text_offset(object_type), memory_order_relaxed);
  row.operation.store(text_offset(name), memory_order_relaxed);
  // The outermost location is our own call; those inside are Asio's composed operations.
  Location const* where = innermost;
  while (where != nullptr && where->outer_ != nullptr) where = where->outer_;
  row.file.store(where == nullptr ? 0 : text_offset(where->file_), memory_order_relaxed);
  row.function.store(where == nullptr ? 0 : text_offset(where->function_), memory_order_relaxed);
  row.line.store(where == nullptr ? 0 : static_cast<std::uint32_t>(where->line_),
                 memory_order_relaxed);
  row.run.store(current_leaf.run, memory_order_relaxed);
  row.frame.store(current_leaf.frame, memory_order_relaxed);
  row.sequence.store(sequence + 2, memory_order_release);
}

Completion::Completion(Tracked const& operation) noexcept : run_(kNoRun), frame_(kNoFrame) {
  Tables* const all = tables();
  std::uint32_t const record = operation.record;
  if (all == nullptr || record == 0) return;
  OperationRecord& row = all->operations()[record - 1];
  object_type_ = row.object_type.load(memory_order_relaxed);
  operation_ = row.operation.load(memory_order_relaxed);
  file_ = row.file.load(memory_order_relaxed);
  function_ = row.function.load(memory_order_relaxed);
  line_ = row.line.load(memory_order_relaxed);
  run_ = row.run.load(memory_order_relaxed);
  frame_ = row.frame.load(memory_order_relaxed);
  operation.record = 0;
  release(*all, record);
}

void Completion::begin_handler() noexcept {
  Tables* const all = tables();
  if (all == nullptr || !on_loop_thread) return;
  running_ = true;
  current_leaf = {run_, frame_};
  LoopRecord& loop = all->loop();
  loop.object_type.store(object_type_, memory_order_relaxed);
  loop.operation.store(operation_, memory_order_relaxed);
  loop.file.store(file_, memory_order_relaxed);
  loop.function.store(function_, memory_order_relaxed);
  loop.line.store(line_, memory_order_relaxed);
  loop.run.store(run_, memory_order_relaxed);
  loop.frame.store(frame_, memory_order_relaxed);
  loop.depth.store(loop.depth.load(memory_order_relaxed) + 1, memory_order_relaxed);
  loop.handler_since_ns.store(now_ns(), memory_order_release);
}

void Completion::end() noexcept {
  if (!running_) return;
  running_ = false;
  current_leaf = {};
  LoopRecord& loop = tables()->loop();
  std::uint32_t const depth = loop.depth.load(memory_order_relaxed);
  loop.depth.store(depth - 1, memory_order_relaxed);
  loop.handlers.store(loop.handlers.load(memory_order_relaxed) + 1, memory_order_relaxed);
  if (depth == 1) loop.handler_since_ns.store(0, memory_order_release);
}

Completion::~Completion() { end(); }

}  // namespace tracking
}  // namespace canary::runtime
