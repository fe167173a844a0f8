// SPDX-License-Identifier: Apache-2.0
// What strangers' text looks like once it is safe.
#include "daemon/text/escape.h"

#include <ostream>

#include <gtest/gtest.h>

namespace canary::daemon {
namespace {

struct Case {
  std::string name, text, json, logfmt, html;
};

class Escape : public ::testing::TestWithParam<Case> {};

TEST_P(Escape, MakesJson) {
  std::string out;
  append_json(out, GetParam().text);
  EXPECT_EQ(out, GetParam().json);
}

TEST_P(Escape, MakesLogfmt) {
  std::string out;
  append_logfmt(out, GetParam().text);
  EXPECT_EQ(out, GetParam().logfmt);
}

TEST_P(Escape, MakesHtml) { EXPECT_EQ(html(GetParam().text), GetParam().html); }

INSTANTIATE_TEST_SUITE_P(
    Cases, Escape,
    ::testing::Values(
        Case{"plain", "timestamp", R"("timestamp")", "timestamp", "timestamp"},
        Case{"empty", "", R"("")", R"("")", ""},
        Case{"blank_and_equals", "a b=c", R"("a b=c")", R"("a b=c")", "a b=c"},
        Case{"quotes", R"(say "hi" \ there)", R"("say \"hi\" \\ there")",
             R"("say \"hi\" \\ there")", "say &quot;hi&quot; \\ there"},
        Case{"a_forged_log_line", "x\nlevel=error msg=owned", R"("x\nlevel=error msg=owned")",
             R"("x\nlevel=error msg=owned")", "x\nlevel=error msg=owned"},
        Case{"a_terminal_sequence", "\x1B[2J", R"("\u001b[2J")", R"("\u001b[2J")",
             "\xEF\xBF\xBD[2J"},
        Case{"a_tag", "<script>alert('1')</script>", R"("<script>alert('1')</script>")",
             "<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"},
        Case{"accents", "h\xC3\xA9", "\"h\xC3\xA9\"", "\"h\xC3\xA9\"", "h\xC3\xA9"},
        Case{"four_bytes", "\xF0\x9F\x90\xA4", "\"\xF0\x9F\x90\xA4\"", "\"\xF0\x9F\x90\xA4\"",
             "\xF0\x9F\x90\xA4"},
        Case{"a_stray_byte", "a\xFFz", "\"a\xEF\xBF\xBDz\"", R"("a\xffz")", "a\xEF\xBF\xBDz"},
        Case{"an_overlong_slash", "\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"", R"("\xc0\xaf")",
             "\xEF\xBF\xBD\xEF\xBF\xBD"},
        Case{"a_cut_sequence", "\xE2\x82", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"", R"("\xe2\x82")",
             "\xEF\xBF\xBD\xEF\xBF\xBD"},
        Case{"a_surrogate", "\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"",
             R"("\xed\xa0\x80")", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        Case{"text_turned_around", "a\xE2\x80\xAEz", R"("a\u202ez")", R"("a\u202ez")",
             "a\xEF\xBF\xBDz"},
        Case{"a_control_of_eight_bits",
             "\xC2\x9B"
             "2J",
             R"("\u009b2J")", R"("\u009b2J")",
             "\xEF\xBF\xBD"
             "2J"},
        Case{"a_zero", std::string{"a\0b", 3}, R"("a\u0000b")", R"("a\u0000b")",
             "a\xEF\xBF\xBD"
             "b"}),
    [](auto const& info) { return info.param.name; });

TEST(ValidUtf8, KeepsWhatIsValidAndReplacesTheRestByteForByte) {
  EXPECT_EQ(valid_utf8("ok \xE2\x82\xAC \xF5\x80"), "ok \xE2\x82\xAC \xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
}  // namespace canary::daemon
