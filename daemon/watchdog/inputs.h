// SPDX-License-Identifier: Apache-2.0
// What others tell the watchdog's thread.
// Thread: Setup is fixed before the thread starts; of Inputs see each member.
#pragma once

#include <signal.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "daemon/watchdog/act/actions.h"
#include "daemon/watchdog/act/dumper.h"
#include "daemon/watchdog/act/listeners.h"
#include "daemon/watchdog/act/memory.h"
#include "daemon/watchdog/act/notify.h"
#include "daemon/watchdog/judge/judgement.h"
#include "daemon/watchdog/sample/answering.h"
#include "daemon/watchdog/sample/self_channels.h"
#include "daemon/watchdog/tell/emergency_board.h"
#include "daemon/watchdog/tell/takeover.h"
#include "runtime/published.h"
#include "runtime/tables.h"

namespace canary::watchdog {

// What may change while the watchdog runs.
struct Settings {
  Limits limits;
  Actions::Policy policy;
};

// What comes once the configuration is read. Given once.
struct Adopted {
  MemoryBlock* block = nullptr;  // instead of the one that there was at first
  int memory = -1;               // eventfd: it is to be written down
  Dumper dumper;
};

using ShortWords = std::array<char, 128>;  // NUL-terminated

// Published members have one writer each: control, the loop's thread for `sentence`.
struct Inputs {
  std::atomic<bool> end{false};
  std::atomic<std::uint64_t> progress{0};
  std::atomic<std::uint32_t> ready{0}, reloading{0}, reloaded{0};  // how often
  std::atomic<std::uint32_t> lift_quarantine{0};
  std::atomic<std::int64_t> stop_limit_ns{0};  // monotonic; 0: not stopping
  std::atomic<std::int64_t> resolve_ns{0};     // 0: as in the limits
  // A thread is about to end the process and waits for a dump of it; 2 once that is written.
  std::atomic<std::uint32_t> ending{0};
  Adopted adopted;  // complete once `adopt` is 1; 2: it is taken over
  std::atomic<std::uint32_t> adopt{0};
  runtime::Published<Settings> settings;
  runtime::Published<PreambleText> preamble;  // of the emergency page
  Answering answering;                        // written by the server's threads
  SelfChannels asking;                        // given by the server
  Listeners listeners;
  HandedOn handed_on;
  Takeover takeover;
  runtime::Published<ShortWords> sentence;
  runtime::Published<ShortWords> step;  // what main is at while it starts, reloads or stops
};

// Fixed from the start on.
struct Setup {
  Dumper dumper;
  NotifyAddress notify;
  char** arguments = nullptr;
  char** environment = nullptr;
  sigset_t signals{};  // blocked by the thread that made us, for exec
  int niceness = 0;    // likewise
  std::int32_t process = 0;
  int processors = 1;
  int wake = -1;                        // eventfd: a dump is asked for, or the end
  int cancel = -1;                      // eventfd: a run is to be cancelled
  int memory = -1;                      // eventfd: the memory is to be written down; -1: not yet
  EmergencyBoard* emergency = nullptr;  // outlives the thread; read by another one,
  int emergency_wake = -1;              // which this eventfd wakes
  std::uint64_t stack_low = 0, stack_high = 0;
  runtime::TextOffset job = 0;  // what the thread's row says that it does
};

}  // namespace canary::watchdog
