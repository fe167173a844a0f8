// SPDX-License-Identifier: Apache-2.0
// Every hostile answer ends within its deadline, as a fault of its own, and does not delay others.
#include <functional>
#include <set>

#include <gmock/gmock.h>

#include "runtime/task_group.h"
#include "tests/fetch/client_fixture.h"
#include "tests/support/dns_server.h"
#include "tests/support/full_listener.h"
#include "tests/support/hostile_answers.h"

namespace canary::fetch {
namespace {

using namespace std::chrono_literals;
using namespace canary::support;

constexpr char kHead[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";

struct Case {
  std::string name;  // of support::hostile_answers()
  FaultKind kind;
  Phase phase;
  bool answered;
  std::function<void(config::HttpSettings&)> change = {};
  int status = 0;
};

void PrintTo(Case const& value, std::ostream* out) { *out << value.name; }

std::vector<Case> cases() {
  using K = FaultKind;
  using S = config::HttpSettings;
  return {
      {"reset_before_the_answer", K::reset, Phase::first_byte, false},
      {"closed_before_the_answer", K::reset, Phase::first_byte, false},
      {"reset_in_the_body", K::interrupted, Phase::body, false},
      {"not_found", K::status, Phase::body, true, {}, 404},
      {"forbidden", K::status, Phase::body, true, {}, 403},
      {"too_many_requests", K::status, Phase::body, false, {}, 429},
      {"server_error", K::status, Phase::body, false, {}, 500},
      {"endless_body_without_length", K::too_large, Phase::body, true},
      {"endless_chunk", K::too_large, Phase::body, true},
      {"announces_too_much", K::too_large, Phase::first_byte, true},
      {"truncated_body", K::truncated, Phase::body, true},
      {"truncated_chunk", K::truncated, Phase::body, true},
      {"bad_chunk_size", K::malformed, Phase::body, true},
      {"compressed_body", K::encoded, Phase::first_byte, true, {}, 200},
      {"compressed_transfer", K::encoded, Phase::first_byte, true, {}, 200},
      {"slow_first_byte", K::timeout, Phase::first_byte, false,
       [](S& s) { s.first_byte_timeout = 60ms; }},
      {"head_byte_by_byte", K::timeout, Phase::first_byte, false,
       [](S& s) { s.first_byte_timeout = 100ms; }},
      {"silence_in_the_body", K::timeout, Phase::body, false, [](S& s) { s.idle_timeout = 60ms; }},
      {"body_byte_by_byte", K::too_slow, Phase::body, false,
       [](S& s) {
         s.min_rate = 1 << 20;
         s.min_rate_window = 80ms;
       }},
      {"no_http_at_all", K::malformed, Phase::first_byte, true},
      {"head_without_end", K::malformed, Phase::first_byte, true},
      {"two_lengths", K::malformed, Phase::first_byte, true},
      {"redirect_loop", K::redirect_loop, Phase::body, true},
      {"redirect_without_location", K::redirect_refused, Phase::body, true, {}, 302},
      {"redirect_to_a_file", K::redirect_refused, Phase::body, true, {}, 302},
  };
}

class Hostile : public ClientTest, public ::testing::WithParamInterface<Case> {};

TEST_P(Hostile, EndsAsAFaultOfItsOwn) {
  auto const& expected = GetParam();
  server_.on("/", hostile_answer(expected.name));
  if (expected.change) expected.change(settings_);
  auto const result = get(server_.url("/"));
  ASSERT_FALSE(result);
  auto const& fault = result.error();
  EXPECT_EQ(word(fault.kind), word(expected.kind)) << fault.message;
  EXPECT_EQ(fault.phase, expected.phase) << fault.message;
  EXPECT_EQ(fault.answered, expected.answered) << fault.message;
  EXPECT_EQ(fault.status, expected.status);
  EXPECT_EQ(fault.url, server_.url("/"));
  EXPECT_FALSE(fault.message.empty());
  EXPECT_TRUE(server_.wait_until_idle()) << "a connection outlives its client";
}

TEST(HostileAnswers, HaveAFaultEach) {
  std::set<std::string> judged;
  for (auto const& each : cases()) judged.insert(each.name);
  for (auto const& each : hostile_answers()) EXPECT_TRUE(judged.contains(each.name)) << each.name;
}

INSTANTIATE_TEST_SUITE_P(Answers, Hostile, ::testing::ValuesIn(cases()),
                         [](auto const& info) { return info.param.name; });

class HostileAround : public ClientTest {};

TEST_F(HostileAround, TheWholeDeadlineEndsATricklingHead) {
  server_.on("/", trickle("", kHead, 5ms));
  deadline_ = runtime::Deadline::after(50s);
  auto const client = make_client();
  auto task = client->get(Request{url(server_.url("/")), 100}, runtime::Deadline::after(60ms), {});
  auto const result = running_.block_on(std::move(task));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::timeout);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("before the deadline of the run"));
}

TEST_F(HostileAround, RefusedConnectionIsNoAnswer) {
  std::string closed;
  {
    HostileServer const gone;
    closed = gone.url("/");
  }
  auto const result = get(closed);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::connect);
  EXPECT_EQ(result.error().phase, Phase::connect);
  EXPECT_FALSE(result.error().answered);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("Connection refused"));
}

