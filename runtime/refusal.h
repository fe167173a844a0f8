// SPDX-License-Identifier: Apache-2.0
// What stops a program that would bring canaryd's oldest failure back: several runtimes in one
// process, one blocked inside another. Each message names both places.
// Thread: any.
#pragma once

#include <source_location>
#include <stdexcept>
#include <string>

namespace canary::runtime {

// "probes/fetch/client.cc:88 (send)".
std::string to_text(std::source_location const& where);

// A second io_context, thread pool or system executor.
struct SecondLoop : std::logic_error {
  using std::logic_error::logic_error;
};

// run() inside run(), or block_on() where it would wait for its own thread.
struct NestedLoop : std::logic_error {
  using std::logic_error::logic_error;
};

// block_on() gave up: its deadline passed or it was interrupted. `unwound`: the work has ended;
// where it has not, it goes on using what it was given.
struct GaveUp : std::runtime_error {
  GaveUp(std::string const& what, bool unwound) : std::runtime_error(what), unwound(unwound) {}
  bool unwound;
};
struct DeadlinePassed : GaveUp {
  using GaveUp::GaveUp;
};
struct Interrupted : GaveUp {
  using GaveUp::GaveUp;
};

// block_on() where nothing runs the loop.
struct LoopNotRunning : std::logic_error {
  using std::logic_error::logic_error;
};

}  // namespace canary::runtime
