// SPDX-License-Identifier: Apache-2.0
// What curl, Go and Python make of odd answers, recorded, and what we make of them: what most of
// them take is taken, with a word about it where not all do.
#include "probes/fetch/oddity.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/fetch/client_fixture.h"

namespace canary::fetch {
namespace {

using namespace canary::support;

std::string unescaped(std::string_view text) {
  constexpr std::string_view kNames = "rnst";
  constexpr std::string_view kBytes = "\r\n \t";
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result += text[i];
    } else if (auto const known = kNames.find(text[++i]); known != std::string_view::npos) {
      result += kBytes[known];
    } else {
      result += static_cast<char>(std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16));
      i += 2;
    }
  }
  return result;
}

// Name, three clients, bytes.
std::vector<std::array<std::string, 5>> rows_of(std::string const& path) {
  std::vector<std::array<std::string, 5>> rows;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream columns{line};
    std::array<std::string, 5> row;
    for (std::string& column : row) std::getline(columns, column, '\t');
    row[4] = unescaped(row[4]);
    rows.push_back(std::move(row));
  }
  return rows;
}

class OddAnswers : public ClientTest {
 protected:
  struct Seen {
    bool intact = false;
    std::vector<Oddity> oddities;
    std::string fault;
  };
  Seen take(std::string const& bytes) {
    server_.on("/", raw(bytes));
    return look();
  }
  Seen look() {
    auto const client = make_client();
    auto const result = get_with(*client, server_.url("/"));
    Seen seen{.intact = result && result.value().body == "intact body"};
    if (!result) seen.fault = result.error().message;
    for (auto const& [oddity, url] : client->totals().oddities) seen.oddities.push_back(oddity);
    return seen;
  }
  std::vector<Oddity> odd(std::string const& headers) {
    return take("HTTP/1.1 200 OK\r\n" + headers + "Content-Length: 11\r\n\r\nintact body").oddities;
  }
};

TEST_F(OddAnswers, AreTakenWhereMostClientsTakeThem) {
  auto const rows = rows_of("tests/fetch/odd_answers.tsv");
  ASSERT_GT(rows.size(), 190U);
  for (auto const& [name, curl, go, python, bytes] : rows) {
    auto const takers = (curl == "y") + (go == "y") + (python == "y");
    // Go and Python decode what nobody asked for; these are not the repository's bytes.
    if (name == "ce_gzip_real") continue;
    auto const seen = take(bytes);
    EXPECT_EQ(seen.intact, takers >= 2) << name << ": " << seen.fault;
    // Other 2xx than 200 all three take, but go-tuf does not.
    bool const only_go_tuf = seen.oddities == std::vector{Oddity::status_not_200};
    if (takers == 3) EXPECT_TRUE(seen.oddities.empty() || only_go_tuf) << name;
    if (takers == 2) EXPECT_FALSE(seen.oddities.empty()) << name;
  }
}

TEST_F(OddAnswers, SayWhatIsOdd) {
  using testing::ElementsAre;
  EXPECT_THAT(odd("Content-Encoding: aws-chunked\r\n"), ElementsAre());
  EXPECT_THAT(odd("Content-Encoding: x-gzip\r\n"), ElementsAre(Oddity::content_encoding));
  EXPECT_THAT(odd("X(A): b\r\n"), ElementsAre(Oddity::header_name));
  EXPECT_THAT(odd("X: \x1b[31m\r\n"), ElementsAre(Oddity::header_value));
  EXPECT_THAT(odd("Content-Length: +11\r\n"), ElementsAre(Oddity::content_length));
  EXPECT_THAT(odd("X: " + std::string(60 * 1024, 'x') + "\r\n"), ElementsAre());
  EXPECT_THAT(odd("X: " + std::string(70 * 1024, 'x') + "\r\n"), ElementsAre(Oddity::long_header));
  std::string headers;
  for (int i = 0; i < 98; ++i) headers += "X: y\r\n";
  EXPECT_THAT(odd(headers), ElementsAre());
  EXPECT_THAT(odd(headers + "X: y\r\n"), ElementsAre(Oddity::many_headers));
}