TEST_F(HostileAround, ConnectionsThatHangEndAtTheConnectDeadline) {
  FullListener const full;
  settings_.connect_timeout = 60ms;
  auto const result = get("http://127.0.0.1:" + std::to_string(full.port()) + "/");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::timeout);
  EXPECT_EQ(result.error().phase, Phase::connect);
  EXPECT_FALSE(result.error().answered);
}

TEST_F(HostileAround, NamesWithoutAServerToAskEndAtTheResolveDeadline) {
  DnsServer dns;
  dns.add("silent.test", {DnsServer::Name::Behaviour::silent});
  runtime::ResolverOptions options;
  options.servers = {dns.address()};
  Services services{cpu_, files_, options};
  settings_.resolve_timeout = 60ms;
  Client client{running_.executor(), settings_, services};
  auto silent = client.get(Request{url("http://silent.test/"), 100}, deadline_, {});
  auto const late = running_.block_on(std::move(silent));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, FaultKind::dns);
  EXPECT_EQ(late.error().phase, Phase::resolve);
  EXPECT_FALSE(late.error().definite);
  auto missing = client.get(Request{url("http://missing.test/"), 100}, deadline_, {});
  auto const none = running_.block_on(std::move(missing));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, FaultKind::dns);
  EXPECT_TRUE(none.error().definite);
}

// The slow server's request is still waiting when the good one's is done.
runtime::Task<std::vector<std::string>> slow_beside_good(Client& client, Request slow, Request good,
                                                         runtime::Deadline deadline) {
  struct Fetch {
    static runtime::Task<void> one(Client& client, Request request, runtime::Deadline deadline,
                                   std::vector<std::string>& log) {
      auto const result = co_await client.get(std::move(request), deadline, {});
      log.push_back(result ? "good" : std::string{word(result.error().kind)});
    }
  };
  std::vector<std::string> log;
  runtime::TaskGroup group{co_await boost::asio::this_coro::executor};
  group.start(Fetch::one(client, std::move(slow), deadline, log));
  group.start(Fetch::one(client, std::move(good), deadline, log));
  co_await group.join({});
  co_return log;
}

TEST_F(HostileAround, ASlowServerDoesNotDelayTheNextRequest) {
  HostileServer good;
  good.on("/", respond("{}"));
  server_.on("/", raw_then_silence(""));
  settings_.first_byte_timeout = 500ms;
  auto const client = make_client();
  auto task = slow_beside_good(*client, Request{url(server_.url("/")), 100},
                               Request{url(good.url("/")), 100}, deadline_);
  EXPECT_THAT(running_.block_on(std::move(task)), ::testing::ElementsAre("good", "timeout"));
}

TEST_F(HostileAround, HtmlInsteadOfJsonIsDeliveredForTheParserToRefuse) {
  server_.on("/", respond(200, "<html>", {{"Content-Type", "text/html"}}));
  auto const result = get(server_.url("/"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().body, "<html>");
  EXPECT_EQ(result.value().header("content-type"), "text/html");
}

}  // namespace
}  // namespace canary::fetch
