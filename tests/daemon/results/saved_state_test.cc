// SPDX-License-Identifier: Apache-2.0
// What is remembered of a probe over a restart, as text and back.
#include "daemon/results/saved_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/results/a_role.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using probes::Finding;
using probes::Reason;
using probes::Severity;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Finding const kExpired{.check = "expiry",
                       .subject = "timestamp",
                       .severity = Severity::critical,
                       .reason = Reason::expired,
                       .message = "expired \"yesterday\"",
                       .evidence = "tuf 5.4.4",
                       .url = "https://h/timestamp.json",
                       .accepted = probes::Acceptance{
                           .because = "known", .until = std::chrono::sys_seconds{1'800'000'000s}}};

SavedState a_state() {
  SavedState state{.url = "https://h/metadata",
                   .severity = Severity::critical,
                   .since = SysTime{1'790'000'000'123ms},
                   .consecutive_failures = 3,
                   .last_run_end = SysTime{1'790'000'060s},
                   .last_success = SysTime{1'780'000'000s},
                   .last_failure = SysTime{1'790'000'060s},
                   .last_failure_finding = kExpired,
                   .open = {.findings = {kExpired}, .total = 7}};
  state.known.things = {
      {.facts = a_role(
           "timestamp", 42,
           {.at = std::chrono::sys_seconds{1'789'999'999s}, .warning = 3600s, .critical = 60s},
           512),
       .seen = SysTime{1'790'000'060s}},
      {.facts = a_delegated_role("bin-0", std::chrono::sys_seconds{1'800'000'000s}),
       .seen = SysTime{1'790'000'060s}}};
  state.known.certificates = {std::chrono::sys_seconds{1'800'000'000s},
                              std::chrono::sys_seconds{1'799'000'000s}};
  state.known.certificates_seen = SysTime{1'790'000'060s};
  for (char const run : {'0', '2', RecentRuns::kMissed, '2'}) state.recent.add(run);
  return state;
}

std::string refusal(std::string_view text) {
  auto const parsed = parse_saved_state(text, tuf::kDeclaration);
  return parsed ? "taken" : parsed.error();
}

TEST(SavedState, ComesBackAsItWas) {
  auto const back = parse_saved_state(to_text(a_state()), tuf::kDeclaration);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back.value(), a_state());
}

// A role as 0.1 wrote it.
TEST(SavedState, OfAnEarlierReleaseIsTaken) {
  std::string text = to_text(a_state());
  auto const begin = text.find("\"roles\":[");
  auto const end = text.find(']', begin);
  text.replace(begin, end - begin,
               R"("roles":[{"role":"timestamp","version":42,"expires":1789999999,"warning":3600,)"
               R"("critical":60,"size":512,"seen":1790000060000})");
  auto const back = parse_saved_state(text, tuf::kDeclaration);
  ASSERT_TRUE(back) << back.error();
  ASSERT_EQ(back.value().known.things.size(), 1u);
  EXPECT_EQ(back.value().known.things[0], a_state().known.things[0]);
}

TEST(SavedState, KeepsAReasonThatOnlyAKindKnows) {
  SavedState state = a_state();
  state.last_failure_finding->reason = tuf::kTargetMissing;
  auto const back = parse_saved_state(to_text(state), tuf::kDeclaration);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back.value().last_failure_finding->reason, tuf::kTargetMissing);
}

TEST(SavedState, OfAProbeThatHasNotRunComesBackToo) {
  auto const back = parse_saved_state(to_text(SavedState{}), tuf::kDeclaration);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back.value(), SavedState{});
}

TEST(SavedState, WritesABoundedNumberOfFindings) {
  SavedState state = a_state();
  state.open = {.findings = std::vector<Finding>(kSavedFindings + 1, kExpired),
                .total = kSavedFindings + 1};
  auto const back = parse_saved_state(to_text(state), tuf::kDeclaration);
  ASSERT_TRUE(back);
  EXPECT_EQ(back.value().open.findings.size(), kSavedFindings);
  EXPECT_TRUE(back.value().open.cut());
}

TEST(SavedState, OfANewerFormatIsRefused) {
  std::string text = to_text(a_state());
  text.replace(text.find("\"format\":1"), 10, "\"format\":2");
  EXPECT_EQ(refusal(text), "it is of format 2, and this canaryd knows 1");
}

TEST(SavedState, ThatIsDamagedIsRefused) {
  std::string const whole = to_text(a_state());
  for (std::size_t length = 0; length + 2 < whole.size(); ++length) {
    EXPECT_THAT(refusal(whole.substr(0, length)), StartsWith("it is damaged: ")) << length;
  }
  EXPECT_THAT(refusal("[]"), StartsWith("it is damaged: "));
  EXPECT_THAT(refusal(std::string(kSavedBytes + 1, ' ')), HasSubstr("larger"));
}

TEST(SavedState, WithAnImpossibleTimeIsRefused) {
  std::string text = to_text(a_state());
  text.replace(text.find("1790000000123"), 13, "-1790000000123");
  EXPECT_THAT(refusal(text), HasSubstr("since is no time"));
}

TEST(SavedState, WhoeverWroteItItsTextIsHarmless) {
  std::string text = to_text(a_state());
  text.replace(text.find("tuf 5.4.4"), 9, "\\u001b[2J");
  auto const back = parse_saved_state(text, tuf::kDeclaration);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back.value().last_failure_finding->evidence.text(), R"(\x1b[2J)");
}

}  // namespace
}  // namespace canary::daemon
