// SPDX-License-Identifier: Apache-2.0
// The one timer of a connection: closes its socket when what is due has not happened. Moving the
// due time costs no system call unless it comes nearer than the timer is set.
// Thread: loop.
#pragma once

#include <functional>
#include <memory>

#include "runtime/deadline.h"
#include "runtime/task.h"

namespace canary::fetch {

// By when something must have happened, and what it means if not.
struct Due {
  enum class Why { phase, total, rate };
  runtime::Clock::time_point at = runtime::Clock::time_point::max();
  Why why = Why::phase;

  // The phase's own span from now, within the whole deadline.
  static Due of(runtime::Deadline total, runtime::Clock::duration span);
};

class Guard {
 public:
  // `close` is called at most once, and not after the guard is gone.
  Guard(runtime::Executor executor, std::function<void()> close);
  ~Guard();
  Guard(Guard const&) = delete;
  Guard& operator=(Guard const&) = delete;

  void expect(Due due);
  // Nothing is due any more.
  void pause() { expect(Due{}); }
  bool fired() const;
  // REQUIRES: fired.
  Due::Why why() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace canary::fetch
