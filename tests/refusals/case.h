// SPDX-License-Identifier: Apache-2.0
// What the programs of this folder share: each does one thing that canaryd refuses, prints the
// refusal and exits with 0; not being refused is exit code 1.
// Thread: main.
#pragma once

#include <cstdio>
#include <exception>
#include <functional>
#include <future>

#include "runtime/loop.h"

namespace canary::refusals {

// Prints what `wrong` throws.
inline int expect_refusal(std::function<void()> const& wrong) {
  try {
    wrong();
  } catch (std::exception const& refused) {
    std::printf("refused: %s\n", refused.what());
    return 0;
  }
  std::printf("it was not refused\n");
  return 1;
}

// The same inside a handler of the loop.
inline int expect_refusal_on_loop(runtime::Loop& loop, std::function<void()> const& wrong) {
  std::promise<int> code;
  loop.post([&] { code.set_value(expect_refusal(wrong)); });
  return code.get_future().get();
}

}  // namespace canary::refusals
