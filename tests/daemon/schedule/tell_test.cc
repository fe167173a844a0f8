// SPDX-License-Identifier: Apache-2.0
// What the log says of what a run changed.
#include "daemon/schedule/tell.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <regex>
#include <sstream>

#include <gmock/gmock.h>

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using probes::Finding;
using probes::Reason;
using probes::Severity;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using Kind = FindingChange::Kind;

// The lines without their times.
std::vector<std::string> told(Changes const& changes) {
  int const file = ::memfd_create("log", MFD_CLOEXEC);
  {
    Log log{config::LogSettings{}, file};
    tell(log, changes);
  }
  std::string text(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), ' ');
  EXPECT_EQ(::pread(file, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  ::close(file);
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(std::regex_replace(line, std::regex{"^ts=\\S+ "}, ""));
  }
  return lines;
}

Finding behind() {
  return {.check = "consistency",
          .subject = "bins-00",
          .severity = Severity::critical,
          .reason = Reason::freeze,
          .message = "version 4, the snapshot lists 5",
          .evidence = "tuf 5.6.4 targets_mix_and_match: version 4, the snapshot lists 5"};
}

Changes changes(std::vector<FindingChange> findings) {
  return {.probe = "bins", .url = "https://h/metadata", .findings = std::move(findings)};
}

TEST(Tell, AStateHasItsSubjectReasonAndUrl) {
  Changes all = changes({{.kind = Kind::opened, .finding = behind()}});
  all.state = StateChange{
      .from = Severity::ok, .to = Severity::critical, .telling = behind(), .after = 90s};
  EXPECT_THAT(told(all),
              ElementsAre("level=warn msg=\"probe changed state\" probe=bins from=ok to=critical "
                          "after=90 check=consistency subject=bins-00 reason=freeze "
                          "detail=\"version 4, the snapshot lists 5\" "
                          "evidence=\"tuf 5.6.4 targets_mix_and_match\" url=https://h/metadata"))
      << "and the finding that it names has no second line";
}

TEST(Tell, AFirstLookHasNoFieldsWithoutAMeaning) {
  Changes all = changes({});
  all.state = StateChange{.to = Severity::ok};
  EXPECT_THAT(told(all), ElementsAre("level=info msg=\"probe changed state\" probe=bins "
                                     "from=\"not looked at before\" to=ok url=https://h/metadata"));
}

TEST(Tell, AFindingOfTheWholeRepositorySaysSo) {
  Finding whole = behind();
  whole.subject = "";
  whole.evidence = "";
  whole.url = "https://h/timestamp.json";
  EXPECT_THAT(told(changes({{.kind = Kind::opened, .finding = whole}})),
              ElementsAre("level=warn msg=\"finding opened\" probe=bins check=consistency "
                          "subject=\"the whole repository\" severity=critical reason=freeze "
                          "detail=\"version 4, the snapshot lists 5\" "
                          "url=https://h/timestamp.json"));
}

TEST(Tell, AChangedFindingSaysWhatItWas) {
  FindingChange const change{Kind::changed, behind(), Severity::warning, Reason::expiring};
  EXPECT_THAT(told(changes({change})),
              ElementsAre(HasSubstr("msg=\"finding changed\" probe=bins check=consistency "
                                    "subject=bins-00 severity=critical reason=freeze "
                                    "was=\"warning, expiring\" ")));
}

TEST(Tell, AnAcceptedFindingSaysUntilWhenAndWhy) {
  Finding accepted = behind();
  accepted.accepted = {.because = "the vendor knows", .until = std::chrono::sys_seconds{}};
  FindingChange const change{Kind::changed, accepted, Severity::critical, Reason::freeze};
  EXPECT_THAT(told(changes({change})),
              ElementsAre(HasSubstr("was=\"critical, freeze\" accepted=\"until "
                                    "1970-01-01T00:00:00Z: the vendor knows\" detail=")));
}

TEST(Tell, AClosedFindingIsGoodNews) {
  EXPECT_THAT(told(changes({{.kind = Kind::closed, .finding = behind()}})),
              ElementsAre("level=info msg=\"finding closed\" probe=bins check=consistency "
                          "subject=bins-00 was=critical reason=freeze url=https://h/metadata"));
}

TEST(Tell, OfManyTheFirstAreNamedAndTheRestCounted) {
  std::vector<FindingChange> many(kFindingsNamed + 312,
                                  {.kind = Kind::opened, .finding = behind()});
  auto const lines = told(changes(std::move(many)));
  ASSERT_THAT(lines, SizeIs(kFindingsNamed + 1));
  EXPECT_EQ(lines.back(),
            "level=warn msg=\"and 312 more findings opened, changed or closed\" probe=bins "
            "url=https://h/metadata");
}

TEST(Tell, WhatAServerSaysStaysOnItsLine) {
  Finding hostile = behind();
  hostile.message = "\x1B[2J\nlevel=error msg=\"all is well\"\xE2\x80\xAE";
  auto const lines = told(changes({{.kind = Kind::opened, .finding = hostile}}));
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0],
              HasSubstr(R"(detail="\\x1b[2J\\nlevel=error msg=\"all is well\"\\u{202e}")"));
  EXPECT_THAT(lines[0], Not(HasSubstr("\x1B")));
}

}  // namespace
}  // namespace canary::daemon
