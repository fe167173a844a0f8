// SPDX-License-Identifier: Apache-2.0
// What was read is judged by values alone.
#include "probes/openpgp/judge.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/clock_doubt.h"
#include "probes/openpgp/client_profiles.h"
#include "probes/openpgp/declaration.h"
#include "probes/openpgp/verdict.h"

namespace canary::openpgp {
namespace {

using namespace std::chrono_literals;
using probes::Severity;
using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr sys_seconds kNow{sys_days{year{2025} / 10 / 1}};

Key a_key(char digit, std::optional<sys_seconds> ends = std::nullopt) {
  Key key;
  key.fingerprint = std::string(40, digit);
  key.algorithm = "RSA";
  key.bits = 4'096;
  key.created = kNow - days{730};
  key.ends = ends;
  key.signs = true;
  key.signatures = {{.hash = "SHA256", .made = key.created}};
  return key;
}
PublicKey a_public_key(char digit, std::optional<sys_seconds> ends = std::nullopt) {
  return {.primary = a_key(digit, ends), .subkeys = {}, .user = "Archive"};
}
KeySource a_file(std::vector<PublicKey> keys) {
  return {"archive.gpg", {.keys = std::move(keys), .unread = {}}};
}
Spec a_spec() { return {.keys = {"/archive.gpg"}}; }

Judged judged(std::vector<PublicKey> keys, Spec const& spec = a_spec(), sys_seconds now = kNow) {
  Looked looked;
  looked.keys.push_back(a_file(std::move(keys)));
  return judge(looked, spec, now);
}

// The worst finding of a check; "nothing" where it has none.
Finding of(Judged const& judged, std::string_view check) {
  Finding worst{.check = "nothing"};
  for (Finding const& finding : judged.findings) {
    if (finding.check.text() != check) continue;
    if (worst.check.text() == "nothing" || finding.severity > worst.severity) worst = finding;
  }
  return worst;
}

TEST(OpenpgpJudge, AKeyAboutToEndWarnsAndIsADeadline) {
  auto const all = judged({a_public_key('A', kNow + days{50})});
  Finding const finding = of(all, "expiry");
  EXPECT_EQ(finding.severity, Severity::warning);
  EXPECT_EQ(finding.reason.word(), "expiring");
  EXPECT_THAT(finding.message.text(), HasSubstr("RSA 4096, ends 2025-11-20T00:00:00Z, in 50d"));
  ASSERT_THAT(all.things, SizeIs(1));
  EXPECT_EQ(all.things[0].type, &kSigningKey);
  EXPECT_EQ(all.things[0].name.text(), std::string(40, 'A'));
  EXPECT_EQ(all.things[0].expiry->at, kNow + days{50});
  EXPECT_EQ(all.things[0].expiry->warning, days{60});
  EXPECT_EQ(of(judged({a_public_key('A', kNow + days{10})}), "expiry").severity,
            Severity::critical);
}

TEST(OpenpgpJudge, AShortValidityWarnsLater) {
  auto key = a_public_key('A', kNow + days{20});
  key.primary.signatures[0].made = kNow - days{70};
  auto const all = judged({key});
  EXPECT_EQ(all.things.at(0).expiry->warning, days{30});
  EXPECT_EQ(all.things.at(0).expiry->critical, days{14});
  EXPECT_EQ(of(all, "expiry").severity, Severity::warning);
}

TEST(OpenpgpJudge, AnEndedKeyIsBadUnlessAnotherMayHaveTakenItsPlace) {
  EXPECT_EQ(of(judged({a_public_key('A', kNow)}), "expiry").severity, Severity::critical);
  EXPECT_EQ(of(judged({a_public_key('A', kNow), a_public_key('B', kNow)}), "expiry").severity,
            Severity::critical);
  auto const all = judged({a_public_key('A', kNow), a_public_key('B')});
  EXPECT_EQ(of(all, "expiry").severity, Severity::warning);
  ASSERT_THAT(all.things, SizeIs(1)) << "what is over is no deadline";
  EXPECT_EQ(all.things[0].name.text(), std::string(40, 'B'));
  Spec spec = a_spec();
  spec.signers = {std::string(16, 'a')};
  auto const told = judged({a_public_key('A', kNow), a_public_key('B')}, spec);
  EXPECT_EQ(of(told, "expiry").severity, Severity::critical) << "it is the one that signs";
  EXPECT_THAT(told.things, SizeIs(1));
}

TEST(OpenpgpJudge, OfAKeyWithSubkeysTheLastOneToEndCounts) {
  auto key = a_public_key('A', kNow + days{400});
  key.subkeys = {a_key('B', kNow - days{1}), a_key('C', kNow + days{300})};
  key.primary.signs = false;
  auto const all = judged({key});
  EXPECT_EQ(of(all, "expiry").severity, Severity::ok);
  EXPECT_EQ(all.things.at(0).name.text(), std::string(40, 'C'));
}

TEST(OpenpgpJudge, ARevokedKeyIsBad) {
  auto key = a_public_key('A');
  key.primary.revoked = true;
  key.primary.revocation = "lost";
  Finding const finding = of(judged({key}), "revocation");
  EXPECT_EQ(finding.severity, Severity::critical);
  EXPECT_THAT(finding.message.text(), HasSubstr("revoked: lost"));
}

TEST(OpenpgpJudge, AKeyOfTheFutureIsBad) {
  auto key = a_public_key('A');
  key.primary.created = kNow + 1h;
  EXPECT_EQ(of(judged({key}), "expiry").reason.word(), "not_yet_valid");
}

TEST(OpenpgpJudge, AKeyThatSignsAndThatClientsDoNotHaveIsBad) {
  Spec spec = a_spec();
  spec.signers = {std::string(40, 'F')};
  Finding const finding = of(judged({a_public_key('A')}, spec), "keys");
  EXPECT_EQ(finding.severity, Severity::critical);
  EXPECT_EQ(finding.reason.word(), "no_key");
}

TEST(OpenpgpJudge, WhatCouldNotBeReadIsToldApart) {
  auto const with = [](Unread::Why why, bool beside_a_key) {
    Looked looked;
    looked.keys.push_back(a_file({}));
    if (beside_a_key) looked.keys[0].file.keys.push_back(a_public_key('A'));
    looked.keys[0].file.unread.push_back({why, "", "odd"});
    return of(judge(looked, a_spec(), kNow), "keys").severity;
  };
  EXPECT_EQ(with(Unread::Why::malformed, false), Severity::critical);
  EXPECT_EQ(with(Unread::Why::secret, true), Severity::critical);
  EXPECT_EQ(with(Unread::Why::too_much, true), Severity::unknown);
  EXPECT_EQ(with(Unread::Why::unsupported, true), Severity::warning);
  EXPECT_EQ(with(Unread::Why::unsupported, false), Severity::unknown);
}

PublicKey a_sha1_key(char digit) {
  auto key = a_public_key(digit);
  key.primary.signatures[0].hash = "SHA1";
  return key;
}

TEST(OpenpgpJudge, ARefusalToComeIsADeadlineMonthsBefore) {
  auto const all = judged({a_sha1_key('A')});
  Finding const finding = of(all, "clients");
  EXPECT_EQ(finding.subject.text(), "apt-3");
  EXPECT_EQ(finding.severity, Severity::warning);
  EXPECT_EQ(finding.reason.word(), "refused_soon");
  EXPECT_EQ(finding.message.text(),
            "refused by apt 3 (sqv) from 2026-02-01: SHA-1 self-signature of key "
            "AAAAAAAAAAAAAAAA");
  EXPECT_THAT(finding.evidence.text(), HasSubstr("default-sequoia.config"));
  ASSERT_THAT(all.things, SizeIs(2));
  EXPECT_EQ(all.things[1].type, &kClient);
  EXPECT_EQ(all.things[1].name.text(), "apt-3");
  sys_seconds const day{sys_days{year{2026} / 2 / 1}};
  EXPECT_EQ(all.things[1].expiry->at, day);
  EXPECT_EQ(of(judged({a_sha1_key('A')}, a_spec(), day - days{29}), "clients").severity,
            Severity::critical);
  EXPECT_EQ(of(judged({a_sha1_key('A')}, a_spec(), day - days{181}), "clients").severity,
            Severity::ok);
  EXPECT_EQ(of(judged({a_sha1_key('A')}, a_spec(), day), "clients").reason.word(), "refused");
}

TEST(OpenpgpJudge, AnotherKeyThatIsAcceptedMakesARefusalAWarning) {
  Spec spec = a_spec();
  spec.clients = {"rpm-6"};
  Finding const one = of(judged({a_sha1_key('A')}, spec), "clients");
  EXPECT_EQ(one.severity, Severity::critical);
  EXPECT_THAT(one.message.text(), HasSubstr("refused by rpm 6: SHA-1 self-signature"));
  Finding const two = of(judged({a_sha1_key('A'), a_public_key('B')}, spec), "clients");
  EXPECT_EQ(two.severity, Severity::warning);
  EXPECT_THAT(two.message.text(), HasSubstr("1 of 2 keys are refused by rpm 6"));
}

TEST(OpenpgpJudge, OneKeyOfAFileStopsEl9) {
  Spec spec = a_spec();
  spec.clients = {"el-9"};
  EXPECT_EQ(of(judged({a_sha1_key('A'), a_public_key('B')}, spec), "clients").severity,
            Severity::critical);
  auto with_subkey = a_public_key('C');
  with_subkey.subkeys = {a_key('D')};
  with_subkey.subkeys[0].signs = false;
  with_subkey.subkeys[0].signatures[0].hash = "SHA1";
  EXPECT_EQ(of(judged({with_subkey}, spec), "clients").severity, Severity::critical);
  spec.clients = {"apt-3"};
  EXPECT_EQ(of(judged({with_subkey}, spec), "clients").severity, Severity::ok);
}

Looked a_look(PublicKey ours, PublicKey served) {
  Looked looked;
  looked.keys.push_back(a_file({std::move(ours)}));
  looked.served.push_back({"https://example.com/key", {.keys = {std::move(served)}, .unread = {}}});
  return looked;
}
Finding compared(PublicKey ours, PublicKey served) {
  return of(judge(a_look(std::move(ours), std::move(served)), a_spec(), kNow), "served");
}

TEST(OpenpgpJudge, AnEndThatIsMovedWhereItIsServedOnlyBreaksClients) {
  EXPECT_EQ(compared(a_public_key('A'), a_public_key('A')).severity, Severity::ok);
  Finding const finding =
      compared(a_public_key('A', kNow + days{100}), a_public_key('A', kNow + days{465}));
  EXPECT_EQ(finding.severity, Severity::warning);
  EXPECT_THAT(finding.message.text(), HasSubstr("clients need the new copy before that"));
  EXPECT_THAT(compared(a_public_key('A'), a_public_key('A', kNow + days{1})).message.text(),
              HasSubstr("an old copy is served"));
}

TEST(OpenpgpJudge, ASubkeyThatIsServedOnlyOrNotIsTold) {
  auto more = a_public_key('A');
  more.subkeys = {a_key('B')};
  EXPECT_THAT(compared(a_public_key('A'), more).message.text(), HasSubstr("is served only"));
  EXPECT_EQ(compared(a_public_key('A'), more).expected.text(), "no such subkey");
  EXPECT_THAT(compared(more, a_public_key('A')).message.text(), HasSubstr("not served any more"));
}

TEST(OpenpgpJudge, ARevocationThatClientsDoNotHaveIsBad) {
  auto revoked = a_public_key('A');
  revoked.primary.revoked = true;
  Finding const finding = compared(a_public_key('A'), revoked);
  EXPECT_EQ(finding.severity, Severity::critical);
  EXPECT_EQ(finding.reason.word(), "revoked");
}

TEST(OpenpgpJudge, AKeyThatSignsAndIsNotServedIsBad) {
  auto const looked = a_look(a_public_key('A'), a_public_key('B'));
  auto const finding = of(judge(looked, a_spec(), kNow), "served");
  EXPECT_EQ(finding.severity, Severity::warning);
  Spec spec = a_spec();
  spec.signers = {std::string(40, 'A')};
  auto const told = of(judge(looked, spec, kNow), "served");
  EXPECT_EQ(told.severity, Severity::critical);
  EXPECT_EQ(told.reason.word(), "not_served");
}

SignedFileSource a_signed_file(std::vector<DataSignature> signatures) {
  return {"InRelease", {.signatures = std::move(signatures), .problem = ""}};
}
DataSignature a_signature(char digit, DataSignature::Status status = DataSignature::Status::good) {
  return {status, std::string(40, digit), "SHA256", kNow - days{1}};
}

TEST(OpenpgpJudge, WhoSignedIsWhoCounts) {
  Looked looked;
  looked.keys.push_back(a_file({a_public_key('A', kNow), a_public_key('B')}));
  looked.signed_files.push_back(a_signed_file({a_signature('B')}));
  auto all = judge(looked, a_spec(), kNow);
  EXPECT_EQ(of(all, "expiry").severity, Severity::ok);
  EXPECT_EQ(of(all, "signatures").severity, Severity::ok);
  looked.signed_files = {a_signed_file({a_signature('A')})};
  all = judge(looked, a_spec(), kNow);
  EXPECT_EQ(of(all, "expiry").severity, Severity::critical);
  Finding const client = of(all, "clients");
  EXPECT_EQ(client.subject.text(), "apt-2");
  EXPECT_THAT(client.message.text(), HasSubstr("key AAAAAAAAAAAAAAAA has ended"));
}

TEST(OpenpgpJudge, OfSeveralSignaturesOneThatIsGoodIsEnough) {
  using Status = DataSignature::Status;
  auto const with = [](std::vector<DataSignature> signatures) {
    Looked looked;
    looked.keys.push_back(a_file({a_public_key('A')}));
    looked.signed_files.push_back(a_signed_file(std::move(signatures)));
    return of(judge(looked, a_spec(), kNow), "signatures");
  };
  EXPECT_EQ(with({a_signature('B', Status::no_key)}).severity, Severity::critical);
  EXPECT_EQ(with({a_signature('B', Status::no_key)}).reason.word(), "no_key");
  EXPECT_EQ(with({a_signature('B', Status::no_key), a_signature('A')}).severity, Severity::ok);
  EXPECT_EQ(with({a_signature('A', Status::bad)}).severity, Severity::critical);
  EXPECT_EQ(with({a_signature('B', Status::bad), a_signature('A')}).severity, Severity::warning);
}

TEST(OpenpgpJudge, NoClientAcceptsAFileWithoutAGoodSignature) {
  Looked looked;
  looked.keys.push_back(a_file({a_public_key('A')}));
  looked.signed_files = {a_signed_file({a_signature('A')}),
                         a_signed_file({a_signature('A', DataSignature::Status::bad)})};
  Finding const finding = of(judge(looked, a_spec(), kNow), "clients");
  EXPECT_EQ(finding.severity, Severity::critical);
  EXPECT_THAT(finding.message.text(), HasSubstr("no good signature of InRelease"));
}

TEST(OpenpgpJudge, AFileWithoutSignaturesIsBad) {
  Looked looked;
  looked.keys.push_back(a_file({a_public_key('A')}));
  looked.signed_files.push_back({"InRelease", {.signatures = {}, .problem = "it is a page"}});
  Finding const finding = of(judge(looked, a_spec(), kNow), "signatures");
  EXPECT_EQ(finding.severity, Severity::critical);
  EXPECT_EQ(finding.message.text(), "it is a page");
}

TEST(OpenpgpJudge, WhereOurClockIsOffWhatDependsOnItCannotBeTold) {
  std::vector<PublicKey> const keys{a_public_key('A', kNow - days{10}), a_sha1_key('B')};
  auto found = judged(keys).findings;
  fetch::ClockVerdict const off{.by = {.theirs_minus_ours = -24h * 100}, .witnesses = 2};
  probes::doubt(found, judged(keys, a_spec(), kNow - days{100}).findings, off);
  Judged const doubted{std::move(found), {}};
  EXPECT_EQ(of(doubted, "expiry").severity, Severity::unknown);
  EXPECT_EQ(of(doubted, "expiry").reason.word(), "clock");
  EXPECT_EQ(of(doubted, "keys").severity, Severity::ok) << "it is no matter of time";
  EXPECT_EQ(of(doubted, "clock").severity, Severity::warning);
}

TEST(ClientProfiles, EveryRowHasItsSource) {
  for (ClientProfile const& profile : client_profiles()) {
    EXPECT_EQ(find_profile(profile.name), &profile);
    for (ClientRule const& rule : profile.rules) {
      EXPECT_THAT(std::string{rule.source}, Not(IsEmpty())) << profile.name << " " << rule.name;
    }
  }
}

// Who is refused by whom.
TEST(ClientProfiles, RefuseByKindAndHash) {
  auto const refused = [](std::string const& client, Key const& key) {
    PublicKey const whole{.primary = key, .subkeys = {}, .user = ""};
    auto const refusal = refusal_of(*find_profile(client), whole, whole.primary);
    return refusal ? refusal->why : std::string{"no"};
  };
  Key eddsa = a_key('A');
  eddsa.algorithm = "EDDSA";
  eddsa.curve = "Ed25519";
  EXPECT_EQ(refused("el-7", eddsa), "Ed25519 key AAAAAAAAAAAAAAAA");
  EXPECT_EQ(refused("el-8", eddsa), "Ed25519 key AAAAAAAAAAAAAAAA");
  EXPECT_EQ(refused("el-9", eddsa), "Ed25519 key AAAAAAAAAAAAAAAA");
  EXPECT_EQ(refused("rpm-6", eddsa), "no");
  Key dsa = a_key('A');
  dsa.algorithm = "DSA";
  EXPECT_EQ(refused("rpm-6", dsa), "DSA 4096 key AAAAAAAAAAAAAAAA");
  EXPECT_EQ(refused("rpm-4.19", dsa), "no");
  Key small = a_key('A');
  small.bits = 2'048;
  EXPECT_EQ(refused("apt-3", small), "RSA 2048 key AAAAAAAAAAAAAAAA");
  EXPECT_EQ(refused("apt-3", a_key('A')), "no");
  EXPECT_EQ(refused("sqv", small), "no");
}

}  // namespace
}  // namespace canary::openpgp
