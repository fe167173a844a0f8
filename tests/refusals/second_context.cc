// SPDX-License-Identifier: Apache-2.0
// A library that brings a runtime of its own: a second io_context in the process.
#include <boost/asio/io_context.hpp>

#include "tests/refusals/case.h"

namespace {

void a_library_starts_its_own_runtime() {
  boost::asio::io_context second;
  second.run();
}

}  // namespace

int main() {
  canary::runtime::Loop loop;
  loop.start();
  return canary::refusals::expect_refusal_on_loop(loop, a_library_starts_its_own_runtime);
}
