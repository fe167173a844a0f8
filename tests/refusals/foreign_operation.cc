// SPDX-License-Identifier: Apache-2.0
// An operation on a context that is not canaryd's: here one that slipped in with Loop's own permit.
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "runtime/leaf.h"
#include "tests/refusals/case.h"

namespace {

void waits_on_a_foreign_context() {
  canary::runtime::scheduler_permit = true;
  boost::asio::io_context foreign;
  canary::runtime::scheduler_permit = false;
  boost::asio::steady_timer timer{foreign, std::chrono::seconds{1}};
  timer.async_wait([](boost::system::error_code) {});
}

}  // namespace

int main() {
  canary::runtime::Loop const loop;
  return canary::refusals::expect_refusal(waits_on_a_foreign_context);
}
