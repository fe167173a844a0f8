// SPDX-License-Identifier: Apache-2.0
// What `canaryd history` prints of what happened.
#include "daemon/cli/history_text.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using history::Found;
using history::Moment;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr history::Time kAt{1'790'000'000s};  // 2026-09-21T14:13:20Z

Moment opened(std::string subject, std::string message) {
  Moment moment{.at = kAt, .kind = "finding_opened", .probe = "repo"};
  moment.finding.check = "targets";
  moment.finding.subject = std::move(subject);
  moment.finding.reason = "hash_mismatch";
  moment.finding.message = std::move(message);
  moment.finding.severity = probes::Severity::critical;
  return moment;
}

std::string csv_of(Moment const& moment) {
  return timeline_csv(Found<Moment>{.entries = {moment}, .more = false});
}

TEST(HistoryCsv, HasALineForEachMomentWithDurationsInSeconds) {
  Moment hang{.at = kAt, .kind = "hang", .lasted = 1'500ms};
  hang.finding.subject = "loop";
  EXPECT_EQ(
      csv_of(hang),
      "at,kind,probe,check,subject,severity,was,reason,message,evidence,url,lasted_seconds\r\n"
      "2026-09-21T14:13:20.000Z,hang,,,loop,,,,,,,1.500000\r\n");
}

TEST(HistoryCsv, QuotesWhatASeparatorIsIn) {
  EXPECT_THAT(csv_of(opened("a,b", "say \"no\"")),
              HasSubstr(R"(,"a,b",critical,,hash_mismatch,"say ""no""",)"));
}

TEST(HistoryCsv, GivesASpreadsheetNoFormula) {
  for (std::string const first : {"=", "+", "-", "@"}) {
    std::string const formula = first + "HYPERLINK(1)";
    EXPECT_THAT(csv_of(opened(formula, "")), HasSubstr(",'" + formula + ","));
    EXPECT_THAT(csv_of(opened(formula, "")), Not(HasSubstr("," + formula)));
  }
  EXPECT_THAT(csv_of(opened("a=b", "")), HasSubstr(",a=b,")) << "only where it comes first";
}

TEST(HistoryText, SaysWhatWasFoundAndThatThereIsMore) {
  Found<Moment> const found{.entries = {opened("a", "differs")}, .more = true};
  std::string const text =
      timeline_text(found, {.since = kAt - 1h, .until = kAt + 1h}, history::Zone::utc);
  EXPECT_THAT(text, HasSubstr("only the last 1 are shown"));
  EXPECT_THAT(text, HasSubstr("  repo  finding opened: critical, targets of a (hash_mismatch): "
                              "differs\n"));
}

}  // namespace
}  // namespace canary::daemon
