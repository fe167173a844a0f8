// SPDX-License-Identifier: Apache-2.0
// Every kind of probe keeps to what the rest of canaryd expects of one.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/finding_words.h"
#include "probes/kind.h"
#include "tests/support/read_file.h"

namespace canary::probes {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class EveryKind : public ::testing::TestWithParam<Kind const*> {
 protected:
  Kind const& kind() const { return *GetParam(); }
  Declaration const& declared() const { return kind().declaration(); }
  config::Kind const& configured() const {
    for (auto const& each : configured_kinds()) {
      if (each.spec.name() == declared().kind) return each;
    }
    ADD_FAILURE() << "not configured";
    return configured_kinds().front();
  }
};

TEST_P(EveryKind, IsFoundByTheNameOfItsField) {
  EXPECT_EQ(kind().spec().name(), declared().kind);
  EXPECT_EQ(find_kind(declared().kind), &kind());
  EXPECT_EQ(&declaration_of(declared().kind), &declared());
}

TEST_P(EveryKind, SaysWhatItChecks) { EXPECT_THAT(std::string{kind().title()}, Not(IsEmpty())); }

TEST_P(EveryKind, NamesItsMetricsAfterItself) {
  std::string const prefix = "canaryd_" + std::string{declared().kind} + "_";
  std::set<std::string> names;
  auto const expect_named = [&](Number const& number) {
    if (number.metric.empty()) return;
    EXPECT_TRUE(number.metric.starts_with(prefix)) << number.metric;
    EXPECT_TRUE(names.insert(std::string{number.metric}).second)
        << number.metric << " is there twice";
    EXPECT_THAT(std::string{number.help}, Not(IsEmpty()));
  };
  for (auto const* const family : declared().samples) expect_named(family->number);
  for (auto const* const type : declared().things) {
    EXPECT_LE(type->numbers.size(), kMostNumbers);
    for (auto const& number : type->numbers) expect_named(number);
    for (auto const* const number :
         {&type->ends, &type->warning, &type->critical, &type->seen, &type->count}) {
      expect_named(*number);
    }
  }
}

TEST_P(EveryKind, HasWordsOfItsOwnForFindings) {
  for (auto const check : declared().checks) {
    EXPECT_FALSE(config::is_one_of(config::kCommonChecks, check)) << check;
  }
  for (Reason const& reason : declared().reasons) {
    EXPECT_FALSE(config::is_one_of(config::kCommonReasons, reason.word())) << reason.word();
  }
}

// What a field is called on the command line must be unique there.
TEST_P(EveryKind, HasAFlagForEachOfItsFields) {
  std::set<std::string> names;
  for (auto const& flag : config::flags_of(configured())) {
    EXPECT_TRUE(names.insert(flag.name).second) << flag.name << " is there twice";
    EXPECT_THAT(flag.text, Not(IsEmpty())) << flag.name;
  }
  EXPECT_TRUE(names.contains("timeout"));
  auto const positional = std::string{kind().positional()};
  EXPECT_TRUE(positional.empty() || names.contains(positional)) << positional;
}

TEST_P(EveryKind, RefusesAFlagsValueByTheFlagsName) {
  auto const refused = config::probe_of(configured(), {{"timeout", {"soon"}}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), ::testing::Contains(HasSubstr("--timeout: ")));
}

TEST_P(EveryKind, SaysWhichFlagIsMissing) {
  auto const refused = config::probe_of(configured(), {});
  ASSERT_FALSE(refused) << "what would it look at?";
  for (auto const& why : refused.error()) EXPECT_THAT(why, ::testing::StartsWith("--"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryKind, ::testing::ValuesIn(kinds().begin(), kinds().end()),
                         [](auto const& each) {
                           return std::string{each.param->declaration().kind};
                         });

TEST(KindSpec, IsComparedAsAValueOfItsKind) {
  auto const a = kinds().front()->spec();
  auto const b = kinds().front()->spec();
  EXPECT_EQ(a, b);
  EXPECT_FALSE(a == config::KindSpec{});
  EXPECT_EQ(config::KindSpec{}, config::KindSpec{});
}

TEST(Kinds, OfAnUnknownNameDeclareNothing) {
  EXPECT_EQ(find_kind("no-such-kind"), nullptr);
  EXPECT_EQ(&declaration_of("no-such-kind"), &kNothingDeclared);
}

// ---- docs/canaryd.md: the flags of `check KIND` ------------------------------------------------

std::string flags_table() {
  std::map<std::string, std::pair<std::string, std::string>> rows;  // flag to kinds and text
  for (auto const& kind : configured_kinds()) {
    for (auto const& flag : config::flags_of(kind)) {
      auto& [kinds, text] = rows[flag.name];
      kinds += (kinds.empty() ? "" : ", ") + std::string{kind.spec.name()};
      if (text.empty()) text = flag.text;
      if (!text.empty() && text != flag.text && !flag.text.empty()) text += "; " + flag.text;
    }
  }
  std::string out = "| flag | of | meaning |\n|---|---|---|\n";
  for (auto const& [flag, row] : rows) {
    out += "| `--" + flag + "` | " + row.first + " | " + row.second + " |\n";
  }
  return out;
}

TEST(Manual, HasTheFlagsOfEveryKind) {
  std::filesystem::path const file = std::filesystem::path{CANARY_SOURCE_DIR} / "docs/canaryd.md";
  std::string text = support::read_file(file);
  std::string const head = "| flag | of | meaning |\n";
  auto const begin = text.find(head);
  ASSERT_NE(begin, std::string::npos) << "the table of flags is gone";
  auto const end = text.find("\n\n", begin) + 1;
  if (std::getenv("CANARY_WRITE_DOCS") != nullptr) {
    text.replace(begin, end - begin, flags_table());
    std::ofstream{file} << text;
    return;
  }
  EXPECT_EQ(text.substr(begin, end - begin), flags_table())
      << "write it anew: CANARY_WRITE_DOCS=1 ctest --preset dev -R Manual.HasTheFlags";
}

}  // namespace
}  // namespace canary::probes
