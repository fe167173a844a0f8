// SPDX-License-Identifier: Apache-2.0
// A run that a person on the page asks for, and who may not.
#include "daemon/publish/run_answers.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/tuf/declaration.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class RunAnswers : public ::testing::Test {
 protected:
  RunAnswers() {
    ProbeFacts facts{.name = "a&b",
                     .repository = "r",
                     .kind = &tuf::kDeclaration,
                     .enabled = true,
                     .interval = 60s,
                     .timeout = 10s};
    auto paused = facts;
    paused.name = "paused";
    paused.enabled = false;
    store_.configure({facts, paused});
  }
  HttpRequest request(std::string probe) {
    HttpRequest made{.method = "POST", .path = "/-/run"};
    made.parameter = [probe](char const*) { return std::optional{probe}; };
    made.header = [this](char const* name) -> std::optional<std::string> {
      auto const found = headers_.find(name);
      return found == headers_.end() ? std::nullopt : std::optional{found->second};
    };
    made.from_loopback = true;
    return made;
  }
  int refused(HttpRequest const& made) {
    EXPECT_FALSE(run_later(sources_, made));
    EXPECT_TRUE(given_.empty());
    return run_refusal(sources_, made).status;
  }

  std::map<std::string, std::string> headers_{{"Host", "127.0.0.1:9732"},
                                              {"Origin", "http://127.0.0.1:9732"}};
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
                   .place = {.base = "/canaryd"}};
};

TEST_F(RunAnswers, WaitForTheRunAndLeadToItsPage) {
  auto const later = run_later(sources_, request("a&b"));
  ASSERT_TRUE(later);
  ASSERT_EQ(given_.size(), 1U);
  EXPECT_EQ(given_[0].first.kind, Order::Kind::run_now);
  EXPECT_EQ(given_[0].first.probe, "a&b");
  EXPECT_FALSE(later->look());
  given_[0].second->end({.carried_out = true, .exit_code = 2, .text = ""});
  auto const answer = later->look();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 303);
  EXPECT_EQ(answer->location, "/canaryd/probe/a%26b");
  EXPECT_EQ(later->limit, 15s);
  EXPECT_EQ(later->too_late.status, 303) << "the page says that it goes on";
}

TEST_F(RunAnswers, SayThatARunCouldNotBeHad) {
  auto const later = run_later(sources_, request("a&b"));
  ASSERT_TRUE(later);
  given_[0].second->end({.carried_out = false, .exit_code = 3, .text = "quarantined"});
  EXPECT_EQ(later->look().value().status, 503);
}

TEST_F(RunAnswers, RefuseWhoMayNotChangeAnything) {
  auto far = request("a&b");
  far.from_loopback = false;
  EXPECT_EQ(refused(far), 403);
  headers_["Origin"] = "https://evil.example";
  EXPECT_EQ(refused(request("a&b")), 403) << "a page of another site";
  headers_["Origin"] = "null";
  EXPECT_EQ(refused(request("a&b")), 403);
  headers_ = {{"Host", "evil.example"}, {"Origin", "http://evil.example"}};
  EXPECT_EQ(refused(request("a&b")), 403) << "a name that somebody had lead here";
}

TEST_F(RunAnswers, OfABrowserWithACertificateHoldToTheNameOfTheExternalUrl) {
  sources_.place.host = "monitor.example";
  auto known = request("a&b");
  known.from_loopback = false;
  known.authenticated = true;
  headers_ = {{"Host", "rebound.example"}, {"Origin", "https://rebound.example"}};
  EXPECT_EQ(refused(known), 403);
  headers_ = {{"Host", "Monitor.example"}, {"Origin", "https://monitor.example"}};
  EXPECT_TRUE(run_later(sources_, known));
  headers_ = {{"Host", "192.0.2.7:9732"}, {"Origin", "https://192.0.2.7:9732"}};
  EXPECT_TRUE(run_later(sources_, known));
  headers_ = {{"Host", "inside.example"}};
  EXPECT_TRUE(run_later(sources_, known)) << "curl, which nobody leads anywhere";
}

TEST_F(RunAnswers, RefuseWhatIsNoOrder) {
  auto get = request("a&b");
  get.method = "GET";
  EXPECT_EQ(refused(get), 405) << "a link must do nothing";
  auto body = request("a&b");
  body.has_body = true;
  EXPECT_EQ(refused(body), 413);
  EXPECT_EQ(refused(request("paused")), 400);
  EXPECT_EQ(refused(request("<b>\n")), 404);
  EXPECT_THAT(run_refusal(sources_, request("<b>\n")).body, HasSubstr("<b>\\n"));
  sources_.orders = nullptr;
  EXPECT_EQ(refused(request("a&b")), 404);
}

TEST_F(RunAnswers, TakeNoMoreThanCanBeHeld) {
  for (std::size_t i = 0; i < Orders::kFromOutside; ++i) {
    ASSERT_TRUE(run_later(sources_, request("a&b"))) << i;
  }
  EXPECT_FALSE(run_later(sources_, request("a&b")));
  auto const busy = run_refusal(sources_, request("a&b"));
  EXPECT_EQ(busy.status, 503);
  EXPECT_GT(busy.retry_after.count(), 0);
}

}  // namespace
}  // namespace canary::daemon
