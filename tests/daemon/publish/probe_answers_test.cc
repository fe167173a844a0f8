// SPDX-License-Identifier: Apache-2.0
// Probes as targets of Prometheus: what is answered at once, what has to be waited for.
#include "daemon/publish/probe_answers.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/tuf/declaration.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using probes::Severity;
using ::testing::HasSubstr;

class ProbeAnswers : public ::testing::Test {
 protected:
  ProbeAnswers() {
    ProbeFacts facts{.name = "repo",
                     .repository = "r",
                     .kind = &tuf::kDeclaration,
                     .enabled = true,
                     .interval = 60s,
                     .timeout = 30s};
    auto paused = facts;
    paused.name = "paused";
    paused.enabled = false;
    store_.configure({facts, paused});
  }
  HttpRequest request(std::map<std::string, std::string> parameters,
                      std::map<std::string, std::string> headers = {}) {
    auto const among = [](auto all) {
      return [all](char const* name) -> std::optional<std::string> {
        auto const found = all.find(name);
        if (found == all.end()) return std::nullopt;
        return found->second;
      };
    };
    return {.method = "GET",
            .path = "/probe",
            .parameter = among(std::move(parameters)),
            .header = among(std::move(headers))};
  }
  void run(Severity severity) {
    store_.started("repo", now_, 0s);
    probes::Report report;
    report.findings.push_back({.check = "expiry", .severity = severity});
    store_.finished("repo", now_, 1500ms, std::move(report));
  }

  SysTime now_{1'790'000'000s};
  ResultStore store_{DaemonFacts{.version = "", .revision = "", .started = now_}};
  std::vector<std::pair<Order, std::shared_ptr<Orders::Ticket>>> given_;
  Orders orders_{[this](Order order, std::shared_ptr<Orders::Ticket> ticket) {
    given_.emplace_back(std::move(order), std::move(ticket));
  }};
  Sources sources_{.store = store_,
                   .healthy = {},
                   .live = {},
                   .log_lines_dropped = {},
                   .wall_clock = [this] { return now_; },
                   .orders = &orders_,
                   .run_text = [](ProbeRow const& row) { return "the run of " + row.facts.name; }};
};

TEST_F(ProbeAnswers, RefuseTargetsThatThereAreNotAndOrderNothing) {
  for (char const* target : {"", "other", "paused", "../repo", "http://evil.example/"}) {
    auto const asked = request({{"target", target}});
    EXPECT_EQ(probe_later(sources_, asked), std::nullopt) << target;
    EXPECT_EQ(probe_answer(sources_, asked).status, 400) << target;
  }
  EXPECT_EQ(probe_answer(sources_, request({})).status, 400);
  EXPECT_THAT(probe_answer(sources_, request({{"target", "<b>\n"}})).body, HasSubstr("<b>\\n"));
  EXPECT_TRUE(given_.empty());
}

TEST_F(ProbeAnswers, WaitForARunThatIsOrdered) {
  auto const later = probe_later(sources_, request({{"target", "repo"}}));
  ASSERT_TRUE(later);
  ASSERT_EQ(given_.size(), 1U);
  EXPECT_EQ(given_[0].first.probe, "repo");
  EXPECT_EQ(given_[0].first.kind, Order::Kind::run_now);
  EXPECT_FALSE(later->look());
  run(Severity::warning);
  auto const answer = later->look();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->body, HasSubstr("\nprobe_success 1\n"));
  EXPECT_THAT(answer->body, HasSubstr("\nprobe_severity 1\n"));
  EXPECT_THAT(answer->body, HasSubstr("\nprobe_duration_seconds 1.5"));
  EXPECT_THAT(answer->body, HasSubstr("\nprobe_finding_severity{check=\"expiry\"} 1\n"));
}

