// SPDX-License-Identifier: Apache-2.0
// What four real clients asked for, recorded, against what we say they ask for and what we ask.
#include "probes/tuf/client_requests.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/tuf/digest.h"

namespace canary::tuf {
namespace {

constexpr RequestFolder kFolder{"http", "/a/b/c/targets"};

std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) != "\\x") {
      result += text[i];
      continue;
    }
    result += from_hex(text.substr(i + 2, 2)).value();
    i += 3;
  }
  return result;
}

// Every escape and every byte in one spelling; an empty query is none.
std::string spelt_alike(std::string_view request) {
  std::string result;
  for (std::size_t i = 0; i < request.size(); ++i) {
    auto const byte = request[i] == '%' && i + 2 < request.size()
                          ? from_hex(request.substr(i + 1, 2))
                          : std::nullopt;
    if (byte && std::string_view{"/?#%+"}.find((*byte)[0]) == std::string_view::npos) {
      result += *byte;
    } else if (byte) {
      result += "%" + to_hex(*byte);
    } else {
      result += request[i];
    }
    if (byte) i += 2;
  }
  if (result.ends_with('?')) result.pop_back();
  return result;
}

std::string spelt_alike(std::optional<std::string> const& request) {
  return request ? spelt_alike(std::string_view{*request}) : "refused";
}

struct Recorded {
  std::string name, hash;
  std::vector<std::optional<std::string>> asked;  // in the order of kClientKinds

  TargetName target() const { return {name, hash}; }
  // All four sent the same bytes.
  bool unanimous() const {
    return std::ranges::all_of(asked, [this](auto const& one) { return one && one == asked[0]; });
  }
};

std::vector<Recorded> recorded() {
  std::vector<Recorded> rows;
  std::ifstream file{"tests/tuf/client_requests.tsv"};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream columns{line};
    Recorded row;
    std::string column;
    std::getline(columns, column, '\t');
    if (column != "-") row.hash = column;
    std::getline(columns, column, '\t');
    row.name = unescaped(column);
    while (std::getline(columns, column, '\t')) {
      row.asked.push_back(column == "-" ? std::nullopt : std::optional(unescaped(column)));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

TEST(ClientRequests, AreWhatTheRealClientsAskedFor) {
  auto const rows = recorded();
  ASSERT_GT(rows.size(), 600U);
  for (Recorded const& row : rows) {
    ASSERT_EQ(row.asked.size(), kClientKinds.size()) << row.name;
    for (std::size_t i = 0; i < kClientKinds.size(); ++i) {
      auto const request = request_of(kClientKinds[i], kFolder, row.target());
      EXPECT_EQ(spelt_alike(request), spelt_alike(row.asked[i]))
          << to_text(kClientKinds[i]) << " and \"" << row.name << "\", hash " << row.hash;
    }
  }
}

TEST(ClientRequests, OursHaveTheClientsBytesWhereTheyAgree) {
  for (Recorded const& row : recorded()) {
    std::string const request = target_request(kFolder.path, row.target());
    EXPECT_EQ(spelt_alike(std::string_view{request}), spelt_alike(row.asked[0])) << row.name;
    if (row.unanimous()) EXPECT_EQ(request, row.asked[0]) << row.name;
    // python-tuf may spell it otherwise ("%5B"); then the other three decide.
    bool const three = row.asked[1] == row.asked[2] && row.asked[1] == row.asked[3];
    if (three && spelt_alike(row.asked[1]) == spelt_alike(row.asked[0])) {
      EXPECT_EQ(request, row.asked[1]) << row.name;
    }
  }
}

TEST(ClientRequests, OddNamesAreThoseThatTheClientsDoNotAgreeOn) {
  for (Recorded const& row : recorded()) {
    // With a hash tough looks elsewhere, for every name.
    if (!row.hash.empty()) continue;
    bool agreed = row.name.find_first_of("?#") == std::string::npos;
    for (std::size_t i = 1; i < row.asked.size(); ++i) {
      agreed = agreed && row.asked[i] && spelt_alike(row.asked[i]) == spelt_alike(row.asked[0]);
    }
    EXPECT_EQ(odd_target_name(kFolder, row.target()).has_value(), !agreed) << row.name;
  }
}

TEST(ClientRequests, OddNamesSayWhoAsksForWhat) {
  auto const odd = [](std::string_view name, std::string_view hash = {}) {
    return odd_target_name({"https", "/t"}, {name, hash}).value_or("fine");
  };
  for (auto const* fine : {"a", "d/Foo%20Bar.exe", "a+b", "a b", "\xC3\xBC", "[x]{y}", "a:"}) {
    EXPECT_EQ(odd(fine, "1f"), "fine") << fine;
  }
  EXPECT_EQ(odd("a#b"), "every client asks for /t/a, which is not the whole name");
  EXPECT_EQ(odd("a?b"), "every client asks for /t/a?b, which is not the whole name");
  EXPECT_EQ(odd("100%"),
            "clients do not agree on the file of this name: python-tuf asks for /t/100%25, go-tuf "
            "refuses it, tough and tuf-js ask for /t/100%");
  EXPECT_EQ(odd("a:b"),
            "clients do not agree on the file of this name: python-tuf, go-tuf and tuf-js ask for "
            "/t/a:b, tough refuses it");
  EXPECT_EQ(odd("a:b", "f1"),
            "clients do not agree on the file of this name: python-tuf, go-tuf and tuf-js ask for "
            "/t/f1.a:b, tough refuses it");
  EXPECT_EQ(odd("d/f", "1f"), "fine");
}

TEST(ClientRequests, RolesAreOneSegmentForEveryClient) {
  auto const asked = [](ClientKind client, std::string_view role) {
    return role_request_of(client, {"http", "/m"}, role, std::nullopt);
  };
  // As recorded: all of printable ASCII but what needs no escape.
  constexpr std::string_view kAll = " !\"#$%&'()*+,/:;<=>?@[\\]^`{|}";
  EXPECT_EQ(asked(ClientKind::python_tuf, kAll),
            "/m/%20%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B"
            "%7C%7D.json");
  EXPECT_EQ(asked(ClientKind::tough, kAll), asked(ClientKind::python_tuf, kAll));
  EXPECT_EQ(asked(ClientKind::go_tuf, kAll),
            "/m/%20%21%22%23$%25&%27%28%29%2A+%2C%2F:%3B%3C=%3E%3F@%5B%5C%5D%5E%60%7B%7C%7D.json");
  EXPECT_EQ(
      asked(ClientKind::tuf_js, kAll),
      "/m/%20!%22%23%24%25%26'()*%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D.json");
  EXPECT_EQ(role_request_of(ClientKind::go_tuf, {"http", "/m"}, "\xC3\xBC/..", 7),
            "/m/7.%C3%BC%2F...json");
}

TEST(ClientRequests, APlusInARoleIsOdd) {
  EXPECT_EQ(odd_role_name({"http", "/m"}, "a b/c:d"), std::nullopt);
  EXPECT_EQ(odd_role_name({"http", "/m"}, "a+b"),
            "clients do not agree on the file of this name: python-tuf, tough and tuf-js ask for "
            "/m/a%2Bb.json, go-tuf asks for /m/a+b.json");
}

}  // namespace
}  // namespace canary::tuf
