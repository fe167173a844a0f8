// SPDX-License-Identifier: Apache-2.0
#include "runtime/contract.h"

#include <unistd.h>

#include <cstdio>

#include "runtime/crash.h"
#include "runtime/leaf.h"
#include "runtime/tables.h"

namespace canary::runtime {

void broken_promise(char const* promise, std::source_location const& where) {
  char text[512];
  int const size =
      std::snprintf(text, sizeof text, "canaryd: broken promise: %s, at %s:%u (%s)\n", promise,
                    where.file_name(), static_cast<unsigned>(where.line()), where.function_name());
  if (size > 0) {
    auto const length = static_cast<std::size_t>(size);
    [[maybe_unused]] auto const written =
        ::write(2, text, length < sizeof text ? length : sizeof text - 1);
  }
  end_by_defect(promise);
}

bool off_the_loop() {
  if (on_loop_thread) return false;
  Tables* const all = tables();
  return all != nullptr && all->loop().state.load(std::memory_order_acquire) == LoopRecord::in_run;
}

}  // namespace canary::runtime
