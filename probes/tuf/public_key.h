// SPDX-License-Identifier: Apache-2.0
// A key decoded, and the one question asked of it: did you sign these bytes? Costs arithmetic: a
// role's tally asks within a budget.
// Thread: none (a PublicKey is immutable and may be used by several threads at once).
// Source: TUF 1.0.34 §4.2.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "probes/tuf/keys.h"

struct evp_pkey_st;

namespace canary::tuf {

struct PublicKey {
  std::shared_ptr<evp_pkey_st const> handle;  // null where unusable
  Scheme scheme = Scheme::unknown;
  Fitness fitness = Fitness::malformed;
  std::string problem;       // why it is unusable; empty where it is usable
  std::string fingerprint;   // hex SHA-256 of its canonical SubjectPublicKeyInfo: one key, however
                             // it is written, has one; empty where unusable
  bool other_curve = false;  // ECDSA: not the curve that the scheme is named after
  bool compressed = false;   // ECDSA: the point is not written out
  int rsa_bits = 0;          // of the modulus

  bool usable() const { return handle != nullptr; }
};

PublicKey decode_key(Key const& key, FileBudget const& budget = {});

// What was signed. Its digests are computed once, however many keys signed.
class Message {
 public:
  explicit Message(std::string_view bytes) : bytes_(bytes) {}  // which outlive it

  std::string_view bytes() const { return bytes_; }
  // The digest that the scheme signs. REQUIRES: neither unknown nor ed25519.
  std::string_view digest(Scheme scheme);

 private:
  std::string_view bytes_;
  std::array<std::string, 4> digests_;  // SHA-224, 256, 384, 512
};

enum class SignatureState : std::uint8_t { valid, invalid, empty, malformed };

struct SignatureCheck {
  SignatureState state = SignatureState::invalid;
  bool unusual_salt = false;  // RSA-PSS with a salt of another length than the digest's
};

// REQUIRES: key.usable(). `hex` is the signature as written, in either case.
SignatureCheck check_signature(PublicKey const& key, std::string_view hex, Message& message);

// About what decoding the key and verifying one signature costs: a table, not a measurement, so
// that a budget ends at the same signature in every run.
std::chrono::microseconds nominal_cost(Key const& key, std::size_t message_size);

}  // namespace canary::tuf
