// SPDX-License-Identifier: Apache-2.0
// From when on a client refuses a key, by what its profile says.
// Thread: any (pure).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/openpgp/client_profiles.h"
#include "probes/openpgp/keys.h"

namespace canary::openpgp {

struct Refusal {
  std::chrono::sys_seconds from{};  // the epoch: always
  std::string why;                  // "SHA-1 self-signature of key 0123456789ABCDEF"
  std::string_view source;
  friend bool operator==(Refusal const&, Refusal const&) = default;
};

// Of what `key`, one of `whole`'s signing keys, signs, the first that comes; nothing where it is
// not refused. Its end is no part of this.
std::optional<Refusal> refusal_of(ClientProfile const& client, PublicKey const& whole,
                                  Key const& key);
// Of a signature of data by its hash.
std::optional<Refusal> refusal_of(ClientProfile const& client, std::string_view hash);

// The last 16 digits of a fingerprint, as programs name keys.
std::string id_of(Key const& key);

}  // namespace canary::openpgp
