// SPDX-License-Identifier: Apache-2.0
// A second Loop beside the first.
#include "tests/refusals/case.h"

int main() {
  canary::runtime::Loop const first;
  return canary::refusals::expect_refusal([] { canary::runtime::Loop const second; });
}
