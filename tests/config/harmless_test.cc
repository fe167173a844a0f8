// SPDX-License-Identifier: Apache-2.0
// Text from outside: what is shown of it, how much, and that it cannot be told apart twice.
#include "config/harmless.h"

#include <gtest/gtest.h>

namespace canary {
namespace {

struct Case {
  std::string name, text, shown;
};

class Harmless : public ::testing::TestWithParam<Case> {};

TEST_P(Harmless, ShowsWhatTerminalsWouldObeyAndPeopleWouldNotSee) {
  EXPECT_EQ(make_harmless(GetParam().text, 200), GetParam().shown);
}

TEST_P(Harmless, IsTheSameTheSecondTime) {
  EXPECT_EQ(make_harmless(GetParam().shown, 200), GetParam().shown);
  EXPECT_TRUE(is_harmless(GetParam().shown, 200));
}

TEST_P(Harmless, KnowsWhatIsHarmlessAlready) {
  EXPECT_EQ(is_harmless(GetParam().text, 200), GetParam().text == GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Harmless,
    ::testing::Values(
        Case{"empty", "", ""}, Case{"plain", R"(a "b" \c <d> %e=f)", R"(a "b" \c <d> %e=f)"},
        Case{"lines", "a\r\n\tb", R"(a\r\n\tb)"},
        Case{"terminal_sequence", "\x1B]0;owned\x07\x1B[2J", R"(\x1b]0;owned\x07\x1b[2J)"},
        Case{"zero", std::string{"a\0b", 3}, R"(a\x00b)"}, Case{"delete", "a\x7F", R"(a\x7f)"},
        Case{"control_of_eight_bits",
             "\xC2\x9B"
             "31m",
             R"(\u{009b}31m)"},
        Case{"stray_byte", "a\x9Bz\xFF", R"(a\x9bz\xff)"},
        Case{"overlong_slash", "\xC0\xAF", R"(\xc0\xaf)"},
        Case{"cut_sequence", "\xE2\x82", R"(\xe2\x82)"},
        Case{"surrogate", "\xED\xA0\x80", R"(\xed\xa0\x80)"},
        Case{"beyond_unicode", "\xF4\x90\x80\x80", R"(\xf4\x90\x80\x80)"},
        Case{"letters", "h\xC3\xA9 \xE6\x97\xA5 \xF0\x9F\x90\xA4",
             "h\xC3\xA9 \xE6\x97\xA5 \xF0\x9F\x90\xA4"},
        Case{"text_turned_around", "a\xE2\x80\xAEz", R"(a\u{202e}z)"},
        Case{"isolate", "\xE2\x81\xA6z", R"(\u{2066}z)"},
        Case{"mark_of_direction", "\xE2\x80\x8F\xD8\x9C", R"(\u{200f}\u{061c})"},
        Case{"zero_width", "a\xE2\x80\x8B\xE2\x81\xA0z", R"(a\u{200b}\u{2060}z)"},
        Case{"byte_order_mark", "\xEF\xBB\xBFz", R"(\u{feff}z)"},
        Case{"separators", "\xE2\x80\xA8\xE2\x80\xA9", R"(\u{2028}\u{2029})"},
        Case{"private_use", "\xEE\x80\x80\xF3\xB0\x80\x80", R"(\u{e000}\u{f0000})"},
        Case{"no_character", "\xEF\xBF\xBE\xF0\x9F\xBF\xBF", R"(\u{fffe}\u{1ffff})"},
        Case{"tags", "\xF3\xA0\x81\x81", R"(\u{e0041})"},
        Case{"soft_hyphen", "a\xC2\xADz", R"(a\u{00ad}z)"},
        Case{"neighbours_of_the_hidden", "\xC2\xAC\xC2\xAE\xE2\x80\x90\xEE\xFF", R"(¬®‐\xee\xff)"}),
    [](auto const& info) { return info.param.name; });

TEST(HarmlessLength, IsKeptWhereItFits) {
  EXPECT_EQ(make_harmless(std::string(20, 'a'), 20), std::string(20, 'a'));
}

TEST(HarmlessLength, IsCutWithAMarkWhereItDoesNot) {
  auto const cut = make_harmless(std::string(21, 'a'), 20);
  EXPECT_EQ(cut, "aaaaaaaaaaa... [cut]");
  EXPECT_EQ(make_harmless(cut, 20), cut);
}

TEST(HarmlessLength, NeverEndsWithinACharacterOrAnEscape) {
  EXPECT_EQ(make_harmless("aaaaaaaaaa\xC3\xA9"
                          "aaaaaaaaaa",
                          20),
            "aaaaaaaaaa... [cut]");
  EXPECT_EQ(make_harmless("aaaaaaaaa\x1B"
                          "aaaaaaaaaa",
                          20),
            "aaaaaaaaa... [cut]");
}

TEST(HarmlessTextType, CleansWhateverItIsMadeFrom) {
  using Text = HarmlessText<20>;
  std::string const raw = "\x1B[2J";
  struct Holder {
    Text text;
  };
  EXPECT_EQ(Text{raw}.text(), R"(\x1b[2J)");
  EXPECT_EQ(Text{"\x1B[2J"}.text(), R"(\x1b[2J)");
  EXPECT_EQ(Text{std::string_view{raw}}.text(), R"(\x1b[2J)");
  EXPECT_EQ(Holder{.text = raw}.text.text(), R"(\x1b[2J)");
  EXPECT_EQ(Text{HarmlessText<40>{std::string(30, 'a')}}.text(), "aaaaaaaaaaa... [cut]");
}

TEST(HarmlessTextType, StaysHarmlessWhenItGrows) {
  HarmlessText<20> text{"ab"};
  text += "\x07";
  EXPECT_EQ(text.text(), R"(ab\x07)");
  text += std::string(30, 'c');
  EXPECT_EQ(text.size(), 20U);
  EXPECT_TRUE(text.text().ends_with(kCut));
}

}  // namespace
}  // namespace canary
