// SPDX-License-Identifier: Apache-2.0
// canaryd killed at random moments under load, and the power cut with it: what it had shown is
// there when it starts again, and what it trusted. CANARY_POWER_CUTS=N: so many times instead of a
// few. Thread: main.
#include "tests/support/power_cut.h"

#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <set>

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

using namespace std::chrono_literals;
using support::PowerCut;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kHistory[] = "/api/v1/history?since=1m&limit=10000";

unsigned cuts() {
  char const* const told = std::getenv("CANARY_POWER_CUTS");
  return told == nullptr ? 4 : static_cast<unsigned>(std::atoi(told));
}

// Each entry of the answer, as text.
std::set<std::string> entries(std::string const& answer) {
  std::set<std::string> found;
  boost::system::error_code failed;
  auto const parsed = boost::json::parse(answer, failed);
  if (failed || !parsed.is_object() || !parsed.as_object().contains("entries")) return found;
  for (auto const& entry : parsed.at("entries").as_array()) {
    found.insert(boost::json::serialize(entry));
  }
  return found;
}

class PowerCuts : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 6; ++i) {
      std::string const name = "repo-" + std::to_string(i);
      probes_.push_back(site_.probe(name));
      publish(name, false);
    }
    config_ = site_.configure(probes_, "metrics: {detail: full}\n");
    std::filesystem::create_directory(at("state"));  // by systemd, before the service starts
  }

  // A new version, whose timestamp has ended or not: each opens or closes findings and incidents.
  void publish(std::string const& name, bool ended) {
    auto repository = tuf::a_repository(now());
    repository.timestamp.version = ++version_;
    if (ended) repository.timestamp.expires = now() - 1h;
    site_.publish(name, repository);
  }

  std::vector<std::string> start(PowerCut const& power) const {
    return power.around(command({"run", "--config", config_}));
  }

  // Changes repositories some hundred times while it runs, adds what it shows, and kills it.
  void work_until_cut(Daemon& daemon, PowerCut const& power, std::set<std::string>& shown) {
    std::size_t const enough = shown.size() + 8;
    unsigned const turns = 20 + static_cast<unsigned>(random_() % 130);
    // However fast that is: what happens is written, and then shown, after half a second.
    for (unsigned turn = 0; turn < turns || (shown.size() < enough && turn < 20'000); ++turn) {
      publish("repo-" + std::to_string(turn % probes_.size()), turn / probes_.size() % 2 == 0);
      shown.merge(entries(daemon.get(kHistory)));
    }
    daemon.process().signal(SIGKILL);
    daemon.process().exit_code();
    power.happen(random_);
  }

  // Those of `shown` that are not there any more.
  std::vector<std::string> lost(std::set<std::string> const& shown) const {
    auto const ran = canaryd({"history", "--config", config_, "--since", "1d", "--output", "json",
                              "--limit", "1000000"});
    auto const there = entries(ran.out);
    std::vector<std::string> missing;
    for (auto const& entry : shown) {
      if (!there.contains(entry)) missing.push_back(entry);
    }
    return missing;
  }

  std::filesystem::path at(char const* name) const { return site_.path() / name; }

  Site site_;
  std::vector<std::string> probes_;
  std::string config_;
  std::minstd_rand random_{11};
  std::int64_t version_ = 1;
};

TEST_F(PowerCuts, TakeNothingBackThatWasShown) {
  PowerCut const power{at("state"), at("aside")};
  std::set<std::string> shown;
  for (unsigned cut = 0; cut < cuts(); ++cut) {
    Daemon daemon{start(power)};
    ASSERT_TRUE(daemon.ready()) << daemon.log();
    ASSERT_TRUE(support::eventually([&] { return !entries(daemon.get(kHistory)).empty(); }));
    work_until_cut(daemon, power, shown);
    EXPECT_THAT(daemon.log(), Not(HasSubstr("damaged"))) << "cut " << cut;
    EXPECT_THAT(daemon.log(), Not(HasSubstr("set aside"))) << "cut " << cut;
    ASSERT_THAT(lost(shown), ::testing::IsEmpty()) << "cut " << cut;
  }
  EXPECT_GT(shown.size(), 10U);
  for (unsigned i = 0; i < probes_.size(); ++i) publish("repo-" + std::to_string(i), false);
  Daemon daemon{start(power)};
  for (unsigned i = 0; i < probes_.size(); ++i) {
    std::string const name = "repo-" + std::to_string(i);
    EXPECT_TRUE(daemon.becomes("canaryd_probe_success{probe=\"" + name + "\"}", 1)) << daemon.log();
    EXPECT_EQ(daemon.metric(severity_of(name, "store")).value_or(0), 0) << daemon.log();
  }
}

TEST_F(PowerCuts, LeaveWhatWasTrustedSoThatARollbackIsSeen) {
  PowerCut const power{at("state"), at("aside")};
  constexpr char kVersion[] =
      R"(canaryd_tuf_metadata_version{probe="repo-0",repo="repo-0",role="timestamp"})";
  for (unsigned cut = 0; cut < cuts(); ++cut) {
    version_ += 2;
    publish("repo-0", false);
    {
      Daemon daemon{start(power)};
      ASSERT_TRUE(daemon.becomes(kVersion, static_cast<double>(version_))) << daemon.log();
      daemon.process().signal(SIGKILL);
      daemon.process().exit_code();
      power.happen(random_);
    }
    version_ -= 2;
    publish("repo-0", false);
    Daemon daemon{start(power)};
    ASSERT_TRUE(daemon.becomes(severity_of("repo-0", "rollback"), 2)) << daemon.log();
    daemon.process().signal(SIGKILL);
    daemon.process().exit_code();
    power.happen(random_);
  }
}

// Else the two above could not fail.
TEST_F(PowerCuts, TakeBackWhatWasShownWhereNothingIsSynced) {
  PowerCut const power{at("state"), at("aside"), PowerCut::Syncs::do_nothing};
  std::vector<std::string> missing;
  for (int cut = 0; cut < 20 && missing.empty(); ++cut) {
    Daemon daemon{start(power)};
    ASSERT_TRUE(daemon.ready()) << daemon.log();
    std::set<std::string> shown;
    work_until_cut(daemon, power, shown);
    missing = lost(shown);
  }
  EXPECT_THAT(missing, Not(::testing::IsEmpty()));
}

}  // namespace
}  // namespace canary::e2e
