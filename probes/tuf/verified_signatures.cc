// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/verified_signatures.h"

#include <utility>

#include "probes/tuf/digest.h"

namespace canary::tuf {
namespace {

// With its length before it, so that no two lists of texts read alike.
void append(std::string& to, std::string_view text) {
  to += std::to_string(text.size());
  to += ':';
  to += text;
}

}  // namespace

VerifiedSignatures::Id VerifiedSignatures::id_of(Key const& key, std::string_view hex,
                                                 Message& message) {
  std::string all;
  append(all, key.type);
  append(all, name(key.scheme));
  append(all, key.hex_point ? "point" : key.pkcs1 ? "pkcs1" : "");
  append(all, key.text);
  append(all, hex);
  append(all, message.digest(Scheme::ecdsa_sha2_nistp256));
  return sha256(all);
}

std::optional<VerifiedSignatures::Valid> VerifiedSignatures::find(Id const& id) {
  std::lock_guard const lock{mutex_};
  if (auto const known = of_this_run_.find(id); known != of_this_run_.end()) return known->second;
  auto const known = of_the_run_before_.find(id);
  if (known == of_the_run_before_.end()) return std::nullopt;
  keep(id, known->second);
  return known->second;
}

void VerifiedSignatures::add(Id const& id, Valid valid) {
  std::lock_guard const lock{mutex_};
  keep(id, std::move(valid));
}

void VerifiedSignatures::keep(Id const& id, Valid valid) {
  if (of_this_run_.size() < kKept) of_this_run_.insert_or_assign(id, std::move(valid));
}

void VerifiedSignatures::begin_run() {
  std::map<Id, Valid> forgotten;
  std::lock_guard const lock{mutex_};
  forgotten = std::exchange(of_the_run_before_, std::exchange(of_this_run_, {}));
}

}  // namespace canary::tuf
