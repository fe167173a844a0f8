// SPDX-License-Identifier: Apache-2.0
// Signatures that were valid, so that the same one is not computed again: a probe's next run finds
// the same root, snapshot and targets, and verifies nothing but a new timestamp. What makes a
// signature valid is all in what it is looked up by: key, scheme, signature and signed bytes.
// Thread: any, never the loop (a lock is held for moments).
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "probes/tuf/public_key.h"

namespace canary::tuf {

class VerifiedSignatures {
 public:
  // At most so many of one run are remembered.
  static constexpr std::size_t kKept = 1'024;

  // What a signature is looked up by: a digest over all that decides.
  using Id = std::array<unsigned char, 32>;
  static Id id_of(Key const& key, std::string_view hex, Message& message);

  // What was said of its key when it was verified.
  struct Valid {
    std::string fingerprint;
    bool other_curve = false;
    bool compressed = false;
    bool unusual_salt = false;
    friend bool operator==(Valid const&, Valid const&) = default;
  };

  // nullopt: not known to be valid.
  std::optional<Valid> find(Id const& id);
  void add(Id const& id, Valid valid);
  // Forgets what the run before did not ask for. A run that is cancelled may still ask: it does no
  // harm.
  void begin_run();

 private:
  void keep(Id const& id, Valid valid);

  std::mutex mutex_;
  std::map<Id, Valid> of_this_run_, of_the_run_before_;
};

}  // namespace canary::tuf
