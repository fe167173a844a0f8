// SPDX-License-Identifier: Apache-2.0
// Counts a role's valid signatures by public key.
// Thread: none (pure).
#include "probes/tuf/threshold.h"

#include <algorithm>
#include <set>
#include <utility>

#include "probes/tuf/public_key.h"
#include "probes/tuf/verified_signatures.h"

namespace canary::tuf {
namespace {

constexpr std::size_t kShownReasons = 3;  // in a rejection; notices hold them all

std::string signatures(std::uint64_t number) {
  return std::to_string(number) + (number == 1 ? " good signature" : " good signatures");
}

class Tallier {
 public:
  Tallier(std::string_view role, std::span<Key const> keys, std::span<Signature const> signatures,
          std::string_view signed_bytes, FileBudget const& budget, VerifiedSignatures* known)
      : role_(role),
        keys_(keys),
        signatures_(signatures),
        message_(signed_bytes),
        budget_(budget),
        known_(known),
        time_left_(budget.verifying) {}

  SignatureTally run(RoleKeys const& authorised);

 private:
  void note(NoticeKind kind, std::string detail) {
    tally_.notices.push_back({kind, std::string(role_), std::move(detail)});
  }
  Signature const* signature_by(std::string_view id) const;
  bool draw_on_budget(Key const& key);
  void count(std::string_view id);
  void count_unusable(Key const& key, Fitness fitness, std::string const& problem, bool has_signed);
  void count_signature(Key const& key, std::string_view hex);
  void count_valid(Key const& key, VerifiedSignatures::Valid const& valid);

