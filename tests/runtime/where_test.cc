// SPDX-License-Identifier: Apache-2.0
// Thread: main, which looks from outside at what the loop stands in.
#include "runtime/where.h"

#include <future>
#include <stop_token>
#include <thread>

#include <gmock/gmock.h>

#include "runtime/event.h"
#include "runtime/trace.h"
#include "tests/runtime/running_loop.h"

namespace canary::runtime {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Where, NamesTheDeepestRowItsDetailAndItsPlace) {
  RunningLoop running;
  auto const work = []() -> Task<void> {
    RunTrace const row{"somebody", Deadline::never()};
    Frame const outer{row.trace(), "outer"};
    Frame const inner{outer.trace(), "read", "/etc/ca.pem"};
    co_await sleep_until(inner.trace(), "disk", Deadline::after(1h));
  };
  std::stop_source stop;
  auto waiting = std::async(std::launch::async, [&] {
    EXPECT_THROW(block_on(running.loop(), work(), Deadline::never(), stop.get_token()),
                 Interrupted);
  });
  while (where_it_stands("somebody").find("disk") == std::string::npos) std::this_thread::yield();
  EXPECT_THAT(where_it_stands("somebody"), StartsWith("disk (/etc/ca.pem) for 0."));
  EXPECT_THAT(where_it_stands("somebody"), HasSubstr("where_test.cc:"));
  auto const moves = moves_of("somebody");
  EXPECT_EQ(moves_of("somebody"), moves);
  EXPECT_EQ(where_it_stands("nobody"), "");
  stop.request_stop();
  waiting.get();
  EXPECT_EQ(where_it_stands("somebody"), "");
}

}  // namespace
}  // namespace canary::runtime
