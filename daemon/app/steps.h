// SPDX-License-Identifier: Apache-2.0
// What start, reload and stop are at, for who waits for them; and when that is worth a line.
// Thread: see each.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include "runtime/stage.h"

namespace canary::daemon {

class Steps {
 public:
  // Thread: control.
  void enter(std::string_view what) { own_.enter(what); }
  void goes_on() { own_.goes_on(); }
  // Somebody else's steps are what is waited for, until end_reading().
  std::shared_ptr<runtime::Stage> begin_reading();
  void end_reading();

  // Thread: any. The lock is held for a pointer's length, never while anything is read.
  runtime::Stage::Seen look() const;

 private:
  runtime::Stage own_;
  mutable std::mutex mutex_;
  std::shared_ptr<runtime::Stage> reading_;
};

// How many lines a step that has lasted for so long is worth: one after 5 s, then one every 30 s.
std::size_t lines_due(std::chrono::nanoseconds age);

// Says once for each line that it is due.
class StandingStill {
 public:
  bool due(runtime::Stage::Seen const& seen);

 private:
  std::uint64_t entered_ = 0;
  std::size_t told_ = 0;
};

}  // namespace canary::daemon
