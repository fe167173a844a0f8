// SPDX-License-Identifier: Apache-2.0
// One line on a terminal that says how far a check is: bytes, rate, time that remains.
// Thread: its own, which reads CheckProgress.
#pragma once

#include <chrono>
#include <string>
#include <thread>

#include "daemon/check/check.h"

namespace canary::daemon {

// "14.0 KiB": for people, rounded.
std::string human_bytes(double bytes);

// The line for one moment, at most `width` columns. `rate` in bytes a second.
std::string progress_line(CheckProgress::Sum const& sum, double rate, std::chrono::seconds elapsed,
                          std::size_t width);

// Draws on stderr while it lives, four times a second, and clears the line at its end. Draws
// nothing where stderr is no terminal.
class ProgressBar {
 public:
  explicit ProgressBar(CheckProgress const& progress);
  ~ProgressBar();
  ProgressBar(ProgressBar const&) = delete;
  ProgressBar& operator=(ProgressBar const&) = delete;

 private:
  std::jthread thread_;
};

}  // namespace canary::daemon
