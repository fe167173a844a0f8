// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/target_file.h"

#include <map>
#include <set>

#include "probes/tuf/digest.h"
#include "probes/tuf/role_name.h"
#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

constexpr std::string_view kBody = "hello, world";

// What a file lists; keeps the document that Hashes points into.
class Listed {
 public:
  explicit Listed(std::map<std::string, std::string> const& digests) {
    std::string json;
    for (auto const& [algorithm, hex] : digests) {
      json.append(json.empty() ? "{" : ",").append(json_quote(algorithm)).append(":");
      json.append(json_quote(hex));
    }
    document_ = json::Document::parse(json + "}", "listed", {}).value();
  }
  Hashes hashes() const { return {.all = &document_->root()}; }
  TargetFile target(std::uint64_t length = kBody.size()) const { return {length, hashes()}; }

 private:
  std::shared_ptr<json::Document const> document_;
};

std::string const kSha256 = sha256_hex(kBody);
std::string const kSha512 = sha512_hex(kBody);

Result<void> check(TargetFile const& file, std::string_view body, std::size_t piece = 5) {
  TargetDigest digest("dir/a", file);
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    BOOST_OUTCOME_TRYV(digest.update(body.substr(0, piece)));
  }
  return digest.finish();
}

TEST(TargetDigest, AcceptsTheListedBytesInPieces) {
  Listed const listed({{"sha256", kSha256}, {"sha512", kSha512}});
  for (std::size_t const piece : {1U, 5U, 12U, 100U}) {
    CANARY_EXPECT_OK(check(listed.target(), kBody, piece));
  }
}

// The digests that python's hashlib names, by `openssl dgst`.
TEST(TargetDigest, AcceptsAnyHashThatOpensslHas) {
  for (auto const& [algorithm, hex] : std::map<std::string, std::string>{
           {"sha256", kSha256},
           {"sha512", kSha512},
           {"md5", "e4d7f1b4ed2e42d15898f4b27b019da4"},
           {"sha1", "b7e23ec29af22b0b4e41da31e868d57226121c84"},
           {"sha224", "6e1a93e32fb44081a401f3db3ef2e6e108b7bbeeb5705afdaf01fb27"},
           {"sha3_256", "bfb3959527d7a3f2f09def2f6915452d55a8f122df9e164d6f31c7fcf6093e14"},
           {"blake2s", "4f303036dc58e3c7bf38d48293c6e0f0404e986be5bfe62eb4eae8e8d30dd828"},
           {"blake2b",
            "7355dd5276c21cfe0c593b5063b96af3f96a454b33216f58314f44c3ade92e9cd6cec4210a0836246780e9"
            "baf927cc50b9a3d7073e8f9bd12780fddbcb930c6d"}}) {
    CANARY_EXPECT_OK(check(Listed({{algorithm, hex}}).target(), kBody)) << algorithm;
    std::string wrong = hex;
    wrong.back() = wrong.back() == '0' ? '1' : '0';
    EXPECT_EQ(verdict(check(Listed({{algorithm, wrong}}).target(), kBody)), "target_hash_mismatch")
        << algorithm;
  }
}

TEST(TargetDigest, RejectsWhenOneOfTwoHashesIsWrong) {
  std::string const wrong = sha512_hex("something else");

  auto const result = check(Listed({{"sha256", kSha256}, {"sha512", wrong}}).target(), kBody);

  ASSERT_EQ(verdict(result), "target_hash_mismatch");
  EXPECT_EQ(result.error().role, "dir/a");
  EXPECT_NE(result.error().detail.find(kSha512), std::string::npos);
  EXPECT_NE(result.error().detail.find(wrong), std::string::npos);
}

TEST(TargetDigest, RejectsAWrongMd5BesideAGoodSha256) {
  auto const result =
      check(Listed({{"md5", std::string(32, '0')}, {"sha256", kSha256}}).target(), kBody);

  ASSERT_EQ(verdict(result), "target_hash_mismatch");
  EXPECT_EQ(result.error().detail,
            "md5 e4d7f1b4ed2e42d15898f4b27b019da4, listed is 00000000000000000000000000000000");
}

TEST(TargetDigest, RejectsATruncatedHash) {
  EXPECT_EQ(verdict(check(Listed({{"sha256", kSha256.substr(0, 32)}}).target(), kBody)),
            "target_hash_mismatch");
}

TEST(TargetDigest, RejectsAnEndlessBodyAtTheFirstByteTooMany) {
  TargetDigest digest("dir/a", Listed({{"sha256", kSha256}}).target());

  CANARY_EXPECT_OK(digest.update(kBody));
  EXPECT_EQ(verdict(digest.update("!")), "target_length_mismatch");
  EXPECT_EQ(digest.received(), 12U);
}

TEST(TargetDigest, RejectsABodyThatEndsTooEarly) {
  auto const result = check(Listed({{"sha256", kSha256}}).target(), kBody.substr(0, 11));

  ASSERT_EQ(verdict(result), "target_length_mismatch");
  EXPECT_EQ(result.error().detail, "11 bytes, listed are 12");
}

TEST(TargetDigest, OfHashesThatNobodyHereComputesCannotBeTold) {
  auto const result = check(Listed({{"blake2b-256", "00"}, {"shake", "00"}}).target(), kBody);

  ASSERT_EQ(verdict(result), "hash_unsupported");
  EXPECT_EQ(result.error().detail,
            "only hashes that canaryd cannot compute are listed: blake2b-256, shake");
  EXPECT_TRUE(could_not_tell(result.error().rule));
  CANARY_EXPECT_OK(check(Listed({{"blake2b-256", "00"}, {"sha256", kSha256}}).target(), kBody));
}

TEST(TargetDigest, AcceptsAnEmptyTarget) {
  CANARY_EXPECT_OK(check(Listed({{"sha256", sha256_hex("")}}).target(0), ""));
}

TEST(MetaFileCheck, ComparesEveryHashThatItCanCompute) {
  Listed const good({{"blake2b-256", "00"}, {"sha512", kSha512}});
  Listed const wrong({{"md5", std::string(32, '0')}, {"sha256", kSha256}});
  Listed const unknown({{"blake2b-256", "00"}});

  CANARY_EXPECT_OK(check_meta_file("snapshot", {1, {}, {}}, kBody));
  CANARY_EXPECT_OK(check_meta_file("snapshot", {1, {}, good.hashes()}, kBody));
  EXPECT_EQ(verdict(check_meta_file("snapshot", {1, {}, wrong.hashes()}, kBody)), "hash_mismatch");
  EXPECT_EQ(verdict(check_meta_file("snapshot", {1, {}, unknown.hashes()}, kBody)),
            "hash_unsupported");
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
