// SPDX-License-Identifier: Apache-2.0
// Every allocation of a verification failed once, OpenSSL's included: it ends by std::bad_alloc, or
// as if nothing had been; never by a word against the repository.
// Not under a sanitizer, which brings an allocator of its own.
#include <cstddef>
#include <functional>
#include <new>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "probes/openssl_memory.h"
#include "probes/tuf/digest.h"
#include "probes/tuf/parse.h"
#include "probes/tuf/public_key.h"
#include "probes/tuf/signing_key.h"
#include "probes/tuf/target_file.h"
#include "tests/tuf/worlds.h"

extern "C" {
// glibc's own.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
}

namespace {

thread_local bool counts = false;
thread_local int seen = 0, fails_at = 0;

bool fails() { return counts && ++seen == fails_at; }

}  // namespace

extern "C" {

void* malloc(std::size_t size) { return fails() ? nullptr : __libc_malloc(size); }
void* calloc(std::size_t count, std::size_t size) {
  return fails() ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  return size != 0 && fails() ? nullptr : __libc_realloc(memory, size);
}

}  // extern "C"

namespace canary::tuf {
namespace {

constexpr std::string_view kMessage = "canonical bytes";
constexpr int kMost = 20'000;  // allocations of one verification

struct Outcomes {
  int failed = 0;   // allocations that were made to fail
  int told = 0;     // by std::bad_alloc
  int wrong = 0;    // by anything else
  int unasked = 0;  // std::bad_alloc though there was memory
};

// The n-th allocation of `good` fails, for each n until it has no more; of many, the first ones and
// then one in ten.
Outcomes fail_each_of(std::function<bool()> const& good) {
  Outcomes outcomes;
  for (int n = 1; n < kMost; n += n < 60 ? 1 : n / 10) {
    bool right = false, told = false;
    seen = 0;
    fails_at = n;
    counts = true;
    try {
      right = good();
    } catch (std::bad_alloc const&) {
      told = true;
    }
    counts = false;
    if (seen < n) {  // nothing was left to fail
      outcomes.unasked += told || !right ? 1 : 0;
      return outcomes;
    }
    ++outcomes.failed;
    outcomes.told += told ? 1 : 0;
    outcomes.wrong += !told && !right ? 1 : 0;
  }
  ADD_FAILURE() << "no end of allocations";
  return outcomes;
}

void expect_never_wrong(std::function<bool()> const& good) {
  ASSERT_TRUE(good()) << "once with all the memory: what is fetched once is there now";
  auto const outcomes = fail_each_of(good);
  EXPECT_EQ(outcomes.wrong, 0) << "of " << outcomes.failed;
  EXPECT_GT(outcomes.told, 0);
  EXPECT_EQ(outcomes.unasked, 0);
}

class NoMemory : public ::testing::TestWithParam<Scheme> {};

TEST_P(NoMemory, AGoodSignatureIsNeverCalledBad) {
  SigningKey const key = SigningKey::generate(GetParam());
  std::string const signature = key.sign(kMessage);
  std::string const json = key.public_json();
  auto const document = json::Document::parse(json, "root", {});
  ASSERT_TRUE(document);
  auto const parsed = parse_key(key.id(), document.value()->root(), "root", {});
  ASSERT_TRUE(parsed);
  expect_never_wrong([&] {
    PublicKey const decoded = decode_key(parsed.value(), {});
    Message message{kMessage};
    return decoded.usable() &&
           check_signature(decoded, signature, message).state == SignatureState::valid;
  });
}
INSTANTIATE_TEST_SUITE_P(Schemes, NoMemory,
                         ::testing::Values(Scheme::ed25519, Scheme::ecdsa_sha2_nistp256,
                                           Scheme::rsassa_pss_sha256, Scheme::rsa_pkcs1v15_sha512),
                         [](auto const& info) {
                           std::string text{name(info.param)};
                           for (char& c : text) c = c == '-' ? '_' : c;
                           return text;
                         });

TEST(NoMemoryForDigests, ADigestIsNeverCalledUnsupportedOrOther) {
  for (char const* const name : {"sha256", "sha512", "blake2b"}) {
    std::string const whole = digest_hex(*digest_named(name), kMessage);
    expect_never_wrong([&] { return digest_hex(*digest_named(name), kMessage) == whole; });
  }
  std::string const hex = sha256_hex(kMessage);
  expect_never_wrong([&] { return sha256_hex(kMessage) == hex; });
}

TEST(NoMemoryForDigests, ATargetIsNeverCalledOtherThanItIs) {
  std::string const text = R"({"length":15,"hashes":{"sha256":")" + sha256_hex(kMessage) +
                           R"(","sha512":")" + sha512_hex(kMessage) + R"("}})";
  auto const document = json::Document::parse(text, "targets", {});
  ASSERT_TRUE(document);
  TargetFile file;
  file.length = kMessage.size();
  file.hashes.all = document.value()->root().find("hashes");
  expect_never_wrong([&] {
    TargetDigest digest{"a.txt", file};
    return digest.update(kMessage).has_value() && digest.finish().has_value();
  });
}

TEST(OpensslMemory, SaysNothingWhereThereWasEnough) {
  probes::OpensslMemory const memory;
  EXPECT_EQ(digest_named("no such"), nullptr);
  EXPECT_NO_THROW(memory.require());
}

}  // namespace
}  // namespace canary::tuf
