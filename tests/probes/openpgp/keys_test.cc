// SPDX-License-Identifier: Apache-2.0
// What is read of keys, and of what they signed.
#include "probes/openpgp/keys.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/openpgp/signed_file.h"
#include "tests/probes/openpgp/signatory.h"

namespace canary::openpgp {
namespace {

using std::chrono::sys_days;
using std::chrono::year;
using Status = DataSignature::Status;
using Why = Unread::Why;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::chrono::sys_seconds kMade{sys_days{year{2020} / 1 / 1}};
constexpr std::chrono::sys_seconds kLater{sys_days{year{2024} / 6 / 1}};

PublicKey only_key(std::string const& bytes) {
  auto const file = read_keys(bytes);
  EXPECT_THAT(file.unread, IsEmpty());
  EXPECT_THAT(file.keys, SizeIs(1));
  return file.keys.empty() ? PublicKey{} : file.keys.front();
}

TEST(ReadKeys, KnowsAKeyWithItsSubkey) {
  Signatory signatory{{.algorithm = "RSA", .bits = 2'048, .hash = "SHA512", .lifetime = 24h * 365}};
  signatory.add_subkey(24h * 30, kMade + 1h);
  auto const key = only_key(signatory.binary());
  EXPECT_EQ(key.user, "Archive <archive@example.com>");
  EXPECT_EQ(key.primary.fingerprint, signatory.fingerprint());
  EXPECT_EQ(key.primary.kind(), "RSA 2048");
  EXPECT_EQ(key.primary.created, kMade);
  EXPECT_EQ(key.primary.ends, kMade + 24h * 365);
  EXPECT_FALSE(key.primary.revoked);
  ASSERT_THAT(key.primary.signatures, SizeIs(1));
  EXPECT_EQ(key.primary.signatures[0].hash, "SHA512");
  EXPECT_EQ(key.primary.signatures[0].made, kMade);
  ASSERT_THAT(key.subkeys, SizeIs(1));
  EXPECT_EQ(key.subkeys[0].kind(), "Ed25519");
  EXPECT_TRUE(key.subkeys[0].signs);
  EXPECT_EQ(key.end_of(key.subkeys[0]), kMade + 1h + 24h * 30);
  ASSERT_THAT(key.subkeys[0].signatures, SizeIs(1));
  EXPECT_EQ(key.subkeys[0].signatures[0].back_hash, "SHA256");
  EXPECT_THAT(key.signing(), SizeIs(2));
}

TEST(ReadKeys, ASubkeyEndsWithItsPrimaryKey) {
  Signatory signatory{{.lifetime = 24h * 365}};
  signatory.add_subkey(24h * 3'650, kMade);
  auto const key = only_key(signatory.binary());
  EXPECT_EQ(key.subkeys.at(0).ends, kMade + 24h * 3'650);
  EXPECT_EQ(key.end_of(key.subkeys.at(0)), kMade + 24h * 365);
}

TEST(ReadKeys, TheNewestSelfSignatureMovesTheEnd) {
  Signatory signatory{{.lifetime = 24h * 365}};
  signatory.set_lifetime(24h * 730, kMade + 24h);
  EXPECT_EQ(only_key(signatory.binary()).primary.ends, kMade + 24h * 730);
}

TEST(ReadKeys, KnowsARevocationAndItsReason) {
  Signatory signatory;
  signatory.add_subkey(0s, kMade);
  signatory.revoke("a new key is there", kLater);
  auto const key = only_key(signatory.armoured());
  EXPECT_TRUE(key.primary.revoked);
  EXPECT_TRUE(key.subkeys.at(0).revoked) << "no client uses it then";
  EXPECT_THAT(key.primary.revocation, HasSubstr("a new key is there"));
}

TEST(ReadKeys, ReadsSeveralArmouredBlocksAmongText) {
  Signatory const one, other;
  auto const file =
      read_keys("Our keys:\r\n" + one.armoured() + "\nand the next one:\n" + other.armoured());
  ASSERT_THAT(file.keys, SizeIs(2));
  EXPECT_THAT(file.unread, IsEmpty());
  EXPECT_EQ(file.keys[1].primary.fingerprint, other.fingerprint());
}

TEST(ReadKeys, AKeyThatCannotBeReadHidesNoOther) {
  Signatory const one, other;
  std::string const odd = std::string{"\xC6\x06\x04", 3} + std::string(4, '\x5E') + "\x63";
  auto const file = read_keys(one.binary() + odd + other.binary());
  ASSERT_THAT(file.keys, SizeIs(2));
  ASSERT_THAT(file.unread, SizeIs(1));
  EXPECT_EQ(file.unread[0].why, Why::unsupported);
}

struct NoKey {
  std::string name, bytes;
  Why why;
  std::string message;
};
class ReadKeysOf : public ::testing::TestWithParam<NoKey> {};

TEST_P(ReadKeysOf, WhatIsNoKeySaysSo) {
  auto const file = read_keys(GetParam().bytes);
  EXPECT_THAT(file.keys, IsEmpty());
  ASSERT_THAT(file.unread, SizeIs(1));
  EXPECT_EQ(file.unread[0].why, GetParam().why);
  EXPECT_THAT(file.unread[0].message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ReadKeysOf,
    ::testing::Values(
        NoKey{"nothing", "", Why::malformed, "an empty file"},
        NoKey{"a_page", "<!DOCTYPE html><html>", Why::malformed, "begins \"<!DOCTYPE html>"},
        NoKey{"damaged_armour",
              "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ!!\n-----END PGP PUBLIC KEY BLOCK-----\n",
              Why::malformed, "damaged"},
        NoKey{"armour_without_an_end", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEX",
              Why::malformed, "damaged"},
        NoKey{"a_secret_key", Signatory{}.secret(), Why::secret, "a secret key"},
        NoKey{"a_keybox", std::string{"\0\0\0\x20\x01\x01\0\x02KBXf\0\0", 14}, Why::unsupported,
              "keybox"}),
    [](auto const& info) { return info.param.name; });

TEST(ReadKeys, StopsWhereItsTimeIsUp) {
  Signatory const one, other;
  Budget budget;
  budget.cpu = std::chrono::milliseconds{-1};
  auto const file = read_keys(one.binary() + other.binary(), budget);
  EXPECT_THAT(file.keys, IsEmpty());
  ASSERT_THAT(file.unread, SizeIs(1));
  EXPECT_EQ(file.unread[0].why, Why::too_much);
  EXPECT_THAT(file.unread[0].message, HasSubstr("0 of 2 keys"));
}

SignedFile verified(std::string const& data, std::string const& keys) {
  return verify({data, std::nullopt, {keys}});
}

TEST(Verify, ClearsignedAndDetachedSignaturesAreToldWithKeyHashAndTime) {
  Signatory signatory;
  signatory.add_subkey(0s, kMade);
  auto const expect_good = [&](SignedFile const& file) {
    EXPECT_EQ(file.problem, "");
    ASSERT_THAT(file.signatures, SizeIs(1));
    EXPECT_EQ(file.signatures[0].status, Status::good);
    EXPECT_EQ(file.signatures[0].key, signatory.subkey_fingerprint());
    EXPECT_EQ(file.signatures[0].hash, "SHA512");
    EXPECT_EQ(file.signatures[0].made, kLater);
  };
  expect_good(
      verified(signatory.clearsigned("Origin: us\n", kLater, "SHA512"), signatory.binary()));
  std::string const signature = signatory.detached("data", kLater, "SHA512");
  expect_good(verify({"data", signature, {signatory.armoured()}}));
}

TEST(Verify, OfAChangedFileIsBad) {
  Signatory const signatory;
  auto text = signatory.clearsigned("Origin: us\n", kLater);
  text.replace(text.find("Origin"), 6, "Urigin");
  EXPECT_EQ(verified(text, signatory.binary()).signatures.at(0).status, Status::bad);
  std::string const signature = signatory.detached("data", kLater);
  EXPECT_EQ(verify({"date", signature, {signatory.binary()}}).signatures.at(0).status, Status::bad);
}

TEST(Verify, OfARevokedKeyTellsGoodSignaturesFromBadOnes) {
  Signatory signatory;
  std::string const signature = signatory.detached("data", kLater);
  signatory.revoke("lost", kLater - 1h);
  std::string const keys = signatory.binary();
  EXPECT_EQ(verify({"data", signature, {keys}}).signatures.at(0).status, Status::good);
  EXPECT_EQ(verify({"date", signature, {keys}}).signatures.at(0).status, Status::bad);
}

TEST(Verify, ByAKeyThatIsNotThereSaysWhose) {
  Signatory const signatory, other;
  auto const file = verified(signatory.clearsigned("x\n", kLater), other.binary());
  ASSERT_THAT(file.signatures, SizeIs(1));
  EXPECT_EQ(file.signatures[0].status, Status::no_key);
  EXPECT_EQ(file.signatures[0].key, signatory.fingerprint());
  EXPECT_EQ(file.signatures[0].hash, "SHA256");
  EXPECT_EQ(file.signatures[0].made, kLater);
}

TEST(Verify, OneOfTwoSignersMayBeUnknown) {
  Signatory const one, other;
  std::string const both = one.detached("data", kLater) + other.detached("data", kLater);
  auto const file = verify({"data", both, {other.binary()}});
  ASSERT_THAT(file.signatures, SizeIs(2));
  EXPECT_EQ(file.signatures[0].status, Status::no_key);
  EXPECT_EQ(file.signatures[1].status, Status::good);
}

TEST(Verify, TakesOneMessageAndNothingAroundIt) {
  Signatory const signatory;
  std::string const message = signatory.clearsigned("x\n", kLater);
  auto const problem = [&](std::string const& data) {
    return verified(data, signatory.binary()).problem;
  };
  EXPECT_EQ(problem(message + "\n\n"), "");
  EXPECT_THAT(problem("more\n" + message), HasSubstr("no clearsigned message"));
  EXPECT_THAT(problem(message + "more"), HasSubstr("stands behind"));
  EXPECT_THAT(problem(message + message), HasSubstr("stands behind"));
  EXPECT_THAT(problem(message.substr(0, message.size() - 40)), HasSubstr("ends without"));
  EXPECT_THAT(problem("<html>"), HasSubstr("no clearsigned message"));
  EXPECT_THAT(verify({"data", "", {signatory.binary()}}).problem, HasSubstr("no signature"));
  EXPECT_THAT(verify({"data", signatory.binary(), {signatory.binary()}}).problem,
              HasSubstr("something else"));
}

TEST(Verify, LooksAtNoMoreSignaturesThanItsBudget) {
  Signatory const signatory;
  std::string many;
  for (int i = 0; i < 33; ++i) many += signatory.detached("data", kLater);
  auto const file = verify({"data", many, {signatory.binary()}});
  EXPECT_TRUE(file.too_much);
  EXPECT_THAT(file.problem, HasSubstr("more than 32"));
}

// However many keys a signature names: that is our own limit, and no verdict on the file.
TEST(Verify, ReadsKeysForNoLongerThanItsBudget) {
  Signatory const signatory;
  Budget budget;
  budget.cpu = std::chrono::milliseconds{0};
  auto const file =
      verify({"data", signatory.detached("data", kLater), {signatory.binary()}}, budget);
  EXPECT_TRUE(file.too_much);
  EXPECT_THAT(file.problem, HasSubstr("processor time"));
}

}  // namespace
}  // namespace canary::openpgp
