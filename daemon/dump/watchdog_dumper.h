// SPDX-License-Identifier: Apache-2.0
// The watchdog's order to have a dump written, carried out: raw dump, emergency text, helper told.
// Thread: the watchdog's; async-signal-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "daemon/dump/capture/raw_dump.h"
#include "daemon/dump/helper_process.h"
#include "daemon/watchdog/act/dumper.h"

namespace canary::dump {

class WatchdogDumper {
 public:
  // Both outlive this; this outlives the watchdog.
  WatchdogDumper(RawDump& raw, HelperProcess& helper) : raw_(raw), helper_(helper) {}
  WatchdogDumper(WatchdogDumper const&) = delete;
  WatchdogDumper& operator=(WatchdogDumper const&) = delete;

  watchdog::Dumper dumper();
  // Dumps that the helper could not be told of: dead, missing or behind. Thread: any.
  std::uint64_t untold() const { return untold_.load(std::memory_order_relaxed); }

 private:
  int finish(watchdog::PathText& path);
  void tell_helper(std::string_view path);
  std::uint64_t poll();

  RawDump& raw_;
  HelperProcess& helper_;
  std::atomic<std::uint64_t> untold_{0};
  std::uint64_t told_ = 0;  // of untold and failed ones, by poll()
};

}  // namespace canary::dump
