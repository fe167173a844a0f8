// SPDX-License-Identifier: Apache-2.0
// `canaryd run-now`: a run in the daemon, and its findings.
// Thread: main.
#include <gmock/gmock.h>

#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

using ::testing::HasSubstr;

constexpr char kSeldom[] = "    interval: 24h\n";

TEST(RunNow, PrintsWhatTheDaemonFindsAndReturnsItsVerdict) {
  Site const site;
  auto repository = tuf::a_repository(now());
  repository.timestamp.version = 7;
  site.publish("repo", repository);
  std::string const config = site.configure({site.probe("repo", kSeldom)});
  Daemon daemon{config};
  ASSERT_TRUE(daemon.reaches(runs_of("repo"), 1)) << daemon.log();
  auto const well = canaryd({"run-now", "repo", "--config", config});
  EXPECT_EQ(well.code, 0) << well.err;
  EXPECT_THAT(well.out, HasSubstr("HEALTHY  repo"));
  EXPECT_EQ(daemon.metric(runs_of("repo")), 2);

  repository.timestamp.version = 6;
  site.publish("repo", repository);
  auto const bad = canaryd({"run-now", "repo", "--output", "json", "--config", config});
  EXPECT_EQ(bad.code, 2) << bad.err;
  EXPECT_THAT(bad.out, HasSubstr("\"reason\":\"rollback\"")) << "by what the daemon trusts";
  EXPECT_EQ(daemon.metric(severity_of("repo", "rollback")), 2) << "it counts as any run";
  EXPECT_EQ(daemon.metric(runs_of("repo")), 3);
}

TEST(RunNow, CouldNotTellWhereThereIsNothingToRun) {
  Site const site;
  site.publish("repo", tuf::a_repository(now()));
  std::string const config =
      site.configure({site.probe("repo", kSeldom), site.probe("paused", "    enabled: false\n")});
  auto const could_not_tell = [&config](std::vector<std::string> more, std::string const& why) {
    more.insert(more.begin(), "run-now");
    more.insert(more.end(), {"--config", config});
    auto const ran = canaryd(more);
    EXPECT_EQ(ran.code, 3) << why;
    EXPECT_THAT(ran.err, HasSubstr(why));
  };
  {
    Daemon daemon{config};
    ASSERT_TRUE(daemon.ready()) << daemon.log();
    could_not_tell({"other"}, "no probe is called \"other\"");
    could_not_tell({"paused"}, "paused is paused");
    could_not_tell({}, "PROBE is required");
    EXPECT_EQ(daemon.status_of("/-/run?probe=repo"), 405) << "no link runs anything";
    EXPECT_EQ(daemon.status_of("/-/order/1"), 404);
  }
  could_not_tell({"repo"}, "no canaryd runs");
}

}  // namespace
}  // namespace canary::e2e
