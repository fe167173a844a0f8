// SPDX-License-Identifier: Apache-2.0
// Bodies: framing, limits, lengths, streaming, and where the time went.
#include <gmock/gmock.h>

#include "tests/fetch/client_fixture.h"

namespace canary::fetch {
namespace {

using namespace std::chrono_literals;
using namespace canary::support;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 2'654'435'761U) >> 24);
  return text;
}

class Body : public ClientTest {};

TEST_F(Body, OfKnownLengthArrivesWhole) {
  auto const text = pattern(700'000);
  server_.on("/a", respond(200, text, {{"ETag", "\"1\""}}));
  auto const result = get(server_.url("/a"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result.value().body == text);
  EXPECT_EQ(result.value().length, text.size());
  EXPECT_EQ(result.value().status, 200);
  EXPECT_EQ(result.value().header("etag"), "\"1\"");
  EXPECT_EQ(result.value().header("age"), std::nullopt);
}

TEST_F(Body, ComesWithTheTimeOfItsLastChangeWhereTheServerTells) {
  server_.on("/a", respond(200, "x", {{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}}));
  server_.on("/b", respond(200, "x"));
  server_.on("/c", respond(200, "x", {{"Last-Modified", "yesterday"}}));
  auto const told = get(server_.url("/a"));
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_EQ(told.value().last_modified, std::chrono::sys_seconds{784'111'777s});
  for (auto const* untold : {"/b", "/c"}) {
    auto const result = get(server_.url(untold));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result.value().last_modified, std::nullopt);
  }
}

TEST_F(Body, InChunksArrivesWhole) {
  auto const text = pattern(300'000);
  server_.on("/a", chunked({text.substr(0, 1), text.substr(1, 250'000), text.substr(250'001)}));
  auto const client = make_client();
  auto const first = get_with(*client, server_.url("/a"));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_TRUE(first.value().body == text);
  auto const second = get_with(*client, server_.url("/a"));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(server_.connections(), 1) << "a chunked body's end was not found";
}

TEST_F(Body, WithoutLengthEndsWithTheConnection) {
  server_.on("/a", raw("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello"));
  auto const result = get(server_.url("/a"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().body, "hello");
}

TEST_F(Body, MayBeEmpty) {
  server_.on("/a", respond(""));
  server_.on("/b", raw("HTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_EQ(get(server_.url("/a")).value().body, "");
  EXPECT_EQ(get(server_.url("/b")).value().body, "");
}

TEST_F(Body, ComesAfterInterimAnswers) {
  server_.on("/a", raw("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_EQ(get(server_.url("/a")).value().body, "ok");
}

TEST_F(Body, AtTheLimitIsAcceptedAndOneByteMoreIsNot) {
  server_.on("/a", respond("12345"));
  server_.on("/b", chunked({"123", "45"}));
  for (auto const* path : {"/a", "/b"}) {
    EXPECT_TRUE(get(Request{url(server_.url(path)), 5})) << path;
    auto const over = get(Request{url(server_.url(path)), 4});
    ASSERT_FALSE(over) << path;
    EXPECT_EQ(over.error().kind, FaultKind::too_large);
  }
}

TEST_F(Body, OfTheWrongLengthIsRefusedHoweverItIsFramed) {
  server_.on("/announced", respond("12345"));
  server_.on("/chunked", chunked({"12345"}));
  server_.on("/closed", raw("HTTP/1.0 200 OK\r\n\r\n12345"));
  for (auto const* path : {"/announced", "/chunked", "/closed"}) {
    for (std::uint64_t const expected : {4, 6}) {
      auto const result = get(Request{url(server_.url(path)), 100, expected});
      ASSERT_FALSE(result) << path;
      EXPECT_EQ(word(result.error().kind), "wrong_length") << path << " " << expected;
    }
    EXPECT_TRUE(get(Request{url(server_.url(path)), 100, 5})) << path;
  }
}

TEST_F(Body, PhasesAddUpToTheTotal) {
  server_.on("/a", trickle("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "abc", 10ms));
  auto const before = runtime::Clock::now();
  auto const result = get(server_.url("/a"));
  auto const elapsed = runtime::Clock::now() - before;
  ASSERT_TRUE(result) << result.error().message;
  auto const& times = result.value().times;
  EXPECT_GT(times[Phase::body], 0ms);
  EXPECT_LE(times.total(), elapsed);
  auto sum = std::chrono::nanoseconds{0};
  for (auto const span : times.spent) sum += span;
  EXPECT_EQ(sum, times.total());
}

TEST_F(Body, RequestSaysWhoAsksAndKeepsTheTargetAsGiven) {
  server_.on_any(respond("ok"));
  settings_.headers = {{"X-Plain", "1"}};
  settings_.secret_headers = {{"Authorization", {"Bearer abc", {}, "TOKEN"}}};
  ASSERT_TRUE(get(server_.url("/%5Bx%5D/a%2fb?q=%20")));
  auto const request = server_.requests().at(0);
  EXPECT_EQ(request.target, "/%5Bx%5D/a%2fb?q=%20");
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.headers.at("accept-encoding"), "identity");
  EXPECT_EQ(request.headers.at("user-agent"), "canaryd/" CANARY_VERSION);
  EXPECT_EQ(request.headers.at("host"), "127.0.0.1:" + std::to_string(server_.port()));
  EXPECT_EQ(request.headers.at("x-plain"), "1");
  EXPECT_EQ(request.headers.at("authorization"), "Bearer abc");
}

TEST_F(Body, HeadersThatWouldSmuggleAreRefused) {
  settings_.headers = {{"X-Bad", "a\r\nX-Worse: b"}};
  auto const result = get(server_.url("/"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::settings);
  EXPECT_THAT(server_.requests(), ::testing::IsEmpty());
}

TEST_F(Body, ClientCountsWhatItDid) {
  server_.on("/a", respond("12345"));
  server_.on("/b", redirect_to("/a"));
  auto const client = make_client();
  ASSERT_TRUE(get_with(*client, server_.url("/b")));
  EXPECT_EQ(client->totals().requests, 2U);
  EXPECT_EQ(client->totals().connections, 1U);
  EXPECT_EQ(client->totals().bytes, 5U);
  EXPECT_EQ(client->totals().retries, 0U);
  EXPECT_GT(client->totals().times.total(), 0ns);
}

// Collects what the workers get; refuses beyond `limit`.
class Collector : public BodyConsumer {
 public:
  explicit Collector(std::size_t limit = std::string::npos) : limit_(limit) {}
  bool take(std::string_view piece) override {
    pieces.push_back(piece.size());
    text += piece;
    return text.size() <= limit_;
  }
  void restart() override {
    ++restarts;
    text.clear();
  }
  std::string text;
  std::vector<std::size_t> pieces;
  int restarts = 0;

 private:
  std::size_t limit_;
};

class Streaming : public ClientTest {
 protected:
  Result<Response> download(std::shared_ptr<Collector> const& consumer, std::string const& path) {
    auto const client = make_client();
    PipelinedSink sink{running_.executor(), {{cpu_, consumer}}};
    Request request{url(server_.url(path)), 1 << 30};
    return running_.block_on(client->download(std::move(request), sink, deadline_, {}));
  }
};

TEST_F(Streaming, GivesTheWorkersEveryByteInOrderInLargePieces) {
  auto const text = pattern(3'000'000);
  server_.on("/a", respond(text));
  auto const consumer = std::make_shared<Collector>();
  auto const result = download(consumer, "/a");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(consumer->text == text);
  EXPECT_EQ(result.value().length, text.size());
  EXPECT_EQ(consumer->pieces.size(), text.size() / PipelinedSink::kBufferBytes + 1);
}

TEST_F(Streaming, StopsWhenAConsumerWantsNoMore) {
  server_.on("/a", endless("HTTP/1.1 200 OK\r\n\r\n"));
  auto const consumer = std::make_shared<Collector>(100);
  auto const result = download(consumer, "/a");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::rejected);
  EXPECT_EQ(consumer->pieces.size(), 1U);
}

TEST_F(Streaming, TellsOfARefusalOfTheLastPiece) {
  server_.on("/a", respond("too much for a collector of four bytes"));
  auto const result = download(std::make_shared<Collector>(4), "/a");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::rejected);
}

}  // namespace
}  // namespace canary::fetch
