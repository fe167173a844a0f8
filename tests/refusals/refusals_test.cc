// SPDX-License-Identifier: Apache-2.0
// What brings several runtimes or several versions together is refused, with both sides named.
#include <csignal>

#include <gmock/gmock.h>

#include "tests/support/child_process.h"

namespace canary::refusals {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

support::Ran refused(std::string const& name) {
  return support::run({std::string{PROGRAMS} + "/refusal_" + name});
}

support::Ran canaryd_with(std::string const& library) {
  return support::run({CANARYD, "version"}, {"LD_PRELOAD=" + library});
}

TEST(Refusals, SecondContextIsRefusedAndBothPlacesAreNamed) {
  auto const ran = refused("second_context");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("second Asio scheduler"), HasSubstr("thread \"loop\""),
                             HasSubstr("refusal_second_context+0x"),
                             HasSubstr("tests/refusals/second_context.cc:")));
}

TEST(Refusals, OperationOnAForeignContextIsRefusedAndBothAreNamed) {
  auto const ran = refused("foreign_operation");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("(deadline_timer async_wait) was started on another context"),
                    HasSubstr("tests/refusals/foreign_operation.cc:")));
}

TEST(Refusals, RunInsideAHandlerIsRefusedAndBothPlacesAreNamed) {
  auto const ran = refused("nested_run");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("asked to run at tests/refusals/nested_run.cc:"),
                             HasSubstr("already being run since tests/refusals/nested_run.cc:")));
}

TEST(Refusals, PollInsideAHandlerEndsTheProcessAndBothHandlersAreNamed) {
  auto const ran = refused("nested_poll");
  EXPECT_EQ(ran.code, 128 + SIGABRT) << ran.out << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("a nested run of the loop: while the handler of"));
}

TEST(Refusals, BlockOnOnTheLoopIsRefusedAndBothPlacesAreNamed) {
  auto const ran = refused("block_on_loop");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("tests/refusals/block_on_loop.cc:")));
}

TEST(Refusals, SecondLoopIsRefusedAndBothPlacesAreNamed) {
  auto const ran = refused("second_loop");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("a second Loop at tests/refusals/second_loop.cc:"),
                             HasSubstr("was made at tests/refusals/second_loop.cc:")));
}

TEST(Refusals, LibraryWithItsOwnAsioIsRefusedAtStart) {
  if (SANITIZED) GTEST_SKIP() << "a sanitizer must be the first library";
  auto const ran = canaryd_with(OTHER_ASIO);
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  EXPECT_THAT(ran.err, AllOf(HasSubstr("canaryd has Boost.Asio 1."),
                             HasSubstr("librefusal_other_asio.so brings its own")));
}

TEST(Refusals, LibraryOfAnotherBoostIsRefusedAtStart) {
  if (SANITIZED) GTEST_SKIP() << "a sanitizer must be the first library";
  auto const ran = canaryd_with(OTHER_BOOST);
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  EXPECT_THAT(ran.err, AllOf(HasSubstr("compiled against Boost 1."),
                             HasSubstr("libboost_json.so.1.74.0 is loaded")));
}

}  // namespace
}  // namespace canary::refusals
