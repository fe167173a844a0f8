// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/watchdog_dumper.h"

#include <cerrno>
#include <string_view>

namespace canary::dump {

watchdog::Dumper WatchdogDumper::dumper() {
  return {
      .self = this,
      .start =
          [](void* self, watchdog::DumpOrder const& order) {
            return static_cast<WatchdogDumper*>(self)->raw_.start({.number = order.number,
                                                                   .reason = order.reason,
                                                                   .incidents = order.incidents,
                                                                   .decided_ns = order.decided_ns});
          },
      .sample =
          [](void* self, std::int32_t thread) {
            static_cast<WatchdogDumper*>(self)->raw_.sample(thread);
          },
      .finish = [](void* self, watchdog::PathText& path) -> int {
        return static_cast<WatchdogDumper*>(self)->finish(path);
      },
      .poll = [](void* self) { return static_cast<WatchdogDumper*>(self)->poll(); }};
}

int WatchdogDumper::finish(watchdog::PathText& path) {
  DumpResult const result = raw_.finish();
  static_assert(sizeof path == sizeof result.path);
  __builtin_memcpy(path.data(), result.path.data(), path.size());
  // One that is cut short is worth reading, too.
  if (result.bytes > 0 && !result.waits) tell_helper(result.path.data());
  if (result.written) return 0;
  return result.error != 0 ? result.error : EIO;
}

void WatchdogDumper::tell_helper(std::string_view path) {
  if (!helper_.send(path)) untold_.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t WatchdogDumper::poll() {
  for (watchdog::PathText late{}; raw_.next_late(late);) tell_helper(late.data());
  helper_.poll();
  std::uint64_t const unreadable = helper_.failed() + untold();
  std::uint64_t const fresh = unreadable - told_;
  told_ = unreadable;
  return fresh;
}

}  // namespace canary::dump
