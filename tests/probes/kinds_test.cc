// SPDX-License-Identifier: Apache-2.0
// Every kind of probe keeps to what the rest of canaryd expects of one.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/finding_words.h"
#include "config/url.h"
#include "probes/explanation.h"
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

TEST_P(EveryKind, ExplainsEachOfItsChecks) {
  auto const rows = kind().explanations();
  for (auto const check : declared().checks) {
    auto const any = std::ranges::find_if(rows, [&](Explanation const& row) {
      return row.check == check && row.reason.empty() && !row.severity;
    });
    EXPECT_NE(any, rows.end()) << check;
  }
  for (auto const& row : rows) {
    EXPECT_TRUE(std::ranges::count(declared().checks, row.check) == 1) << row.check;
    bool const own = std::ranges::any_of(
        declared().reasons, [&](Reason const& reason) { return reason.word() == row.reason; });
    EXPECT_TRUE(row.reason.empty() || own || config::is_one_of(config::kCommonReasons, row.reason))
        << row.reason;
  }
}

TEST_P(EveryKind, HasAStepForEachOfItsChecksInWhichItIs) {
  auto const steps = declared().steps;
  ASSERT_FALSE(steps.empty());
  for (auto const& step : steps) {
    EXPECT_THAT(std::string{step.name}, Not(IsEmpty()));
    EXPECT_THAT(std::string{step.says}, Not(IsEmpty()));
  }
  for (auto const check : declared().checks) {
    if (check == "store") continue;  // what canaryd remembers is no step of a client
    Finding const finding{.check = check, .subject = "s", .severity = Severity::critical};
    EXPECT_LT(kind().place_of(finding), steps.size()) << check;
  }
  for (auto const* const type : declared().things) {
    EXPECT_LT(kind().place_of(ThingFacts{.type = type, .name = "s"}), steps.size()) << type->name;
  }
  for (auto const check : {"clock", "run"}) {
    EXPECT_GE(kind().place_of(Finding{.check = check}), steps.size()) << check;
  }
}

