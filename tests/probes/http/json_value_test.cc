// SPDX-License-Identifier: Apache-2.0
#include "probes/http/json_value.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::http {
namespace {

using ::testing::HasSubstr;

std::string differs(std::string const& text, std::string const& pointer,
                    std::string const& wanted) {
  auto const document = JsonDocument::parse(text);
  return document ? document.value().differs(pointer, wanted) : document.error().why;
}

TEST(JsonDocument, HasTheValueAtAPointer) {
  std::string const text = R"({"a": {"b/c": [1, 2.0, "x", null, true]}, "": 7, "big": 1e3})";
  EXPECT_EQ(differs(text, "/a/b~1c/0", "1"), "");
  EXPECT_EQ(differs(text, "/a/b~1c/1", "2"), "") << "a number, however it is written";
  EXPECT_EQ(differs(text, "/a/b~1c/2", "x"), "") << "a text as it stands";
  EXPECT_EQ(differs(text, "/a/b~1c/2", "\"x\""), "") << "and as JSON";
  EXPECT_EQ(differs(text, "/a/b~1c/3", "null"), "");
  EXPECT_EQ(differs(text, "/a/b~1c/4", "true"), "");
  EXPECT_EQ(differs(text, "/", "7"), "");
  EXPECT_EQ(differs(text, "/big", "1000"), "");
  EXPECT_EQ(differs(text, "/a", ""), "") << "any";
}

TEST(JsonDocument, SaysWhatIsThereInstead) {
  EXPECT_EQ(differs(R"({"a": 3})", "/a", "4"), "there is 3");
  EXPECT_EQ(differs(R"({"a": 3})", "/a", "\"3\""), "there is 3");
  EXPECT_EQ(differs(R"({"a": []})", "/a", "4"), "there is an array");
  EXPECT_EQ(differs(R"({"a": 3})", "/b", "4"), "there is none");
  EXPECT_EQ(differs(R"([1])", "/1", ""), "there is none");
  EXPECT_EQ(differs(R"([1])", "/x/y", ""), "there is none");
}

TEST(JsonDocument, RefusesWhatIsNoJson) {
  for (auto const* text : {"", "<html>", "{", "{} {}", "\xff"}) {
    auto const document = JsonDocument::parse(text);
    ASSERT_FALSE(document) << text;
    EXPECT_FALSE(document.error().too_large);
    EXPECT_THAT(document.error().why, HasSubstr("no JSON"));
  }
}

TEST(JsonDocument, IsReadToALimitedDepth) {
  auto const levels = [](std::size_t count) {
    return std::string(count, '[') + std::string(count, ']');
  };
  EXPECT_TRUE(JsonDocument::parse(levels(kJsonDepth)));
  EXPECT_FALSE(JsonDocument::parse(levels(kJsonDepth + 2)));
  EXPECT_FALSE(JsonDocument::parse(std::string(1 << 20, '[')));
}

TEST(JsonDocument, OfMoreValuesThanFitCannotBeTold) {
  std::string text = "[0";
  for (int i = 0; i < 6'000'000; ++i) text += ",0";
  auto const document = JsonDocument::parse(text + "]");
  ASSERT_FALSE(document);
  EXPECT_TRUE(document.error().too_large);
}

TEST(JsonPointer, IsAPathOrNothing) {
  for (auto const* text : {"", "/", "/a/b", "/a~0~1"}) EXPECT_TRUE(is_pointer(text)) << text;
  for (auto const* text : {"a", "a/b", "/~", "/~2", "#/a"}) EXPECT_FALSE(is_pointer(text)) << text;
}

}  // namespace
}  // namespace canary::http
