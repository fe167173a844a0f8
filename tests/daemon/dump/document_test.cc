// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/document.h"

#include <atomic>
#include <cstring>
#include <thread>

#include <gmock/gmock.h>

#include "daemon/dump/checksum.h"
#include "daemon/dump/live.h"
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
