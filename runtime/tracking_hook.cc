// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <boost/asio/detail/handler_tracking.hpp>
#include <boost/asio/execution_context.hpp>

#include "runtime/leaf.h"
#include "runtime/refusal.h"
#include "runtime/tables.h"

namespace canary::runtime {

namespace tracking {
namespace {

// Handlers below this are not worth comparing with the longest; the coarse clock's own step.
constexpr std::int64_t kLongHandler = 4'000'000;

using std::memory_order_relaxed;
using std::memory_order_release;

CANARY_FAST_TLS constinit thread_local Location* innermost = nullptr;

// Records that the loop thread may take, as a stack of indices; nobody else touches it. The rest of
// the table is for operations made on other threads (they post results), claimed one by one.
struct FreeRecords {
  std::uint32_t* items = nullptr;
  std::uint32_t count = 0;
  std::uint32_t foreign_from = 0;  // first index of the others' part
};
constinit FreeRecords free_records;

// The one context that operations may belong to.
constinit std::atomic<boost::asio::execution_context const*> the_context{nullptr};

// An index + 1, or 0 where the table is full.
std::uint32_t claim(Tables& tables) {
  auto const operations = tables.operations();
  if (on_loop_thread) {
    if (free_records.count == 0) return 0;
    std::uint32_t const index = free_records.items[--free_records.count];
    operations[index].pending.store(1, memory_order_relaxed);
    return index + 1;
  }
  for (std::size_t i = free_records.foreign_from; i < operations.size(); ++i) {
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
  if (index < free_records.foreign_from) free_records.items[free_records.count++] = index;
}

// Keeps the longest handler of each kind, kLongest kinds at most: the shortest makes room.
void note_long(LoopRecord& loop, std::int64_t nanoseconds) {
  HandlerRecord* shortest = nullptr;
  for (auto& each : loop.longest) {
    bool const same =
        each.operation.load(memory_order_relaxed) == loop.operation.load(memory_order_relaxed) &&
        each.file.load(memory_order_relaxed) == loop.file.load(memory_order_relaxed) &&
        each.line.load(memory_order_relaxed) == loop.line.load(memory_order_relaxed);
    if (same) {
      shortest = &each;
      break;
    }
    if (shortest == nullptr || each.nanoseconds.load(memory_order_relaxed) <
                                   shortest->nanoseconds.load(memory_order_relaxed)) {
      shortest = &each;
    }
  }
  if (shortest->nanoseconds.load(memory_order_relaxed) >= nanoseconds) return;
  shortest->object_type.store(loop.object_type.load(memory_order_relaxed), memory_order_relaxed);
  shortest->operation.store(loop.operation.load(memory_order_relaxed), memory_order_relaxed);
  shortest->file.store(loop.file.load(memory_order_relaxed), memory_order_relaxed);
  shortest->function.store(loop.function.load(memory_order_relaxed), memory_order_relaxed);
  shortest->line.store(loop.line.load(memory_order_relaxed), memory_order_relaxed);
  shortest->nanoseconds.store(nanoseconds, memory_order_relaxed);
}

// A handler inside a handler of the same thread: somebody runs the loop inside itself.
[[noreturn]] void refuse_nested_run(LoopRecord const& loop, TextOffset file, std::uint32_t line) {
  char text[512];
  int const size = std::snprintf(
      text, sizeof text,
      "canaryd: a nested run of the loop: while the handler of %s (%s:%u) ran, one of %s:%u was "
      "run; run() and poll() inside a handler block the loop in itself, so it is refused\n",
      text_at(loop.operation.load(memory_order_relaxed)),
      text_at(loop.file.load(memory_order_relaxed)), loop.line.load(memory_order_relaxed),
      text_at(file), line);
  if (size > 0) {
    [[maybe_unused]] auto const written = ::write(2, text, static_cast<std::size_t>(size));
  }
  std::abort();
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

void adopt(boost::asio::execution_context const& context, Tables& tables) {
  the_context.store(&context, memory_order_release);
  if (free_records.items != nullptr) return;  // the tables outlive their first loop
  auto const count = static_cast<std::uint32_t>(tables.operations().size());
  free_records.foreign_from = count - count / 16;
  free_records.items = new std::uint32_t[free_records.foreign_from];  // for the process's life
  for (std::uint32_t i = free_records.foreign_from; i > 0; --i) {
    free_records.items[free_records.count++] = i - 1;
  }
}

Location::Location(char const* file, int line, char const* function) noexcept
    : file_(file), function_(function), line_(line), outer_(innermost) {
  if (file_ != nullptr) innermost = this;
}

Location::~Location() {
  if (file_ != nullptr) innermost = outer_;
}

void created(boost::asio::execution_context& context, Tracked const& operation,
             char const* object_type, void const* object, std::uintmax_t native_handle,
             char const* name) {
  operation.record = 0;
  Tables* const all = tables();
  if (all == nullptr) return;
  if (&context != the_context.load(memory_order_relaxed)) {
    throw SecondLoop(std::string{"an operation ("} + object_type + " " + name +
                     ") was started on another context than canaryd's Loop; a second runtime in "
                     "one process is refused");
  }
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
  row.since_ns.store(coarse_now_ns(), memory_order_relaxed);
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
  if (loop.depth.load(memory_order_relaxed) > 0) refuse_nested_run(loop, file_, line_);
  loop.object_type.store(object_type_, memory_order_relaxed);
  loop.operation.store(operation_, memory_order_relaxed);
  loop.file.store(file_, memory_order_relaxed);
  loop.function.store(function_, memory_order_relaxed);
  loop.line.store(line_, memory_order_relaxed);
  loop.run.store(run_, memory_order_relaxed);
  loop.frame.store(frame_, memory_order_relaxed);
  loop.depth.store(loop.depth.load(memory_order_relaxed) + 1, memory_order_relaxed);
  loop.handler_since_ns.store(coarse_now_ns(), memory_order_release);
}

void Completion::end() noexcept {
  if (!running_) return;
  running_ = false;
  current_leaf = {};
  LoopRecord& loop = tables()->loop();
  std::int64_t const took = coarse_now_ns() - loop.handler_since_ns.load(memory_order_relaxed);
  if (took > kLongHandler) note_long(loop, took);
  loop.depth.store(loop.depth.load(memory_order_relaxed) - 1, memory_order_relaxed);
  loop.handlers.store(loop.handlers.load(memory_order_relaxed) + 1, memory_order_relaxed);
  loop.handler_since_ns.store(0, memory_order_release);
}

Completion::~Completion() { end(); }

}  // namespace tracking
}  // namespace canary::runtime
