// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/tick_watch.h"

#include <algorithm>
#include <utility>

namespace canary::daemon {

TickWatch::Step TickWatch::turn(std::int64_t tick_ns, std::function<Thread()> const& look,
                                int turns) {
  if (tick_ns == 0) return Step::nothing;
  if (tick_ns != last_ns_) {
    last_ns_ = tick_ns;
    turns_ = 0;
    return std::exchange(told_, false) ? Step::over : Step::nothing;
  }
  int const before = std::exchange(turns_, turns_ + std::clamp(turns, 1, kMost));
  if (turns_ / kLook == before / kLook) return Step::nothing;
  Thread const thread = look();
  if (thread.gone) return Step::ended;
  if (turns_ >= kEnd + (thread.traced ? kTracedGrace : 0)) return Step::end;
  if (turns_ < kSaid || std::exchange(told_, true)) return Step::nothing;
  return Step::stalled;
}

}  // namespace canary::daemon
