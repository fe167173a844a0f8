// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/parse.h"

#include <gmock/gmock.h>

#include "probes/tuf/digest.h"
#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

std::vector<SigningKey> const kKeys{SigningKey::ed25519("any")};

// `signed_json` with one piece of text replaced.
std::string with(std::string signed_json, std::string const& what, std::string const& by) {
  std::size_t const at = signed_json.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  signed_json.replace(at, what.size(), by);
  return signed_json;
}

std::string a_root() { return root_json(a_repository(kNow).roots[0]); }
std::string a_timestamp() { return timestamp_json({1, kNow}, {"snapshot.json", 7, "bytes"}); }
std::string a_snapshot() {
  return snapshot_json({1, kNow}, std::vector<ListedFile>{{"targets.json", 3, "bytes"}});
}
TargetsSpec a_targets_spec() {
  TargetsSpec spec{.expires = kNow, .files = {{"a.txt", "a"}}};
  spec.delegations = {{"apps", {kKeys}, {"apps/*"}}};
  return spec;
}
std::string a_targets() { return targets_json(a_targets_spec()); }
std::string succinct_targets() {
  TargetsSpec spec{.expires = kNow};
  spec.succinct = SuccinctSpec{{kKeys}, 4, "bin"};
  return targets_json(spec);
}

struct RefusedCase {
  std::string name;
  std::string signed_json;
  std::string rule;
  std::string detail;

  friend std::ostream& operator<<(std::ostream& out, RefusedCase const& test) {
    return out << test.name;
  }
};

// By what its `_type` says.
Result<void> parse_any(std::string const& signed_json) {
  std::string const bytes = sign_metadata(signed_json, kKeys);
  auto const starts = [&](std::string const& type) {
    return signed_json.starts_with(R"({"_type":")" + type);
  };
  if (starts("timestamp")) {
    BOOST_OUTCOME_TRYV(parse_timestamp(bytes));
  } else if (starts("snapshot")) {
    BOOST_OUTCOME_TRYV(parse_snapshot(bytes));
  } else if (starts("targets")) {
    BOOST_OUTCOME_TRYV(parse_targets(bytes, "apps"));
  } else {
    BOOST_OUTCOME_TRYV(parse_root(bytes));
  }
  return outcome::success();
}

class ParseRefuses : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(ParseRefuses, WithThePlace) {
  auto const result = parse_any(GetParam().signed_json);

  ASSERT_EQ(verdict(result), GetParam().rule);
  EXPECT_THAT(result.error().detail, ::testing::StartsWith(GetParam().detail));
}

