// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/target_file.h"

#include <set>

#include "probes/tuf/digest.h"
#include "probes/tuf/role_name.h"
#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

constexpr std::string_view kBody = "hello, world";

struct Digests {
  std::string sha256 = sha256_hex(kBody);
  std::string sha512 = sha512_hex(kBody);
};

Result<void> check(TargetFile const& file, std::string_view body, std::size_t piece = 5) {
  TargetDigest digest("dir/a", file);
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    BOOST_OUTCOME_TRYV(digest.update(body.substr(0, piece)));
  }
  return digest.finish();
}

TEST(TargetDigest, AcceptsTheListedBytesInPieces) {
  Digests const digests;
  for (std::size_t const piece : {1U, 5U, 12U, 100U}) {
    CANARY_EXPECT_OK(check({12, {digests.sha256, digests.sha512}}, kBody, piece));
  }
}

TEST(TargetDigest, AcceptsEitherHashAlone) {
  Digests const digests;
  CANARY_EXPECT_OK(check({12, {.sha256 = digests.sha256}}, kBody));
  CANARY_EXPECT_OK(check({12, {.sha512 = digests.sha512}}, kBody));
  CANARY_EXPECT_OK(check({12, {.sha256 = digests.sha256, .unknown = true}}, kBody));
}

TEST(TargetDigest, RejectsWhenOneOfTwoHashesIsWrong) {
  Digests const digests;
  std::string const wrong = sha512_hex("something else");

  auto const result = check({12, {digests.sha256, wrong}}, kBody);

  ASSERT_EQ(verdict(result), "target_hash_mismatch");
  EXPECT_EQ(result.error().role, "dir/a");
  EXPECT_NE(result.error().detail.find(digests.sha512), std::string::npos);
  EXPECT_NE(result.error().detail.find(wrong), std::string::npos);
}

TEST(TargetDigest, RejectsATruncatedHash) {
  Digests const digests;
  EXPECT_EQ(verdict(check({12, {.sha256 = std::string_view(digests.sha256).substr(0, 32)}}, kBody)),
            "target_hash_mismatch");
}

TEST(TargetDigest, RejectsAnEndlessBodyAtTheFirstByteTooMany) {
  Digests const digests;
  TargetDigest digest("dir/a", {12, {digests.sha256}});

  CANARY_EXPECT_OK(digest.update(kBody));
  EXPECT_EQ(verdict(digest.update("!")), "target_length_mismatch");
  EXPECT_EQ(digest.received(), 12U);
}

TEST(TargetDigest, RejectsABodyThatEndsTooEarly) {
  Digests const digests;
  auto const result = check({12, {digests.sha256}}, kBody.substr(0, 11));

  ASSERT_EQ(verdict(result), "target_length_mismatch");
  EXPECT_EQ(result.error().detail, "11 bytes, listed are 12");
}

TEST(TargetDigest, NeedsOneHashThatItKnows) {
  EXPECT_EQ(verdict(check({12, {.unknown = true}}, kBody)), "hash_unsupported");
}

TEST(TargetDigest, AcceptsAnEmptyTarget) {
  std::string const hash = sha256_hex("");
  CANARY_EXPECT_OK(check({0, {.sha256 = hash}}, ""));
}

TEST(MetaFileCheck, NeedsOneHashThatItKnowsWhereAnyIsListed) {
  EXPECT_EQ(verdict(check_meta_file("snapshot", {1, {}, {.unknown = true}}, kBody)),
            "hash_unsupported");
  CANARY_EXPECT_OK(check_meta_file("snapshot", {1, {}, {}}, kBody));
}

TEST(RoleName, IsOneSegmentOfAUrl) {
  EXPECT_EQ(quote_role("a/b"), "a%2Fb");
  EXPECT_EQ(quote_role("../root"), "..%2Froot");
  EXPECT_EQ(quote_role("Az09_.-~"), "Az09_.-~");
  EXPECT_EQ(quote_role("a b+c%$&@:=\xC3\xA9"), "a%20b%2Bc%25%24%26%40%3A%3D%C3%A9");
  for (std::string const name : {"a/b", "\xF0\x9F\x8D\xBA/30", "100%", ""}) {
    EXPECT_EQ(unquote_role(quote_role(name)), name);
  }
  for (std::string const broken : {"%", "%4", "%zz", "a%2"}) {
    EXPECT_EQ(unquote_role(broken), std::nullopt) << broken;
  }
}

TEST(FileNames, CarryVersionOrHash) {
  EXPECT_EQ(metadata_file("targets"), "targets.json");
  EXPECT_EQ(metadata_file("a/b", 7), "7.a%2Fb.json");
  EXPECT_EQ(target_file_path("a.txt"), "a.txt");
  EXPECT_EQ(target_file_path("a.txt", "00ff"), "00ff.a.txt");
  EXPECT_EQ(target_file_path("dir/sub/a.txt", "00ff"), "dir/sub/00ff.a.txt");
  EXPECT_EQ(target_file_path("dir/", "00ff"), "dir/00ff.");
  EXPECT_EQ(quote_path("dir/a b#c?d%5B"), "dir/a%20b%23c%3Fd%255B");
}

TEST(Rules, HaveANameASectionAndAReasonEach) {
  std::set<std::string_view> names;
  for (Rule const rule : all_rules()) {
    EXPECT_TRUE(names.insert(name(rule)).second) << name(rule);
    EXPECT_FALSE(spec_section(rule, "root").empty());
    EXPECT_FALSE(spec_section(rule, "some delegated role").empty());
    EXPECT_FALSE(name(reason(rule)).empty());
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Rule::out_of_order) + 1);
  EXPECT_EQ(spec_section(Rule::root_version_gap, "root"), "5.3.5");
  EXPECT_EQ(spec_section(Rule::expired, "delegated"), "5.6.5");
  EXPECT_EQ(reason(Rule::timestamp_rollback), Reason::rollback);
}

}  // namespace
}  // namespace canary::tuf
