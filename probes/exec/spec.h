// SPDX-License-Identifier: Apache-2.0
// What a probe that runs a program is told.
// Thread: none (immutable once built).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/probe_spec.h"

namespace canary::exec {

struct Spec {
  std::vector<std::string> command;      // the program's absolute path and its arguments
  std::vector<std::string> environment;  // "NAME=VALUE"; there is nothing else in it
  std::filesystem::path directory = "/";
  std::chrono::milliseconds time_limit{30'000};  // then SIGTERM
  std::chrono::milliseconds kill_after{2'000};   // then SIGKILL
  std::uint64_t max_output = std::uint64_t{64} << 10;

  static constexpr std::string_view kKind = "exec";
  static constexpr bool kFetches = false;
  static constexpr bool kRunsPrograms = true;
  std::string location() const { return command.empty() ? std::string{} : command.front(); }
  std::string host() const { return location(); }
  std::size_t connections() const {
    return 4;
  }  // descriptors: two pipes, while it starts both ends
  friend bool operator==(Spec const&, Spec const&) = default;
};

void describe(config::FieldVisitor& visitor, Spec& spec);
void describe_defaults(config::FieldVisitor& visitor, Spec& spec);

}  // namespace canary::exec
