// SPDX-License-Identifier: Apache-2.0
// Counts a role's valid signatures by public key.
// Thread: none (pure).
#include "probes/tuf/threshold.h"

#include <algorithm>
#include <set>
#include <utility>

namespace canary::tuf {
namespace {

constexpr std::size_t kShownReasons = 3;  // in a rejection; notices hold them all

class Tallier {
 public:
  Tallier(std::string_view role, std::span<Key const> keys, std::span<Signature const> signatures,
          std::string_view signed_bytes)
      : role_(role), keys_(keys), signatures_(signatures), signed_bytes_(signed_bytes) {}

  SignatureTally run(RoleKeys const& authorised);

 private:
  void note(NoticeKind kind, std::string detail) {
    tally_.notices.push_back({kind, std::string(role_), std::move(detail)});
  }
  void count(std::string_view id);
  void count_signature(Key const& key, std::string_view hex);

  std::string_view role_;
  std::span<Key const> keys_;
  std::span<Signature const> signatures_;
  std::string_view signed_bytes_;
  std::set<std::string_view> fingerprints_;
  SignatureTally tally_;
};

void Tallier::count_signature(Key const& key, std::string_view hex) {
  SignatureCheck const check = check_signature(key, hex, signed_bytes_);
  std::string id(key.id);
  switch (check.state) {
    case SignatureState::valid:
      ++tally_.valid_ids;
      if (fingerprints_.insert(key.fingerprint).second) {
        ++tally_.valid;
      } else {
        note(NoticeKind::same_key_twice, "key " + id + " is another key id's public key");
      }
      if (check.unusual_salt) note(NoticeKind::salt_length, "signature by key " + id);
      return;
    case SignatureState::empty:
      ++tally_.missing;
      note(NoticeKind::signature_missing, "empty signature by key " + id);
      return;
    case SignatureState::malformed:
      ++tally_.invalid;
      note(NoticeKind::signature_invalid, "signature by key " + id + " is not hexadecimal");
      return;
    case SignatureState::invalid:
      ++tally_.invalid;
      note(NoticeKind::signature_invalid, "signature by key " + id + " does not verify");
      return;
  }
}

void Tallier::count(std::string_view id) {
  std::string text(id);
  Key const* key = find_key(keys_, id);
  if (key == nullptr) {
    note(NoticeKind::key_missing, "no key has the id " + text);
    ++tally_.missing;
    return;
  }
  auto const signature = std::lower_bound(
      signatures_.begin(), signatures_.end(), id,
      [](Signature const& each, std::string_view wanted) { return each.keyid < wanted; });
  if (!key->usable()) {
    note(NoticeKind::key_unusable, "key " + text + ": " + key->problem);
    ++tally_.missing;
  } else if (signature == signatures_.end() || signature->keyid != id) {
    note(NoticeKind::signature_missing, "no signature by key " + text);
    ++tally_.missing;
  } else {
    count_signature(*key, signature->hex);
  }
}

SignatureTally Tallier::run(RoleKeys const& authorised) {
  tally_.threshold = authorised.threshold;
  std::set<std::string_view> seen;
  for (std::string_view const id : authorised.keyids) {
    if (seen.insert(id).second) {
      count(id);
    } else {
      note(NoticeKind::key_listed_twice, "key id " + std::string(id) + " counts once");
    }
  }
  tally_.keys = seen.size();
  if (tally_.keys < tally_.threshold) {
    note(NoticeKind::threshold_unmeetable, "threshold " + std::to_string(tally_.threshold) +
                                               " of " + std::to_string(tally_.keys) + " keys");
  }
  auto const unknown = [&](Signature const& each) { return !seen.contains(each.keyid); };
  if (auto const count = std::count_if(signatures_.begin(), signatures_.end(), unknown)) {
    auto const first = std::find_if(signatures_.begin(), signatures_.end(), unknown);
    note(NoticeKind::signature_unknown, std::to_string(count) +
                                            " by keys that are not the role's, such as " +
                                            std::string(first->keyid));
  }
  return std::move(tally_);
}

}  // namespace

SignatureTally tally_signatures(std::string_view role, RoleKeys const& authorised,
                                std::span<Key const> keys, std::span<Signature const> signatures,
                                std::string_view signed_bytes) {
  return Tallier(role, keys, signatures, signed_bytes).run(authorised);
}

Result<void> require_threshold(std::string_view role, std::string_view delegator,
                               SignatureTally const& tally) {
  if (tally.met()) return success();
  std::string detail = std::to_string(tally.valid) + " of " + std::to_string(tally.keys) +
                       " keys signed, " + std::string(delegator) + " demands " +
                       std::to_string(tally.threshold);
  std::size_t const shown = std::min(tally.notices.size(), kShownReasons);
  for (std::size_t i = 0; i < shown; ++i) detail.append("; ").append(tally.notices[i].detail);
  return Rejection{tally.invalid > 0 ? Rule::signature_invalid : Rule::threshold, std::string(role),
                   std::move(detail)};
}

Key const* find_key(std::span<Key const> keys, std::string_view id) {
  auto const at =
      std::lower_bound(keys.begin(), keys.end(), id,
                       [](Key const& key, std::string_view wanted) { return key.id < wanted; });
  return at != keys.end() && at->id == id ? &*at : nullptr;
}

}  // namespace canary::tuf
