// SPDX-License-Identifier: Apache-2.0
// What Boost.Asio calls for every operation it creates, completes and runs a handler for
// (BOOST_ASIO_CUSTOM_HANDLER_TRACKING). Every translation unit of the program sees this header:
// it changes the layout of Asio's operations. Asio includes it; nobody else does.
// Thread: the loop's, and any thread that posts to the loop.
// Source: boost/asio/detail/handler_tracking.hpp of 1.81, plus BOOST_ASIO_HANDLER_LOCATION, which
// its list of required macros leaves out.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <boost/asio/version.hpp>

#include "runtime/leaf.h"
#include "runtime/tables.h"

namespace boost::asio {
class execution_context;
}

namespace canary::runtime::tracking {

// The base of every Asio operation: remembers its record in the table.
class Tracked {
 public:
  mutable std::uint32_t record = 0;  // index + 1; 0 is "not recorded"

 protected:
  Tracked() = default;
  ~Tracked() = default;
};

// What the loop thread needs at each operation, in one place. Written before the loop runs, then by
// the loop thread alone.
struct Hot {
  LoopRecord* loop = nullptr;
  OperationRecord* operations = nullptr;
  std::uint32_t* free_items = nullptr;  // indices that the loop thread may take: a stack
  std::uint32_t free_count = 0;
  std::uint32_t foreign_from = 0;  // from here on records are for other threads
  char const* image = nullptr;     // what text offsets count from
  std::int64_t now_ns = 0;         // when the handler that runs began: good enough for its children
  std::atomic<boost::asio::execution_context const*> context{nullptr};  // the only one there may be
};
// Named after the version of Asio: a file compiled against another one does not link with ours.
#define CANARY_JOIN_NOW(a, b) a##b
#define CANARY_JOIN(a, b) CANARY_JOIN_NOW(a, b)
#define CANARY_HOT_OF_THIS_ASIO CANARY_JOIN(hot_of_asio_, BOOST_ASIO_VERSION)
extern constinit Hot CANARY_HOT_OF_THIS_ASIO;
inline constexpr Hot& hot = CANARY_HOT_OF_THIS_ASIO;

// A file without this header does not link with ours either, for its operations have another
// layout: it asks for the plain name of the function that every operation is handed to.
#define post_immediate_completion \
  CANARY_JOIN(post_immediate_completion_with_the_hook_of_asio_, BOOST_ASIO_VERSION)

// Called once for each scheduler ever built. Throws SecondLoop for one that no Loop asked for.
void scheduler_created();

// From now on operations may belong to `context` and to no other. For Loop.
void adopt(boost::asio::execution_context const& context, Tables& tables);

// A source location in force while a composed operation starts its parts.
class Location {
 public:
  Location(char const* file, int line, char const* function) noexcept
      : file_(file), function_(function), line_(line), outer_(innermost) {
    if (file_ != nullptr) innermost = this;
  }
  ~Location() {
    if (file_ != nullptr) innermost = outer_;
  }
  Location(Location const&) = delete;
  Location& operator=(Location const&) = delete;

  // The outermost location is our own call; those inside are Asio's composed operations.
  static Location const* outermost() {
    Location const* where = innermost;
    while (where != nullptr && where->outer_ != nullptr) where = where->outer_;
    return where;
  }
  char const* file() const { return file_; }
  char const* function() const { return function_; }
  int line() const { return line_; }

