// SPDX-License-Identifier: Apache-2.0
// Roles of a TUF repository, as things that a report tells of.
// Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "probes/report.h"
#include "probes/tuf/declaration.h"

namespace canary::daemon {

inline probes::ThingFacts a_role(std::string name, std::int64_t version,
                                 probes::Expiry const& expiry = {}, std::int64_t size = 0) {
  probes::ThingFacts role{.type = &tuf::kRole, .name = std::move(name), .expiry = expiry};
  role.numbers[tuf::kVersion] = version;
  role.numbers[tuf::kSize] = size;
  return role;
}

inline probes::ThingFacts a_delegated_role(std::string name, std::chrono::sys_seconds expires) {
  auto role = a_role(std::move(name), 1, {.at = expires}, 1);
  role.one_of_many = true;
  role.below = "targets";
  return role;
}

}  // namespace canary::daemon
