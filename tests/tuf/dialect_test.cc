// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/dialect.h"

#include <gmock/gmock.h>

#include "probes/tuf/parse.h"
#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

using ::testing::StartsWith;

struct DialectCase {
  std::string name;
  std::string file;
  std::string sentence;

  friend std::ostream& operator<<(std::ostream& out, DialectCase const& test) {
    return out << test.name;
  }
};

// A root of before TUF 1.0, with one key of this type.
std::string old_root(std::string const& keytype, std::string const& more = "") {
  return R"({"signatures":[{"keyid":"a","method":"x","sig":"AAAA"}],"signed":{"_type":"Root",)" +
         more + R"("expires":"2035-01-01T00:00:00Z","keys":{"a":{"keytype":")" + keytype +
         R"(","keyval":{"public":"AAAA"}}},"roles":{},"version":1}})";
}

class ForeignRoot : public ::testing::TestWithParam<DialectCase> {};

TEST_P(ForeignRoot, IsNamed) {
  auto const parsed = parse_root(GetParam().file);

  ASSERT_EQ(verdict(parsed), "other_dialect");
  EXPECT_THAT(parsed.error().detail, StartsWith(GetParam().sentence));
}

INSTANTIATE_TEST_SUITE_P(
    Dialects, ForeignRoot,
    ::testing::Values(
        DialectCase{
            "dsse",
            R"({"payload":"e30=","payloadType":"application/vnd.tuf+json","signatures":[]})",
            "signed is missing: this is a DSSE envelope"},
        DialectCase{"sigstore",
                    R"({"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"})",
                    "signed is missing: this is a file of Sigstore's"},
        DialectCase{"bare", root_json(a_repository(kNow).roots[0]),
                    "signed is missing: this is the signed part alone"},
        DialectCase{"hackage", old_root("ed25519"),
                    "this is the dialect of Hackage (hackage-security): _type is \"Root\" with a "
                    "capital letter, keys and signatures are base64, and there is no spec_version"},
        DialectCase{"notary", old_root("ecdsa-x509"), "this is Notary v1's dialect of TUF"},
        DialectCase{"uptane", old_root("ED25519"), "this is Uptane as ota-tuf writes it"},
        DialectCase{"old_tuf", old_root("ed25519", R"("compression_algorithms":["gz"],)"),
                    "this is TUF before its version 1.0"},
        DialectCase{"capital", old_root("ed25519", R"("spec_version":"1.0.0",)"),
                    "this is a dialect of TUF"},
        DialectCase{"in_toto", R"({"signatures":[],"signed":{"_type":"layout"}})",
                    "this is in-toto's metadata"},
        DialectCase{"der", "\x30\x82\x01\x02", "this is ASN.1 in DER"},
        DialectCase{"pem", "-----BEGIN CERTIFICATE-----\n", "this is PEM"}),
    [](auto const& info) { return info.param.name; });

TEST(ForeignDialect, IsNotWhatIsMerelyBroken) {
  EXPECT_EQ(verdict(parse_root("[]")), "field_invalid");
  EXPECT_EQ(verdict(parse_root("{}")), "field_missing");
  EXPECT_EQ(verdict(parse_root("<html>")), "json_syntax");
  EXPECT_EQ(verdict(parse_root(R"({"signatures":[],"signed":{}})")), "field_missing");
}

}  // namespace
}  // namespace canary::tuf
