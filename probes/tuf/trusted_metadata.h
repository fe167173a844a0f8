// SPDX-License-Identifier: Apache-2.0
// What a client trusts so far, and the only way to extend it. Bytes in, verdict out; no I/O, no
// clock. On a rejection nothing changes.
// Thread: none (one caller at a time; may move between threads). Source: TUF 1.0.34 §5.3–5.6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/tuf/metadata.h"
#include "probes/tuf/rejection.h"
#include "probes/tuf/threshold.h"

namespace canary::tuf {

// What to do about a role whose `expires` has passed.
enum class ExpiryPolicy : std::uint8_t {
  abort,   // a client: reject, as the specification says
  record,  // a canary: note it in expired() and go on; such a chain must not be stored as trusted
};

struct Limits {
  std::size_t root = 1 << 20;  // bytes, each
  std::size_t timestamp = 1 << 20;
  std::size_t snapshot = 16 << 20;
  std::size_t targets = 64 << 20;    // top-level and delegated
  std::size_t root_rotations = 256;  // new roots in one walk
};

struct Policy {
  ExpiryPolicy expiry = ExpiryPolicy::abort;
  Limits limits;
  FileBudget budget;
  std::shared_ptr<VerifiedSignatures> known{};  // signatures that were valid before
};

struct ExpiredRole {
  std::string role;
  std::uint64_t version = 0;
  Time expires{};

  friend bool operator==(ExpiredRole const&, ExpiredRole const&) = default;
};

enum class TimestampOutcome : std::uint8_t {
  accepted,   // is the trusted timestamp now
  unchanged,  // same version as the trusted one, which stays (§5.4.3.1): not an error
};

// The steps, in order: create, update_root*, finish_roots, load_previous_*, update_timestamp,
// update_snapshot, update_targets, update_delegated_targets*. A step at another time is rejected
// as out_of_order. Every update may also be given a stored copy: it is verified like a fresh one.
class TrustedMetadata {
 public:
  // `root` is pinned, or the newest that was stored; it must be signed by its own keys.
  // `reference` is the time the refresh started; nothing later looks at a clock (§5.1).
  static Result<TrustedMetadata> create(std::string root, Time reference, Policy policy);

  // The root after the trusted one. Its expiry is not looked at (§5.3.6).
  Result<void> update_root(std::string bytes);
  // No newer root is there: the trusted one's expiry counts now (§5.3.10).
  Result<void> finish_roots();

  // Metadata trusted by an earlier refresh, for the comparison with what comes: expired is fine.
  // A rejection means that it is to be forgotten (keys_rotated: §5.3.11), never that the refresh
  // failed. Order: after finish_roots, before update_timestamp.
  Result<void> load_previous_timestamp(std::string bytes);
  Result<void> load_previous_snapshot(std::string bytes);

  Result<TimestampOutcome> update_timestamp(std::string bytes);
  Result<void> update_snapshot(std::string bytes);
  Result<void> update_targets(std::string bytes);
  // `delegator` is "targets" or a role that was accepted before. A role may be reached from
  // several delegators and is verified against each; its content must then be the same.
  Result<void> update_delegated_targets(std::string_view role, std::string_view delegator,
                                        std::string bytes);

  // The same for a role that was accepted from another delegator: its signatures are asked again.
  Result<void> update_delegator(std::string_view role, std::string_view delegator);

  Root const& root() const { return root_->content; }
  Timestamp const* timestamp() const { return timestamp_ ? &timestamp_->content : nullptr; }
  Snapshot const* snapshot() const { return snapshot_ ? &snapshot_->content : nullptr; }
  Snapshot const* previous_snapshot() const { return previous_ ? &previous_->content : nullptr; }
  Targets const* targets() const { return targets("targets"); }
  // A targets role accepted from any delegator; nullptr where there is none.
  Targets const* targets(std::string_view role) const;
  // Accepted from this very delegator?
  bool is_trusted(std::string_view role, std::string_view delegator) const;
  // Original bytes of an accepted role ("root", "timestamp", …); empty where there is none.
  std::string_view bytes(std::string_view role) const;
  // The same, kept alive; nullptr where there is none.
  std::shared_ptr<std::string const> shared_bytes(std::string_view role) const;

  // How to ask for a targets file: what the snapshot lists, nullptr where it does not.
  MetaFile const* expected(std::string_view role) const;
  // How many bytes of this role may be read: what is listed, or the limit.
  std::size_t size_limit(std::string_view role) const;

  Time reference_time() const { return reference_; }
  Policy const& policy() const { return policy_; }
  std::size_t root_updates() const { return root_updates_; }
  // A key of timestamp or snapshot was replaced or dropped during this walk: stored copies are to
  // be deleted.
  bool keys_rotated() const { return keys_rotated_; }

  // Under ExpiryPolicy::record, in the order found. Where it is not empty, nothing but roots may
  // be stored as trusted.
  std::vector<ExpiredRole> const& expired() const { return expired_; }
  // Of what is trusted now; of a root that was replaced no longer.
  Notices const& notices() const { return notices_; }
  // By role; of a role reached several times the last. For roots by the root's own keys.
  std::map<std::string, SignatureTally, std::less<>> const& tallies() const { return tallies_; }

 private:
  enum class Stage : std::uint8_t { roots, timestamp, snapshot, targets, delegated };
  struct AcceptedTargets {
    std::shared_ptr<Metadata<Targets> const> metadata;
    std::vector<std::uint32_t> by_name;  // of its delegated roles
    std::set<std::string, std::less<>> delegators;
  };
  struct Verification;

  TrustedMetadata(Time reference, Policy policy);
  Result<void> require_stage(Stage stage, std::string_view role, std::string_view why) const;
  Result<void> require_unrotated(std::string_view role) const;
  Result<void> check_size(std::string_view role, std::size_t size) const;
  template <class T>
  Result<SignatureTally> verify(std::string_view role, Metadata<T> const& metadata,
                                Verification const& by) const;
  template <class T>
  void accept(std::string_view role, Metadata<T>& metadata, SignatureTally tally);
  Result<void> check_expiry(std::string_view role, Common const& common);
  Result<TimestampOutcome> keep_timestamp(Metadata<Timestamp> const& same);
  Result<void> check_snapshot_rollback(Snapshot const& fresh) const;
  Result<void> accept_targets(std::string_view role, Verification const& by, std::string bytes);
  Result<void> verify_again(std::string_view role, Verification const& by,
                            AcceptedTargets& accepted);
  struct Delegation;
  Result<Delegation> delegation(std::string_view role, std::string_view delegator) const;
  void note(Notices const& notices);

  Time reference_;
  Policy policy_;
  Stage stage_ = Stage::roots;
  std::size_t root_updates_ = 0;
  bool keys_rotated_ = false;
  std::shared_ptr<Metadata<Root> const> root_;
  std::shared_ptr<Metadata<Timestamp> const> timestamp_;
  std::shared_ptr<Metadata<Snapshot> const> snapshot_;
  std::shared_ptr<Metadata<Snapshot> const> previous_;  // loaded, for comparison only
  std::map<std::string, AcceptedTargets, std::less<>> targets_;
  std::vector<ExpiredRole> expired_;
  Notices notices_;
  std::map<std::string, SignatureTally, std::less<>> tallies_;
};

}  // namespace canary::tuf
