// SPDX-License-Identifier: Apache-2.0
// What is decided without a socket: chunks, dates, ranges, backoff, pace.
#include <cerrno>
#include <chrono>
#include <set>

#include <gmock/gmock.h>

#include "probes/fetch/body.h"
#include "probes/fetch/chunked.h"
#include "probes/fetch/head.h"
#include "probes/fetch/retry.h"

namespace canary::fetch {
namespace {

using namespace std::chrono_literals;
using State = ChunkDecoder::State;

// Feeds `text` in pieces of `size`; "!" stands for malformed, "." for the end.
std::string decode(std::string_view text, std::size_t size) {
  ChunkDecoder decoder;
  std::string result;
  while (!text.empty()) {
    auto piece = text.substr(0, size);
    text.remove_prefix(piece.size());
    while (!piece.empty()) {
      auto const step = decoder.next(piece);
      piece.remove_prefix(step.consumed);
      result += step.data;
      if (step.state == State::malformed) return result + "!";
      if (step.state == State::done) return result + "." + std::string{piece};
    }
  }
  return result;
}

TEST(ChunkDecoder, GivesTheBodyHoweverItIsCut) {
  constexpr std::string_view kText =
      "5\r\nhello\r\nA;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t size = 1; size <= kText.size(); ++size) {
    EXPECT_EQ(decode(kText, size), "hello0123456789.") << "in pieces of " << size;
  }
}

TEST(ChunkDecoder, LeavesWhatFollowsTheEnd) {
  EXPECT_EQ(decode("1\r\na\r\n0\r\n\r\nHTTP", 100), "a.HTTP");
}

TEST(ChunkDecoder, RefusesWhatIsNoChunk) {
  EXPECT_EQ(decode("\r\n", 100), "!");
  EXPECT_EQ(decode("-1\r\n", 100), "!");
  EXPECT_EQ(decode("0x5\r\nhello\r\n", 100), "!");
  EXPECT_EQ(decode("5\r\nhelloX\r\n", 100), "hello!");
  EXPECT_EQ(decode("10000000000000000\r\n", 100), "!");
  EXPECT_EQ(decode(std::string(100'000, '1'), 100), "!");
  std::string trailers = "0\r\n";
  for (int i = 0; i < 10'000; ++i) trailers += "Trailer: more and more\r\n";
  EXPECT_EQ(decode(trailers, 1000), "!");
}

TEST(HeadParser, ReadsAHeadByteByByte) {
  constexpr std::string_view kText =
      "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 3\r\n\r\nabc";
  HeadParser parser;
  std::string input;
  for (char const byte : kText) {
    input += byte;
    auto const step = parser.put(input);
    input.erase(0, step.consumed);
    ASSERT_NE(step.state, HeadParser::State::malformed) << parser.problem();
    if (step.state == HeadParser::State::done) break;
  }
  auto const head = parser.take();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.length, 3U);
  EXPECT_EQ(head.header("etag"), "\"a\"");
  EXPECT_EQ(head.header("date"), "");
}

TEST(HttpDate, IsReadAsRfc9110WritesIt) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            std::chrono::sys_seconds{784'111'777s});
  for (auto const* wrong : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
                            "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
                            "Sun, 06 Nox 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(wrong), std::nullopt) << wrong;
  }
}

struct RetryCase {
  FaultKind kind;
  int status = 0;
  bool definite = false;
  bool again = false;
};

// What passes by itself is waited for, what never passes ends.
TEST(Retrying, IsForWhatMayPassAndNothingElse) {
  using Kind = FaultKind;
  RetryCase const table[] = {{Kind::dns, 0, false, true},
                             {Kind::dns, 0, true, false},
                             {Kind::connect, 0, false, true},
                             {Kind::reset, 0, false, true},
                             {Kind::timeout, 0, false, true},
                             {Kind::interrupted, 0, false, true},
                             {Kind::truncated, 200, false, true},
                             {Kind::exhausted, 0, false, true},
                             {Kind::proxy, 0, false, true},
                             {Kind::proxy, 0, true, false},
                             {Kind::proxy, 502, false, true},
                             {Kind::proxy, 403, false, false},
                             {Kind::proxy, 407, false, false},
                             {Kind::status, 408, false, true},
                             {Kind::status, 425, false, true},
                             {Kind::status, 429, false, true},
                             {Kind::status, 500, false, true},
                             {Kind::status, 502, false, true},
                             {Kind::status, 503, false, true},
                             {Kind::status, 504, false, true},
                             {Kind::status, 507, false, true},
                             {Kind::status, 522, false, true},
                             {Kind::status, 501, false, false},
                             {Kind::status, 505, false, false},
                             {Kind::status, 508, false, false},
                             {Kind::status, 511, false, false},
                             {Kind::status, 400, false, false},
                             {Kind::status, 401, false, false},
                             {Kind::status, 403, false, false},
                             {Kind::status, 404, false, false},
                             {Kind::status, 410, false, false},
                             {Kind::status, 451, false, false},
                             {Kind::tls_expired, 0, false, false},
                             {Kind::tls_not_yet_valid, 0, false, false},
                             {Kind::tls_wrong_host},
                             {Kind::tls_untrusted},
                             {Kind::tls_handshake},
                             {Kind::tls_costly},
                             {Kind::settings},
                             {Kind::forbidden},
                             {Kind::too_slow},
                             {Kind::file},
                             {Kind::disk},
                             {Kind::redirect_loop, 302},
                             {Kind::redirect_refused, 302},
                             {Kind::too_large, 200},
                             {Kind::wrong_length, 200},
                             {Kind::encoded, 200},
                             {Kind::malformed},
                             {Kind::rejected, 200}};
  std::set<Kind> covered;
  for (auto const& row : table) {
    Fault fault;
    fault.kind = row.kind;
    fault.status = row.status;
    fault.definite = row.definite;
    covered.insert(row.kind);
    EXPECT_EQ(is_worth_retrying(fault), row.again) << word(row.kind) << " " << row.status;
  }
  for (int i = 0; i <= static_cast<int>(Kind::rejected); ++i) {
    EXPECT_TRUE(covered.contains(Kind{i})) << word(Kind{i});
  }
}

TEST(OwnTrouble, IsToldFromTheOtherSides) {
  for (int const error : {EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL, EPERM, EACCES}) {
    EXPECT_NE(own_trouble(error), "") << error;
  }
  for (int const error : {ECONNREFUSED, ECONNRESET, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT}) {
    EXPECT_EQ(own_trouble(error), "") << error;
  }
}

TEST(RetryAfter, IsSecondsOrADate) {
  auto const now = std::chrono::sys_seconds{784'111'777s};
  EXPECT_EQ(retry_after("120", now), 120s);
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), 60s);
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), 0s);
  EXPECT_EQ(retry_after("soon", now), std::nullopt);
  EXPECT_EQ(retry_after("-5", now), std::nullopt);
  EXPECT_EQ(retry_after("", now), std::nullopt);
  EXPECT_EQ(retry_after("99999999999999999999999", now), 10 * 365 * 86'400s);
}

