// SPDX-License-Identifier: Apache-2.0
// Does the watchdog's thread still tick? The loop's side of "each watches the other". It is counted
// in the loop's own turns: what held everybody accuses nobody.
// Thread: none (pure).
#pragma once

#include <cstdint>
#include <functional>

namespace canary::daemon {

class TickWatch {
 public:
  static constexpr int kLook = 10;          // turns without a tick: is its thread there still?
  static constexpr int kSaid = 90;          // nine seconds, at ten turns a second
  static constexpr int kEnd = 250;          // the process is to end
  static constexpr int kTracedGrace = 200;  // so many more while a debugger holds it
  static constexpr int kMost = 4;           // that one turn of the loop counts for, however late

  enum class Step : std::uint8_t {
    nothing,
    stalled,  // to be told
    over,     // it ticks again
    ended,    // its thread is gone: the process is to end
    end,      // the process is to end
  };
  struct Thread {
    bool gone = false, traced = false;
  };
  // One turn of the loop, which counts for `turns` where it came late. `tick_ns`: when it last
  // ticked; 0: it has not begun. `look` is asked for its thread where that matters.
  Step turn(std::int64_t tick_ns, std::function<Thread()> const& look, int turns = 1);

 private:
  std::int64_t last_ns_ = 0;
  int turns_ = 0;
  bool told_ = false;
};

}  // namespace canary::daemon
