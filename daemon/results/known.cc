// SPDX-License-Identifier: Apache-2.0
#include "daemon/results/known.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace canary::daemon {

Known merged(Known const& before, probes::Report const& report, SysTime at) {
  Known after;
  std::set<std::string_view> named;
  for (auto const& role : report.measurements.roles) {
    if (named.insert(role.role).second) after.roles.push_back({role, at});
  }
  after.tls_not_after = report.measurements.tls_not_after;
  if (after.tls_not_after) after.tls_seen = at;
  if (report.complete) return after;

  if (!after.tls_not_after) {
    after.tls_not_after = before.tls_not_after;
    after.tls_seen = before.tls_seen;
  }
  auto const first_older = static_cast<std::ptrdiff_t>(after.roles.size());
  for (auto const& role : before.roles) {
    if (!named.contains(role.facts.role)) after.roles.push_back(role);
  }
  if (after.roles.size() > kKnownRoles) {
    std::ranges::sort(
        after.roles.begin() + first_older, after.roles.end(), {},
        [](KnownRole const& role) { return std::pair{role.facts.expires, role.facts.role}; });
    after.roles.resize(std::max(kKnownRoles, static_cast<std::size_t>(first_older)));
  }
  return after;
}

bool differ(Known const& a, Known const& b) {
  return a.tls_not_after != b.tls_not_after ||
         !std::ranges::equal(a.roles, b.roles, {}, &KnownRole::facts, &KnownRole::facts);
}

}  // namespace canary::daemon