 private:
  CANARY_FAST_TLS static inline constinit thread_local Location* innermost = nullptr;
  char const* file_;
  char const* function_;
  int line_;
  Location* outer_;
};

// An index + 1 for an operation made on another thread than the loop's; 0 where there is none.
std::uint32_t claim_foreign();
[[noreturn]] void refuse_foreign_context(char const* object_type, char const* name);
[[noreturn]] void refuse_nested_run(std::uint32_t record);
// Keeps the longest handler of each kind.
void note_long(std::int64_t nanoseconds);

inline TextOffset offset_in_image(char const* text) {
  return text == nullptr ? 0 : static_cast<TextOffset>(text - hot.image);
}

// Throws SecondLoop where `context` is not the Loop's.
inline void created(boost::asio::execution_context& context, Tracked const& operation,
                    char const* object_type, void const* object, std::uintmax_t native_handle,
                    char const* name) {
  using std::memory_order_relaxed;
  operation.record = 0;
  if (hot.operations == nullptr) return;
  if (&context != hot.context.load(memory_order_relaxed)) refuse_foreign_context(object_type, name);
  std::int64_t now = 0;
  std::uint32_t record = 0;
  if (on_loop_thread) {
    if (hot.free_count > 0) record = hot.free_items[--hot.free_count] + 1;
    now = hot.now_ns;
  } else {
    record = claim_foreign();
    now = coarse_now_ns();
  }
  if (record == 0) {
    hot.loop->operations_lost.fetch_add(1, memory_order_relaxed);
    return;
  }
  operation.record = record;
  OperationRecord& row = hot.operations[record - 1];
  OperationHead const head = row.load_head(memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  row.since_ns.store(now, memory_order_relaxed);
  row.object.store(reinterpret_cast<std::uintptr_t>(object), memory_order_relaxed);
  row.native_handle.store(native_handle, memory_order_relaxed);
  row.kind.store(pair_of(offset_in_image(object_type), offset_in_image(name)),
                 memory_order_relaxed);
  if (Location const* const where = Location::outermost(); where != nullptr) {
    row.place.store(pair_of(offset_in_image(where->file()), offset_in_image(where->function())),
                    memory_order_relaxed);
    row.line.store(static_cast<std::uint32_t>(where->line()), memory_order_relaxed);
  } else {
    row.place.store(0, memory_order_relaxed);
    row.line.store(0, memory_order_relaxed);
  }
  row.store_head({.turn = head.turn + 1,
                  .run = current_leaf.run,
                  .frame = current_leaf.frame,
                  .state = OperationHead::pending},
                 std::memory_order_release);
}

// Lives from the moment an operation is complete until its handler has returned; so does the
// operation's record, which tells readers whose handler runs.
class Completion {
 public:
  explicit Completion(Tracked const& operation) noexcept : record_(operation.record) {
    operation.record = 0;
  }
  ~Completion() {
    end();
    if (record_ == 0) return;
    OperationRecord& row = hot.operations[record_ - 1];
    OperationHead head = row.load_head(std::memory_order_relaxed);
    head.state = OperationHead::free;
    row.store_head(head, std::memory_order_release);
    if (record_ <= hot.foreign_from) hot.free_items[hot.free_count++] = record_ - 1;
  }
  Completion(Completion const&) = delete;
  Completion& operator=(Completion const&) = delete;

  template <class... Results>
  void begin(Results const&...) noexcept {
    using std::memory_order_relaxed;
    if (!on_loop_thread || hot.loop == nullptr) return;
    LoopRecord& loop = *hot.loop;
    if (loop.handler_since_ns.load(memory_order_relaxed) != 0) refuse_nested_run(record_);
    running_ = true;
    if (record_ != 0) {
      OperationRecord& row = hot.operations[record_ - 1];
      OperationHead head = row.load_head(memory_order_relaxed);
      current_leaf = {head.run, head.frame};
      head.state = OperationHead::running;
      row.store_head(head, memory_order_relaxed);
    }
    loop.handler.store(record_, memory_order_relaxed);
    hot.now_ns = coarse_now_ns();
    loop.handler_since_ns.store(hot.now_ns, std::memory_order_release);
  }
  void end() noexcept {
    using std::memory_order_relaxed;
    if (!running_) return;
    running_ = false;
    current_leaf = {};
    LoopRecord& loop = *hot.loop;
    std::int64_t const took = coarse_now_ns() - hot.now_ns;
    if (took > kLongHandlerNs) note_long(took);
    loop.handlers.store(loop.handlers.load(memory_order_relaxed) + 1, memory_order_relaxed);
    loop.handler_since_ns.store(0, std::memory_order_release);
  }

 private:
  // Handlers below this are not worth comparing with the longest: the coarse clock's own step.
  static constexpr std::int64_t kLongHandlerNs = 4'000'000;

  std::uint32_t record_;
  bool running_ = false;
};

template <class... Arguments>
inline void ignore(Arguments const&...) noexcept {}

}  // namespace canary::runtime::tracking

#define BOOST_ASIO_INHERIT_TRACKED_HANDLER : public canary::runtime::tracking::Tracked
#define BOOST_ASIO_ALSO_INHERIT_TRACKED_HANDLER , public canary::runtime::tracking::Tracked
#define BOOST_ASIO_HANDLER_TRACKING_INIT canary::runtime::tracking::scheduler_created()
#define BOOST_ASIO_HANDLER_LOCATION(arguments) \
  canary::runtime::tracking::Location tracked_location arguments
#define BOOST_ASIO_HANDLER_CREATION(arguments) canary::runtime::tracking::created arguments
#define BOOST_ASIO_HANDLER_COMPLETION(arguments) \
  canary::runtime::tracking::Completion tracked_completion arguments
#define BOOST_ASIO_HANDLER_INVOCATION_BEGIN(arguments) tracked_completion.begin arguments
#define BOOST_ASIO_HANDLER_INVOCATION_END tracked_completion.end()
#define BOOST_ASIO_HANDLER_OPERATION(arguments) canary::runtime::tracking::ignore arguments
#define BOOST_ASIO_HANDLER_REACTOR_REGISTRATION(arguments) \
  canary::runtime::tracking::ignore arguments
#define BOOST_ASIO_HANDLER_REACTOR_DEREGISTRATION(arguments) \
  canary::runtime::tracking::ignore arguments
#define BOOST_ASIO_HANDLER_REACTOR_READ_EVENT 1
#define BOOST_ASIO_HANDLER_REACTOR_WRITE_EVENT 2
#define BOOST_ASIO_HANDLER_REACTOR_ERROR_EVENT 4
#define BOOST_ASIO_HANDLER_REACTOR_EVENTS(arguments) canary::runtime::tracking::ignore arguments
#define BOOST_ASIO_HANDLER_REACTOR_OPERATION(arguments) canary::runtime::tracking::ignore arguments
