// SPDX-License-Identifier: Apache-2.0
#include "probes/exec/plugin_output.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PluginOutput, IsAMessageAndFiguresBehindABar) {
  auto const output =
      parse_output("LOAD OK - 0.10, 0.20 | load1=0.100;5.000;10.000;0; load5=0.2;;;0;\n", 9);
  EXPECT_EQ(output.message, "LOAD OK - 0.10, 0.20");
  EXPECT_THAT(output.figures, ElementsAre(Figure{"load1", 0.1, ""}, Figure{"load5", 0.2, ""}));
}

TEST(PluginOutput, KeepsUnitsAsTheyAre) {
  EXPECT_THAT(parse_output("ok|time=35ms used=40% size=-3KB n=7c", 9).figures,
              ElementsAre(Figure{"time", 35, "ms"}, Figure{"used", 40, "%"},
                          Figure{"size", -3, "KB"}, Figure{"n", 7, "c"}));
}

TEST(PluginOutput, HasLabelsInQuotes) {
  EXPECT_THAT(parse_output("ok|'/var lib'=1MB 'it''s'=2 '='=3", 9).figures,
              ElementsAre(Figure{"/var lib", 1, "MB"}, Figure{"it's", 2, ""}, Figure{"=", 3, ""}));
}

TEST(PluginOutput, HasFiguresOfLaterLines) {
  auto const output = parse_output("DISK OK | a=1\nlong text\nmore | b=2\nc=3\n", 9);
  EXPECT_EQ(output.message, "DISK OK");
  EXPECT_THAT(output.figures,
              ElementsAre(Figure{"a", 1, ""}, Figure{"b", 2, ""}, Figure{"c", 3, ""}));
}

TEST(PluginOutput, PassesOverWhatIsNoFigure) {
  EXPECT_THAT(parse_output("ok|a=U b c= =4 d=nan e=inf f=1e400 'x=1 ''=2 g=5", 9).figures,
              ElementsAre(Figure{"g", 5, ""}));
}

TEST(PluginOutput, TakesSoManyFiguresAtMost) {
  std::string text = "ok|";
  for (int i = 0; i < 100'000; ++i) text += "n" + std::to_string(i) + "=1 ";
  EXPECT_EQ(parse_output(text, 32).figures.size(), 32U);
}

TEST(PluginOutput, MayBeNothing) {
  EXPECT_EQ(parse_output("", 9).message, "");
  EXPECT_EQ(parse_output("\n\n|", 9).message, "");
  EXPECT_THAT(parse_output("|", 9).figures, IsEmpty());
}

}  // namespace
}  // namespace canary::exec
