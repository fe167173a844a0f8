// SPDX-License-Identifier: Apache-2.0
// A command that reads files, waits for locks or asks another process, and yet always ends: by its
// limit, or at Ctrl-C, with a sentence that says what it stood at.
// Thread: main.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "config/duration.h"
#include "config/touched_files.h"
#include "runtime/aside.h"
#include "runtime/stage.h"

namespace canary::daemon {

struct Bound {
  std::string command;              // "canaryd status", for the sentence
  std::chrono::milliseconds limit;  // of the whole command
  int code;                         // where it did not come to its end
  // For whom standard output is all: begins a line there that says the same. "": none.
  std::string out{};
};

// Says on standard error why the command ends here and at what it stood, and ends the process
// with bound.code: what stands still uses what an orderly end would destroy.
[[noreturn]] void give_up(Bound const& bound, bool interrupted, runtime::Stage::Seen const& at);

// Runs `work` on a thread of its own and returns what it returns; ends the process, see give_up(),
// where that does not come in time or `stop` is requested. `work` owns all that it touches, says in
// the stage what it is at, and files that a configuration is read from are in it anyway.
template <class F>
std::invoke_result_t<F, runtime::Stage&> bounded(Bound const& bound, std::stop_token stop, F work) {
  auto const stage = std::make_shared<runtime::Stage>();
  runtime::Aside<std::invoke_result_t<F, runtime::Stage&>> call{
      "command", [stage, work = std::move(work)]() mutable {
        config::OnEachFile const tell{
            [&stage](auto const& file) { stage->enter("reading " + file.string()); }};
        return work(*stage);
      }};
  if (!call.wait(runtime::Deadline::after(bound.limit), stop)) {
    give_up(bound, stop.stop_requested(), stage->look());
  }
  return call.take();
}

// The same for a whole command, which ends at Ctrl-C.
int run_bounded(Bound const& bound, std::function<int(runtime::Stage& stage)> work);

}  // namespace canary::daemon