INSTANTIATE_TEST_SUITE_P(
    Common, ParseRefuses,
    ::testing::Values(
        RefusedCase{"another_type", with(a_root(), R"("_type":"root")", R"("_type":"mirrors")"),
                    "wrong_type", "signed: _type: expected root, found mirrors"},
        RefusedCase{"spec_version_two", with(a_root(), "1.0.34", "2.0.0"), "spec_version",
                    "signed: spec_version: expected 1.X.Y, found 2.0.0"},
        RefusedCase{"spec_version_text", with(a_root(), "1.0.34", "1.0.x"), "spec_version",
                    "signed: spec_version"},
        RefusedCase{"spec_version_alone", with(a_root(), "1.0.34", "1"), "spec_version",
                    "signed: spec_version"},
        RefusedCase{"no_version", with(a_root(), R"(,"version":1)", ""), "field_missing",
                    "signed.version"},
        RefusedCase{"version_zero", with(a_root(), R"("version":1)", R"("version":0)"),
                    "field_invalid",
                    "signed.version: expected an integer from 1 to 2^64-1, found 0"},
        RefusedCase{"version_negative", with(a_root(), R"("version":1)", R"("version":-1)"),
                    "field_invalid", "signed.version: expected an integer"},
        RefusedCase{"version_too_large",
                    with(a_root(), R"("version":1)", R"("version":18446744073709551616)"),
                    "field_invalid", "signed.version: expected an integer"},
        RefusedCase{"version_text", with(a_root(), R"("version":1)", R"("version":"1")"),
                    "field_invalid", "signed.version: expected number, found string"},
        RefusedCase{"expires_number",
                    with(a_root(), R"("expires":"2027-06-01T00:00:00Z")", R"("expires":1)"),
                    "field_invalid", "signed.expires: expected string, found number"},
        RefusedCase{"expires_nonsense", with(a_root(), "2027-06-01T00:00:00Z", "tomorrow"),
                    "field_invalid",
                    "signed.expires: expected YYYY-MM-DDTHH:MM:SSZ, found tomorrow"}),
    [](auto const& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Root, ParseRefuses,
    ::testing::Values(
        RefusedCase{"threshold_zero", with(a_root(), R"("threshold":1)", R"("threshold":0)"),
                    "field_invalid", "signed.roles.root.threshold"},
        RefusedCase{"no_timestamp_role", with(a_root(), R"("timestamp":{)", R"("Timestamp":{)"),
                    "field_missing", "signed.roles.timestamp"},
        RefusedCase{"keys_array", with(a_root(), R"("keys":{)", R"("keys":[],"k":{)"),
                    "field_invalid", "signed.keys: expected object, found array"},
        RefusedCase{"keyids_numbers", with(a_root(), R"("keyids":[)", R"("keyids":[1,)"),
                    "field_invalid", "signed.roles.root.keyids: expected strings only"},
        RefusedCase{
            "consistent_text",
            with(a_root(), R"("consistent_snapshot":true)", R"("consistent_snapshot":"true")"),
            "field_invalid", "signed.consistent_snapshot: expected boolean"}),
    [](auto const& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Listing, ParseRefuses,
    ::testing::Values(
        RefusedCase{"timestamp_of_another_file",
                    with(a_timestamp(), "snapshot.json", "targets.json"), "field_missing",
                    "signed.meta.snapshot.json"},
        RefusedCase{"no_file_version", with(a_timestamp(), R"(,"version":7)", ""), "field_missing",
                    "signed.meta.snapshot.json.version"},
        RefusedCase{"negative_length", with(a_timestamp(), R"("length":5)", R"("length":-5)"),
                    "field_invalid", "signed.meta.snapshot.json.length"},
        RefusedCase{"empty_digest", with(a_snapshot(), R"("sha256":")", R"("sha512":"","x":")"),
                    "field_invalid", "signed.meta.targets.json.hashes.sha512"},
        RefusedCase{"entry_number", with(a_snapshot(), R"("meta":{)", R"("meta":{"a.json":1,)"),
                    "field_invalid", "signed.meta.a.json: expected object"}),
    [](auto const& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Targets, ParseRefuses,
    ::testing::Values(
        RefusedCase{"no_hashes", with(a_targets(), R"("hashes")", R"("hush")"), "field_missing",
                    "signed.targets.a.txt.hashes"},
        RefusedCase{"no_length", with(a_targets(), R"("length")", R"("size")"), "field_missing",
                    "signed.targets.a.txt.length"},
        RefusedCase{"delegated_root", with(a_targets(), R"("name":"apps")", R"("name":"root")"),
                    "field_invalid", "signed.delegations.roles[0]: name"},
        RefusedCase{"delegated_nothing", with(a_targets(), R"("name":"apps")", R"("name":"")"),
                    "field_invalid", "signed.delegations.roles[0]: name"},
        RefusedCase{"no_paths", with(a_targets(), R"("paths")", R"("path")"), "field_missing",
                    "signed.delegations.roles[0]: expected exactly one of"},
        RefusedCase{"paths_and_prefixes",
                    with(a_targets(), R"("paths")", R"("path_hash_prefixes":["0"],"paths")"),
                    "field_invalid", "signed.delegations.roles[0]: expected exactly one of"},
        RefusedCase{"no_terminating", with(a_targets(), R"("terminating")", R"("ending")"),
                    "field_missing", "signed.delegations.roles[0].terminating"},
        RefusedCase{"same_name_twice",
                    [] {
                      TargetsSpec spec = a_targets_spec();
                      spec.delegations.push_back(spec.delegations[0]);
                      return targets_json(spec);
                    }(),
                    "field_invalid", "signed.delegations.roles: two roles are called apps"},
        RefusedCase{"same_name_twice_with_another_between",
                    [] {
                      TargetsSpec spec = a_targets_spec();
                      spec.delegations.resize(3, spec.delegations[0]);
                      spec.delegations[1].name = "zebra";
                      return targets_json(spec);
                    }(),
                    "field_invalid", "signed.delegations.roles: two roles are called apps"},
        RefusedCase{"bit_length_33",
                    with(succinct_targets(), R"("bit_length":4)", R"("bit_length":33)"),
                    "field_invalid", "signed.delegations.succinct_roles: bit_length"},
        RefusedCase{
            "roles_and_bins",
            with(succinct_targets(), R"("succinct_roles")", R"("roles":[],"succinct_roles")"),
            "field_invalid", "signed.delegations: roles and succinct_roles"}),
    [](auto const& info) { return info.param.name; });

TEST(Parse, AcceptsWhatTheTablesStartFrom) {
  for (std::string const& text :
       {a_root(), a_timestamp(), a_snapshot(), a_targets(), succinct_targets()}) {
    CANARY_EXPECT_OK(parse_any(text));
  }
}

// Places are compared by it: keys that sign and white space say nothing of what is served.
TEST(Parse, GivesWhatIsSignedAFingerprintWhateverTheSignatures) {
  std::string const bytes = sign_metadata(a_timestamp(), kKeys);
  std::vector<SigningKey> const others{SigningKey::ed25519("other")};
  auto const parsed = parse_timestamp(bytes), spaced = parse_timestamp("\n " + bytes + "\n"),
             other_keys = parse_timestamp(sign_metadata(a_timestamp(), others)),
             changed = parse_timestamp(
                 sign_metadata(with(a_timestamp(), R"("version":7)", R"("version":8)"), kKeys));
  ASSERT_TRUE(parsed && spaced && other_keys && changed);
  std::uint64_t const fingerprint = parsed.value().content.fingerprint;
  auto const& digest = parsed.value().digest;
  std::string const hex = to_hex({reinterpret_cast<char const*>(digest.data()), digest.size()});
  EXPECT_EQ(fingerprint, std::stoull(hex.substr(0, 13), nullptr, 16));
  EXPECT_EQ(spaced.value().content.fingerprint, fingerprint);
  EXPECT_EQ(other_keys.value().content.fingerprint, fingerprint);
  EXPECT_NE(changed.value().content.fingerprint, fingerprint);
}

TEST(Parse, RefusesAnEnvelopeWithoutItsParts) {
  EXPECT_EQ(verdict(parse_root("[]")), "field_invalid");
  EXPECT_EQ(verdict(parse_root(R"({"signed":{}})")), "field_missing");
  EXPECT_EQ(verdict(parse_root(R"({"signatures":[]})")), "field_missing");
  EXPECT_EQ(verdict(parse_root(R"({"signatures":[1],"signed":{}})")), "field_invalid");
  EXPECT_EQ(verdict(parse_root(R"({"signatures":[{"keyid":"a"}],"signed":{}})")), "field_missing");
}

TEST(Parse, RefusesAFractionAnywhereInWhatIsSigned) {
  std::string bytes = sign_metadata(a_targets(), kKeys);
  bytes = with(std::move(bytes), R"("length":1)", R"("custom":{"weight":1.5},"length":1)");

  EXPECT_EQ(verdict(parse_targets(bytes, "targets")), "number_not_integer");
}

TEST(Parse, KeepsUnknownFieldsInWhatIsSigned) {
  auto const parsed = parse_root(
      sign_metadata(with(a_root(), R"("version")", R"("x-new":{"b":[],"a":1},"version")"), kKeys));

  CANARY_ASSERT_OK(parsed);
  EXPECT_THAT(parsed.value().signed_bytes, ::testing::HasSubstr(R"("x-new":{"a":1,"b":[]})"));
}

TEST(Parse, NotesAShortSpecVersionAndAnUnknownHash) {
  std::string text = with(a_targets(), "1.0.34", "1.0");
  text = with(std::move(text), R"("hashes":{)", R"("hashes":{"blake3":"00",)");

  auto const parsed = parse_targets(sign_metadata(text, kKeys), "targets");

  CANARY_ASSERT_OK(parsed);
  EXPECT_TRUE(has_notice(parsed.value().notices, NoticeKind::custom_spec_version, "targets"));
  EXPECT_TRUE(has_notice(parsed.value().notices, NoticeKind::hash_unknown, "targets"));
}

TEST(Parse, FindsTargetsAndKeepsTheirCustomData) {
  TargetsSpec spec{.expires = kNow};
  for (int i = 0; i < 50; ++i) spec.files["file" + std::to_string(i)] = std::string(i, 'x');
  std::string const text =
      with(targets_json(spec), R"("length":7)", R"("custom":{"k":"v"},"length":7)");

  auto const parsed = parse_targets(sign_metadata(text, kKeys), "targets");

  CANARY_ASSERT_OK(parsed);
  Targets const& targets = parsed.value().content;
  EXPECT_EQ(targets.entries.size(), 50U);
  ASSERT_NE(targets.find("file7"), nullptr);
  EXPECT_EQ(targets.find("file7")->length, 7U);
  ASSERT_NE(targets.find("file7")->custom, nullptr);
  EXPECT_EQ(targets.find("file7")->custom->find("k")->string(), "v");
  EXPECT_EQ(targets.find("file50"), nullptr);
}

struct ExpiresCase {
  std::string text;
  std::string meaning;  // "" where it is refused
  bool as_specified = true;
};

TEST(Expires, IsReadAsRealRepositoriesWriteIt) {
  for (ExpiresCase const& test :
       std::vector<ExpiresCase>{{"2030-01-31T23:59:59Z", "2030-01-31T23:59:59Z"},
                                {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
                                {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
                                {"2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
                                {"2021-12-18T13:28:12.99008-06:00", "2021-12-18T19:28:12Z", false},
                                {"2022-05-11T19:09:02.663975009Z", "2022-05-11T19:09:02Z", false},
                                {"2022-05-11T00:30:00+05:30", "2022-05-10T19:00:00Z", false},
                                {"2027-02-29T00:00:00Z", ""},
                                {"2027-13-01T00:00:00Z", ""},
                                {"2027-01-01T24:00:00Z", ""},
                                {"2027-01-01T00:00:60Z", ""},
                                {"2027-01-01T00:00:00", ""},
                                {"2027-01-01 00:00:00Z", ""},
                                {"2027-01-01T00:00:00.Z", ""},
                                {"2027-01-01T00:00:00.1234567890Z", ""},
                                {"2027-01-01T00:00:00z", ""},
                                {"2027-01-01T00:00:00+0530", ""},
                                {"2027-01-01T00:00:00+24:00", ""},
                                {"2027-1-1T00:00:00Z", ""},
                                {"12027-01-01T00:00:00Z", ""},
                                {"2027-01-01T00:00:00Z ", ""},
                                {"", ""}}) {
    auto const expiry = parse_expires(test.text, "root");
    if (test.meaning.empty()) {
      EXPECT_EQ(verdict(expiry), "field_invalid") << test.text;
      continue;
    }
    CANARY_ASSERT_OK(expiry);
    EXPECT_EQ(expires_text(expiry.value().time), test.meaning);
    EXPECT_EQ(expiry.value().as_specified, test.as_specified) << test.text;
  }
}

}  // namespace
}  // namespace canary::tuf
