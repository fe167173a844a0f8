// SPDX-License-Identifier: Apache-2.0
// No thread of canaryd is forgotten: each has a row, by which the watchdog knows it.
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/faults/stage.h"

namespace canary::faults {
namespace {

using namespace std::chrono_literals;

// Of those that /proc has: the names of the ones without a row.
std::vector<std::string> without_a_row(Stage& stage) {
  auto const page = http_get(stage.address(), "/api/v1/executor", 3s).body;
  std::map<std::int64_t, bool> has_row;
  auto const state = boost::json::parse(page);
  for (auto const& each : state.as_object().at("threads").as_array()) {
    auto const& thread = each.as_object();
    has_row[thread.at("thread").to_number<std::int64_t>()] = thread.contains("kind");
  }
  std::vector<std::string> result;
  for (int const thread : stage.threads_called("")) {
    if (has_row[thread]) continue;
    std::ifstream name{"/proc/" + std::to_string(stage.process().pid()) + "/task/" +
                       std::to_string(thread) + "/comm"};
    std::string text;
    std::getline(name, text);
    result.push_back(text);
  }
  return result;
}

TEST(Threads, HaveARowEach) {
  Stage stage{{.fault = "none"}};
  stage.start();
  ASSERT_TRUE(stage.ready()) << stage.process().err();
  EXPECT_GE(stage.threads_called("").size(), 8U);
  std::vector<std::string> missing;
  // The HTTP server's take theirs when they are first asked.
  EXPECT_TRUE(wait_until(
      [&] {
        missing = without_a_row(stage);
        return missing.empty();
      },
      10s))
      << ::testing::PrintToString(missing);
}

}  // namespace
}  // namespace canary::faults
