// SPDX-License-Identifier: Apache-2.0
// The rows of client_refusals_test.cc.
#pragma once

#include <string>
#include <vector>

namespace canary::tuf {

inline constexpr char const* kTakes = "takes";
inline constexpr char const* kRefuses = "refuses";

struct RefusalCase {
  std::string name;
  std::string role;               // "root", "timestamp", "snapshot", "targets"
  std::string python, go, tough;  // "takes" or "refuses"
  std::string canaryd;            // "takes", names of notices, or "refuses RULE"
  std::string file;
  std::string root;  // signs `file`, unless that is a root
};

std::vector<RefusalCase> const& refusal_cases();

}  // namespace canary::tuf
