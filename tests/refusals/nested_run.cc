// SPDX-License-Identifier: Apache-2.0
// run() inside a handler of the same loop.
#include "tests/refusals/case.h"

int main() {
  canary::runtime::Loop loop;
  loop.start();
  return canary::refusals::expect_refusal_on_loop(loop, [&loop] { loop.run(); });
}
