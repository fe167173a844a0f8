// SPDX-License-Identifier: Apache-2.0
// What the commands say of a canaryd whose loop hangs: they do not wait for it in silence.
// Thread: main.
#include <fstream>

#include <gmock/gmock.h>

#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The run of the probe `victim` blocks the loop for good.
class HungLoop : public ::testing::Test {
 protected:
  HungLoop() {
    site_.publish("victim", tuf::a_repository(now()));
    site_.publish("other", tuf::a_repository(now()));
  }
  // `limits`: fields of `watchdog`.
  void hang(std::string const& limits) {
    config_ = site_.configure(
        {site_.probe("victim"), site_.probe("other")},
        "watchdog: {loop_suspect: 100ms, loop_stall: 300ms, " + limits + ", loop_dead: 10m}\n");
    hung_.emplace(std::vector<std::string>{CANARYD_FAULTS, "run", "--config", config_},
                  std::vector<std::string>{"CANARY_FAULT=sleep",
                                           "CANARY_FAULT_DIR=" + site_.path().string()});
    ASSERT_TRUE(hung_->says("probe=other")) << hung_->err();
    site_.write("trigger", "");
    ASSERT_TRUE(support::eventually([this] { return ask({"status"}).code == 1; })) << hung_->err();
  }
  support::Ran ask(std::vector<std::string> words) const {
    words.insert(words.end(), {"--config", config_});
    return canaryd(words);
  }

  Site site_;
  std::string config_;
  std::optional<support::ChildProcess> hung_;
};

TEST_F(HungLoop, IsWhatStatusBeginsWith) {
  hang("loop_hung: 700ms");
  for (std::vector<std::string> const& words :
       {std::vector<std::string>{"status"}, {"status", "other"}}) {
    auto const ran = ask(words);
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.out, AllOf(StartsWith("executor: the loop has not turned for "),
                               HasSubstr(": loop victim for "), HasSubstr("  other  ")));
  }
}

TEST_F(HungLoop, OnceJudgedHungIsNotWaitedFor) {
  hang("loop_hung: 700ms");
  for (std::vector<std::string> const& words : {std::vector<std::string>{"run-now", "other"},
                                                {"reload"},
                                                {"forget", "other", "--reason", "restored"}}) {
    auto const ran = ask(words);
    EXPECT_EQ(ran.code, 3) << words.front();
    EXPECT_THAT(ran.err, HasSubstr("canaryd " + words.front() + ": canaryd hangs: loop hung for "));
  }
}

TEST_F(HungLoop, ThatMayTurnAgainIsWaitedForWithAWord) {
  hang("loop_hung: 6s");
  auto const ran = ask({"run-now", "other"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, StartsWith("canaryd run-now: the loop has not turned for "));
  EXPECT_THAT(ran.err, HasSubstr("; waiting\ncanaryd run-now: canaryd hangs: loop hung for "));
}

// The file is good: nobody refused it.
TEST_F(HungLoop, FailsAReloadAndRefusesNone) {
  hang("loop_hung: 5m");
  auto const ran = ask({"reload"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("canaryd's loop did not do it within 10s: it hangs, or is late"));
  EXPECT_THAT(ran.err,
              HasSubstr("canaryd reload: failed; the running configuration stays in force\n"));
}

}  // namespace
}  // namespace canary::e2e
