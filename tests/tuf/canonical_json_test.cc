// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/canonical_json.h"

#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

struct Case {
  std::string name;
  std::string text;
  std::string canonical;

  friend std::ostream& operator<<(std::ostream& out, Case const& test) { return out << test.name; }
};

Result<std::string> canonical(std::string const& text) {
  BOOST_OUTCOME_TRY(auto const document, json::Document::parse(text, "root", {}));
  return canonical_json(document->root(), "root", "signed");
}

class CanonicalJson : public ::testing::TestWithParam<Case> {};

TEST_P(CanonicalJson, IsWhatWasSigned) {
  auto const result = canonical(GetParam().text);

  CANARY_ASSERT_OK(result);
  EXPECT_EQ(result.value(), GetParam().canonical);
}

std::string many_unsorted() {
  std::string text = "{";
  for (int i = 40; i > 9; --i) text += "\"" + std::to_string(i) + "\":0" + (i > 10 ? "," : "}");
  return text;
}
std::string many_sorted() {
  std::string text = "{";
  for (int i = 10; i <= 40; ++i) text += "\"" + std::to_string(i) + "\":0" + (i < 40 ? "," : "}");
  return text;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, CanonicalJson,
    ::testing::Values(
        Case{"white_space_goes", " { \"a\" : [ 1 , 2 ] } ", R"({"a":[1,2]})"},
        Case{"keys_are_sorted", R"({"b":1,"a":{"d":1,"c":2}})", R"({"a":{"c":2,"d":1},"b":1})"},
        Case{"many_keys_are_sorted", many_unsorted(), many_sorted()},
        Case{"array_order_stays", "[3,1,2]", "[3,1,2]"},
        Case{"literals", "[null,true,false]", "[null,true,false]"},
        Case{"empty", R"([{},[],""])", R"([{},[],""])"},
        Case{"quote_and_backslash_are_escaped", R"(["\"\\"])", R"(["\"\\"])"},
        Case{"newline_is_raw", R"(["a\nb"])", "[\"a\nb\"]"},
        Case{"control_characters_are_raw", R"(["\u0001\u001f\u007f"])", "[\"\x01\x1f\x7f\"]"},
        Case{"nul_is_raw", R"(["a\u0000b"])", std::string("[\"a\0b\"]", 7)},
        Case{"slash_is_not_escaped", R"(["\/"])", R"(["/"])"},
        Case{"other_characters_are_raw_utf8", R"(["\u00e9\ud83d\ude00"])",
             "[\"\xC3\xA9\xF0\x9F\x98\x80\"]"},
        Case{"nothing_is_normalised", "[\"e\xCC\x81\"]", "[\"e\xCC\x81\"]"},
        // U+FFFF sorts before U+10000 by UTF-8, after it by UTF-16.
        Case{"keys_sort_by_utf8", R"({"\ud800\udc00":1,"\uffff":2})",
             "{\"\xEF\xBF\xBF\":2,\"\xF0\x90\x80\x80\":1}"},
        Case{"keys_sort_unescaped", R"({"a\"":1,"a#":2,"a!":3})", R"({"a!":3,"a\"":1,"a#":2})"},
        Case{"shorter_key_first", R"({"ab":1,"a":2,"":3})", R"({"":3,"a":2,"ab":1})"},
        Case{"big_number_is_kept", "[123456789012345678901234567890,-5]",
             "[123456789012345678901234567890,-5]"},
        Case{"minus_zero", "[-0,0]", "[0,0]"}),
    [](auto const& info) { return info.param.name; });

TEST(CanonicalJsonNumbers, RefusesFractionsAndExponents) {
  for (std::string const number : {"1.0", "1e3", "0.5", "-1E2", "1e99999999999999"}) {
    auto const result = canonical("{\"a\":" + number + "}");
    EXPECT_EQ(verdict(result), "number_not_integer") << number;
  }
}

}  // namespace
}  // namespace canary::tuf
