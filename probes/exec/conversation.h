// SPDX-License-Identifier: Apache-2.0
// A process from its start to its end: its output as it comes, its end awaited by the loop.
// Thread: loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "probes/exec/process.h"
#include "runtime/deadline.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::exec {

struct Limits {
  runtime::Deadline until;  // then SIGTERM
  std::chrono::milliseconds kill_after;
  std::size_t output;  // kept of each of its two outputs
};

struct Ended {
  std::optional<int> status;  // waitpid(2); nothing: it did not even end by SIGKILL
  bool late = false;          // it was told to end
  bool flooded = false;       // because it wrote without end
  std::string out, err;
};
inline constexpr std::size_t kDroppedOutput = std::size_t{16} << 20;
inline constexpr std::chrono::seconds kReapWait{2};

// Does not wait for the end of its output: who took over its pipes may keep them open for ever.
// Cancelled, it kills the process, waits for its end (kReapWait at most) and throws
// operation_aborted.
runtime::Task<Ended> hear_out(Process process, Limits limits, runtime::Trace trace);

}  // namespace canary::exec
