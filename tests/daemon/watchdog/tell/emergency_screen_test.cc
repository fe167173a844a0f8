// SPDX-License-Identifier: Apache-2.0
// The one screen that people see while the HTTP server hangs.
#include "daemon/watchdog/tell/emergency_screen.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::watchdog {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::string screen_of(std::string const& reason, std::string const& not_live,
                      std::string const& page) {
  auto const screen = std::make_unique<EmergencyScreen>();
  write_screen(*screen, reason, not_live, page);
  return std::string{screen->view()};
}

TEST(EmergencyScreen, SaysWhyAndWhatHangsInTheWordsOfThePagesFirstLines) {
  auto const screen = screen_of("the loop has not turned for 12 s", "",
                                "# not answered for 4.5 s.\n# loop dead: victim\n"
                                "# HELP canaryd_x Of x.\n# TYPE canaryd_x gauge\ncanaryd_x 1\n");
  EXPECT_THAT(screen, HasSubstr("<strong>the loop has not turned for 12 s</strong>"));
  EXPECT_THAT(screen,
              HasSubstr("<samp>not answered for 4.5 s.<br>\nloop dead: victim<br>\n</samp>"));
  EXPECT_THAT(screen, Not(HasSubstr("canaryd_x")));
  EXPECT_THAT(screen, HasSubstr("It is given time"));
  EXPECT_THAT(screen, HasSubstr("http-equiv=\"refresh\""));
}

TEST(EmergencyScreen, SaysWhenOnlyARestartHelps) {
  auto const screen = screen_of("why", "loop hung for 12 s: lock", "");
  EXPECT_THAT(screen, HasSubstr("Only a restart helps: loop hung for 12 s: lock"));
  EXPECT_THAT(screen, Not(HasSubstr("It is given time")));
}

TEST(EmergencyScreen, ShowsTextAsText) {
  std::string const evil = "<script>alert(1)</script>\"&";
  auto const screen = screen_of(evil, evil, "# " + evil + "\n");
  EXPECT_THAT(screen, Not(HasSubstr("<script>")));
  EXPECT_THAT(screen,
              HasSubstr("<samp>&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;<br>\n</samp>"));
}

TEST(EmergencyScreen, IsWholeWhateverThereIsToSay) {
  EXPECT_THAT(screen_of("", "", ""), EndsWith("</html>\n"));
  EXPECT_THAT(screen_of(std::string(20'000, '&'), std::string(20'000, '<'),
                        "# " + std::string(20'000, '"') + "\n# more"),
              EndsWith("</html>\n"));
}

}  // namespace
}  // namespace canary::watchdog
