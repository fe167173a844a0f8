// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/steps.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "probes/tuf/findings.h"

namespace canary::tuf {
namespace {

enum Place : std::size_t { root, timestamp, snapshot, targets, delegations, files, none };
static_assert(none == kSteps.size());

constexpr std::array<std::string_view, 4> kTopLevel{"root", "timestamp", "snapshot", "targets"};

std::size_t of_role(std::string_view role) {
  auto const* const found = std::ranges::find(kTopLevel, role);
  return found == kTopLevel.end() ? delegations
                                  : static_cast<std::size_t>(found - kTopLevel.begin());
}

// "https://host/metadata/3.root.json?...": "root". "" where it is no file of metadata.
std::string_view role_in(std::string_view url) {
  url = url.substr(0, url.find('?'));
  url.remove_prefix(url.rfind('/') + 1);  // all of it where there is none
  constexpr std::string_view kEnd = ".json";
  if (!url.ends_with(kEnd)) return {};
  url.remove_suffix(kEnd.size());
  auto const version = url.find_first_not_of("0123456789");
  if (version != 0 && version != std::string_view::npos && url[version] == '.') {
    url.remove_prefix(version + 1);
  }
  return url;
}

}  // namespace

std::size_t step_of(probes::Finding const& finding) {
  std::string_view const check = finding.check, subject = finding.subject;
  bool const ok = finding.severity == probes::Severity::ok;
  if (check == kRootChain) return root;
  if (check == kTargets) return files;
  if (check == kDelegations) return delegations;
  // Of all of them.
  if (check == kRollback && subject.empty()) return snapshot;
  if (check == kConsistency && subject.empty()) return targets;
  for (auto const own : {kSignatures, kRollback, kConsistency, kMetadata, kExpiry}) {
    if (check == own) return of_role(subject);
  }
  if (check != kReachable || ok) return none;
  auto const role = role_in(finding.url.empty() ? subject : std::string_view{finding.url});
  return role.empty() ? std::size_t{none} : of_role(role);
}

std::size_t step_of(probes::ThingFacts const& role) { return of_role(role.name.text()); }

}  // namespace canary::tuf
