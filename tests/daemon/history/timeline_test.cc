// SPDX-License-Identifier: Apache-2.0
// A scripted Tuesday over restarts: the timeline tells what happened, in its order.
#include "daemon/history/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace canary::history {
namespace {

using namespace std::chrono_literals;
using probes::Severity;
using ::testing::ElementsAre;

constexpr Time kTuesday{std::chrono::sys_days{std::chrono::year{2026} / 11 / 24}};

Words expired() {
  return {.check = "expiry",
          .subject = "timestamp",
          .reason = "expired",
          .message = "it expired",
          .evidence = "",
          .url = "https://host/timestamp.json",
          .severity = Severity::critical};
}
RunEntry run(Time at, Severity severity) {
  RunEntry entry{.probe = "fleet", .url = "https://host/", .ended = at, .severity = severity};
  if (severity != Severity::ok) entry.telling = expired();
  return entry;
}
ChangeEntry change(Time at, ChangeEntry::Kind kind) {
  return {.probe = "fleet", .at = at, .kind = kind, .finding = expired()};
}
EventEntry event(std::string kind, Time at, milliseconds lasted = 0ms) {
  return {.kind = std::move(kind), .subject = "", .detail = "", .at = at, .lasted = lasted};
}

TEST(Timeline, TellsOfOneProbeWhatWasDroppedOfItAndNothingOfCanarydItself) {
  support::TemporaryFolder const folder;
  Store store{folder.path() / "history.db", {}};
  EventEntry dropped{
      .kind = kTrustDropped, .subject = "fleet", .detail = "restored", .at = kTuesday};
  EventEntry other = dropped;
  other.subject = "other";
  EventEntry left_out{
      .kind = "changes_left_out", .subject = "fleet", .detail = "many", .at = kTuesday};
  ASSERT_TRUE(store.write({dropped, other, left_out, event("start", kTuesday)}));
  auto const found = timeline(store, {.probe = "fleet", .since = kTuesday, .until = kTuesday + 1h});
  ASSERT_EQ(found.value().entries.size(), 1U);
  auto const& moment = found.value().entries.front();
  EXPECT_EQ(moment.kind, "trust_dropped");
  EXPECT_EQ(moment.probe, "fleet");
  EXPECT_EQ(moment.finding.message, "restored");
  EXPECT_FALSE(has_finding(moment));
}

class Tuesday : public ::testing::Test {
 protected:
  void write(std::vector<Entry> const& batch) {
    Store store{folder_.path() / "history.db", {}};  // each time as after a restart
    ASSERT_TRUE(store.write(batch));
  }
  Found<Moment> read(Query const& query) {
    auto store = Store::reading(folder_.path() / "history.db");
    return timeline(store, query).value();
  }
  std::vector<std::string> kinds(Query const& query) {
    std::vector<std::string> all;
    for (auto const& moment : read(query).entries) all.push_back(moment.kind);
    return all;
  }
  Tuesday() {
    write({event("start", kTuesday + 1h), run(kTuesday + 2h, Severity::ok)});
    write({run(kTuesday + 3h, Severity::critical), change(kTuesday + 3h, ChangeEntry::Kind::opened),
           event("stop", kTuesday + 4h)});
    write({event("start", kTuesday + 5h), event("hang", kTuesday + 6h, 12s)});
    write({event("unclean_end", kTuesday + 7h, 30min), event("start", kTuesday + 7h + 30min),
           run(kTuesday + 8h, Severity::ok), change(kTuesday + 8h, ChangeEntry::Kind::closed)});
  }

  support::TemporaryFolder folder_;
};

TEST_F(Tuesday, IsToldInItsOrderOverRestarts) {
  EXPECT_THAT(kinds({.since = kTuesday, .until = kTuesday + 24h}),
              ElementsAre("start", "incident_opened", "finding_opened", "stop", "start", "hang",
                          "unclean_end", "start", "finding_closed", "incident_closed"));
}

TEST_F(Tuesday, AnIncidentTellsItsCauseAndHowLongItLasted) {
  auto const found = read({.probe = "fleet", .since = kTuesday, .until = kTuesday + 24h});
  ASSERT_EQ(found.entries.size(), 4);
  EXPECT_EQ(found.entries.front().finding, expired());
  EXPECT_EQ(found.entries.back().lasted, 5h);
}

TEST_F(Tuesday, OnlyWhatIsInTheSpanIsTold) {
  EXPECT_THAT(kinds({.since = kTuesday + 4h, .until = kTuesday + 7h}),
              ElementsAre("stop", "start", "hang"));
  EXPECT_THAT(kinds({.probe = "other", .since = kTuesday, .until = kTuesday + 24h}), ElementsAre());
}

TEST_F(Tuesday, TheNewestAreKeptWhereThereAreMore) {
  auto const found = read({.since = kTuesday, .until = kTuesday + 24h, .most = 2});
  EXPECT_TRUE(found.more);
  ASSERT_EQ(found.entries.size(), 2);
  EXPECT_EQ(found.entries.back().kind, "incident_closed");
}

}  // namespace
}  // namespace canary::history
