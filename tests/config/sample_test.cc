// SPDX-License-Identifier: Apache-2.0
// What is shipped about the configuration is true: the sample loads, and the documentation names
// every field and default.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "config/fields.h"
#include "probes/kind.h"
#include "probes/tuf/spec.h"
#include "tests/config/temp_dir.h"
#include "tests/support/read_file.h"

namespace canary::config {
namespace {

using ::testing::HasSubstr;

std::filesystem::path const kSource = CANARY_SOURCE_DIR;

Config loaded(std::filesystem::path const& file) {
  auto result = load(file, Environment{{"CANARY_API_KEY", "key"}}, probes::configured_kinds());
  if (result) return std::move(result).value();
  for (auto const& problem : result.error()) ADD_FAILURE() << to_text(problem);
  return {};
}

std::string without_comment_marks(std::string const& text) {
  // "# name: value" is a default that somebody may turn on; prose has no such form.
  static std::regex const field("^( *)# ( *[a-zA-Z_-]+:( .*)?)$");
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    result += std::regex_replace(line, field, "$1$2") + "\n";
  }
  return result;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

TEST(Sample, LoadsAsShipped) {
  auto const config = loaded(kSource / "config/canaryd.yml");
  ASSERT_EQ(config.probes.size(), 8u);
  EXPECT_EQ(config.probes[0].name.text, "sigstore");
  EXPECT_EQ(config.probes[1].name.text, "os-updates");
  EXPECT_EQ(config.probes[2].name.text, "rsync-mirror");
  EXPECT_EQ(config.probes[3].name.text, "mirror-certificates");
  EXPECT_EQ(config.probes[4].name.text, "download-page");
  EXPECT_EQ(config.probes[5].name.text, "mirror-disk");
  EXPECT_EQ(config.probes[6].name.text, "zone");
  EXPECT_EQ(config.probes[7].name.text, "archive-key");
  EXPECT_FALSE(config.probes[0].enabled);
}

TEST(Sample, SpellsOutTheDefaults) {
  auto const config = loaded(kSource / "config/canaryd.yml");
  Config expected;
  expected.probes = config.probes;
  EXPECT_EQ(config, expected);

  auto os_updates = config.probes.at(1);
  auto const& spec = *os_updates.kind.get<tuf::Spec>();
  EXPECT_EQ(spec.expiry, tuf::ExpirySpec{});
  EXPECT_EQ(spec.limits, tuf::MetadataLimits{});
}

TEST(Sample, ProbesLoadOnceTheirRootsAreThereAndTheyAreTurnedOn) {
  TempDir const dir;
  dir.write("roots/sigstore.root.json", "{}");
  dir.write("roots/os.root.json", "{}");
  auto const text = support::read_file(kSource / "config/canaryd.yml");
  auto const on = dir.write("canaryd.yml", replaced(text, "enabled: false", "enabled: true"));
  auto const config = loaded(on);
  ASSERT_EQ(config.probes.size(), 8u);
  EXPECT_TRUE(config.probes[0].enabled);
}

TEST(Sample, LoadsWithEveryCommentedFieldTurnedOnAndMeansTheSame) {
  TempDir const dir;
  for (auto const* name : {"ca.pem", "client.pem", "client.key", "authorization"}) {
    dir.write(name, "x");
  }
  dir.write("proxy", "user:password");
  std::filesystem::create_directory(dir.path() / "roots");
  auto text = without_comment_marks(support::read_file(kSource / "config/canaryd.yml"));
  text = replaced(text, "/etc/canaryd/", "");
  text = replaced(text, "/run/credentials/canaryd.service/", "");
  auto const config = loaded(dir.write("canaryd.yml", text));
  ASSERT_EQ(config.probes.size(), 8u);
  auto http = config.probes[0].http;
  EXPECT_EQ(http.secret_headers.size(), 2u);
  EXPECT_TRUE(http.ca_file && http.client_cert_file && http.client_key_file);
  http.ca_file = http.client_cert_file = http.client_key_file = std::nullopt;
  EXPECT_TRUE(http.proxy_credentials);
  http.proxy_credentials.reset();
  http.secret_headers.clear();
  http.headers.clear();
  EXPECT_EQ(http, HttpSettings{}) << "a commented value is not the default";
}

std::string last_part(std::string const& path) { return path.substr(path.rfind('.') + 1); }

TEST(Sample, HoldsEveryField) {
  auto const text = without_comment_marks(support::read_file(kSource / "config/canaryd.yml"));
  for (auto const& field : field_rows(probes::configured_kinds())) {
    EXPECT_THAT(text, HasSubstr(last_part(field.path) + ":")) << field.path;
  }
}

// ---- docs/configuration.md: its tables are written from the fields' own texts ------------------

std::filesystem::path const kDocument = kSource / "docs/configuration.md";

std::map<std::string, FieldRow> fields_by_path() {
  std::map<std::string, FieldRow> fields;
  for (auto& field : field_rows(probes::configured_kinds())) {
    // Those repeat a probe's.
    bool const again = field.path.starts_with("defaults.") ||
                       field.path.starts_with("remote_write.http.") ||
                       field.path.starts_with("discovery[].http.");
    if (!again) fields.emplace(field.path, std::move(field));
  }
  return fields;
}

std::string row_of(FieldRow const& field) {
  return "| `" + field.path + "` | " + field.initially + " | " + field.text + " |";
}

// The document with each row anew; a row of a field that is not there is left out.
std::string written(std::map<std::string, FieldRow> const& fields, std::set<std::string>& found) {
  static std::regex const row("^\\| `([^`]+)` \\|.*");
  std::istringstream lines(support::read_file(kDocument));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, row)) {
      auto const field = fields.find(match[1]);
      if (field == fields.end()) continue;
      found.insert(match[1]);
      line = row_of(field->second);
    }
    text += line + "\n";
  }
  return text;
}

