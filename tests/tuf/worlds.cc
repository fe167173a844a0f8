// SPDX-License-Identifier: Apache-2.0
// The workflow over a map of files.
#include "tests/tuf/worlds.h"

#include <algorithm>

#include "probes/tuf/role_name.h"

namespace canary::tuf {

std::string file_of(TrustedMetadata const& trusted, std::string_view role) {
  if (role == "timestamp") return "timestamp.json";
  MetaFile const* listed = trusted.expected(role);
  if (!trusted.root().consistent_snapshot || listed == nullptr) return metadata_file(role);
  return metadata_file(role, listed->version);
}

Result<TrustedMetadata> walk_roots(Files const& metadata, std::uint64_t first, Time now,
                                   Policy policy) {
  BOOST_OUTCOME_TRY(auto trusted, TrustedMetadata::create(metadata.at(metadata_file("root", first)),
                                                          now, policy));
  while (true) {
    auto const next = metadata.find(metadata_file("root", trusted.root().version + 1));
    if (next == metadata.end()) break;
    BOOST_OUTCOME_TRYV(trusted.update_root(next->second));
  }
  BOOST_OUTCOME_TRYV(trusted.finish_roots());
  return trusted;
}

Result<void> refresh_rest(TrustedMetadata& trusted, Files const& metadata) {
  BOOST_OUTCOME_TRYV(trusted.update_timestamp(metadata.at("timestamp.json")));
  BOOST_OUTCOME_TRYV(trusted.update_snapshot(metadata.at(file_of(trusted, "snapshot"))));
  return trusted.update_targets(metadata.at(file_of(trusted, "targets")));
}

Result<TrustedMetadata> refresh(Files const& metadata, std::uint64_t first, Time now,
                                Policy policy) {
  BOOST_OUTCOME_TRY(auto trusted, walk_roots(metadata, first, now, policy));
  BOOST_OUTCOME_TRYV(refresh_rest(trusted, metadata));
  return trusted;
}

Result<FoundTarget> find_target(TrustedMetadata& trusted, Files const& metadata, std::string path,
                                std::size_t max_roles) {
  TargetSearch search(trusted, std::move(path), max_roles);
  while (true) {
    SearchStep const step = search.next();
    if (auto const* found = std::get_if<FoundTarget>(&step)) return *found;
    if (auto const* none = std::get_if<NoTarget>(&step)) return none->why;
    NeedRole const& need = std::get<NeedRole>(step);
    BOOST_OUTCOME_TRYV(trusted.update_delegated_targets(need.role, need.delegator,
                                                        metadata.at(file_of(trusted, need.role))));
  }
}

std::vector<Rejection> audit(TrustedMetadata& trusted, Files const& metadata,
                             DelegationWalk& walk) {
  std::vector<Rejection> rejections;
  while (auto const need = walk.next()) {
    auto const result = trusted.update_delegated_targets(need->role, need->delegator,
                                                         metadata.at(file_of(trusted, need->role)));
    if (!result) rejections.push_back(result.error());
  }
  return rejections;
}

Repository at_version_five() {
  Repository repository = a_repository(kNow);
  repository.timestamp.version = repository.snapshot.version = repository.targets.version = 5;
  return repository;
}

TrustedMetadata remembering(Repository const& before, Repository const& now, Policy policy) {
  Published const old = publish(before);
  auto trusted = walk_roots(publish(now).metadata, 1, kNow, policy);
  EXPECT_TRUE(trusted.has_value());
  std::string const snapshot = before.roots.back().consistent_snapshot
                                   ? metadata_file("snapshot", before.snapshot.version)
                                   : "snapshot.json";
  CANARY_EXPECT_OK(trusted.value().load_previous_timestamp(old.metadata.at("timestamp.json")));
  CANARY_EXPECT_OK(trusted.value().load_previous_snapshot(old.metadata.at(snapshot)));
  return std::move(trusted).value();
}

bool has_notice(Notices const& notices, NoticeKind kind, std::string_view role) {
  return std::any_of(notices.begin(), notices.end(), [&](Notice const& notice) {
    return notice.kind == kind && notice.role == role;
  });
}

}  // namespace canary::tuf
