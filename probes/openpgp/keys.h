// SPDX-License-Identifier: Apache-2.0
// Public keys as a file has them: what librnp reads and verifies of them.
// Thread: any (pure, CPU only; on a worker). Source: RFC 4880; librnp 0.16, whose own rules of
// which hash is good until when are taken out: that is ours to say, for each client.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/openpgp/packets.h"

namespace canary::openpgp {

// By the primary key itself, about itself or its subkey.
struct SelfSignature {
  std::string hash;  // as librnp has it: "SHA1", "SHA256"
  std::chrono::sys_seconds made{};
  std::optional<std::size_t> user;                   // on that user ID; nothing: on the key itself
  std::optional<std::chrono::seconds> key_lifetime;  // from the key's creation on; as it says
  std::optional<unsigned> key_flags;                 // section 5.2.3.21; as it says
  // Of a subkey that signs: the hash of its own signature, in this one; "" where there is none.
  std::string back_hash;
  friend bool operator==(SelfSignature const&, SelfSignature const&) = default;
};

struct Key {
  std::string fingerprint;  // upper-case hexadecimal
  std::string algorithm;    // "RSA", "DSA", "EDDSA", "ECDSA", "ELGAMAL", "ECDH"
  std::string curve;        // "Ed25519"; "" where it has none
  int bits = 0;
  std::chrono::sys_seconds created{};
  std::optional<std::chrono::sys_seconds> ends;  // as its self-signatures say
  bool revoked = false;                          // it, or its primary key
  std::string revocation;                        // why, in its owner's words; ""
  bool signs = false;                            // it may be used to sign data
  // Those that are right, the newest first: of a primary key on itself and on its user IDs, of a
  // subkey what binds it. None: nobody can use it.
  std::vector<SelfSignature> signatures;

  // "RSA 4096", "Ed25519".
  std::string kind() const;
  friend bool operator==(Key const&, Key const&) = default;
};

struct PublicKey {
  Key primary;
  std::vector<Key> subkeys;
  std::string user;                  // its primary user ID; "" where it has none
  std::size_t right_signatures = 0;  // by itself, revocations too

  // The keys of it that sign data, revoked and ended ones too; of those without a right
  // self-signature none.
  std::vector<Key const*> signing() const;
  // When one of its keys ends for whoever uses it: a subkey not after the primary key.
  std::optional<std::chrono::sys_seconds> end_of(Key const& key) const;
  // Primary key or subkey; nullptr where it is not here.
  Key const* find(std::string_view fingerprint_or_id) const;
  friend bool operator==(PublicKey const&, PublicKey const&) = default;
};

struct KeyFile {
  std::vector<PublicKey> keys;
  std::vector<Unread> unread;
  friend bool operator==(KeyFile const&, KeyFile const&) = default;
};

// `bytes` are binary or armoured, of one key or of many.
KeyFile read_keys(std::string_view bytes, Budget const& budget = {});

// Does the text name the key: its fingerprint, or the last 16 or 8 digits of it?
bool names(std::string_view text, std::string_view fingerprint);

}  // namespace canary::openpgp
