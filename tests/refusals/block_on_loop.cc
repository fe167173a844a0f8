// SPDX-License-Identifier: Apache-2.0
// Waiting for a coroutine on the loop's own thread, which would have to run it.
#include "runtime/block_on.h"
#include "tests/refusals/case.h"

namespace {

canary::runtime::Task<void> work() { co_return; }

}  // namespace

int main() {
  using canary::runtime::Deadline;
  canary::runtime::Loop loop;
  loop.start();
  return canary::refusals::expect_refusal_on_loop(loop, [&loop] {
    canary::runtime::block_on(loop, work(), Deadline::after(std::chrono::seconds{1}));
  });
}
