// SPDX-License-Identifier: Apache-2.0
#include "runtime/trace.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "runtime/event.h"
#include "runtime/task_group.h"
#include "tests/runtime/running_loop.h"

namespace canary::runtime {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// "outer(detail) > inner > wait.name" for every row at a tip of the named run's stack.
std::vector<std::string> stacks(std::string const& name) {
  std::vector<std::string> result;
  for (RunRecord const& run : tables()->runs()) {
    if (run.state == RunRecord::free || run.name.load() != name) continue;
    std::uint32_t const used = run.used_frames;
    std::uint32_t parents = 0;
    for (std::size_t i = 0; i < kFramesPerRun; ++i) {
      if ((used >> i & 1U) != 0 && run.frames[i].parent != kNoFrame) {
        parents |= std::uint32_t{1} << run.frames[i].parent;
      }
    }
    for (std::size_t i = 0; i < kFramesPerRun; ++i) {
      if ((used >> i & 1U) == 0 || (parents >> i & 1U) != 0) continue;
      std::string text;
      for (std::size_t at = i; at != kNoFrame; at = run.frames[at].parent) {
        std::string row = text_at(run.frames[at].name);
        if (auto const detail = run.frames[at].detail.load(); !detail.empty()) {
          row += "(" + detail + ")";
        }
        text = text.empty() ? row : row + " > " + text;
      }
      result.push_back(text);
    }
  }
  return result;
}

Task<void> wait_in(Trace trace, std::string host) {
  Frame const frame{trace, "http.get", host};
  co_await sleep_until(frame.trace(), "http.read", Deadline::never());
}

Task<std::vector<std::string>> look_at_branches() {
  RunTrace run{"branches", Deadline::never()};
  Frame const frame{run.trace(), "tuf.targets"};
  TaskGroup group{co_await asio::this_coro::executor};
  group.start(wait_in(frame.trace(), "a"));
  group.start(wait_in(frame.trace(), "b"));
  co_await sleep_until({}, "test.sleep", Deadline::after(2ms));
  auto seen = stacks("branches");
  group.request_stop();
  co_await group.join(frame.trace());
  co_return seen;
}

TEST(Trace, ShowsEveryBranchUnderItsOwnParent) {
  RunningLoop running;
  EXPECT_THAT(running.block_on(look_at_branches()),
              UnorderedElementsAre("tuf.targets > http.get(a) > http.read",
                                   "tuf.targets > http.get(b) > http.read"));
}

Task<std::vector<std::string>> look_after_the_end() {
  {
    RunTrace run{"gone", Deadline::never()};
    Frame const frame{run.trace(), "tuf.root"};
    co_await sleep_until(frame.trace(), "test.sleep", Deadline::after(1ms));
  }
  co_return stacks("gone");
}

TEST(Trace, LeavesNothingBehindWhenARunEnds) {
  RunningLoop running;
  EXPECT_THAT(running.block_on(look_after_the_end()), IsEmpty());
}

struct Pending {
  std::string operation, file;
  std::uint32_t line = 0;
};

Task<std::vector<Pending>> look_at_operations() {
  RunTrace run{"pending", Deadline::never()};
  TaskGroup group{co_await asio::this_coro::executor};
  group.start(wait_in(run.trace(), "a"));
  co_await sleep_until({}, "test.sleep", Deadline::after(2ms));
  std::vector<Pending> seen;
  for (OperationRecord const& record : tables()->operations()) {
    Operation operation;
    if (record.read(operation) != OperationHead::pending || operation.run == kNoRun) continue;
    RunRecord const& owner = tables()->runs()[operation.run];
    if (owner.name.load() != "pending" || operation.frame == kNoFrame) continue;
    EXPECT_STREQ(text_at(owner.frames[operation.frame].name), "http.read");
    seen.push_back({text_at(operation.operation), text_at(operation.file), operation.line});
  }
  group.request_stop();
  co_await group.join({});
  co_return seen;
}

TEST(Tracking, RecordsThePendingOperationWithItsFrameAndCallSite) {
  RunningLoop running;
  auto const seen = running.block_on(look_at_operations());
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].operation, "async_wait");
  EXPECT_THAT(seen[0].file, HasSubstr("trace_test.cc"));
  EXPECT_GT(seen[0].line, 0U);
}

Task<std::size_t> operations_after_many() {
  for (int i = 0; i < 1'000; ++i) {
    co_await sleep_until({}, "test.sleep", Deadline::after(0ms));
  }
  std::size_t pending = 0;
  for (OperationRecord const& operation : tables()->operations()) {
    if (operation.load_head().state == OperationHead::pending) ++pending;
  }
  co_return pending;
}

TEST(Tracking, ForgetsOperationsThatCompleted) {
  RunningLoop running;
  EXPECT_LT(running.block_on(operations_after_many()), 8U);
}

TEST(Tables, KeepTextsOfTheProgramAsOffsets) {
  char const* const text = "a literal";
  EXPECT_STREQ(text_at(text_offset(text)), "a literal");
  char on_the_stack[] = "not the program's";
  EXPECT_EQ(text_offset(on_the_stack), 0U);
}

}  // namespace
}  // namespace canary::runtime
