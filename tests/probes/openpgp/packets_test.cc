// SPDX-License-Identifier: Apache-2.0
// What of an untrusted file librnp gets to see.
#include "probes/openpgp/packets.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/openpgp/keys.h"
#include "tests/probes/openpgp/signatory.h"

namespace canary::openpgp {
namespace {

using Why = Unread::Why;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string number(std::size_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}
// With a header of the new form, and a length of five bytes.
std::string packet(std::uint8_t tag, std::string const& body) {
  return std::string{static_cast<char>(0xC0 | tag), '\xFF'} + number(body.size(), 4) + body;
}
std::string mpi(int bits) {
  std::string const text(static_cast<std::size_t>((bits + 7) / 8), '\x7F');
  return number(static_cast<std::size_t>(bits), 2) + text;
}
std::string rsa_key(int bits = 2'048, int exponent_bits = 17) {
  return std::string{"\x04"} + number(1'600'000'000, 4) + "\x01" + mpi(bits) + mpi(exponent_bits);
}
std::string subpacket(std::uint8_t type, std::string const& value) {
  return '\xFF' + number(value.size() + 1, 4) + static_cast<char>(type) + value;
}
std::string from_hexadecimal(std::string const& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return bytes;
}
// By the key `fingerprint` names, on a user ID.
std::string signature(std::string const& fingerprint, std::string const& more = {}) {
  std::string const hashed =
      subpacket(33, "\x04" + from_hexadecimal(fingerprint)) + subpacket(2, number(1, 4)) + more;
  return std::string{"\x04\x13\x01\x08", 4} + number(hashed.size(), 2) + hashed + number(0, 2) +
         "ab" + mpi(2'048);
}

TEST(SplitKeys, LeavesOutSignaturesByOthersAndWhatIsNoUserId) {
  std::string const key = rsa_key();
  std::string const fingerprint = fingerprint_of(key);
  std::string const other(40, 'A');
  std::string const kept =
      packet(kPublicKey, key) + packet(kUserId, "us") + packet(kSignature, signature(fingerprint));
  auto const blocks = split_keys(
      kept + packet(kSignature, signature(other)) + packet(kUserAttribute, "a picture") +
          packet(kSignature, signature(fingerprint)) + packet(kTrust, "t") + packet(kMarker, "PGP"),
      {});
  ASSERT_THAT(blocks.keys, SizeIs(1));
  EXPECT_THAT(blocks.unread, IsEmpty());
  EXPECT_EQ(blocks.keys[0].bytes, kept);
  EXPECT_EQ(blocks.keys[0].signatures, 1U);
}

TEST(SplitKeys, PutsTogetherWhatComesTwice) {
  std::string const key = packet(kPublicKey, rsa_key());
  auto const blocks = split_keys(key + packet(kPublicKey, rsa_key(3'072)) + key, {});
  ASSERT_THAT(blocks.keys, SizeIs(2));
  EXPECT_EQ(blocks.keys[0].bytes, key + key);
}

TEST(SplitKeys, OfASignatureKnowsHashTimeAndIssuer) {
  std::string const fingerprint = fingerprint_of(rsa_key());
  auto const says = signature_says(signature(fingerprint));
  EXPECT_EQ(says.issuer, fingerprint);
  EXPECT_EQ(says.hash, "SHA256");
  EXPECT_EQ(says.made, std::chrono::sys_seconds{1s});
}

struct Refused {
  std::string name, bytes;
  Why why;
  std::string message;
};
std::string many(std::size_t count, std::string const& one) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += one;
  return all;
}
std::string const kKey = packet(kPublicKey, rsa_key());
std::string own(std::string const& more = {}) {
  return packet(kSignature, signature(fingerprint_of(rsa_key()), more));
}
std::string nested(int depth) {
  std::string inner = signature(fingerprint_of(rsa_key()));
  for (int i = 0; i < depth; ++i) {
    inner = signature(fingerprint_of(rsa_key()), subpacket(32, inner));
  }
  return packet(kSignature, inner);
}

class SplitKeysRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(SplitKeysRefuses, WithAReason) {
  auto const blocks = split_keys(GetParam().bytes, {});
  ASSERT_THAT(blocks.unread, SizeIs(1));
  EXPECT_EQ(blocks.unread[0].why, GetParam().why);
  EXPECT_THAT(blocks.unread[0].message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, SplitKeysRefuses,
    ::testing::Values(
        Refused{"many_subkeys", kKey + many(65, packet(kPublicSubkey, rsa_key())), Why::too_much,
                "more than 64 subkeys"},
        Refused{"many_user_ids", kKey + many(129, packet(kUserId, "us")), Why::too_much,
                "more than 128 user IDs"},
        Refused{"many_signatures", kKey + packet(kUserId, "us") + many(129, own()), Why::too_much,
                "more than 128 signatures by itself"},
        Refused{"a_large_modulus", packet(kPublicKey, rsa_key(8'193)), Why::too_much, "8193 bits"},
        Refused{"a_large_exponent", packet(kPublicKey, rsa_key(2'048, 65)), Why::too_much,
                "exponent of 65 bits"},
        Refused{"a_large_order",
                packet(kPublicKey, std::string{"\x04"} + number(1'600'000'000, 4) + "\x11" +
                                       mpi(2'048) + mpi(513) + mpi(2'048) + mpi(2'048)),
                Why::too_much, "q of 513 bits"},
        Refused{"a_large_subkey", kKey + packet(kPublicSubkey, rsa_key(16'384)), Why::too_much,
                "16384 bits"},
        Refused{"a_long_user_id", kKey + packet(kUserId, std::string(20'000, 'u')), Why::too_much,
                "user ID of 20000 bytes"},
        Refused{"a_long_signature", kKey + own(subpacket(20, std::string(20'000, 'n'))),
                Why::too_much, "a signature of "},
        Refused{"many_unknown_subpackets",
                kKey + packet(kUserId, "us") + many(5, own(many(60, subpacket(99, "?")))),
                Why::too_much, "more than 256 subpackets of unknown kinds"},
        Refused{"many_packets", kKey + many(100'001, packet(kTrust, "t")), Why::too_much,
                "more than 100000 packets"},
        Refused{"a_secret_key", packet(kSecretKey, rsa_key()), Why::secret, "a secret key"},
        Refused{"a_secret_subkey", kKey + packet(kSecretSubkey, rsa_key()), Why::secret,
                "a secret subkey"},
        Refused{"version_3", packet(kPublicKey, "\x03" + rsa_key().substr(1)), Why::unsupported,
                "version 3"},
        Refused{"version_6", packet(kPublicKey, "\x06" + rsa_key().substr(1)), Why::unsupported,
                "version 6"},
        Refused{"an_encrypted_message", packet(18, "data"), Why::malformed, "type 18"},
        Refused{"packed_data", packet(8, "data"), Why::malformed, "type 8"},
        Refused{"a_length_that_is_not_stated",
                kKey + std::string{"\xC6\xE1"
                                   "ab"},
                Why::malformed, "not stated"},
        Refused{"an_end_in_a_packet", kKey.substr(0, 100), Why::malformed, "ends within a packet"},
        Refused{"no_packet", kKey + "text", Why::malformed, "no OpenPGP packet"}),
    [](auto const& info) { return info.param.name; });

TEST(SplitKeys, DropsSignaturesThatAreNestedMoreDeeplyThanThereIsUse) {
  auto const user = packet(kUserId, "us");
  EXPECT_EQ(split_keys(kKey + user + nested(1), {}).keys.at(0).signatures, 1U);
  EXPECT_EQ(split_keys(kKey + user + nested(2), {}).keys.at(0).signatures, 0U);
  EXPECT_EQ(split_keys(kKey + user + nested(100), {}).keys.at(0).signatures, 0U);
}

TEST(SplitKeys, DropsSignaturesOfManySubpackets) {
  auto const user = packet(kUserId, "us");
  auto const with = [&](std::size_t more) {
    return split_keys(kKey + user + own(many(more, subpacket(20, "n"))), {}).keys.at(0).signatures;
  };
  EXPECT_EQ(with(62), 1U);
  EXPECT_EQ(with(63), 0U);
}

TEST(ReadKeys, StopsAtManyWrongSignatures) {
  std::string file;
  for (int bits = 2'048; bits < 2'051; ++bits) {
    std::string const key = rsa_key(bits);
    file += packet(kPublicKey, key) + packet(kUserId, "us") +
            many(50, packet(kSignature, signature(fingerprint_of(key))));
  }
  auto const read = read_keys(file);
  ASSERT_THAT(read.unread, ::testing::Not(IsEmpty()));
  EXPECT_EQ(read.unread.back().why, Why::too_much);
  EXPECT_THAT(read.unread.back().message, HasSubstr("self-signatures are wrong: 2 of 3 keys"));
}

// Whatever is cut off or changed ends as an answer.
TEST(ReadKeys, EndsOnDamagedKeys) {
  Signatory signatory;
  signatory.add_subkey(0s, std::chrono::sys_days{std::chrono::year{2021} / 1 / 1});
  std::string const whole = signatory.binary();
  for (std::size_t size = 0; size < whole.size(); size += 3) {
    auto const file = read_keys(std::string_view{whole}.substr(0, size));
    EXPECT_FALSE(file.keys.empty() && file.unread.empty()) << size;
  }
  for (std::size_t at = 0; at < whole.size(); at += 5) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x5A);
    auto const file = read_keys(damaged);
    EXPECT_FALSE(file.keys.empty() && file.unread.empty()) << at;
  }
}

}  // namespace
}  // namespace canary::openpgp
