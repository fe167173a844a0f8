// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/capture/emergency_text.h"

#include <array>
#include <string>

#include <gmock/gmock.h>

#include "daemon/text/fixed_text.h"
#include "runtime/trace.h"

namespace canary::dump {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string span(std::int64_t nanoseconds) {
  std::array<char, 40> memory{};
  FixedText text{memory};
  text.span(nanoseconds);
  return std::string{text.view()};
}

TEST(FixedText, WritesSpansAsPeopleDo) {
  EXPECT_EQ(span(-5), "0 ms");
  EXPECT_EQ(span(12'000'000), "12 ms");
  EXPECT_EQ(span(41'250'000'000), "41.2 s");
  EXPECT_EQ(span(723'000'000'000), "12 min 3 s");
  EXPECT_EQ(span(11'520'000'000'000), "3 h 12 min");
  EXPECT_EQ(span(183'600'000'000'000), "2 d 3 h");
}

TEST(FixedText, CutsWhatDoesNotFit) {
  std::array<char, 4> memory{};
  FixedText text{memory};

  text << "abcdefgh";
  text.number(-123).hex(255).to_column(50);

  EXPECT_EQ(text.view(), "abcd");
}

TEST(EmergencyText, NamesTheCulpritThenEveryRun) {
  auto& tables = runtime::make_tables({.runs = 16, .operations = 64});
  runtime::RunTrace const run{"sigstore", runtime::Deadline::never()};
  runtime::Frame const outer{run.trace(), "tuf.timestamp"};
  runtime::Frame const inner{outer.trace(), "http.read"};
  watchdog::Incident const incident{
      .level = watchdog::Level::hung, .verdict = watchdog::Verdict::lock, .age_ns = 12'000'000'000};
  std::array<char, 16 * 1024> memory{};

  std::size_t const size = render_emergency_text(tables,
                                                 {.incidents = {&incident, 1},
                                                  .reason = "hung",
                                                  .versions = "canaryd 1\nasio",
                                                  .now_ns = runtime::now_ns()},
                                                 memory);

  std::string const text(memory.data(), size);
  EXPECT_THAT(text, StartsWith("canaryd: loop hung for 12.0 s, verdict lock"));
  EXPECT_THAT(text, HasSubstr("sigstore > tuf.timestamp > http.read"));
  EXPECT_THAT(text, HasSubstr("emergency_text_test.cc:"));
  EXPECT_THAT(text, HasSubstr("VERSIONS\n  canaryd 1\n"));
}

TEST(EmergencyText, FitsIntoWhateverThereIs) {
  auto& tables = runtime::make_tables({.runs = 16, .operations = 64});
  for (std::size_t room : {0UL, 1UL, 10UL, 100UL, 300UL}) {
    std::vector<char> memory(room + 1, '#');

    std::size_t const size =
        render_emergency_text(tables, {.reason = "SIGUSR1"}, std::span{memory}.first(room));

    EXPECT_LE(size, room);
    EXPECT_EQ(memory[room], '#');
  }
}

}  // namespace
}  // namespace canary::dump