TEST(ConfigurationDocument, IsWrittenFromTheFields) {
  auto const fields = fields_by_path();
  std::set<std::string> found;
  auto const text = written(fields, found);
  if (std::getenv("CANARY_WRITE_DOCS") != nullptr) std::ofstream{kDocument} << text;
  EXPECT_EQ(support::read_file(kDocument), text)
      << "write it anew: CANARY_WRITE_DOCS=1 ctest --preset dev -R ConfigurationDocument";
  for (auto const& [path, field] : fields) {
    EXPECT_TRUE(found.contains(path)) << "put this row where it belongs: " << row_of(field);
  }
}

// Writes "a.b.c: value" as "a: {b: {c: value}}", one line a field: YAML refuses a field twice, so
// each is loaded alone.
std::string nested(std::string const& field, std::string const& value) {
  auto const dot = field.find('.');
  if (dot == std::string::npos) return field + ": " + value;
  return field.substr(0, dot) + ": {" + nested(field.substr(dot + 1), value) + "}";
}

TEST(ConfigurationDocument, GivesTheDefaultsThatAreInForce) {
  TempDir const dir;
  constexpr std::string_view prefix = "probes[].";
  std::string const probe =
      "probes: [{name: a, enabled: false, tuf: {metadata_url: 'http://a/', root: r}}]\n";
  auto const expected = loaded(dir.write("plain.yml", probe));
  constexpr std::string_view source = "discovery[].";
  std::string const begin = "discovery: [{name: s, file: x";
  auto const with_source = loaded(dir.write("source.yml", begin + "}]\n" + probe));
  int compared = 0;
  for (auto const& [field, row] : fields_by_path()) {
    std::string const& cell = row.initially;
    bool const literal = cell.size() > 2 && cell.starts_with('`') && cell.ends_with('`');
    if (!literal || field == "probes[].enabled") continue;
    auto const value = cell.substr(1, cell.size() - 2);
    if (field.starts_with(source)) {
      auto const yaml = begin + ", " + nested(field.substr(source.size()), value) + "}]\n";
      EXPECT_EQ(loaded(dir.write("documented.yml", yaml + probe)), with_source) << yaml;
      continue;
    }
    auto const yaml = field.starts_with(prefix)
                          ? "defaults: {" + nested(field.substr(prefix.size()), value) + "}\n"
                          : nested(field, value) + "\n";
    EXPECT_EQ(loaded(dir.write("documented.yml", yaml + probe)), expected) << yaml;
    ++compared;
  }
  EXPECT_GT(compared, 35);
}

}  // namespace
}  // namespace canary::config
