// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/read/document.h"

#include <atomic>
#include <cstring>
#include <thread>

#include <gmock/gmock.h>

#include "daemon/dump/live.h"
#include "daemon/dump/write/checksum.h"
#include "runtime/tables.h"
#include "runtime/trace.h"

namespace canary::dump {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST(Checksum, IsCastagnolis) {
  EXPECT_EQ(crc32c(0, "123456789", 9), 0xE3069283U);
  EXPECT_EQ(crc32c(crc32c(0, "12345", 5), "6789", 4), 0xE3069283U);
}

TEST(SectionWriter, RefusesWhatDoesNotFitIntoMemory) {
  std::vector<std::byte> memory(64);
  SectionWriter out{std::span{memory}};

  out.begin(SectionType::log);
  out.text(std::string(100, 'x'));
  out.end();

  EXPECT_EQ(out.error(), ENOSPC);
}

class Executor : public ::testing::Test {
 protected:
  Executor() { runtime::make_tables({.runs = 16, .operations = 64}); }
  static ExecutorState read() {
    return read_executor(*runtime::tables(), own_texts(), runtime::now_ns());
  }
};

TEST_F(Executor, ShowsRowsUnderTheirParents) {
  runtime::RunTrace const run{"sigstore", runtime::Deadline::never()};
  runtime::Frame const outer{run.trace(), "tuf.refresh"};
  runtime::Frame const inner{outer.trace(), "tuf.timestamp", "timestamp.json"};

  auto const state = read();

  ASSERT_THAT(state.runs, SizeIs(1));
  auto const& found = state.runs[0];
  EXPECT_EQ(found.name, "sigstore");
  EXPECT_FALSE(found.moving);
  ASSERT_THAT(found.frames, SizeIs(2));
  EXPECT_EQ(found.frames[0].name, "tuf.refresh");
  EXPECT_EQ(found.frames[1].name, "tuf.timestamp");
  EXPECT_EQ(found.frames[1].depth, 2);
  EXPECT_EQ(found.frames[1].detail, "timestamp.json");
  EXPECT_THAT(found.frames[1].place.file, HasSubstr("document_test.cc"));
}

TEST_F(Executor, IsReadWhileItIsWritten) {
  std::atomic<bool> stop{false};
  std::thread writer{[&stop] {
    while (!stop.load()) {
      runtime::RunTrace const run{"sigstore", runtime::Deadline::never()};
      runtime::Frame const outer{run.trace(), "tuf.refresh", "aaaaaaaa"};
      runtime::Frame const inner{outer.trace(), "tuf.timestamp", "bbbbbbbb"};
    }
  }};

  for (int i = 0; i < 2'000; ++i) {
    for (auto const& run : read().runs) {
      if (run.moving) continue;
      for (auto const& frame : run.frames) {
        EXPECT_EQ(frame.detail, frame.name == "tuf.refresh" ? "aaaaaaaa" : "bbbbbbbb");
      }
    }
  }

  stop.store(true);
  writer.join();
}

TEST_F(Executor, MarksARecordThatNeverHoldsStill) {
  runtime::RunTrace const run{"sigstore", runtime::Deadline::never()};
  for (auto& record : runtime::tables()->runs()) {
    if (record.state.load() != runtime::RunRecord::free) record.sequence.fetch_add(1);
  }

  auto const state = read();

  for (auto& record : runtime::tables()->runs()) {
    if (record.state.load() != runtime::RunRecord::free) record.sequence.fetch_add(1);
  }
  ASSERT_THAT(state.runs, SizeIs(1));
  EXPECT_TRUE(state.runs[0].moving);
}

TEST(LagHistory, TellsTheWorstBeatOfEachStretchAndWhereNoneCame) {
  constexpr std::int64_t kStretch = runtime::kLagSlotNs;
  runtime::Tables tables{{.runs = 1, .operations = 16}};
  std::int64_t const now = 1'000 * kStretch + kStretch / 2;
  tables.header().started_monotonic_ns = 997 * kStretch;
  auto const beats = [&](std::int64_t number, std::uint64_t worst_ns) {
    auto& slot = tables.loop().lag_history[static_cast<std::size_t>(number) % runtime::kLagSlots];
    slot.number.store(number);
    slot.beats.store(100);
    slot.worst_ns.store(worst_ns);
  };
  beats(1'000 - static_cast<std::int64_t>(runtime::kLagSlots), 9'000'000'000);  // of long ago
  beats(999, 300'000'000);
  beats(997, 1'000'000);

  auto const history = read_executor(tables, own_texts(), now).loop.lag_history;

  ASSERT_THAT(history, SizeIs(4));
  EXPECT_EQ(history[0].beats, 0U);
  EXPECT_EQ(history[0].ago_ns, 0);
  EXPECT_EQ(history[1].worst_ns, 300'000'000);
  EXPECT_EQ(history[1].ago_ns, kStretch / 2);
  EXPECT_EQ(history[2].beats, 0U);
  EXPECT_EQ(history[3].worst_ns, 1'000'000);
}

TEST_F(Executor, FindsTheRowThatAnOperationWaitsFor) {
  runtime::RunTrace const run{"sigstore", runtime::Deadline::never()};
  runtime::Frame const outer{run.trace(), "tuf.refresh"};
  runtime::Frame const inner{outer.trace(), "http.read"};
  auto& operation = runtime::tables()->operations()[5];
  operation.since_ns.store(1);
  operation.store_head({.run = 0, .frame = 1, .state = runtime::OperationHead::pending},
                       std::memory_order_release);

  auto const state = read();

  operation.store_head({}, std::memory_order_release);
  ASSERT_THAT(state.operations, SizeIs(1));
  EXPECT_EQ(state.operations[0].run_name, "sigstore");
  EXPECT_EQ(state.operations[0].frame_name, "http.read");
  ASSERT_THAT(state.runs, SizeIs(1));
  EXPECT_TRUE(state.runs[0].frames[0].waited_for);
  EXPECT_TRUE(state.runs[0].frames[1].waited_for);
}

TEST_F(Executor, LiveDumpIsReadWithoutAFile) {
  runtime::RunTrace const run{"sigstore", runtime::Deadline::never()};
  LiveDump live{{.directory = {}, .versions = "canaryd 1\n"}};

  auto const document = live.read("request", {});

  EXPECT_THAT(document.notes, IsEmpty());
  ASSERT_TRUE(document.has_executor);
  EXPECT_THAT(document.executor.runs, Contains(Field(&RunState::name, "sigstore")));
  EXPECT_THAT(document.threads, Not(IsEmpty()));
  EXPECT_EQ(document.versions, "canaryd 1\n");
}

}  // namespace
}  // namespace canary::dump
