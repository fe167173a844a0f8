// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/json.h"

#include <gmock/gmock.h>

#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

using json::Document;

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

struct RefusedCase {
  std::string name;
  std::string text;
  std::string rule;
  std::string detail;

  friend std::ostream& operator<<(std::ostream& out, RefusedCase const& test) {
    return out << test.name;
  }
};

class JsonRefuses : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(JsonRefuses, WithWhatAndWhere) {
  auto const document = Document::parse(GetParam().text, "root", {});

  ASSERT_EQ(verdict(document), GetParam().rule);
  EXPECT_EQ(document.error().detail, GetParam().detail);
  EXPECT_EQ(document.error().role, "root");
}

INSTANTIATE_TEST_SUITE_P(
    Cases, JsonRefuses,
    ::testing::Values(
        RefusedCase{"empty", "", "json_syntax", "ends too early at byte 0, $"},
        RefusedCase{"html", "<html>", "json_syntax", "syntax error at byte 0, $"},
        RefusedCase{"truncated", R"({"a":[1,)", "json_syntax", "ends too early at byte 8, $.a[1]"},
        RefusedCase{"comment", R"({"a":1/**/})", "json_syntax", "syntax error at byte 6, $.a"},
        RefusedCase{"trailing_comma", "[1,]", "json_syntax", "syntax error at byte 3, $[1]"},
        RefusedCase{"single_quotes", "{'a':1}", "json_syntax", "syntax error at byte 1, $"},
        RefusedCase{"leading_zero", R"({"a":01})", "json_syntax", "syntax error at byte 6, $.a"},
        RefusedCase{"nan", "[NaN]", "json_syntax", "syntax error at byte 1, $[0]"},
        RefusedCase{"raw_newline_in_string", "[\"a\nb\"]", "json_syntax",
                    "syntax error at byte 3, $[0]"},
        RefusedCase{"byte_order_mark", "\xEF\xBB\xBF{}", "json_bom", "byte order mark at byte 0"},
        RefusedCase{"invalid_utf8", "[\"\xFF\"]", "json_utf8", "invalid UTF-8 at byte 2"},
        RefusedCase{"overlong_utf8", "[\"\xC0\xAF\"]", "json_utf8", "invalid UTF-8 at byte 2"},
        RefusedCase{"raw_surrogate", "[\"\xED\xA0\x80\"]", "json_utf8", "invalid UTF-8 at byte 2"},
        RefusedCase{"above_unicode", "[\"\xF4\x90\x80\x80\"]", "json_utf8",
                    "invalid UTF-8 at byte 2"},
        RefusedCase{"cut_utf8", "[\"12345678\xE2\x82", "json_utf8", "invalid UTF-8 at byte 10"},
        RefusedCase{"lone_high_surrogate", R"(["\ud800"])", "json_utf8",
                    "lone surrogate at byte 8, $[0]"},
        RefusedCase{"lone_low_surrogate", R"(["\udc00"])", "json_utf8",
                    "lone surrogate at byte 8, $[0]"},
        RefusedCase{"too_deep", nested(513), "json_depth",
                    "nested deeper than 512 levels (budget depth) at byte 512, " +
                        [] {
                          std::string path = "$";
                          for (int i = 0; i < 24; ++i) path += "[0]";
                          return path + "…";
                        }()},
        RefusedCase{"duplicate_key", R"({"a":{"b":1,"c":2,"b":3}})", "json_duplicate_key",
                    "name appears twice at byte 19, $.a.b"},
        RefusedCase{"duplicate_key_by_escape", R"({"b":1,"\u0062":2})", "json_duplicate_key",
                    "name appears twice at byte 17, $.b"},
        RefusedCase{"garbage_after", "{} x", "json_trailing_bytes", "more after the end at byte 3"},
        RefusedCase{"second_value", "{}{}", "json_trailing_bytes", "more after the end at byte 2"},
        RefusedCase{"nul_after", std::string("{}\0", 3), "json_trailing_bytes",
                    "more after the end at byte 2"}),
    [](auto const& info) { return info.param.name; });

