// SPDX-License-Identifier: Apache-2.0
// `canaryd forget`: a repository that was restored from a backup on purpose is well again, and
// everybody can see why.
// Thread: main.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kReason[] = "restored from <Monday's> backup";

// Version 7 was seen and trusted.
class Forget : public ::testing::Test {
 protected:
  Forget() : repository_(tuf::a_repository(now())) {
    publish(7);
    config_ = site_.configure({site_.probe("repo")});
  }
  void publish(std::uint64_t version) {
    repository_.timestamp.version = version;
    site_.publish("repo", repository_);
  }
  std::string state() const { return (site_.path() / "state").string(); }
  support::Ran forget(std::string const& probe, std::string const& reason) const {
    return canaryd({"forget", probe, "--reason", reason, "--config", config_});
  }
  std::string history(std::vector<std::string> const& more) const {
    std::vector<std::string> all{"history", "--state-directory", state()};
    all.insert(all.end(), more.begin(), more.end());
    return canaryd(all).out;
  }

  Site site_;
  tuf::Repository repository_;
  std::string config_;
  std::string const success_ = "canaryd_probe_success{probe=\"repo\"}";
  std::string const rollback_ = severity_of("repo", "rollback");
};

TEST_F(Forget, InTheRunningDaemonMakesARestoredRepositoryWellAndIsShownEverywhere) {
  Daemon daemon{config_};
  ASSERT_TRUE(daemon.becomes(success_, 1)) << daemon.log();
  publish(6);
  ASSERT_TRUE(daemon.becomes(rollback_, 2)) << daemon.log();

  auto const ran = forget("repo", kReason);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("forgot what was trusted of repo ("));
  EXPECT_TRUE(daemon.becomes(success_, 1)) << daemon.log();
  EXPECT_TRUE(daemon.becomes(rollback_, std::nullopt)) << daemon.get("/api/v1/probes/repo");
  EXPECT_THAT(daemon.log(), HasSubstr("what was trusted of a probe is dropped"));
  EXPECT_THAT(daemon.log(), HasSubstr("reason=\"restored from <Monday's> backup\""));
  EXPECT_THAT(daemon.get("/api/v1/probes/repo"), HasSubstr("\"reason\":\"" + std::string{kReason}));
  EXPECT_THAT(daemon.get("/probe/repo"), HasSubstr("restored from &lt;Monday"));
  EXPECT_THAT(canaryd({"status", "repo", "--config", config_}).out, HasSubstr(kReason));
  EXPECT_THAT(daemon.get("/api/v1/history?probe=repo"), HasSubstr("\"kind\":\"trust_dropped\""));
  EXPECT_EQ(daemon.stop(), 0);
  EXPECT_THAT(history({"repo"}),
              HasSubstr("repo  what was trusted is dropped: " + std::string{kReason}));
  EXPECT_THAT(history({"another"}), Not(HasSubstr(kReason)));

  Daemon second{config_};
  ASSERT_TRUE(second.reaches(runs_of("repo"), 1)) << second.log();
  EXPECT_EQ(second.metric(rollback_), std::nullopt) << "nothing came back from the disk";
  EXPECT_THAT(second.get("/probe/repo"), HasSubstr("restored from &lt;Monday"));
}

TEST_F(Forget, WhereNobodyRunsDropsItInTheStateDirectory) {
  {
    Daemon first{config_};
    ASSERT_TRUE(first.becomes(success_, 1)) << first.log();
    ASSERT_EQ(first.stop(), 0);
  }
  publish(6);
  auto const ran = forget("repo", kReason);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, HasSubstr("no canaryd runs"));
  EXPECT_THAT(history({"repo"}), HasSubstr(kReason));
  Daemon second{config_};
  ASSERT_TRUE(second.reaches(runs_of("repo"), 1)) << second.log();
  EXPECT_EQ(second.metric(rollback_), std::nullopt) << second.log();
  EXPECT_THAT(second.get("/probe/repo"), HasSubstr("restored from &lt;Monday"));
}

TEST_F(Forget, RefusesProbesThatThereAreNotAndReasonsThatAreNone) {
  auto const refused = [this](std::string const& probe, std::string const& reason,
                              std::string const& why) {
    auto const ran = forget(probe, reason);
    EXPECT_EQ(ran.code, 1) << why;
    EXPECT_THAT(ran.err, HasSubstr(why));
    EXPECT_EQ(ran.out, "");
  };
  auto const all = [&] {
    refused("other", "because", "no probe is called \"other\"");
    refused("..", "because", "no probe is called \"..\"");
    refused("repo/../../x", "because", "no probe is called");
    refused("a&reason=x", "because", "no probe is called \"a&reason=x\"");
    refused("repo", "", "--reason");
    refused("repo", " \t\n", "--reason is empty");
    EXPECT_EQ(canaryd({"forget", "repo", "--config", config_}).code, 1) << "without a reason";
  };
  {
    Daemon daemon{config_};
    ASSERT_TRUE(daemon.becomes(success_, 1)) << daemon.log();
    all();
    EXPECT_EQ(daemon.status_of("/-/forget?probe=repo&reason=x"), 404) << "not for those passing by";
    EXPECT_EQ(daemon.stop(), 0);
  }
  all();
  EXPECT_TRUE(std::filesystem::exists(site_.path() / "state/probes/repo/timestamp.json"));
}

TEST_F(Forget, SaysSoWhereAFileStays) {
  Daemon daemon{config_};
  ASSERT_TRUE(daemon.becomes(success_, 1)) << daemon.log();
  publish(6);
  ASSERT_TRUE(daemon.becomes(rollback_, 2)) << daemon.log();
  auto const folder = site_.path() / "state/probes/repo";
  auto const immutable = [&folder](char const* how) {
    return support::run({"/usr/bin/chattr", how, folder.string()}).code == 0;
  };
  if (!immutable("+i")) GTEST_SKIP() << "no immutable folders here";
  auto const ran = forget("repo", kReason);
  immutable("-i");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("not forgotten: cannot remove " + folder.string()));
  EXPECT_THAT(daemon.log(), HasSubstr("could not be dropped"));
  EXPECT_THAT(daemon.get("/api/v1/probes/repo"), HasSubstr("\"trust_dropped\":null"));
}

}  // namespace
}  // namespace canary::e2e
