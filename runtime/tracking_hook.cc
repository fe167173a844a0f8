// SPDX-License-Identifier: Apache-2.0
#include "runtime/tracking_hook.h"

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstdio>
#include <string>
#include <string_view>

#include <boost/asio/execution_context.hpp>

#include "runtime/crash.h"
#include "runtime/refusal.h"

namespace canary::runtime::tracking {

using std::memory_order_relaxed;

constinit Hot CANARY_HOT_OF_THIS_ASIO;

namespace {

// "thread "loop" at libfoo.so+0x1f30": who is at it, as far as the program can tell.
std::string describe_caller(void const* address) {
  std::array<char, 16> name{};
  ::pthread_getname_np(::pthread_self(), name.data(), name.size());
  std::string text = "thread \"" + std::string{name.data()} + "\"";
  Dl_info where{};
  if (::dladdr(address, &where) == 0 || where.dli_fname == nullptr) return text;
  std::string_view const file = where.dli_fname;
  std::array<char, 24> offset{};
  std::snprintf(offset.data(), offset.size(), "+0x%zx",
                static_cast<std::size_t>(static_cast<char const*>(address) -
                                         static_cast<char const*>(where.dli_fbase)));
  return text + " at " + std::string{file.substr(file.rfind('/') + 1)} + offset.data();
}

std::string describe_the_loop() {
  std::string const place = place_of_the_loop();
  return place.empty() ? "canaryd's own Loop is not made yet"
                       : "canaryd's only Loop was made at " + place;
}

}  // namespace

void scheduler_created() {
  if (scheduler_permit) return;
  // Called by the scheduler's constructor, that by the context's, and that by the culprit; the two
  // are compiled here, with frame pointers.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wframe-address"
  void const* const culprit = __builtin_return_address(2);
#pragma GCC diagnostic pop
  throw SecondLoop(
      "a second Asio scheduler (an io_context, thread_pool or system_executor) is being built by " +
      describe_caller(culprit) + "; " + describe_the_loop() +
      "; several runtimes in one process block inside each other, so it is refused");
}

void adopt(boost::asio::execution_context const& context, Tables& tables) {
  hot.context.store(&context, memory_order_relaxed);
  if (hot.free_items != nullptr) return;  // the tables outlive their first loop
  auto const count = static_cast<std::uint32_t>(tables.operations().size());
  hot.foreign_from = count - count / 16;
  hot.free_items = new std::uint32_t[hot.foreign_from];  // for the process's life
  for (std::uint32_t i = hot.foreign_from; i > 0; --i) hot.free_items[hot.free_count++] = i - 1;
  hot.image = image_start();
  hot.loop = &tables.loop();
  hot.operations = tables.operations().data();
}

std::uint32_t claim_foreign() {
  auto const count = static_cast<std::uint32_t>(tables()->operations().size());
  for (std::uint32_t i = hot.foreign_from; i < count; ++i) {
    auto& head = hot.operations[i].head;
    std::uint64_t expected = head.load(memory_order_relaxed);
    auto claimed = std::bit_cast<OperationHead>(expected);
    if (claimed.state != OperationHead::free) continue;
    claimed.state = OperationHead::claimed;
    if (head.compare_exchange_strong(expected, std::bit_cast<std::uint64_t>(claimed),
                                     std::memory_order_acquire)) {
      return i + 1;
    }
  }
  return 0;
}

void refuse_foreign_context(char const* object_type, char const* name) {
  throw SecondLoop(std::string{"an operation ("} + object_type + " " + name +
                   ") was started on another context; " + describe_the_loop() +
                   "; a second runtime in one process is refused");
}

// A handler inside a handler of the same thread: somebody runs the loop inside itself.
void refuse_nested_run(std::uint32_t record) {
  Operation const outer = operation_of_handler(*tables());
  Operation inner;
  if (record != 0) hot.operations[record - 1].read(inner);
  char text[512];
  int const size = std::snprintf(
      text, sizeof text,
      "canaryd: a nested run of the loop: while the handler of %s (%s:%u) ran, one of %s:%u was "
      "run; run() and poll() inside a handler block the loop in itself, so it is refused\n",
      text_at(outer.operation), text_at(outer.file), outer.line, text_at(inner.file), inner.line);
  if (size > 0) {
    [[maybe_unused]] auto const written = ::write(2, text, static_cast<std::size_t>(size));
  }
  end_by_defect("a nested run of the loop");
}

// At most kLongest kinds: the shortest makes room.
void note_long(std::int64_t nanoseconds) {
  Operation const mine = operation_of_handler(*tables());
  std::uint64_t const kind = pair_of(mine.object_type, mine.operation);
  std::uint64_t const place = pair_of(mine.file, mine.function);
  HandlerRecord* shortest = nullptr;
  for (auto& each : hot.loop->longest) {
    if (each.kind.load(memory_order_relaxed) == kind &&
        each.place.load(memory_order_relaxed) == place &&
        each.line.load(memory_order_relaxed) == mine.line) {
      shortest = &each;
      break;
    }
    if (shortest == nullptr || each.nanoseconds.load(memory_order_relaxed) <
                                   shortest->nanoseconds.load(memory_order_relaxed)) {
      shortest = &each;
    }
  }
  if (shortest->nanoseconds.load(memory_order_relaxed) >= nanoseconds) return;
  shortest->kind.store(kind, memory_order_relaxed);
  shortest->place.store(place, memory_order_relaxed);
  shortest->line.store(mine.line, memory_order_relaxed);
  shortest->nanoseconds.store(nanoseconds, memory_order_relaxed);
}

}  // namespace canary::runtime::tracking
