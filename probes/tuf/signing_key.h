// SPDX-License-Identifier: Apache-2.0
// Private keys for repositories that we sign ourselves: the demo's and the tests'.
// Thread: none (immutable; may be used by several threads at once).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "probes/tuf/keys.h"

struct evp_pkey_st;

namespace canary::tuf {

class SigningKey {
 public:
  // The same seed gives the same key. Not for repositories that anybody relies on.
  static SigningKey ed25519(std::string_view seed);
  // A fresh random key. REQUIRES: a known scheme. RSA keys have 2048 bits.
  static SigningKey generate(Scheme scheme);

  std::string const& id() const { return id_; }
  std::string const& public_json() const { return json_; }  // the object of `keys`
  // Hexadecimal, as `sig` holds it. ECDSA and RSA signatures differ each time.
  std::string sign(std::string_view message) const;

  // The same key with another object or id in `keys`, to author what is odd.
  SigningKey with_id(std::string id) const;
  SigningKey with_public_json(std::string json) const;  // computes the id anew

 private:
  SigningKey(std::shared_ptr<evp_pkey_st> key, Scheme scheme);

  std::shared_ptr<evp_pkey_st> key_;
  Scheme scheme_;
  std::string json_;
  std::string id_;
};

}  // namespace canary::tuf
