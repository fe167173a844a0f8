// SPDX-License-Identifier: Apache-2.0
// Every rule, fault and notice has its check, severity and reason; "bad" and "could not tell" are
// never mixed up.
#include "probes/tuf/findings.h"

#include <set>

#include "probes/fetch/fault.h"
#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

using probes::Finding;
using probes::Severity;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

TEST(Findings, EveryRuleOfTheSpecificationIsCritical) {
  // What says something of us, not of the repository.
  std::set<Rule> const of_us{Rule::size_limit,  Rule::json_depth,       Rule::budget,
                             Rule::unsupported, Rule::hash_unsupported, Rule::keys_rotated,
                             Rule::out_of_order};
  for (Rule const rule : all_rules()) {
    Finding const finding = finding_of({"role", Rejection{rule, "role", "why"}}, Stage::metadata);
    bool const ours = of_us.contains(rule);
    EXPECT_EQ(finding.severity, ours ? Severity::unknown : Severity::critical) << name(rule);
    EXPECT_NE(finding.reason, probes::Reason::none) << name(rule);
    EXPECT_TRUE(finding.evidence.starts_with("tuf ")) << name(rule);
  }
}

TEST(Findings, RulesBelongToTheirChecks) {
  auto const check = [](Rule rule) {
    return finding_of({"snapshot", Rejection{rule, "snapshot", ""}}, Stage::metadata).check;
  };
  EXPECT_EQ(check(Rule::timestamp_rollback), "rollback");
  EXPECT_EQ(check(Rule::snapshot_entry_removed), "rollback");
  EXPECT_EQ(check(Rule::snapshot_mix_and_match), "consistency");
  EXPECT_EQ(check(Rule::hash_mismatch), "consistency");
  EXPECT_EQ(check(Rule::threshold), "signatures");
  EXPECT_EQ(check(Rule::json_syntax), "metadata");
  EXPECT_EQ(check(Rule::root_version_gap), "root_chain");
  EXPECT_EQ(check(Rule::expired), "expiry");
}

TEST(Findings, WhateverBreaksTheRootWalkIsTheRootChain) {
  EXPECT_EQ(finding_of({"root", Rejection{Rule::threshold, "root", ""}}, Stage::root_walk).check,
            "root_chain");
  FetchFault const missing{.kind = FetchFault::Kind::missing, .url = "u"};
  EXPECT_EQ(finding_of({"root", missing}, Stage::root_walk).check, "root_chain");
}

// Kind, status, answered; what it is.
struct Case {
  fetch::FaultKind kind;
  int status;
  bool answered;
  FetchFault::Kind expected;
};

class Faults : public testing::TestWithParam<Case> {};

TEST_P(Faults, AreToldApart) {
  Case const& wanted = GetParam();
  fetch::Fault const fault{
      .kind = wanted.kind, .status = wanted.status, .message = "m", .answered = wanted.answered};
  FetchFault const why = fetch_fault(fault, url_of("https://h/x"));
  EXPECT_EQ(why.kind, wanted.expected);
  EXPECT_NE(why.reason, probes::Reason::none);
  Finding const finding = finding_of({"timestamp", why}, Stage::metadata);
  bool const unanswered = wanted.expected == FetchFault::Kind::unanswered;
  EXPECT_EQ(finding.severity, unanswered ? Severity::unknown : Severity::critical);
  EXPECT_EQ(finding.check, unanswered ? "reachable" : "metadata");
  EXPECT_EQ(finding.subject, unanswered ? "https://h/x" : "timestamp");
  Finding const target = finding_of({"a/b", why}, Stage::target);
  EXPECT_EQ(target.check, "targets");
  EXPECT_EQ(target.subject, "a/b");
  EXPECT_EQ(target.severity, finding.severity);
}

INSTANTIATE_TEST_SUITE_P(
    Answers, Faults,
    testing::Values(Case{fetch::FaultKind::dns, 0, false, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::connect, 0, false, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::reset, 0, false, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::timeout, 0, false, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::too_slow, 200, false, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::status, 500, true, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::status, 503, false, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::status, 429, true, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::status, 404, true, FetchFault::Kind::missing},
                    Case{fetch::FaultKind::status, 403, true, FetchFault::Kind::missing},
                    Case{fetch::FaultKind::status, 410, true, FetchFault::Kind::missing},
                    Case{fetch::FaultKind::status, 401, false, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::status, 407, false, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::proxy, 407, false, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::tls_untrusted, 0, false, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::forbidden, 0, false, FetchFault::Kind::unanswered},
                    Case{fetch::FaultKind::too_large, 200, true, FetchFault::Kind::wrong},
                    Case{fetch::FaultKind::truncated, 200, true, FetchFault::Kind::wrong},
                    Case{fetch::FaultKind::encoded, 200, true, FetchFault::Kind::wrong},
                    Case{fetch::FaultKind::redirect_loop, 302, true, FetchFault::Kind::wrong}));

TEST(Certificates, ThatNoClientAcceptsAreBadAndOneByAnIssuerUnknownToUsIsNot) {
  using Kind = fetch::FaultKind;
  using probes::Reason;
  std::pair<Kind, Reason> const bad[] = {{Kind::tls_expired, Reason::tls_expired},
                                         {Kind::tls_not_yet_valid, Reason::tls_not_yet_valid},
                                         {Kind::tls_wrong_host, Reason::tls_wrong_name}};
  for (auto const& [kind, reason] : bad) {
    fetch::Fault const fault{.kind = kind, .message = "m", .answered = true};
    Finding const finding =
        finding_of({"timestamp", fetch_fault(fault, url_of("https://h/x"))}, Stage::metadata);
    EXPECT_EQ(finding.check, "reachable");
    EXPECT_EQ(finding.subject, "https://h/x");
    EXPECT_EQ(finding.severity, Severity::critical);
    EXPECT_EQ(finding.reason, reason);
    EXPECT_EQ(finding.message, "no client can connect: m");
  }
  fetch::Fault const unknown{.kind = Kind::tls_untrusted, .message = "m"};
  Finding const finding =
      finding_of({"timestamp", fetch_fault(unknown, url_of("https://h/x"))}, Stage::metadata);
  EXPECT_EQ(finding.severity, Severity::unknown);
  EXPECT_EQ(finding.reason, Reason::tls_untrusted);
}