  std::string_view role_;
  std::span<Key const> keys_;
  std::span<Signature const> signatures_;
  Message message_;
  FileBudget const& budget_;
  VerifiedSignatures* known_;
  std::chrono::microseconds time_left_;
  std::size_t verified_ = 0;
  std::set<std::string> fingerprints_;
  std::set<std::string_view> unsupported_;  // texts of such keys that signed
  SignatureTally tally_;
};

Signature const* Tallier::signature_by(std::string_view id) const {
  auto const at = std::lower_bound(
      signatures_.begin(), signatures_.end(), id,
      [](Signature const& each, std::string_view wanted) { return each.keyid < wanted; });
  return at != signatures_.end() && at->keyid == id ? &*at : nullptr;
}

bool Tallier::draw_on_budget(Key const& key) {
  auto const cost = nominal_cost(key, message_.bytes().size());
  // The first is always verified: a large file is no reason to look at no signature at all.
  bool const within = verified_ == 0 || (verified_ < budget_.verifications && cost <= time_left_);
  if (!within) return false;
  ++verified_;
  time_left_ -= std::min(cost, time_left_);
  return true;
}

void Tallier::count_unusable(Key const& key, Fitness fitness, std::string const& problem,
                             bool has_signed) {
  std::string detail = "key " + std::string(key.id) + ": " + problem;
  if (fitness == Fitness::malformed || !has_signed) ++tally_.missing;
  if (fitness == Fitness::malformed) return note(NoticeKind::key_unusable, std::move(detail));
  note(NoticeKind::key_unsupported, std::move(detail));
  bool const counts =
      has_signed && unsupported_.insert(key.text.empty() ? key.id : key.text).second;
  if (counts) ++tally_.unsupported;
}

void Tallier::count_valid(Key const& key, VerifiedSignatures::Valid const& valid) {
  std::string const id(key.id);
  ++tally_.valid_ids;
  if (fingerprints_.insert(valid.fingerprint).second) {
    ++tally_.valid;
  } else {
    note(NoticeKind::same_key_twice, "key " + id + " is another key id's public key");
  }
  if (valid.unusual_salt) note(NoticeKind::salt_length, "signature by key " + id);
  if (valid.other_curve) {
    note(NoticeKind::key_encoding, "key " + id + " is not on the curve of its scheme " +
                                       std::string(name(key.scheme)) +
                                       ": python-tuf and tough refuse it");
  }
  if (valid.compressed) {
    note(NoticeKind::key_encoding, "key " + id + " is a compressed curve point: go-tuf refuses it");
  }
}

void Tallier::count_signature(Key const& key, std::string_view hex) {
  std::string const id(key.id);
  if (hex.empty()) {
    ++tally_.missing;
    return note(NoticeKind::signature_missing, "empty signature by key " + id);
  }
  if (hex.size() > budget_.signature_text || !draw_on_budget(key)) {
    ++tally_.unverified;
    return;
  }
  auto const signature =
      known_ == nullptr ? std::nullopt : std::optional{known_->id_of(key, hex, message_)};
  if (signature) {
    if (auto const valid = known_->find(*signature)) return count_valid(key, *valid);
  }
  PublicKey const decoded = decode_key(key, budget_);
  if (!decoded.usable()) return count_unusable(key, decoded.fitness, decoded.problem, true);
  SignatureCheck const check = check_signature(decoded, hex, message_);
  if (check.state == SignatureState::valid) {
    VerifiedSignatures::Valid const valid{.fingerprint = decoded.fingerprint,
                                          .other_curve = decoded.other_curve,
                                          .compressed = decoded.compressed,
                                          .unusual_salt = check.unusual_salt};
    if (signature) known_->add(*signature, valid);
    return count_valid(key, valid);
  }
  ++tally_.invalid;
  bool const malformed = check.state == SignatureState::malformed;
  note(NoticeKind::signature_invalid,
       "signature by key " + id + (malformed ? " is not hexadecimal" : " does not verify"));
}

void Tallier::count(std::string_view id) {
  Key const* key = find_key(keys_, id);
  if (key == nullptr) {
    note(NoticeKind::key_missing, "no key has the id " + std::string(id));
    ++tally_.missing;
    return;
  }
  Signature const* const signature = signature_by(id);
  if (!key->usable()) {
    bool const has_signed = signature != nullptr && !signature->hex.empty();
    count_unusable(*key, key->fitness, key->problem, has_signed);
  } else if (signature == nullptr) {
    note(NoticeKind::signature_missing, "no signature by key " + std::string(id));
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

// The reasons that explain the rule come first.
std::string reasons(SignatureTally const& tally, NoticeKind first) {
  std::string text;
  std::size_t shown = 0;
  for (bool const wanted : {true, false}) {
    for (Notice const& notice : tally.notices) {
      if ((notice.kind == first) != wanted || shown == kShownReasons) continue;
      text.append("; ").append(notice.detail);
      ++shown;
    }
  }
  return text;
}

}  // namespace

SignatureTally tally_signatures(std::string_view role, RoleKeys const& authorised,
                                std::span<Key const> keys, std::span<Signature const> signatures,
                                std::string_view signed_bytes, FileBudget const& budget,
                                VerifiedSignatures* known) {
  return Tallier(role, keys, signatures, signed_bytes, budget, known).run(authorised);
}

Result<void> require_threshold(std::string_view role, std::string_view delegator,
                               SignatureTally const& tally) {
  if (tally.met()) return outcome::success();
  std::string detail = std::to_string(tally.valid) + " of " + std::to_string(tally.keys) +
                       " keys signed, " + std::string(delegator) + " demands " +
                       std::to_string(tally.threshold);
  if (!tally.undecided()) {
    detail += reasons(tally, NoticeKind::signature_invalid);
    return Rejection{tally.invalid > 0 ? Rule::signature_invalid : Rule::threshold,
                     std::string(role), std::move(detail), signatures(tally.threshold),
                     signatures(tally.valid)};
  }
  if (tally.unverified > 0) {
    detail += "; " + std::to_string(tally.unverified) +
              " more signatures were not verified (budget verifications)";
  }
  detail += reasons(tally, NoticeKind::key_unsupported);
  return Rejection{tally.unsupported > 0 ? Rule::unsupported : Rule::budget, std::string(role),
                   std::move(detail)};
}

Key const* find_key(std::span<Key const> keys, std::string_view id) {
  auto const at =
      std::lower_bound(keys.begin(), keys.end(), id,
                       [](Key const& key, std::string_view wanted) { return key.id < wanted; });
  return at != keys.end() && at->id == id ? &*at : nullptr;
}

}  // namespace canary::tuf
