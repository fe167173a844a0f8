// SPDX-License-Identifier: Apache-2.0
// One table: what each field of each role may hold, what python-tuf 7.0.1, go-tuf 2.4.2 and tough
// 0.24.0 make of it, and what we say. The column of python-tuf is held true by python-tuf itself,
// where it can be had; those of go-tuf and tough were taken from the programs, with the files that
// CANARY_KEEP_CASES=FOLDER leaves behind.
#include "probes/tuf/client_refusals.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>

#include "probes/tuf/parse.h"
#include "probes/tuf/threshold.h"
#include "tests/tuf/client_refusals_table.h"
#include "tests/tuf/folders.h"
#include "tests/tuf/programs.h"

namespace canary::tuf {
namespace {

namespace fs = std::filesystem;

template <class T>
std::string judge(Result<Metadata<T>> const& parsed, Root const& root, RoleKeys const& keys,
                  std::string_view role) {
  if (!parsed) return "refuses " + std::string(name(parsed.error().rule));
  Metadata<T> const& metadata = parsed.value();
  SignatureTally const tally =
      tally_signatures(role, keys, root.keys, metadata.signatures, metadata.signed_bytes);
  if (auto const met = require_threshold(role, "root", tally); !met) {
    return "refuses " + std::string(name(met.error().rule));
  }
  std::string said;
  for (Notices const& notices : {metadata.notices, tally.notices}) {
    for (Notice const& notice : notices) {
      bool const again = said.find(name(notice.kind)) != std::string::npos;
      bool const silent = again || notice.kind == NoticeKind::signature_missing ||
                          notice.kind == NoticeKind::signature_unknown ||
                          notice.kind == NoticeKind::custom_spec_version;
      if (!silent) said.append(said.empty() ? "" : " ").append(name(notice.kind));
    }
  }
  return said.empty() ? "takes" : said;
}

std::string judge(RefusalCase const& test) {
  auto const parsed_root = parse_root(test.role == "root" ? test.file : test.root);
  if (!parsed_root) return "refuses " + std::string(name(parsed_root.error().rule));
  Root const& root = parsed_root.value().content;
  if (test.role == "root") return judge(parsed_root, root, root.root, "root");
  if (test.role == "timestamp") {
    return judge(parse_timestamp(test.file), root, root.timestamp, "timestamp");
  }
  if (test.role == "snapshot") {
    return judge(parse_snapshot(test.file), root, root.snapshot, "snapshot");
  }
  return judge(parse_targets(test.file, "targets"), root, root.targets, "targets");
}

TEST(ClientRefusals, AreToldOfEveryFieldAsTheTableSays) {
  for (RefusalCase const& test : refusal_cases()) {
    EXPECT_EQ(judge(test), test.canaryd) << test.name;
  }
}

// What another client refuses is a warning at least.
TEST(ClientRefusals, AreNeverTakenSilently) {
  for (RefusalCase const& test : refusal_cases()) {
    bool const refused = test.python == kRefuses || test.go == kRefuses || test.tough == kRefuses;
    bool const told_of_root = test.name.starts_with("signed-");  // where the key is listed
    if (refused && !told_of_root) EXPECT_NE(test.canaryd, "takes") << test.name;
  }
}

fs::path write_cases(fs::path const& folder) {
  std::map<std::string, std::string> files;
  for (RefusalCase const& test : refusal_cases()) {
    files["list"] += test.name + " " + test.role + " " + test.python + " " + test.go + " " +
                     test.tough + " " + test.canaryd + "\n";
    files[test.name + ".json"] = test.file;
    if (test.role != "root") files[test.name + ".root.json"] = test.root;
  }
  write_folder(folder, files);
  return folder;
}

TEST(ClientRefusals, LeavesItsFilesForOtherProgramsWhereAsked) {
  char const* const folder = std::getenv("CANARY_KEEP_CASES");
  if (folder == nullptr) GTEST_SKIP() << "CANARY_KEEP_CASES is not set";
  fs::create_directories(folder);
  write_cases(folder);
  EXPECT_TRUE(fs::exists(fs::path(folder) / "list"));
}

TEST(ClientRefusals, OfPythonTufAreWhatItSays) {
  std::string const python = python_tuf();
  if (python.empty()) GTEST_SKIP() << "no python-tuf";
  TemporaryFolder const folder;
  fs::path const cases = write_cases(folder.path());
  Ran const ran = run(python + " tests/tuf/client_refusals.py " + shell_quote(cases.string()));
  ASSERT_EQ(ran.status, 0) << ran.output;

  std::map<std::string, std::string> said;
  std::istringstream lines(ran.output);
  for (std::string line; std::getline(lines, line);) {
    std::size_t const space = line.find(' ');
    said[line.substr(0, space)] = line.substr(std::min(space + 1, line.size()));
  }
  for (RefusalCase const& test : refusal_cases()) {
    EXPECT_THAT(said[test.name], ::testing::StartsWith(test.python)) << test.name;
  }
}

}  // namespace
}  // namespace canary::tuf