TEST(Json, KeepsMembersInOrder) {
  auto const document = Document::parse(R"({"b":1,"a":2,"c":3})", "x", {});

  CANARY_ASSERT_OK(document);
  std::vector<std::string> names;
  for (json::Member const& member : document.value()->root().object()) {
    names.emplace_back(member.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"b", "a", "c"}));
}

TEST(Json, KeepsNumbersAsWritten) {
  for (std::string const number :
       {"0", "-0", "1", "-17", "18446744073709551616", "1.0", "1e3", "-1.50E+07",
        "123456789012345678901234567890", "0.12345678901234567890123", "1e-400"}) {
    auto const document = Document::parse("[" + number + "]", "x", {});
    CANARY_ASSERT_OK(document);
    EXPECT_EQ(document.value()->root().array()[0].number(), number);
  }
}

TEST(Json, UnescapesStrings) {
  auto const document = Document::parse(
      R"(["plain","\"\\\/\b\f\n\r\t","\u00e9\ud83d\ude00","a\u0000b",""])", "x", {});

  CANARY_ASSERT_OK(document);
  auto const items = document.value()->root().array();
  EXPECT_EQ(items[0].string(), "plain");
  EXPECT_EQ(items[1].string(), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(items[2].string(), "\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(items[3].string(), std::string_view("a\0b", 3));
  EXPECT_EQ(items[4].string(), "");
}

TEST(Json, UnescapesLongStrings) {
  std::string const body(100'000, 'x');
  auto const document = Document::parse("[\"" + body + "\\n" + body + "\"]", "x", {});

  CANARY_ASSERT_OK(document);
  EXPECT_EQ(document.value()->root().array()[0].string(), body + "\n" + body);
}

TEST(Json, AllowsWhiteSpaceAround) { CANARY_EXPECT_OK(Document::parse(" \t\r\n{ } \n", "x", {})); }

TEST(Json, AllowsTheDeepestNestingThatTheLimitAdmits) {
  CANARY_EXPECT_OK(Document::parse(nested(512), "x", {}));
  CANARY_EXPECT_OK(Document::parse(nested(1000), "x", {.depth = 1000}));
}

TEST(Json, KnowsHowDeepItIs) {
  EXPECT_EQ(Document::parse("1", "x", {}).value()->depth(), 0U);
  EXPECT_EQ(Document::parse("{}", "x", {}).value()->depth(), 1U);
  EXPECT_EQ(Document::parse(R"([{"a":[]},[]])", "x", {}).value()->depth(), 3U);
}

TEST(Json, RefusesMoreValuesThanTheBudget) {
  CANARY_EXPECT_OK(Document::parse("[1,[],{}]", "x", {.values = 4}));
  auto const more = Document::parse("[1,[],{}]", "x", {.values = 3});

  ASSERT_EQ(verdict(more), "budget");
  EXPECT_EQ(more.error().detail, "more than 3 values (budget values) at byte 9, $");
}

TEST(Json, FindsMembersInLargeAndSmallObjects) {
  for (int const count : {1, 3, 15, 16, 17, 500}) {
    for (bool const sorted : {true, false}) {
      std::string text = "{";
      for (int i = 0; i < count; ++i) {
        int const key = 1000 + (sorted ? i : count - i);
        text += (i > 0 ? ",\"" : "\"") + std::to_string(key) + "\":" + std::to_string(i);
      }
      auto const document = Document::parse(text + "}", "x", {});
      CANARY_ASSERT_OK(document);
      json::Value const& root = document.value()->root();
      for (int i = 0; i < count; ++i) {
        json::Value const* value = root.find(std::to_string(1000 + (sorted ? i : count - i)));
        ASSERT_NE(value, nullptr);
        EXPECT_EQ(value->number(), std::to_string(i));
      }
      EXPECT_EQ(root.find("999"), nullptr);
      EXPECT_EQ(root.find("9999"), nullptr);
    }
  }
}

}  // namespace
}  // namespace canary::tuf
