// SPDX-License-Identifier: Apache-2.0
// Files beside the main one: includes, secrets, and what a probe that is turned off does not need.
#include <filesystem>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/show_probe.h"
#include "probes/tuf/spec.h"
#include "tests/config/load_fixture.h"

namespace canary::config {
namespace {

TEST_F(Load, ReadsIncludedFilesInOrderOfNameBehindTheMainFile) {
  dir.write("conf.d/20.yml", "probes:\n" + probe("second"));
  dir.write("conf.d/10.yml", "probes:\n" + probe("first"));
  dir.write("conf.d/30.yaml", "probes:\n" + probe("not matched"));
  dir.write("conf.d/root.json", "{}");
  dir.write("extra.yml", "probes:\n" + probe("third"));
  auto const config =
      load_text("include: [\"conf.d/*.yml\", conf.d/10.yml, \"*.yml\"]\nprobes:\n" + probe("main"));

  std::vector<std::string> names;
  names.reserve(config.probes.size());
  for (auto const& spec : config.probes) names.push_back(spec.name.text);
  EXPECT_THAT(names, ElementsAre("main", "first", "second", "third"));
  EXPECT_EQ(tuf(config.probes[1]).root, dir.path() / "conf.d/root.json")
      << "relative to the file that names it";
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

TEST_F(Load, ReadsEachFileOnceWhateverItIsCalled) {
  dir.write("conf.d/root.json", "{}");
  dir.write("conf.d/a.yml", "probes:\n" + probe("a"));
  std::filesystem::create_symlink("a.yml", dir.path() / "conf.d/b.yml");
  std::filesystem::create_symlink("../canaryd.yml", dir.path() / "conf.d/c.yml");
  auto const config = load_text("include: [conf.d/*.yml, conf.d/a.yml]\nprobes:\n" + probe("m"));
  ASSERT_EQ(config.probes.size(), 2U);
  EXPECT_EQ(config.probes.back().name.text, "a");
}

// A stat(2) for each pair of files would take a minute; so would looking for each problem's file
// among all of them.
TEST_F(Load, CostsNoMoreThanItsFilesHoweverMany) {
  constexpr int kFiles = 5'000;
  std::string const mistake = "    intervall: 5s\n";
  for (int i = 0; i < kFiles; ++i) {
    auto const name = std::to_string(i);
    dir.write("conf.d/" + name + ".yml", "probes:\n" + probe(name) + mistake);
  }
  auto const file = dir.write("canaryd.yml", "include: [conf.d/*.yml, conf.d/1*.yml]\n");
  double const begun = cpu_seconds();
  auto const result = load(file, environment, probes::configured_kinds());
  EXPECT_LT(cpu_seconds() - begun, 15);
  ASSERT_FALSE(result);
  ASSERT_EQ(result.error().size(), Problems::kMostKept + 1);
  EXPECT_EQ(to_text(result.error().back()), "and 9900 more problems");
  EXPECT_THAT(result.error().front().file, ::testing::EndsWith("conf.d/0.yml"));
}

TEST_F(Load, GivesTheMainFilesDefaultsToIncludedProbes) {
  dir.write("conf.d/root.json", "{}");
  dir.write("conf.d/a.yml", "probes:\n" + probe("a"));
  auto const config = load_text("defaults: {interval: 7s}\ninclude: conf.d/*.yml\n");
  ASSERT_EQ(config.probes.size(), 1u);
  EXPECT_EQ(config.probes[0].interval, 7s);
}

TEST_F(Load, AcceptsAFolderWhoseNameIsAPattern) {
  dir.write("[x]*/root.json", "{}");
  dir.write("[x]*/conf.d/a.yml",
            "probes: [{name: a, enabled: false, tuf: {metadata_url: "
            "'http://a/', root: r}}]");
  auto const result = load(dir.write("[x]*/main.yml", "include: conf.d/*.yml\n"), environment,
                           probes::configured_kinds());
  ASSERT_TRUE(result) << text_of(result);
  EXPECT_EQ(result.value().probes.size(), 1u);
}

TEST_F(Load, SaysInWhichFileANameWasTakenFirst) {
  dir.write("conf.d/root.json", "{}");
  dir.write("conf.d/a.yml", "probes:\n" + probe("a"));
  auto const text = problems("include: conf.d/*.yml\nprobes:\n" + probe("a"));
  EXPECT_EQ(text, (dir.path() / "conf.d/a.yml").string() +
                      ":2:11: probes[0].name: the name a is taken, first at " +
                      (dir.path() / "canaryd.yml").string() + ":3\n");
}

TEST_F(Load, RefusesOtherSettingsInIncludedFiles) {
  dir.write("conf.d/a.yml", "defaults: {interval: 1m}\nprobess: []\n");
  auto const text = problems("include: conf.d/*.yml\nprobes:\n" + probe("a"));
  EXPECT_THAT(text, HasSubstr("a.yml:1:11: defaults: belongs into the main file"));
  EXPECT_THAT(text, HasSubstr("a.yml:2:1: probess: unknown field; did you mean probes?"));
}

TEST_F(Load, TakesSecretsFromFilesAndTheEnvironment) {
  dir.write("token", "Bearer hunter2\n");
  environment["COOKIE"] = "id=swordfish";
  auto const config = load_text(
      "defaults:\n  http:\n    headers:\n"
      "      Authorization: {file: token}\n"
      "      Cookie: {environment: COOKIE}\n"
      "probes:\n" +
      probe("a"));
  ASSERT_EQ(config.probes.size(), 1u);
  auto const& secrets = config.probes[0].http.secret_headers;
  ASSERT_EQ(secrets.size(), 2u);
  EXPECT_EQ(secrets.at("Authorization"), (Secret{"Bearer hunter2", dir.path() / "token"}));
  EXPECT_EQ(secrets.at("Cookie"), (Secret{.value = "id=swordfish", .variable = "COOKIE"}));

  auto const shown = show(config);
  EXPECT_THAT(shown, Not(HasSubstr("hunter2")));
  EXPECT_THAT(shown, Not(HasSubstr("swordfish")));
  EXPECT_THAT(shown, HasSubstr("\"Cookie\": {environment: \"COOKIE\"}  # <secret>"));
  EXPECT_EQ(load_text(shown), config);
}

TEST_F(Load, TakesTheProxysCredentialsFromAFileAndShowsWhereFrom) {
  dir.write("proxy", "canary:hunter2\n");
  auto const config = load_text(
      "defaults:\n  http:\n    proxy: http://proxy:3128\n    proxy_credentials: {file: proxy}\n"
      "probes:\n" +
      probe("a"));
  ASSERT_EQ(config.probes.size(), 1u);
  EXPECT_EQ(config.probes[0].http.proxy_credentials,
            (Secret{"canary:hunter2", dir.path() / "proxy"}));
  auto const shown = show(config);
  EXPECT_THAT(shown, Not(HasSubstr("hunter2")));
  EXPECT_EQ(load_text(shown), config);
}

TEST_F(Load, ShowsOneProbeAsItStandsInTheWholeAndNoSecretOfIt) {
  dir.write("token", "Bearer hunter2\n");
  auto const config = load_text(
      "defaults:\n  http:\n    headers:\n      Authorization: {file: token}\n"
      "probes:\n" +
      probe("a") + probe("b"));
  auto const shown = show_probe(config.probes.at(1));
  EXPECT_TRUE(shown.starts_with("  - name: \"b\"\n")) << shown;
  EXPECT_THAT(show(config), HasSubstr(shown));
  EXPECT_THAT(shown, HasSubstr("# <secret>"));
  EXPECT_THAT(shown, Not(HasSubstr("hunter2")));
  EXPECT_THAT(shown, Not(HasSubstr("\"a\"")));
}

TEST_F(Load, ShowsNothingOfAQueryWhichMayBeSecret) {
  auto const shown = show(load_text(
      "probes:\n  - name: a\n    tuf: {metadata_url: 'http://a/m?sig=hunter2', root: root.json, "
      "targets_url: 'http://a/t?sig=hunter2'}\n"));
  EXPECT_THAT(shown, Not(HasSubstr("hunter2")));
  EXPECT_THAT(shown, HasSubstr("metadata_url: \"http://a/m?...\"  # its query may be secret\n"));
  EXPECT_THAT(shown, HasSubstr("targets_url: \"http://a/t?...\"  # its query may be secret\n"));
}

TEST_F(Load, NeverRepeatsASecretInAProblem) {
  dir.write("token", "two\nlines of hunter2\n");
  auto const text = problems(
      "defaults:\n  http:\n    headers:\n"
      "      Authorization: Bearer hunter2\n"
      "      Cookie: {file: token}\n"
      "      X-Api-Key: [hunter2]\n"
      "probes:\n"
      "  - name: a\n"
      "    tuf: {metadata_url: 'https://u:hunter2@a/', root: root.json}\n");
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("Authorization: a secret is refused in the file itself"));
  EXPECT_THAT(text, HasSubstr("Cookie.file: a header's value holds a line break"));
  EXPECT_THAT(text, HasSubstr("metadata_url: credentials in a URL are refused"));
}

TEST_F(Load, NeedsNoFilesOfAProbeThatIsTurnedOff) {
  constexpr char probe_text[] =
      "probes:\n  - name: a\n    enabled: ENABLED\n"
      "    http: {ca_file: none.pem, headers: {Cookie: {file: gone}, X-Token: {environment: "
      "GONE}}}\n"
      "    tuf: {metadata_url: http://a/, root: gone.json}\n";
  std::string off = probe_text, on = probe_text;
  off.replace(off.find("ENABLED"), 7, "false");
  on.replace(on.find("ENABLED"), 7, "true");

  EXPECT_EQ(load_text(off).probes.size(), 1u);
  auto const text = problems(on);
  EXPECT_THAT(text,
              HasSubstr("canaryd.yml:4:21: probes[0].http.ca_file: expected a readable file"));
  EXPECT_THAT(text, HasSubstr("headers.Cookie.file: can't read"));
  EXPECT_THAT(text, HasSubstr("headers.X-Token.environment: the environment variable GONE"));
  EXPECT_THAT(text, HasSubstr("canaryd.yml:5:42: probes[0].tuf.root: expected a readable file"));
}

}  // namespace
}  // namespace canary::config
