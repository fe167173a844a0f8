// SPDX-License-Identifier: Apache-2.0
// Thresholds fit the repository: what is fresh is well, whatever it is valid for; what expires soon
// for what it is warns, and nothing hides an expiry.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr char const* kAtNow = "Mon, 01 Jun 2026 00:00:00 GMT";  // kNow
constexpr char const* kElevenMonthsAgo = "Tue, 01 Jul 2025 00:00:00 GMT";

class ProbeExpiry : public testing::Test {
 protected:
  // All online roles signed at kNow + `since` for `validity`.
  void sign(seconds validity, seconds since = seconds{0}) {
    ++repository_.timestamp.version;
    ++repository_.snapshot.version;
    repository_.timestamp.expires = repository_.snapshot.expires = kNow + since + validity;
    world_.serve(publish(repository_));
  }
  probes::Finding expiry(std::string_view role, seconds after = seconds{0}) {
    return findings(world_.run(kNow + after), "expiry", role).at(0);
  }

  Repository repository_ = a_repository(kNow);
  ProbeWorld world_{publish(repository_)};
};

TEST_F(ProbeExpiry, FreshRolesAreWellWhereTheServerTellsTheirAge) {
  world_.server.last_modified(kAtNow);
  for (seconds const validity : {seconds{hours{1}}, seconds{days{1}}, seconds{days{7}}}) {
    sign(validity);
    world_.remember = false;
    EXPECT_EQ(bad(world_.run()), "") << validity.count();
  }
}

TEST_F(ProbeExpiry, FreshRolesAreWellInFilesToo) {
  sign(days{1});
  write_folder(world_.folder.path() / "repo", as_files(publish(repository_)));
  world_.spec.metadata_url = file_url(world_.folder.path() / "repo/metadata");
  world_.spec.targets_url = file_url(world_.folder.path() / "repo/targets");
  std::filesystem::file_time_type const at_now = std::chrono::file_clock::from_sys(kNow);
  for (auto const& entry :
       std::filesystem::directory_iterator{world_.folder.path() / "repo/metadata"}) {
    std::filesystem::last_write_time(entry.path(), at_now);
  }
  EXPECT_EQ(bad(world_.run()), "");
}

TEST_F(ProbeExpiry, OfAnOldFileWarnsAsConfigured) {
  sign(hours{30});
  world_.server.last_modified(kElevenMonthsAgo);
  EXPECT_EQ(bad(world_.run()),
            "warning expiry timestamp (expiring)\ncritical expiry snapshot (expiring)\n");
}

TEST_F(ProbeExpiry, OfUnknownValidityWarnsButIsNotCriticalYet) {
  sign(days{1});
  EXPECT_EQ(bad(world_.run()),
            "warning expiry timestamp (expiring)\nwarning expiry snapshot (expiring)\n");
  probes::Finding const finding = expiry("timestamp");
  EXPECT_EQ(finding.message, "expires 2026-06-02T00:00:00Z, in 1 day: less than 2 days");
  EXPECT_EQ(finding.evidence,
            "expires 2026-06-02T00:00:00Z, now 2026-06-01T00:00:00Z; for how long it was signed is "
            "not known");
  EXPECT_EQ(expiry("timestamp", hours{21}).severity, probes::Severity::critical)
      << "first seen a day before its end, at the latest then it was signed";
}

TEST_F(ProbeExpiry, IsLearntFromTheNextVersionOn) {
  sign(days{1});
  ASSERT_EQ(expiry("timestamp").severity, probes::Severity::warning);
  ASSERT_EQ(expiry("timestamp", hours{10}).severity, probes::Severity::warning);
  sign(days{1}, hours{11});
  probes::Finding const fresh = expiry("timestamp", hours{11});
  EXPECT_EQ(fresh.severity, probes::Severity::ok) << fresh.message.text();
  EXPECT_THAT(fresh.evidence, testing::HasSubstr("valid for about 1 day, from when it was new, "
                                                 "2026-06-01T11:00:00Z"));
  EXPECT_EQ(expiry("timestamp", hours{26}).severity, probes::Severity::ok);
  EXPECT_EQ(expiry("timestamp", hours{28}).severity, probes::Severity::warning);
  EXPECT_EQ(expiry("timestamp", hours{32}).severity, probes::Severity::critical);
  EXPECT_EQ(expiry("timestamp", hours{35}).reason, probes::Reason::expired);
}

TEST_F(ProbeExpiry, IsNeverHiddenByAFileThatSeemsNew) {
  sign(days{365});
  world_.server.last_modified("Tue, 01 Jun 2027 00:00:00 GMT");
  EXPECT_EQ(expiry("timestamp", days{365}).reason, probes::Reason::expired);
  EXPECT_EQ(expiry("timestamp", days{365} + seconds{1}).severity, probes::Severity::critical);
}

// A server that says of every answer that it was made this moment.
TEST_F(ProbeExpiry, KeepsALeadWhereAFileSeemsNewEachTimeItIsAsked) {
  sign(days{30});
  world_.server.last_modified(kAtNow);
  ASSERT_EQ(expiry("timestamp").severity, probes::Severity::ok);
  world_.server.last_modified("Tue, 30 Jun 2026 00:00:00 GMT");
  EXPECT_EQ(expiry("timestamp", days{29}).severity, probes::Severity::warning);
}

TEST_F(ProbeExpiry, TellsMetricsWhichThresholdsAreInForce) {
  sign(days{1});
  world_.server.last_modified(kAtNow);
  probes::Report const report = world_.run();
  ASSERT_EQ(report.measurements.things.at(1).name, "timestamp");
  EXPECT_EQ(report.measurements.things[1].expiry->warning, hours{8});
  EXPECT_EQ(report.measurements.things[1].expiry->critical, hours{4});
}

TEST_F(ProbeExpiry, ThresholdsOfItsOwnHoldAsTheyStand) {
  sign(days{1});
  world_.server.last_modified(kAtNow);
  world_.spec.expiry.timestamp = {days{2}, hours{25}};
  EXPECT_EQ(bad(world_.run()), "critical expiry timestamp (expiring)\n");
}

TEST_F(ProbeExpiry, AsksForTheAgeOfARootThatNobodyFetchedWhereItMatters) {
  repository_.roots[0].expires = kNow + days{7};
  Published const published = publish(repository_);
  world_.serve(published);
  write_folder(world_.folder.path(), {{"pinned.json", published.root(1)}});
  world_.server.last_modified(kAtNow);
  EXPECT_EQ(bad(world_.run()), "");
  EXPECT_THAT(world_.server.take_requests(), testing::Contains("metadata/1.root.json"));
}

TEST_F(ProbeExpiry, ARecordThatIsDamagedIsSaidOnceAndBegunAnew) {
  ASSERT_EQ(bad(world_.run()), "");
  auto const file = world_.folder.path() / "state/versions.seen";
  std::ofstream(file, std::ios::app) << "x";
  auto const damaged = world_.run();
  EXPECT_EQ(bad(damaged), "warning store " + file.string() + " (internal)\n");
  EXPECT_EQ(bad(world_.run()), "");
}

TEST_F(ProbeExpiry, DelegatedRolesAreFittedToo) {
  repository_.targets.delegations = {
      {.name = "a", .signers = {.keys = {SigningKey::ed25519("d")}}, .paths = {"a/*"}}};
  repository_.delegated["a"] = {.version = 1, .expires = kNow + days{7}, .files = {}};
  world_.serve(publish(repository_));
  world_.server.last_modified(kAtNow);
  EXPECT_EQ(bad(world_.run()), "");
}

}  // namespace
}  // namespace canary::tuf
