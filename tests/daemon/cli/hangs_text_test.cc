// SPDX-License-Identifier: Apache-2.0
// What `canaryd status` prints of canaryd itself.
#include "daemon/cli/hangs_text.h"

#include <string>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace canary::daemon {
namespace {

std::string shown(std::string const& executor, std::string const& incidents,
                  std::string const& previous = "null") {
  return hangs_text(boost::json::parse(R"({"executor":)" + executor + R"(,"incidents":[)" +
                                       incidents + R"(],"last_stall":null,"previous_run":)" +
                                       previous + R"(,"quarantined":[],"dumps":{"last":null}})"));
}

TEST(HangsText, IsOneLineWhileTheLoopTurns) {
  EXPECT_EQ(shown(R"({"ok":true,"reason":""})", ""), "executor: turns\n");
}

TEST(HangsText, HasSecondsForPeople) {
  auto const of = [](std::string const& seconds) {
    return shown(R"({"ok":false,"reason":"the loop has not turned for 12 s: lock"})",
                 R"({"level":"hung","subject":"loop","name":"victim","verdict":"lock",)"
                 R"("age_seconds":)" +
                     seconds + "}");
  };
  EXPECT_EQ(of("1.2238958286E1"),
            "executor: the loop has not turned for 12 s: lock\n"
            "  hung: loop victim for 12 s: lock\n");
  EXPECT_EQ(of("0.7"),
            "executor: the loop has not turned for 12 s: lock\n"
            "  hung: loop victim for 0.7 s: lock\n");
}

TEST(HangsText, TellsHowTheRunBeforeEnded) {
  EXPECT_EQ(shown(R"({"ok":true,"reason":""})", "",
                  R"({"end":"killed","started":"2026-11-24T00:00:00Z","blind_seconds":61.5,)"
                  R"("crash_record":{"in_order":false,"ended":"killed","handler":{"seconds":7.25,)"
                  R"("site":"resolver.cc:12","run":"repo"},"runs":3,"post_mortem":null}})"),
            "executor: turns\n"
            "the run before ended unclean (killed); nobody watched for 62 s, until this start\n"
            "  at its end, killed, its loop had run a handler for 7.2 s: resolver.cc:12, of repo; "
            "runs going on: 3\n");
}

}  // namespace
}  // namespace canary::daemon
