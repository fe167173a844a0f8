// SPDX-License-Identifier: Apache-2.0
// This process's own dump, now, without a file: what GET /debug/executor shows.
// Thread: any, one at a time (it locks); never the watchdog's, for it allocates.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "daemon/dump/capture/raw_dump.h"
#include "daemon/dump/read/document.h"

namespace canary::dump {

class LiveDump {
 public:
  // `place.directory` is not used.
  explicit LiveDump(DumpPlace place);
  // Everything but functions of native stacks, which have module and offset only.
  DumpDocument read(std::string_view reason, std::vector<watchdog::Incident> const& incidents);

 private:
  std::mutex mutex_;
  RawDump raw_;
};

// Gives each frame that can be told without debug information: the code pointer's module.
void name_modules(DumpDocument& document);

// Lets each thread that takes a ThreadRow from now on answer captures on a stack of its own.
void prepare_threads();

}  // namespace canary::dump
