// SPDX-License-Identifier: Apache-2.0
// Refreshes from memory: what a client does, with a map in place of a server.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "probes/tuf/authoring.h"
#include "probes/tuf/delegation.h"
#include "probes/tuf/trusted_metadata.h"

namespace canary::tuf {

using Files = std::map<std::string, std::string>;

inline constexpr Time kNow = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};
inline constexpr std::chrono::days kYear{365};

inline Policy recording() {
  Policy policy;
  policy.expiry = ExpiryPolicy::record;
  return policy;
}

// The name of a metadata file as `trusted` would ask for it.
std::string file_of(TrustedMetadata const& trusted, std::string_view role);

// Walks the roots from version `first` and goes on to targets.
Result<TrustedMetadata> refresh(Files const& metadata, std::uint64_t first = 1, Time now = kNow,
                                Policy policy = {});
// Only the roots, then finish_roots.
Result<TrustedMetadata> walk_roots(Files const& metadata, std::uint64_t first = 1, Time now = kNow,
                                   Policy policy = {});
// From a state after finish_roots to targets.
Result<void> refresh_rest(TrustedMetadata& trusted, Files const& metadata);

// Serves every role that the search or the walk asks for.
Result<FoundTarget> find_target(TrustedMetadata& trusted, Files const& metadata, std::string path,
                                std::size_t max_roles = kLookupRoles);
std::vector<Rejection> audit(TrustedMetadata& trusted, Files const& metadata, DelegationWalk& walk);

// A repository after some releases: everything but the root has version 5.
Repository at_version_five();
// After finish_roots of `now`, with what an earlier refresh of `before` had stored.
TrustedMetadata remembering(Repository const& before, Repository const& now, Policy policy = {});

// ASSERT_TRUE for a Result, with the rejection's sentence.
#define CANARY_ASSERT_OK(result) ASSERT_TRUE(::canary::tuf::is_ok(result))
#define CANARY_EXPECT_OK(result) EXPECT_TRUE(::canary::tuf::is_ok(result))
template <class T>
::testing::AssertionResult is_ok(Result<T> const& result) {
  if (result) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << sentence(result.error());
}

// The rule's name, or "accepted": readable in a failed comparison.
template <class T>
std::string verdict(Result<T> const& result) {
  return result ? "accepted" : std::string(name(result.error().rule));
}

bool has_notice(Notices const& notices, NoticeKind kind, std::string_view role);

}  // namespace canary::tuf