TEST_F(OddAnswers, HaveLimits) {
  std::string const begin = "HTTP/1.1 200 OK\r\nX: ";
  std::string const end = "\r\nContent-Length: 11\r\n\r\nintact body";
  EXPECT_THAT(take(begin + std::string(100 * 1024, 'x') + end).fault,
              testing::HasSubstr("a header is longer than 100 KiB"));
  std::string many = begin;
  for (int i = 0; i < 4; ++i) many += std::string(90 * 1024, 'x') + "\r\nX: ";
  EXPECT_THAT(take(many + end).fault, testing::HasSubstr("its head is longer than 300 KiB"));
  std::string early;
  for (int i = 0; i < 257; ++i) early += "HTTP/1.1 103 Early Hints\r\n\r\n";
  EXPECT_THAT(take(early).fault, testing::HasSubstr("interim answers (103) without end"));
}

TEST_F(OddAnswers, EveryOddityHasASentence) {
  for (int i = 0; i <= static_cast<int>(Oddity::downgraded); ++i) {
    EXPECT_FALSE(to_text(static_cast<Oddity>(i)).empty()) << i;
  }
}

TEST_F(OddAnswers, RedirectsBeyondThoseThatPythonFollowsAreOdd) {
  for (int i = 0; i < 5; ++i) {
    server_.on(i == 0 ? "/" : "/" + std::to_string(i), redirect_to("/" + std::to_string(i + 1)));
  }
  server_.on("/3", respond("intact body"));
  EXPECT_THAT(look().oddities, testing::ElementsAre());
  server_.on("/3", redirect_to("/4"));
  server_.on("/4", respond("intact body"));
  auto const seen = look();
  EXPECT_TRUE(seen.intact) << seen.fault;
  EXPECT_THAT(seen.oddities, testing::ElementsAre(Oddity::many_redirects));
}

TEST_F(OddAnswers, ACircleThatEndsIsFollowed) {
  server_.on("/", in_turn({redirect_to("/"), respond("intact body")}));
  EXPECT_TRUE(look().intact);
}

// One spelling for what a server takes for the same.
std::string spelt_alike(std::string_view request) {
  std::string result;
  for (std::size_t i = 0; i < request.size(); ++i) {
    int byte = -1;
    if (request[i] == '%' && i + 2 < request.size()) {
      std::istringstream hex{std::string{request.substr(i + 1, 2)}};
      if (!(hex >> std::hex >> byte) || !hex.eof()) byte = -1;
    }
    result += byte < 0 || byte == '/' ? request[i] : static_cast<char>(byte);
    if (byte >= 0 && byte != '/') i += 2;
  }
  return result;
}

TEST_F(OddAnswers, LocationsLeadWhereMostClientsGo) {
  auto const rows = rows_of("tests/fetch/odd_locations.tsv");
  ASSERT_GT(rows.size(), 40U);
  std::string const host = "127.0.0.1:" + std::to_string(server_.port());
  server_.on_any(respond("here"));
  for (auto const& [name, curl, go, python, location] : rows) {
    std::vector<std::string> asked;
    for (auto const& one : {curl, go, python}) asked.push_back(spelt_alike(unescaped(one)));
    std::string most = "-";
    for (auto const& one : asked) {
      if (std::ranges::count(asked, one) >= 2) most = one;
    }
    if (std::ranges::count(asked, most) < 2) continue;  // each goes its own way
    std::string to = location;
    if (auto const at = to.find("HOST"); at != std::string::npos) to.replace(at, 4, host);
    server_.on("/r/" + name, raw("HTTP/1.1 302 R\r\nLocation: " + to +
                                 "\r\nContent-Length: 0\r\n"
                                 "Connection: close\r\n\r\n"));
    auto const result = get(server_.url("/r/" + name));
    std::string const next = result ? server_.requests().back().target : "-";
    EXPECT_EQ(spelt_alike(next), most) << name;
  }
}

TEST_F(OddAnswers, CredentialsInALocationAreDropped) {
  server_.on(
      "/", redirect_to("http://user:secret@127.0.0.1:" + std::to_string(server_.port()) + "/end"));
  server_.on("/end", respond("intact body"));
  EXPECT_TRUE(look().intact);
  EXPECT_FALSE(server_.requests().back().headers.contains("authorization"));
}

}  // namespace
}  // namespace canary::fetch