TEST(Backoff, DoublesUpToItsLimitAndDependsOnTheSeedAlone) {
  config::HttpSettings settings;
  settings.backoff_first = 1000ms;
  settings.backoff_limit = 5000ms;
  for (auto const& [attempt, full] :
       {std::pair{1U, 1000ms}, {2U, 2000ms}, {3U, 4000ms}, {4U, 5000ms}, {100U, 5000ms}}) {
    auto const pause = backoff(settings, attempt, "http://a/");
    EXPECT_LE(pause, full);
    EXPECT_GE(pause, full / 2);
    EXPECT_EQ(pause, backoff(settings, attempt, "http://a/"));
  }
  EXPECT_NE(backoff(settings, 1, "http://a/"), backoff(settings, 1, "http://b/"));
}

TEST(ContentRange, IsReadOrRefused) {
  auto const range = parse_content_range("bytes 5-9/10");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 5U);
  EXPECT_EQ(range->last, 9U);
  EXPECT_EQ(range->total, 10U);
  EXPECT_EQ(parse_content_range("bytes 5-9/*")->total, std::nullopt);
  for (auto const* wrong : {"", "bytes */10", "bytes 9-5/10", "bytes 5-10/10", "bytes 5-/10",
                            "items 5-9/10", "bytes 5-9", "bytes -1-9/10"}) {
    EXPECT_FALSE(parse_content_range(wrong)) << wrong;
  }
}

TEST(Validator, IsAStrongTagOrAnOldDate) {
  constexpr auto kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
  constexpr auto kMinuteBefore = "Sun, 06 Nov 1994 08:48:37 GMT";
  EXPECT_EQ(validator("\"a\"", "", ""), "\"a\"");
  EXPECT_EQ(validator("W/\"a\"", kMinuteBefore, kDate), std::nullopt);
  EXPECT_EQ(validator("", kMinuteBefore, kDate), kMinuteBefore);
  EXPECT_EQ(validator("", kDate, kDate), std::nullopt);
  EXPECT_EQ(validator("", kMinuteBefore, ""), std::nullopt);
}

TEST(Pace, IsJudgedOncePerWindow) {
  runtime::Clock::time_point const start{100s};
  Pace pace{100, 10s, start};  // 1000 bytes each 10 s
  EXPECT_TRUE(pace.note(1, start + 5s));
  EXPECT_EQ(pace.due(), start + 10s);
  EXPECT_TRUE(pace.note(999, start + 9s));
  EXPECT_EQ(pace.due(), start + 20s);
  EXPECT_TRUE(pace.note(1, start + 11s)) << "the first window was fast enough";
  EXPECT_FALSE(pace.note(10, start + 22s)) << "the second was not";
}

TEST(Pace, LeavesOutTimeThatWasOurs) {
  runtime::Clock::time_point const start{100s};
  Pace pace{100, 10s, start};
  pace.leave_out(60s);
  EXPECT_TRUE(pace.note(1, start + 65s));
  EXPECT_EQ(pace.due(), start + 70s);
}

TEST(Pace, AskedForNothingIsContentWithAnything) {
  runtime::Clock::time_point const start{100s};
  Pace pace{0, 10s, start};
  EXPECT_TRUE(pace.note(0, start + 1h));
  EXPECT_EQ(pace.due(), runtime::Clock::time_point::max());
}

}  // namespace
}  // namespace canary::fetch