Finding expiry(seconds left, Validity validity = {}) {
  return expiry_finding("timestamp", kNow + left, kNow,
                        thresholds_in_force({days{7}, days{2}}, validity));
}

TEST(Expiry, HasThresholdsAndNamesTheDateAndWhatIsLeft) {
  EXPECT_EQ(expiry(days{7}).severity, Severity::ok);
  EXPECT_EQ(expiry(days{7}).message, "expires 2026-06-08T00:00:00Z, in 7 days");
  Finding const warning = expiry(days{7} - seconds{1});
  EXPECT_EQ(warning.severity, Severity::warning);
  EXPECT_EQ(warning.reason, probes::Reason::expiring);
  EXPECT_EQ(warning.message, "expires 2026-06-07T23:59:59Z, in 6 days 23 hours: less than 7 days");
  EXPECT_EQ(expiry(days{2}).severity, Severity::warning);
  EXPECT_EQ(expiry(days{2} - seconds{1}).severity, Severity::critical);
  EXPECT_EQ(expiry(seconds{1}).reason, probes::Reason::expiring);
}

TEST(Expiry, NamesTheValidityThatThresholdsWereFittedTo) {
  config::ExpiryThresholds const up_to{config::ExpiryThreshold::up_to(days{2}),
                                       config::ExpiryThreshold::up_to(days{1})};
  Validity const day{Validity::Source::last_modified, days{1}, kNow - hours{17}};
  auto const at = [&](seconds left) {
    return expiry_finding("timestamp", kNow + left, kNow, thresholds_in_force(up_to, day));
  };
  EXPECT_EQ(at(hours{8}).severity, Severity::ok);
  EXPECT_EQ(at(hours{8}).evidence,
            "expires 2026-06-01T08:00:00Z, now 2026-06-01T00:00:00Z; valid for about 1 day, as its "
            "file is of 2026-05-31T07:00:00Z");
  EXPECT_EQ(at(hours{7}).severity, Severity::warning);
  EXPECT_EQ(
      at(hours{7}).message,
      "expires 2026-06-01T07:00:00Z, in 7 hours: less than 8 hours, a third of the 1 day it is "
      "valid for");
  EXPECT_EQ(at(hours{3}).severity, Severity::critical);
  EXPECT_EQ(
      at(hours{3}).message,
      "expires 2026-06-01T03:00:00Z, in 3 hours: less than 4 hours, a sixth of the 1 day it is "
      "valid for");
  EXPECT_EQ(at(seconds{0}).reason, probes::Reason::expired);
}

TEST(Expiry, IsOverFromThatVerySecondOn) {
  EXPECT_EQ(expiry(seconds{0}).severity, Severity::critical);
  EXPECT_EQ(expiry(seconds{0}).reason, probes::Reason::expired);
  EXPECT_EQ(expiry(-hours{26}).message, "expired 2026-05-30T22:00:00Z, 1 day 2 hours ago");
}

TEST(Expiry, ThresholdsAreTheRolesOwn) {
  ExpirySpec policy;
  policy.roles["special"] = {days{90}, days{60}};
  EXPECT_EQ(thresholds_of(policy, "root"), policy.root);
  EXPECT_EQ(thresholds_of(policy, "timestamp"), policy.timestamp);
  EXPECT_EQ(thresholds_of(policy, "special").warning.span, days{90});
  EXPECT_EQ(thresholds_of(policy, "other"), policy.delegated);
}

TEST(Words, AreTheTwoLargestUnits) {
  EXPECT_EQ(words(seconds{0}), "0 seconds");
  EXPECT_EQ(words(seconds{1}), "1 second");
  EXPECT_EQ(words(seconds{61}), "1 minute 1 second");
  EXPECT_EQ(words(hours{1}), "1 hour");
  EXPECT_EQ(words(days{12} + hours{3} + seconds{5}), "12 days 3 hours");
  EXPECT_EQ(words(days{2} + seconds{5}), "2 days");
}

TEST(Notices, AreOneWarningPerRoleAndKind) {
  Notices notices;
  for (int i = 0; i < 3; ++i) {
    notices.push_back({NoticeKind::keyid_mismatch, "root", "key " + std::to_string(i)});
  }
  notices.push_back({NoticeKind::signature_missing, "root", "not worth a warning"});
  notices.push_back({NoticeKind::keyid_mismatch, "targets", "key x"});
  auto const found = notice_findings(notices);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].subject, "root");
  EXPECT_EQ(found[0].severity, Severity::warning);
  EXPECT_EQ(found[0].evidence, "keyid_mismatch: key 0");
  EXPECT_NE(found[0].message.find("(3 times)"), std::string::npos);
  EXPECT_EQ(found[1].subject, "targets");
}

TEST(Notices, OfManyRolesAreOneFinding) {
  Notices notices;
  for (int i = 0; i < 1'000; ++i) {
    notices.push_back({NoticeKind::expires_format, "bin-" + std::to_string(i), "x"});
  }
  auto const found = notice_findings(notices);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].subject, "bin-0, bin-1 and 998 more");
  EXPECT_NE(found[0].message.find("1000 roles"), std::string::npos);
}

}  // namespace
}  // namespace canary::tuf
