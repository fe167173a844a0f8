// SPDX-License-Identifier: Apache-2.0
// Do enough of a role's keys vouch for these bytes? A key counts once however often it is listed
// and however it is written. Only keys that the role names and that signed are decoded.
// Thread: none (pure). Source: TUF 1.0.34 §4.2, §5.3.4.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "probes/tuf/budget.h"
#include "probes/tuf/metadata.h"

namespace canary::tuf {

class VerifiedSignatures;

// Counts for a signing margin: how many more signatures could be lost.
struct SignatureTally {
  std::uint64_t threshold = 1;
  std::uint64_t keys = 0;         // different key ids that the role names
  std::uint64_t valid_ids = 0;    // key ids with a valid signature
  std::uint64_t valid = 0;        // different public keys among them: decides
  std::uint64_t invalid = 0;      // signatures by the role's keys that do not verify
  std::uint64_t missing = 0;      // the role's keys without signature, or with an empty one
  std::uint64_t unsupported = 0;  // signatures by different keys that canaryd can't use
  std::uint64_t unverified = 0;   // signatures beyond the budget
  Notices notices;

  bool met() const { return valid >= threshold; }
  // Not met, but could be if we could do more.
  bool undecided() const { return !met() && valid + unsupported + unverified >= threshold; }
  std::int64_t margin() const {
    return static_cast<std::int64_t>(valid) - static_cast<std::int64_t>(threshold);
  }
};

// `role` is the role that is verified, `signed_bytes` its canonical form. REQUIRES: `keys` and
// `signatures` sorted by id, as parse.h leaves them. `known`: those that were valid before are not
// computed again; nullptr: all are.
SignatureTally tally_signatures(std::string_view role, RoleKeys const& authorised,
                                std::span<Key const> keys, std::span<Signature const> signatures,
                                std::string_view signed_bytes, FileBudget const& budget = {},
                                VerifiedSignatures* known = nullptr);

// Rejects where the tally does not meet it: unsupported or budget where that is our lack, else
// signature_invalid or threshold.
Result<void> require_threshold(std::string_view role, std::string_view delegator,
                               SignatureTally const& tally);

}  // namespace canary::tuf
