// SPDX-License-Identifier: Apache-2.0
// What JSON, logfmt and HTML ask of text.
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
    ::testing::Values(Case{"plain", "timestamp", R"("timestamp")", "timestamp", "timestamp"},
                      Case{"empty", "", R"("")", R"("")", ""},
                      Case{"blank_and_equals", "a b=c", R"("a b=c")", R"("a b=c")", "a b=c"},
                      Case{"quotes", R"(say "hi" \ there)", R"("say \"hi\" \\ there")",
                           R"("say \"hi\" \\ there")", "say &quot;hi&quot; \\ there"},
                      Case{"a_forged_log_line", "x\nlevel=error", R"("x\u000alevel=error")",
                           R"("x\u000alevel=error")", "x\nlevel=error"},
                      Case{"a_tag", "<script>alert('1')</script>",
                           R"("<script>alert('1')</script>")", "<script>alert('1')</script>",
                           "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"},
                      Case{"accents", "h\xC3\xA9", "\"h\xC3\xA9\"", "\"h\xC3\xA9\"", "h\xC3\xA9"},
                      Case{"four_bytes", "\xF0\x9F\x90\xA4", "\"\xF0\x9F\x90\xA4\"",
                           "\"\xF0\x9F\x90\xA4\"", "\xF0\x9F\x90\xA4"}),
    [](auto const& info) { return info.param.name; });

}  // namespace
}  // namespace canary::daemon
