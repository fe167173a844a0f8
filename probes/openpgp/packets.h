// SPDX-License-Identifier: Apache-2.0
// A file of keys, cut into one piece for each primary key before librnp sees any of it. librnp
// reads packets without bounds on count, size, nesting or the cost of a key; it gives one verdict
// on a whole file where each of its keys is wanted; and it tells standard error of every signature
// by somebody else, of which real keyrings have thousands. So this looks at packets' frames and at
// the beginnings of keys and signatures, and verifies nothing.
// Thread: any (pure). Source: RFC 4880, sections 4 and 5; RFC 9580 for what came later.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/openpgp/budget.h"

namespace canary::openpgp {

// Tags of packets.
inline constexpr std::uint8_t kSignature = 2, kSecretKey = 5, kPublicKey = 6, kSecretSubkey = 7,
                              kMarker = 10, kTrust = 12, kUserId = 13, kPublicSubkey = 14,
                              kUserAttribute = 17, kPadding = 21;

struct Packet {
  std::uint8_t tag = 0;
  std::string_view whole, body;
};

// The packets of `bytes`, which outlive it, one after another. Lengths that are not stated at the
// packet's beginning (partial, indeterminate) are refused: keys and signatures have none.
class PacketReader {
 public:
  explicit PacketReader(std::string_view bytes) : rest_(bytes) {}
  // Nothing at the end, and where no packet can be read any more: then problem() says why.
  std::optional<Packet> next();
  std::string const& problem() const { return problem_; }

 private:
  std::optional<Packet> fail(std::string why);
  std::string_view rest_;
  std::string problem_;
};

// Something of a file that was not read.
struct Unread {
  enum class Why : std::uint8_t {
    malformed,    // it is no OpenPGP key
    too_much,     // more than the budget
    unsupported,  // of a version or form that librnp does not know
    secret,       // a secret key
  };
  Why why = Why::malformed;
  std::string key;  // fingerprint of the primary key it belongs to; "" where none is known
  std::string message;
  friend bool operator==(Unread const&, Unread const&) = default;
};

// A primary key and what belongs to it: packets in their order, without user attributes and
// signatures by others.
struct KeyBlock {
  std::string fingerprint;  // upper-case hexadecimal
  std::string bytes;
  std::vector<std::string> subkeys;  // their fingerprints
  std::size_t user_ids = 0, signatures = 0;
};

struct KeyBlocks {
  std::vector<KeyBlock> keys;
  std::vector<Unread> unread;
};

// `bytes` are binary. Of a primary key that comes again the packets are put together.
KeyBlocks split_keys(std::string_view bytes, Budget const& budget);

// Of a public key's packet of version 4: upper-case hexadecimal.
std::string fingerprint_of(std::string_view body);
// What a signature's packet says of itself; nothing of it is verified.
struct SignatureSays {
  std::string issuer;  // a fingerprint, or its last 16 digits; "" where not said
  std::string hash;    // as librnp has it
  std::chrono::sys_seconds made{};
};
SignatureSays signature_says(std::string_view body);

// A key's packets less those that revoke.
std::string without_revocations(std::string_view bytes);

}  // namespace canary::openpgp
