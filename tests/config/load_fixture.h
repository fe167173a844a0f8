// SPDX-License-Identifier: Apache-2.0
// Configurations of a test, in a folder of its own, and what is told of them.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "probes/kind.h"
#include "probes/tuf/spec.h"
#include "tests/config/temp_dir.h"

namespace canary::config {

using namespace std::chrono_literals;
using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

inline std::string text_of(Result<Config, std::vector<Problem>> const& result) {
  std::string text;
  if (!result) {
    for (auto const& problem : result.error()) text += to_text(problem) + "\n";
  }
  return text;
}

inline std::string probe(std::string_view name) {
  return "  - name: " + std::string(name) +
         "\n    tuf: {metadata_url: https://a.example/md, root: root.json}\n";
}

inline bool own_paused(Config const& config) {
  return std::ranges::any_of(config.probes, [](ProbeSpec const& each) { return !each.enabled; });
}

class Load : public ::testing::Test {
 protected:
  Load() { dir.write("root.json", "{}"); }

  Config load_text(std::string_view yaml) {
    auto result = load(dir.write("canaryd.yml", yaml), environment, probes::configured_kinds());
    if (!result) {
      ADD_FAILURE() << text_of(result);
      return {};
    }
    return std::move(result).value();
  }
  std::string problems(std::string_view yaml) {
    auto const result =
        load(dir.write("canaryd.yml", yaml), environment, probes::configured_kinds());
    EXPECT_FALSE(result);
    return text_of(result);
  }
  static canary::tuf::Spec const& tuf(ProbeSpec const& probe) {
    return *probe.kind.get<canary::tuf::Spec>();
  }

  TempDir dir;
  Environment environment;
};

}  // namespace canary::config
