// SPDX-License-Identifier: Apache-2.0
// Public keys of TUF metadata and the one question asked of them: did you sign these bytes?
// Thread: none (immutable; a Key may be used by several threads at once).
// Source: TUF 1.0.34 §4.2.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "probes/tuf/json.h"

struct evp_pkey_st;

namespace canary::tuf {

enum class Scheme : std::uint8_t {
  unknown,
  ed25519,
  ecdsa_sha2_nistp256,
  ecdsa_sha2_nistp384,
  rsassa_pss_sha256,
};

// A key is kept even where it can't be used: it breaks a signature, never the file.
struct Key {
  std::string_view id;
  std::string_view type;         // "ed25519", "ecdsa", "ecdsa-sha2-nistp256", "rsa", …
  std::string_view scheme_name;  // as written
  Scheme scheme = Scheme::unknown;
  std::shared_ptr<evp_pkey_st const> handle;  // null where unusable
  std::string problem;                        // why it is unusable; empty where it is usable
  std::string fingerprint;     // hex SHA-256 of the DER public key; empty where unusable
  bool id_matches = false;     // id is the SHA-256 of the canonical key
  bool legacy_format = false;  // hexadecimal curve point

  bool usable() const { return handle != nullptr; }
};

// Reads one entry of `keys`. The views point into the document of `value`.
// Rejects: field_* where it is no key object at all; number_not_integer.
Result<Key> parse_key(std::string_view id, json::Value const& value, std::string_view role);

// What a key's id should be: hex SHA-256 of the canonical form of the whole key object.
Result<std::string> key_id(json::Value const& key, std::string_view role);

enum class SignatureState : std::uint8_t { valid, invalid, empty, malformed };

struct SignatureCheck {
  SignatureState state = SignatureState::invalid;
  bool unusual_salt = false;  // RSA-PSS with a salt of other than 32 bytes
};

// REQUIRES: key.usable(). `hex` is the signature as written, in either case.
SignatureCheck check_signature(Key const& key, std::string_view hex, std::string_view message);

}  // namespace canary::tuf
