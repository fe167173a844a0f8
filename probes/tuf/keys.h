// SPDX-License-Identifier: Apache-2.0
// Public keys as metadata lists them: what their text says, nothing decoded. A file may list
// thousands; public_key.h decodes the few that a role names and that signed.
// Thread: none (immutable).
// Source: TUF 1.0.34 §4.2; securesystemslib 1.6, go-tuf 2.4, tough 0.24.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/tuf/budget.h"
#include "probes/tuf/json.h"

namespace canary::tuf {

// The order is that of the table in keys.cc.
enum class Scheme : std::uint8_t {
  unknown,
  ed25519,
  ecdsa_sha2_nistp224,
  ecdsa_sha2_nistp256,
  ecdsa_sha2_nistp384,
  ecdsa_sha2_nistp521,
  rsassa_pss_sha224,
  rsassa_pss_sha256,
  rsassa_pss_sha384,
  rsassa_pss_sha512,
  rsa_pkcs1v15_sha224,
  rsa_pkcs1v15_sha256,
  rsa_pkcs1v15_sha384,
  rsa_pkcs1v15_sha512,
};
std::string_view name(Scheme scheme);  // "rsassa-pss-sha256"; "unknown"

bool is_ecdsa(Scheme scheme);
bool is_pss(Scheme scheme);
bool is_rsa(Scheme scheme);  // either padding

// May signatures by this key be judged? A malformed key is nobody's; an unsupported one may well be
// good, we can't tell.
enum class Fitness : std::uint8_t { usable, unsupported, malformed };

// A key is kept even where it can't be used: it breaks a signature, never the file.
struct Key {
  std::string_view id;
  std::string_view type;         // "ed25519", "ecdsa", "ecdsa-sha2-nistp256", "rsa", …
  std::string_view scheme_name;  // as written
  std::string_view text;         // keyval.public
  Scheme scheme = Scheme::unknown;
  Fitness fitness = Fitness::usable;  // as far as its text tells
  std::string problem;                // why it is not usable; empty where it is
  bool id_matches = false;            // id is the SHA-256 of the canonical key
  bool hex_point = false;             // ECDSA, as a hexadecimal curve point
  bool pkcs1 = false;                 // RSA, as "RSA PUBLIC KEY"

  bool usable() const { return fitness == Fitness::usable; }
};

// Reads one entry of `keys`. The views point into the document of `value`.
// Rejects: field_* where it is no key object at all; number_not_integer.
Result<Key> parse_key(std::string_view id, json::Value const& value, std::string_view role,
                      FileBudget const& budget = {});

// What a key's id should be: hex SHA-256 of the canonical form of the whole key object.
Result<std::string> key_id(json::Value const& key, std::string_view role);

}  // namespace canary::tuf
