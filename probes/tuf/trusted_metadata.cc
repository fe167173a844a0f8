// SPDX-License-Identifier: Apache-2.0
// The client workflow's checks, each beside the number of its step.
// Thread: none. Source: TUF 1.0.34 §5.3–5.6.
#include "probes/tuf/trusted_metadata.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "probes/tuf/canonical_json.h"
#include "probes/tuf/delegation.h"
#include "probes/tuf/parse.h"
#include "probes/tuf/public_key.h"
#include "probes/tuf/target_file.h"

namespace canary::tuf {
namespace {

std::string versions(std::string_view what, std::uint64_t found, std::string_view other,
                     std::uint64_t expected) {
  std::string text(what);
  text.append(" ").append(std::to_string(found)).append(", ").append(other).append(" ");
  return text.append(std::to_string(expected));
}

constexpr std::string_view kOrLater = " or later";

std::string version_text(std::uint64_t version) { return "version " + std::to_string(version); }
std::string bytes_text(std::size_t size) { return std::to_string(size) + " bytes"; }

bool same_key(Key const& a, Key const& b) {
  return a.type == b.type && a.scheme_name == b.scheme_name && a.text == b.text;
}

// The decoded key, however it is written; the id alone where it can't be used.
std::string identity(Root const& root, std::string_view id, FileBudget const& budget) {
  Key const* key = find_key(root.keys, id);
  std::string fingerprint = key != nullptr ? decode_key(*key, budget).fingerprint : std::string{};
  return fingerprint.empty() ? std::string(id) : fingerprint;
}

// Is a key of `before` no longer among those of `after`? Keys that are listed as they were are not
// decoded; beyond the budget of verifications a key is taken for what its id says.
bool lost_a_key(std::pair<Root const&, RoleKeys const&> before,
                std::pair<Root const&, RoleKeys const&> after, FileBudget const& budget) {
  std::set<std::string_view> const kept(after.second.keyids.begin(), after.second.keyids.end());
  std::vector<std::string_view> gone;
  for (std::string_view const id : before.second.keyids) {
    Key const* old = find_key(before.first.keys, id);
    Key const* now = find_key(after.first.keys, id);
    bool const same = old != nullptr && now != nullptr ? same_key(*old, *now) : old == now;
    if (!kept.contains(id) || !same) gone.push_back(id);
  }
  if (gone.empty()) return false;
  if (gone.size() + kept.size() > budget.verifications) return true;
  std::set<std::string> there;
  for (std::string_view const id : kept) there.insert(identity(after.first, id, budget));
  return std::any_of(gone.begin(), gone.end(), [&](std::string_view id) {
    return !there.contains(identity(before.first, id, budget));
  });
}

// Old snapshots list root.json too; it is no targets file.
bool is_targets_file(std::string_view file) {
  return file != "root.json" && file != "timestamp.json" && file != "snapshot.json";
}

std::string_view role_of(std::string_view file) {
  return file.ends_with(".json") ? file.substr(0, file.size() - 5) : file;
}

// A root also carries signatures by the keys of the root before it: nothing to note.
void forget_predecessor(SignatureTally& tally) {
  std::erase_if(tally.notices,
                [](Notice const& notice) { return notice.kind == NoticeKind::signature_unknown; });
}

}  // namespace

// Whose keys must have signed.
struct TrustedMetadata::Verification {
  std::string_view delegator;
  RoleKeys const& authorised;
  std::span<Key const> keys;
};

TrustedMetadata::TrustedMetadata(Time reference, Policy policy)
    : reference_(reference), policy_(std::move(policy)) {}

Result<TrustedMetadata> TrustedMetadata::create(std::string root, Time reference, Policy policy) {
  TrustedMetadata trusted(reference, std::move(policy));
  BOOST_OUTCOME_TRYV(trusted.check_size("root", root.size()));
  BOOST_OUTCOME_TRY(auto metadata, parse_root(std::move(root), trusted.policy_.budget));
  Root const& content = metadata.content;
  BOOST_OUTCOME_TRY(auto tally,
                    trusted.verify("root", metadata, {"root itself", content.root, content.keys}));
  forget_predecessor(tally);
  trusted.accept("root", metadata, std::move(tally));
  trusted.root_ = std::make_shared<Metadata<Root> const>(std::move(metadata));
  return trusted;
}

Result<void> TrustedMetadata::update_root(std::string bytes) {
  BOOST_OUTCOME_TRYV(require_stage(Stage::roots, "root", "finish_roots was called"));
  if (root_updates_ >= policy_.limits.root_rotations) {
    return Rejection{Rule::root_rotation_limit, "root",
                     "more than " + std::to_string(root_updates_) + " new roots in one refresh",
                     "at most " + std::to_string(root_updates_) + " new roots", "one more"};
  }
  BOOST_OUTCOME_TRYV(check_size("root", bytes.size()));
  BOOST_OUTCOME_TRY(auto metadata, parse_root(std::move(bytes), policy_.budget));
  Root const& fresh = metadata.content;
  Root const& old = root_->content;
  // §5.3.4: by a threshold of the trusted root's keys, and of its own.
  BOOST_OUTCOME_TRYV(verify("root", metadata, {"the trusted root", old.root, old.keys}));
  BOOST_OUTCOME_TRY(auto tally,
                    verify("root", metadata, {"the new root itself", fresh.root, fresh.keys}));
  if (fresh.version != old.version + 1) {  // §5.3.5
    return Rejection{Rule::root_version_gap, "root",
                     versions("version", fresh.version, "expected precisely", old.version + 1),
                     version_text(old.version + 1), version_text(fresh.version)};
  }
  // §5.3.11. Only the loss of a key ends what it may have fast-forwarded; one more beside the
  // others is no reason to give up the comparison with what was trusted.
  for (RoleKeys Root::* role : {&Root::timestamp, &Root::snapshot}) {
    if (lost_a_key({old, old.*role}, {fresh, fresh.*role}, policy_.budget)) keys_rotated_ = true;
  }
  forget_predecessor(tally);
  accept("root", metadata, std::move(tally));
  root_ = std::make_shared<Metadata<Root> const>(std::move(metadata));  // §5.3.7
  ++root_updates_;
  return outcome::success();
}

Result<void> TrustedMetadata::finish_roots() {
  BOOST_OUTCOME_TRYV(require_stage(Stage::roots, "root", "finish_roots was called"));
  BOOST_OUTCOME_TRYV(check_expiry("root", root_->content));  // §5.3.10
  stage_ = Stage::timestamp;
  return outcome::success();
}

Result<void> TrustedMetadata::load_previous_timestamp(std::string bytes) {
  BOOST_OUTCOME_TRYV(
      require_stage(Stage::timestamp, "timestamp", "not between root and timestamp"));
  BOOST_OUTCOME_TRYV(require_unrotated("timestamp"));
  BOOST_OUTCOME_TRYV(check_size("timestamp", bytes.size()));
  BOOST_OUTCOME_TRY(auto metadata, parse_timestamp(std::move(bytes), policy_.budget));
  Root const& root = root_->content;
  BOOST_OUTCOME_TRY(auto tally, verify("timestamp", metadata, {"root", root.timestamp, root.keys}));
  tallies_.insert_or_assign("timestamp", std::move(tally));
  metadata.signed_bytes = {};
  timestamp_ = std::make_shared<Metadata<Timestamp> const>(std::move(metadata));
  return outcome::success();
}

Result<void> TrustedMetadata::load_previous_snapshot(std::string bytes) {
  BOOST_OUTCOME_TRYV(require_stage(Stage::timestamp, "snapshot", "not between root and timestamp"));
  BOOST_OUTCOME_TRYV(require_unrotated("snapshot"));
  BOOST_OUTCOME_TRYV(check_size("snapshot", bytes.size()));
  BOOST_OUTCOME_TRY(auto metadata, parse_snapshot(std::move(bytes), policy_.budget));
  Root const& root = root_->content;
  BOOST_OUTCOME_TRYV(verify("snapshot", metadata, {"root", root.snapshot, root.keys}));
  metadata.signed_bytes = {};
  previous_ = std::make_shared<Metadata<Snapshot> const>(std::move(metadata));
  return outcome::success();
}

Result<TimestampOutcome> TrustedMetadata::update_timestamp(std::string bytes) {
  BOOST_OUTCOME_TRYV(require_stage(Stage::timestamp, "timestamp", "not between root and snapshot"));
  BOOST_OUTCOME_TRYV(check_size("timestamp", bytes.size()));
  BOOST_OUTCOME_TRY(auto metadata, parse_timestamp(std::move(bytes), policy_.budget));
  Root const& root = root_->content;
  BOOST_OUTCOME_TRY(auto tally,  // §5.4.2
                    verify("timestamp", metadata, {"root", root.timestamp, root.keys}));
  Timestamp const& fresh = metadata.content;
  if (timestamp_ != nullptr) {
    Timestamp const& old = timestamp_->content;
    if (fresh.version < old.version) {  // §5.4.3.1
      return Rejection{Rule::timestamp_rollback, "timestamp",
                       versions("version", fresh.version, "trusted is", old.version),
                       version_text(old.version).append(kOrLater), version_text(fresh.version)};
    }
    if (fresh.version == old.version) return keep_timestamp(metadata);
    if (fresh.snapshot.version < old.snapshot.version) {  // §5.4.3.2
      return Rejection{Rule::snapshot_rollback, "timestamp",
                       versions("lists snapshot", fresh.snapshot.version, "trusted one listed",
                                old.snapshot.version),
                       "snapshot " + version_text(old.snapshot.version).append(kOrLater),
                       "snapshot " + version_text(fresh.snapshot.version)};
    }
  }
  BOOST_OUTCOME_TRYV(check_expiry("timestamp", fresh));  // §5.4.4
  accept("timestamp", metadata, std::move(tally));
  timestamp_ = std::make_shared<Metadata<Timestamp> const>(std::move(metadata));
  stage_ = Stage::snapshot;
  return TimestampOutcome::accepted;
}

// §5.4.3.1: the new one is discarded, which is no error; the old one's expiry counts now.
Result<TimestampOutcome> TrustedMetadata::keep_timestamp(Metadata<Timestamp> const& same) {
  BOOST_OUTCOME_TRYV(check_expiry("timestamp", timestamp_->content));
  if (same.digest != timestamp_->digest) {
    notices_.push_back({NoticeKind::same_version_changed, "timestamp",
                        "version " + std::to_string(same.content.version) +
                            " was published twice with different content"});
  }
  note(timestamp_->notices);
  note(tallies_["timestamp"].notices);
  stage_ = Stage::snapshot;
  return TimestampOutcome::unchanged;
}

Result<void> TrustedMetadata::update_snapshot(std::string bytes) {
  BOOST_OUTCOME_TRYV(
      require_stage(Stage::snapshot, "snapshot", "not between timestamp and targets"));
  MetaFile const& listed = timestamp_->content.snapshot;
  BOOST_OUTCOME_TRYV(check_size("snapshot", bytes.size()));
  BOOST_OUTCOME_TRYV(check_meta_file("snapshot", listed, bytes));  // §5.5.2
  BOOST_OUTCOME_TRY(auto metadata, parse_snapshot(std::move(bytes), policy_.budget));
  Root const& root = root_->content;
  BOOST_OUTCOME_TRY(auto tally,  // §5.5.3
                    verify("snapshot", metadata, {"root", root.snapshot, root.keys}));
  Snapshot const& fresh = metadata.content;
  if (fresh.version != listed.version) {  // §5.5.4
    return Rejection{Rule::snapshot_mix_and_match, "snapshot",
                     versions("version", fresh.version, "timestamp lists", listed.version),
                     version_text(listed.version), version_text(fresh.version)};
  }
  BOOST_OUTCOME_TRYV(check_snapshot_rollback(fresh));   // §5.5.5
  BOOST_OUTCOME_TRYV(check_expiry("snapshot", fresh));  // §5.5.6
  accept("snapshot", metadata, std::move(tally));
  snapshot_ = std::make_shared<Metadata<Snapshot> const>(std::move(metadata));
  stage_ = Stage::targets;
  return outcome::success();
}

// §5.5.5: both lists are sorted.
Result<void> TrustedMetadata::check_snapshot_rollback(Snapshot const& fresh) const {
  if (previous_ == nullptr) return outcome::success();
  auto now = fresh.entries.begin();
  for (Snapshot::Entry const& old : previous_->content.entries) {
    if (!is_targets_file(old.file)) continue;
    now = std::find_if(now, fresh.entries.end(),
                       [&](Snapshot::Entry const& entry) { return entry.file >= old.file; });
    std::string role(role_of(old.file));
    if (now == fresh.entries.end() || now->file != old.file) {
      return Rejection{Rule::snapshot_entry_removed, std::move(role),
                       "listed by the trusted snapshot with version " +
                           std::to_string(old.meta.version) + ", by the new one not at all",
                       version_text(old.meta.version).append(kOrLater), "no entry"};
    }
    if (now->meta.version < old.meta.version) {
      return Rejection{Rule::targets_rollback, std::move(role),
                       versions("snapshot lists version", now->meta.version,
                                "the trusted one listed", old.meta.version),
                       version_text(old.meta.version).append(kOrLater),
                       version_text(now->meta.version)};
    }
  }
  return outcome::success();
}

Result<void> TrustedMetadata::update_targets(std::string bytes) {
  BOOST_OUTCOME_TRYV(require_stage(Stage::targets, "targets", "not right after snapshot"));
  Root const& root = root_->content;
  BOOST_OUTCOME_TRYV(
      accept_targets("targets", {"root", root.targets, root.keys}, std::move(bytes)));
  stage_ = Stage::delegated;
  return outcome::success();
}

// What a delegator says of a role. The keys are views into its document.
struct TrustedMetadata::Delegation {
  RoleKeys authorised;
  std::span<Key const> keys;
};

Result<TrustedMetadata::Delegation> TrustedMetadata::delegation(std::string_view role,
                                                                std::string_view delegator) const {
  BOOST_OUTCOME_TRYV(require_stage(Stage::delegated, role, "not after targets"));
  auto const by = targets_.find(delegator);
  if (by == targets_.end()) {
    return Rejection{Rule::out_of_order, std::string(role),
                     "its delegator " + std::string(delegator) + " was not accepted before"};
  }
  std::optional<Delegations> const& delegations = by->second.metadata->content.delegations;
  std::optional<RoleKeys> keys =
      delegations ? delegated_keys(*delegations, by->second.by_name, role) : std::nullopt;
  if (!keys) {
    return Rejection{Rule::role_not_delegated, std::string(role),
                     std::string(delegator) + " does not delegate to it"};
  }
  return Delegation{std::move(*keys), delegations->keys};
}

Result<void> TrustedMetadata::update_delegated_targets(std::string_view role,
                                                       std::string_view delegator,
                                                       std::string bytes) {
  BOOST_OUTCOME_TRY(auto const by, delegation(role, delegator));
  return accept_targets(role, {delegator, by.authorised, by.keys}, std::move(bytes));
}

Result<void> TrustedMetadata::update_delegator(std::string_view role, std::string_view delegator) {
  BOOST_OUTCOME_TRY(auto const by, delegation(role, delegator));
  auto const known = targets_.find(role);
  if (known == targets_.end()) {
    return Rejection{Rule::out_of_order, std::string(role), "was not accepted before"};
  }
  return verify_again(role, {delegator, by.authorised, by.keys}, known->second);
}

Result<void> TrustedMetadata::accept_targets(std::string_view role, Verification const& by,
                                             std::string bytes) {
  MetaFile const* listed = expected(role);
  if (listed == nullptr) {
    return Rejection{Rule::role_not_in_snapshot, std::string(role), "snapshot does not list it"};
  }
  BOOST_OUTCOME_TRYV(check_size(role, bytes.size()));
  BOOST_OUTCOME_TRYV(check_meta_file(role, *listed, bytes));  // §5.6.2
  auto const known = targets_.find(role);
  bool const again = known != targets_.end() && known->second.metadata->bytes() == bytes;
  if (again) return verify_again(role, by, known->second);
  BOOST_OUTCOME_TRY(auto metadata, parse_targets(std::move(bytes), role, policy_.budget));
  BOOST_OUTCOME_TRY(auto tally, verify(role, metadata, by));  // §5.6.3
  Targets const& fresh = metadata.content;
  if (fresh.version != listed->version) {  // §5.6.4
    return Rejection{Rule::targets_mix_and_match, std::string(role),
                     versions("version", fresh.version, "snapshot lists", listed->version),
                     version_text(listed->version), version_text(fresh.version)};
  }
  if (known != targets_.end()) {
    if (known->second.metadata->digest != metadata.digest) {
      return Rejection{Rule::equivocation, std::string(role),
                       "version " + std::to_string(fresh.version) + " as delegated by " +
                           std::string(by.delegator) + " differs from what came before"};
    }
    tallies_.insert_or_assign(std::string(role), std::move(tally));
    known->second.delegators.emplace(by.delegator);
    return outcome::success();
  }
  BOOST_OUTCOME_TRYV(check_expiry(role, fresh));  // §5.6.5
  accept(role, metadata, std::move(tally));
  AcceptedTargets accepted{std::make_shared<Metadata<Targets> const>(std::move(metadata)), {}, {}};
  accepted.delegators.emplace(by.delegator);
  if (auto const& delegations = accepted.metadata->content.delegations) {
    accepted.by_name = roles_by_name(*delegations);
  }
  targets_.emplace(role, std::move(accepted));
  return outcome::success();
}

// The same bytes reached from another delegator: only its signatures are asked again.
Result<void> TrustedMetadata::verify_again(std::string_view role, Verification const& by,
                                           AcceptedTargets& accepted) {
  Metadata<Targets> const& metadata = *accepted.metadata;
  std::string text;
  BOOST_OUTCOME_TRYV(append_canonical_json(text, *metadata.signed_part, role, "signed"));
  SignatureTally tally = tally_signatures(role, by.authorised, by.keys, metadata.signatures, text,
                                          policy_.budget, policy_.known.get());
  BOOST_OUTCOME_TRYV(require_threshold(role, by.delegator, tally));
  tallies_.insert_or_assign(std::string(role), std::move(tally));
  accepted.delegators.emplace(by.delegator);
  return outcome::success();
}

Targets const* TrustedMetadata::targets(std::string_view role) const {
  auto const at = targets_.find(role);
  return at != targets_.end() ? &at->second.metadata->content : nullptr;
}

bool TrustedMetadata::is_trusted(std::string_view role, std::string_view delegator) const {
  auto const at = targets_.find(role);
  return at != targets_.end() && at->second.delegators.contains(delegator);
}

std::string_view TrustedMetadata::bytes(std::string_view role) const {
  std::shared_ptr<std::string const> const text = shared_bytes(role);
  return text != nullptr ? std::string_view(*text) : std::string_view{};
}

std::shared_ptr<std::string const> TrustedMetadata::shared_bytes(std::string_view role) const {
  auto const text = [](auto const& metadata) -> std::shared_ptr<std::string const> {
    if (metadata == nullptr) return nullptr;
    return {metadata->content.document, &metadata->bytes()};
  };
  if (role == "root") return text(root_);
  if (role == "timestamp") return text(timestamp_);
  if (role == "snapshot") return text(snapshot_);
  auto const at = targets_.find(role);
  return at != targets_.end() ? text(at->second.metadata) : nullptr;
}

MetaFile const* TrustedMetadata::expected(std::string_view role) const {
  if (role == "snapshot") return timestamp_ != nullptr ? &timestamp_->content.snapshot : nullptr;
  return snapshot_ != nullptr ? snapshot_->content.find(role) : nullptr;
}

std::size_t TrustedMetadata::size_limit(std::string_view role) const {
  Limits const& limits = policy_.limits;
  if (role == "root") return limits.root;
  if (role == "timestamp") return limits.timestamp;
  std::size_t const limit = role == "snapshot" ? limits.snapshot : limits.targets;
  // Until the timestamp is final, what it lists does not bind a stored snapshot.
  MetaFile const* listed = stage_ >= Stage::snapshot ? expected(role) : nullptr;
  return listed != nullptr && listed->length ? std::min<std::uint64_t>(*listed->length, limit)
                                             : limit;
}

Result<void> TrustedMetadata::require_stage(Stage stage, std::string_view role,
                                            std::string_view why) const {
  if (stage_ == stage) return outcome::success();
  return Rejection{Rule::out_of_order, std::string(role), std::string(why)};
}

// §5.3.11: fast-forward recovery.
Result<void> TrustedMetadata::require_unrotated(std::string_view role) const {
  if (!keys_rotated_) return outcome::success();
  return Rejection{Rule::keys_rotated, std::string(role),
                   "keys of timestamp or snapshot were rotated: stored copies are forgotten"};
}

// Listed lengths are check_meta_file's business; this is the limit of what we take at all.
Result<void> TrustedMetadata::check_size(std::string_view role, std::size_t size) const {
  Limits const& limits = policy_.limits;
  std::size_t const limit = role == "root"        ? limits.root
                            : role == "timestamp" ? limits.timestamp
                            : role == "snapshot"  ? limits.snapshot
                                                  : limits.targets;
  if (size <= limit) return outcome::success();
  return Rejection{Rule::size_limit, std::string(role),
                   std::to_string(size) + " bytes, the limit is " + std::to_string(limit),
                   bytes_text(limit) + " at most", bytes_text(size)};
}

template <class T>
Result<SignatureTally> TrustedMetadata::verify(std::string_view role, Metadata<T> const& metadata,
                                               Verification const& by) const {
  SignatureTally tally =
      tally_signatures(role, by.authorised, by.keys, metadata.signatures, metadata.signed_bytes,
                       policy_.budget, policy_.known.get());
  BOOST_OUTCOME_TRYV(require_threshold(role, by.delegator, tally));
  return tally;
}

Result<void> TrustedMetadata::check_expiry(std::string_view role, Common const& common) {
  if (reference_ < common.expires) return outcome::success();
  if (policy_.expiry == ExpiryPolicy::abort) {
    return Rejection{Rule::expired, std::string(role),
                     "version " + std::to_string(common.version) + " expired at " +
                         expires_text(common.expires) + ", it is " + expires_text(reference_),
                     "an end after " + expires_text(reference_), expires_text(common.expires)};
  }
  expired_.push_back({std::string(role), common.version, common.expires});
  return outcome::success();
}

template <class T>
void TrustedMetadata::accept(std::string_view role, Metadata<T>& metadata, SignatureTally tally) {
  metadata.signed_bytes = {};
  if (tallies_.contains(role)) {  // of the one that it replaces
    std::erase_if(notices_, [&](Notice const& notice) { return notice.role == role; });
  }
  note(metadata.notices);
  note(tally.notices);
  tallies_.insert_or_assign(std::string(role), std::move(tally));
}

void TrustedMetadata::note(Notices const& notices) {
  notices_.insert(notices_.end(), notices.begin(), notices.end());
}

}  // namespace canary::tuf
