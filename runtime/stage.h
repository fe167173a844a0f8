// SPDX-License-Identifier: Apache-2.0
// What a thread is at that may stand still in a file, a lock or another process: readable from
// outside while it does.
// Thread: enter() and goes_on() one at a time; look() any, without a lock.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/tables.h"

namespace canary::runtime {

class Stage {
 public:
  static constexpr std::size_t kBytes = 256;  // a longer text is cut at its end

  // "reading /etc/canaryd/canaryd.yml": from now on.
  void enter(std::string_view what);
  // Still at that, and getting on with it: its age begins anew.
  void goes_on();

  struct Seen {
    std::string what;                 // empty: nothing was entered yet
    std::uint64_t entered = 0;        // counts the calls of both
    std::chrono::nanoseconds age{0};  // since the last one
  };
  Seen look() const;

 private:
  template <class F>
  void write(F const& what);
  std::atomic<std::uint32_t> sequence_{0};  // odd while written
  std::atomic<std::uint64_t> entered_{0};
  std::atomic<std::int64_t> since_ns_{0};
  CopiedText<kBytes> what_;
};

// "reading /x, for 5.2 s".
std::string to_text(Stage::Seen const& seen);

}  // namespace canary::runtime