// A row that stands behind another one for the same is never found.
TEST_P(EveryKind, FindsEachExplanationByAFindingOfIts) {
  for (auto const& row : kind().explanations()) {
    Finding const finding{.check = row.check,
                          .severity = row.severity.value_or(Severity::critical),
                          .reason = row.reason.empty() ? Reason::none : Reason::read(row.reason),
                          .message = "m"};
    auto const found = explain(declared().kind, finding);
    EXPECT_EQ(found.advice, row.advice) << row.check << " " << row.reason;
    EXPECT_EQ(found.expected, row.expected);
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

TEST(Flags, OfAUrlTakeThePathOfWhatIsNotPublishedYet) {
  auto const located = [](std::string const& given) {
    for (auto const& kind : configured_kinds()) {
      if (kind.spec.name() != "http") continue;
      auto const probe = config::probe_of(kind, {{"url", {given}}});
      return probe ? probe.value().repository : probe.error().front();
    }
    return std::string{"no such kind"};
  };
  auto const here =
      "file://" + config::percent_encode(std::filesystem::current_path().string(), true);
  EXPECT_EQ(located("./a b%20?#/x"), here + "/a%20b%2520%3F%23/x");
  EXPECT_EQ(located("./staging/../x"), here + "/x");
  EXPECT_EQ(located("/srv/x"), "file:///srv/x");
  EXPECT_EQ(located("https://host/x"), "https://host/x");
  EXPECT_THAT(located("staging/x"), HasSubstr("--url: no scheme"));
}

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

Finding a_finding(std::string_view check, Reason reason, Severity severity = Severity::critical) {
  return {.check = check, .severity = severity, .reason = reason, .message = "m"};
}

TEST(Explanations, TakeTheStepThatAFindingNames) {
  auto finding = a_finding("rollback", Reason::rollback);
  finding.evidence = "tuf 5.4.3.1 timestamp_rollback: version 41, trusted is 42";
  auto const found = explain("tuf", finding);
  EXPECT_EQ(found.step, "TUF 1.0.34, 5.4.3.1");
  EXPECT_EQ(found.alert, "TufIntegrityFailure");
  finding.evidence = "tuf <b> hostile";
  EXPECT_EQ(explain("tuf", finding).step, "TUF 1.0.34, 5.4.3 and 5.5.5");
  auto late = a_finding("expiry", Reason::expired);
  late.subject = "timestamp";
  EXPECT_EQ(explain("tuf", late).step, "TUF 1.0.34, 5.4.4");
}

TEST(Explanations, OfTheWayComeBeforeThoseOfTheCheckThatWasOnItsWay) {
  EXPECT_EQ(explain("tuf", a_finding("targets", Reason::timeout, Severity::unknown)).advice,
            explain("http", a_finding("reachable", Reason::timeout, Severity::unknown)).advice);
}

TEST(Explanations, TellAWarningFromTheSameThatIsBad) {
  auto const bad = explain("tuf", a_finding("signatures", Reason::signature));
  auto const odd = explain("tuf", a_finding("signatures", Reason::signature, Severity::warning));
  EXPECT_EQ(bad.clients, "every client");
  EXPECT_NE(odd.advice, bad.advice);
  EXPECT_EQ(odd.alert, "");
}

// A file that is longer than some clients read is their affair; canaryd's own limit is not.
TEST(Explanations, OfASizeAreOfWhoseLimitItIs) {
  auto const of = [](Severity severity) {
    return std::string{explain("tuf", a_finding("metadata", Reason::size_limit, severity)).clients};
  };
  EXPECT_EQ(of(Severity::critical), "every client");
  EXPECT_EQ(of(Severity::warning), "those that the finding names");
  EXPECT_THAT(of(Severity::unknown), HasSubstr("canaryd did not look"));
}

TEST(Explanations, OfAnEndNameTheAlertOfItsKind) {
  EXPECT_EQ(explain("tuf", a_finding("expiry", Reason::expired)).alert, "TufMetadataExpired");
  EXPECT_EQ(explain("tls", a_finding("expiry", Reason::expired)).alert, "RepoTlsCertExpired");
  EXPECT_EQ(explain("openpgp", a_finding("expiry", Reason::expired)).alert, "OpenpgpKeyExpired");
  EXPECT_EQ(explain("tuf", a_finding("expiry", Reason::expiring, Severity::warning)).alert,
            "TufMetadataExpiringSoon");
  EXPECT_EQ(explain("tuf", a_finding("expiry", Reason::expiring)).alert,
            "TufMetadataExpiringCritical");
}

TEST(Explanations, OfAnUnknownKindAreWhatAllShare) {
  auto const found = explain("no-such-kind", a_finding("x", Reason::dns, Severity::unknown));
  EXPECT_THAT(std::string{found.advice}, HasSubstr("name servers"));
  EXPECT_EQ(found.alert, "RepoUnreachable");
  EXPECT_THAT(std::string{explain("", a_finding("x", Reason::none)).advice}, Not(IsEmpty()));
}

template <class F>
void for_each_explanation(F const& take) {
  for (auto const* const kind : kinds()) {
    for (auto const& row : kind->explanations()) take(kind->declaration().kind, row);
  }
  for (auto const& row : common_explanations()) take("", row);
}

TEST(Explanations, AreWholeAndNameAlertsThatThereAre) {
  std::filesystem::path const source{CANARY_SOURCE_DIR};
  auto const rules = support::read_file(source / "config/prometheus/canaryd.rules.yml");
  auto const runbook = support::read_file(source / "docs/runbook.md");
  for_each_explanation([&](std::string_view kind, Explanation const& row) {
    SCOPED_TRACE(std::string{kind} + " " + std::string{row.check} + " " + std::string{row.reason});
    for (auto const text : {row.step, row.expected, row.clients, row.advice}) {
      EXPECT_THAT(std::string{text}, Not(IsEmpty()));
      EXPECT_EQ(text.find_first_of("|`<>\n"), text.npos) << text;
    }
    EXPECT_TRUE(row.advice.ends_with('.')) << row.advice;
    for (auto const alert : {row.alert, row.alert_critical}) {
      if (alert.empty()) continue;
      EXPECT_THAT(rules, HasSubstr("- alert: " + std::string{alert} + "\n"));
      EXPECT_THAT(runbook, HasSubstr("\n## " + std::string{alert} + "\n"));
    }
  });
}

// ---- docs/runbook.md: what to do about a finding -----------------------------------------------

std::string advice_table() {
  std::string out =
      "| kind | check | reason | expected | it breaks | what to do |\n|---|---|---|---|---|---|\n";
  auto const named = [](std::string_view word) {
    return word.empty() ? std::string{"any"} : "`" + std::string{word} + "`";
  };
  for_each_explanation([&](std::string_view kind, Explanation const& row) {
    out += "| " + named(kind) + " | " + named(row.check) + " | " + named(row.reason);
    if (row.severity) out += ", " + std::string{to_text(*row.severity)};
    out += " | " + std::string{row.expected} + " (" + std::string{row.step} + ") | " +
           std::string{row.clients} + " | " + std::string{row.advice} + " |\n";
  });
  return out;
}

TEST(Runbook, HasTheAdviceOfEveryKind) {
  std::filesystem::path const file = std::filesystem::path{CANARY_SOURCE_DIR} / "docs/runbook.md";
  std::string text = support::read_file(file);
  auto const begin = text.find("| kind | check | reason |");
  ASSERT_NE(begin, std::string::npos) << "the table of advice is gone";
  auto const after = text.find("|\n\n", begin);
  auto const end = after == std::string::npos ? text.size() : after + 2;
  if (std::getenv("CANARY_WRITE_DOCS") != nullptr) {
    text.replace(begin, end - begin, advice_table());
    std::ofstream{file} << text;
    return;
  }
  EXPECT_EQ(text.substr(begin, end - begin), advice_table())
      << "write it anew: CANARY_WRITE_DOCS=1 ctest --preset dev -R Runbook.HasTheAdvice";
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
