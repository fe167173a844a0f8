// SPDX-License-Identifier: Apache-2.0
#include "runtime/loop.h"

#include <future>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gmock/gmock.h>

#include "tests/runtime/running_loop.h"

namespace canary::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Loop, RefusesASecondInstanceAndNamesBothPlaces) {
  Loop const first;
  EXPECT_THAT([] { Loop const second; },
              ThrowsMessage<SecondLoop>(AllOf(HasSubstr("loop_test.cc:2"), HasSubstr("made at"))));
}

TEST(Loop, MayBeMadeAgainOnceTheFirstIsGone) {
  {
    Loop const first;
  }
  EXPECT_NO_THROW({ Loop const second; });
}

TEST(Loop, RefusesAnIoContextThatIsNotItsOwn) {
  EXPECT_THAT([] { asio::io_context const foreign; },
              ThrowsMessage<SecondLoop>(HasSubstr("second Asio scheduler")));
}

TEST(Loop, RefusesAThreadPool) { EXPECT_THROW(asio::thread_pool(1), SecondLoop); }

TEST(Loop, RefusesToRunInsideItselfAndNamesBothPlaces) {
  Loop loop;
  std::promise<std::string> said;
  loop.start();
  loop.post([&] {
    try {
      loop.run();
      said.set_value("ran");
    } catch (NestedLoop const& refused) {
      said.set_value(refused.what());
    }
  });
  EXPECT_THAT(said.get_future().get(),
              AllOf(HasSubstr("asked to run at"), HasSubstr("already being run since"),
                    HasSubstr("by this very thread")));
}

TEST(Loop, RefusesToBeRunByTwoThreads) {
  RunningLoop running;
  EXPECT_THROW(running.loop().run(), NestedLoop);
  EXPECT_THROW(running.loop().start(), NestedLoop);
}

TEST(Loop, StopEndsARunThatHasNothingToDo) {
  Loop loop;
  loop.start();
  loop.stop();
  loop.join();
  EXPECT_FALSE(loop.running());
}

}  // namespace
}  // namespace canary::runtime