TEST_F(ProbeAnswers, OrderNothingWhileARunIsRecentOrGoesOn) {
  run(Severity::critical);
  EXPECT_FALSE(probe_later(sources_, request({{"target", "repo"}})));
  EXPECT_THAT(probe_answer(sources_, request({{"target", "repo"}})).body,
              HasSubstr("\nprobe_success 0\n"));
  now_ += recent_enough(60s) + 1ms;
  store_.started("repo", now_, 0s);
  auto const later = probe_later(sources_, request({{"target", "repo"}}));
  ASSERT_TRUE(later);
  EXPECT_TRUE(given_.empty()) << "the run that goes on will do";
  EXPECT_FALSE(later->look());
  run(Severity::ok);
  EXPECT_EQ(later->look()->status, 200);
  now_ += recent_enough(60s) + 1ms;
  EXPECT_TRUE(probe_later(sources_, request({{"target", "repo"}})));
  EXPECT_EQ(given_.size(), 1U);
}

TEST_F(ProbeAnswers, SayThatNoRunCanBeHad) {
  auto const later = probe_later(sources_, request({{"target", "repo"}}));
  given_[0].second->end({.carried_out = false, .text = "quarantined"});
  EXPECT_EQ(later->look()->status, 503);
  EXPECT_EQ(later->too_late.status, 503) << "that is no failure of the repository";
}

TEST_F(ProbeAnswers, NeverPassAnOldRunForANewOne) {
  run(Severity::ok);
  now_ += recent_enough(60s) + 1ms;
  EXPECT_EQ(probe_answer(sources_, request({{"target", "repo"}})).status, 503);
  now_ -= 1h;  // the clock was set back
  EXPECT_EQ(probe_answer(sources_, request({{"target", "repo"}})).status, 503);
}

TEST_F(ProbeAnswers, LeaveRoomForTheOrdersOfThisMachine) {
  for (std::size_t i = 0; i < Orders::kFromOutside; ++i) {
    ASSERT_TRUE(probe_later(sources_, request({{"target", "repo"}})));
  }
  EXPECT_FALSE(probe_later(sources_, request({{"target", "repo"}})));
  EXPECT_EQ(probe_answer(sources_, request({{"target", "repo"}})).status, 503);
  EXPECT_TRUE(orders_.give({.kind = Order::Kind::forget, .probe = "repo", .reason = "why"}));
}

TEST_F(ProbeAnswers, ShowTheRunWhereThatIsAskedFor) {
  run(Severity::ok);
  auto const body = probe_answer(sources_, request({{"target", "repo"}, {"debug", "true"}})).body;
  EXPECT_THAT(body, HasSubstr("the run of repo\n"));
  EXPECT_THAT(body, HasSubstr("\nprobe_success 1\n"));
}

TEST_F(ProbeAnswers, WaitNoLongerThanTheScrapeDoes) {
  auto const limit = [this](char const* timeout) {
    auto const later = probe_later(
        sources_,
        request({{"target", "repo"}}, {{"X-Prometheus-Scrape-Timeout-Seconds", timeout}}));
    given_.back().second->end({});  // room for the next
    return later ? later->limit : 0ms;
  };
  EXPECT_EQ(limit("10"), 9'500ms);
  EXPECT_EQ(limit("2.5"), 2s);
  EXPECT_EQ(limit("0.2"), 100ms);
  for (char const* nonsense : {"", "soon", "-1", "0", "nan", "inf", "10s"}) {
    EXPECT_EQ(limit(nonsense), 35s) << nonsense;
  }
  EXPECT_EQ(limit("1e300"), 119'500ms);
}

TEST_F(ProbeAnswers, ListTheEnabledProbesForPrometheus) {
  auto const found = discovery(sources_, request({}, {{"Host", "monitor.example:9732"}}));
  EXPECT_EQ(found.content_type, "application/json");
  auto const groups = boost::json::parse(found.body);
  ASSERT_EQ(groups.as_array().size(), 1U);
  EXPECT_EQ(groups.at(0).at("targets").at(0), "monitor.example:9732");
  auto const& labels = groups.at(0).at("labels");
  EXPECT_EQ(labels.at("__metrics_path__"), "/probe");
  EXPECT_EQ(labels.at("__param_target"), "repo");
  EXPECT_EQ(labels.at("repo"), "r");
  EXPECT_EQ(labels.at("kind"), "tuf");
  for (char const* host : {"", "a b", "evil/x", "x\"y", "a@b"}) {
    EXPECT_EQ(discovery(sources_, request({}, {{"Host", host}})).status, 400) << host;
  }
}

}  // namespace
}  // namespace canary::daemon
