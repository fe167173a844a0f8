// SPDX-License-Identifier: Apache-2.0
// Which packets of a file of keys librnp gets to see.
// Thread: any (pure).
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <openssl/evp.h>

#include "probes/openpgp/bytes.h"
#include "probes/openpgp/packets.h"

namespace canary::openpgp {
namespace {

using Why = Unread::Why;

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (char const c : bytes) {
    auto const byte = static_cast<std::uint8_t>(c);
    text += {kDigits[byte >> 4], kDigits[byte & 0xF]};
  }
  return text;
}

// Public-key algorithms (section 9.1).
constexpr std::size_t kRsa = 1, kRsaSignOnly = 3, kElgamal = 16, kDsa = 17;

bool is_rsa(std::size_t algorithm) { return algorithm >= kRsa && algorithm <= kRsaSignOnly; }

// Of a multiprecision integer, which is passed over (section 3.2).
std::optional<int> mpi_bits(Bytes& in) {
  auto const bits = in.number(2);
  if (!bits || !in.take((*bits + 7) / 8)) return std::nullopt;
  return static_cast<int>(*bits);
}

// The beginning of a public key's packet.
struct KeyHead {
  std::size_t version = 0, algorithm = 0;
  std::optional<Unread> refused;  // without a key
};

KeyHead head_of(std::string_view body, Budget const& budget) {
  KeyHead head;
  auto const refuse = [&](Why why, std::string message) {
    head.refused = Unread{why, "", std::move(message)};
    return head;
  };
  Bytes in{body};
  auto const version = in.number(1);
  if (!version) return refuse(Why::malformed, "an empty key");
  head.version = *version;
  if (*version != 4) {
    return refuse(Why::unsupported, "a key of version " + std::to_string(*version) +
                                        ", which is not looked at: only 4 is");
  }
  auto const created = in.number(4);
  auto const algorithm = in.number(1);
  if (!created || !algorithm) return refuse(Why::malformed, "a key that ends early");
  head.algorithm = *algorithm;
  if (body.size() > budget.packet_bytes) {
    return refuse(Why::too_much, "a key of " + std::to_string(body.size()) + " bytes");
  }
  bool const rsa = is_rsa(*algorithm);
  bool const dsa = *algorithm == kDsa;
  if (!rsa && !dsa && *algorithm != kElgamal) return head;
  auto const modulus = mpi_bits(in);
  auto const second = mpi_bits(in);
  if (!modulus || !second) return refuse(Why::malformed, "a key that ends early");
  if (*modulus > (dsa ? budget.dsa_bits : budget.modulus_bits)) {
    return refuse(Why::too_much, "a key of " + std::to_string(*modulus) + " bits");
  }
  if (rsa && *second > 64) {
    return refuse(Why::too_much, "an RSA exponent of " + std::to_string(*second) + " bits");
  }
  if (dsa && *second > budget.dsa_order_bits) {
    return refuse(Why::too_much, "a DSA key with a q of " + std::to_string(*second) + " bits");
  }
  return head;
}

// What is looked at of a signature.
struct SignatureHead {
  std::size_t type = 0, algorithm = 0, hash = 0, made = 0;
  std::string issuer_id, issuer_fingerprint;  // bytes; "" where not said
  std::size_t subpackets = 0, unknown_subpackets = 0;
  bool sound = false;  // well-formed as far as this looks, and nested no deeper than there is use
};

void read_subpackets(std::string_view area, int depth, SignatureHead& head);

// A signature in a signature (the subkey's own, in its binding) may hold none itself.
constexpr int kDeepest = 1;

SignatureHead signature_head(std::string_view body, int depth) {
  SignatureHead head;
  Bytes in{body};
  auto const version = in.number(1);
  if (version == 3U) {
    auto const hashed = in.number(1);
    auto const type = in.number(1);
    auto const made = in.number(4);
    auto const issuer = in.take(8);
    auto const algorithm = in.number(1);
    auto const hash = in.number(1);
    head.sound = hashed == 5U && type && made && issuer && algorithm && hash;
    if (!head.sound) return head;
    head.type = *type;
    head.algorithm = *algorithm;
    head.hash = *hash;
    head.made = *made;
    head.issuer_id = *issuer;
    return head;
  }
  if (version != 4U) return head;
  auto const type = in.number(1);
  auto const algorithm = in.number(1);
  auto const hash = in.number(1);
  if (!type || !algorithm || !hash) return head;
  head.type = *type;
  head.algorithm = *algorithm;
  head.hash = *hash;
  head.sound = true;
  for (int i = 0; i < 2; ++i) {  // hashed, then unhashed
    auto const size = in.number(2);
    auto const area = size ? in.take(*size) : std::nullopt;
    if (area) read_subpackets(*area, depth, head);
    head.sound = head.sound && area.has_value();
  }
  return head;
}

// Section 5.2.3.1.
void read_subpackets(std::string_view area, int depth, SignatureHead& head) {
  constexpr std::size_t kMade = 2, kIssuer = 16, kEmbedded = 32, kIssuerFingerprint = 33;
  Bytes in{area};
  while (!in.rest().empty()) {
    auto length = in.number(1);
    if (*length >= 192 && *length < 255) {
      auto const low = in.number(1);
      length = low ? std::optional{((*length - 192) << 8) + *low + 192} : std::nullopt;
    } else if (*length == 255) {
      length = in.number(4);
    }
    auto const content = length ? in.take(*length) : std::nullopt;
    if (!content || content->empty()) {
      head.sound = false;
      return;
    }
    auto const type = static_cast<std::uint8_t>(content->front()) & 0x7FU;
    ++head.subpackets;
    if (type > kIssuerFingerprint) ++head.unknown_subpackets;
    auto const value = content->substr(1);
    if (type == kMade && value.size() == 4) head.made = *Bytes{value}.number(4);
    if (type == kIssuer && value.size() == 8 && head.issuer_id.empty()) head.issuer_id = value;
    if (type == kIssuerFingerprint && value.size() == 21 && head.issuer_fingerprint.empty()) {
      head.issuer_fingerprint = value.substr(1);
    }
    if (type == kEmbedded) {
      bool const fits = depth < kDeepest && signature_head(value, depth + 1).sound;
      head.sound = head.sound && fits;
    }
  }
}

// Puts the packets of a file to their primary keys.
class Splitter {
 public:
  explicit Splitter(Budget const& budget) : budget_(budget) {}

  // False: no more is looked at.
  bool take(Packet const& packet);
  void end(Why why, std::string const& problem);
  KeyBlocks done() { return std::move(result_); }

 private:
  bool begin(Packet const& packet);
  void subkey(Packet const& packet);
  void signature(Packet const& packet);
  void give_up(Why why, std::string message);
  bool counts(std::size_t count, std::size_t most, std::string_view what);
  bool seems_own(SignatureHead const& head) const;
  KeyBlock* current() { return skipping_ ? nullptr : &result_.keys[at_]; }

  Budget const& budget_;
  KeyBlocks result_;
  std::map<std::string, std::size_t> places_;  // by fingerprint
  std::size_t at_ = 0;
  std::string id_;                      // of the current primary key, its last 8 bytes
  std::size_t algorithm_ = 0;           // its algorithm
  std::size_t unknown_subpackets_ = 0;  // of the file
  bool skipping_ = true;                // up to the next primary key
  bool without_signatures_ = false;     // what came last is left out, and so are its signatures
};

void Splitter::give_up(Why why, std::string message) {
  std::string key = skipping_ ? std::string{} : result_.keys[at_].fingerprint;
  if (!skipping_) {  // nothing is said of a part
    result_.keys[at_].bytes.clear();
    skipping_ = true;
  }
  result_.unread.push_back({why, std::move(key), std::move(message)});
}

bool Splitter::counts(std::size_t count, std::size_t most, std::string_view what) {
  if (count <= most) return true;
  give_up(Why::too_much, "more than " + std::to_string(most) + " " + std::string{what});
  return false;
}

bool Splitter::begin(Packet const& packet) {
  skipping_ = true;
  if (packet.tag == kSecretKey) {
    give_up(Why::secret, "a secret key");
    return true;
  }
  auto const head = head_of(packet.body, budget_);
  if (head.refused) {
    give_up(head.refused->why, head.refused->message);
    return true;
  }
  std::string const fingerprint = fingerprint_of(packet.body);
  auto const [place, first] = places_.try_emplace(fingerprint, result_.keys.size());
  at_ = place->second;
  algorithm_ = head.algorithm;
  id_ = fingerprint.substr(fingerprint.size() - 16);
  without_signatures_ = false;
  if (first) {
    if (result_.keys.size() == budget_.keys) {
      give_up(Why::too_much, "more than " + std::to_string(budget_.keys) + " keys");
      return false;
    }
    result_.keys.push_back({.fingerprint = fingerprint, .bytes = "", .subkeys = {}});
  } else if (result_.keys[at_].bytes.empty()) {
    return true;  // it was given up before
  }
  skipping_ = false;
  result_.keys[at_].bytes += packet.whole;
  return true;
}

void Splitter::subkey(Packet const& packet) {
  if (packet.tag == kSecretSubkey) return give_up(Why::secret, "a secret subkey");
  auto const head = head_of(packet.body, budget_);
  without_signatures_ = head.refused.has_value();
  if (head.refused) {
    result_.unread.push_back(
        {head.refused->why, current()->fingerprint, "its subkey is " + head.refused->message});
    return;
  }
  if (!counts(current()->subkeys.size() + 1, budget_.subkeys, "subkeys")) return;
  current()->subkeys.push_back(fingerprint_of(packet.body));
  current()->bytes += packet.whole;
}

// By the primary key itself: what others say of a key is no part of this.
bool Splitter::seems_own(SignatureHead const& head) const {
  if (!head.issuer_fingerprint.empty()) {
    return hexadecimal(head.issuer_fingerprint) == result_.keys[at_].fingerprint;
  }
  return hexadecimal(head.issuer_id) == id_;
}

void Splitter::signature(Packet const& packet) {
  if (without_signatures_) return;
  auto const head = signature_head(packet.body, 0);
  if (head.subpackets > budget_.subpackets) return;
  unknown_subpackets_ += head.unknown_subpackets;
  if (unknown_subpackets_ > budget_.unknown_subpackets) {
    return give_up(Why::too_much, "more than " + std::to_string(budget_.unknown_subpackets) +
                                      " subpackets of unknown kinds in its file");
  }
  bool const fits = head.algorithm == algorithm_ || (is_rsa(head.algorithm) && is_rsa(algorithm_));
  if (!head.sound || !seems_own(head) || !fits) return;
  if (packet.body.size() > budget_.packet_bytes) {
    return give_up(Why::too_much,
                   "a signature of " + std::to_string(packet.body.size()) + " bytes");
  }
  if (counts(++current()->signatures, budget_.signatures, "signatures by itself")) {
    current()->bytes += packet.whole;
  }
}

bool Splitter::take(Packet const& packet) {
  switch (packet.tag) {
    case kPublicKey:
    case kSecretKey:
      return begin(packet);
    case kPublicSubkey:
    case kSecretSubkey:
      if (current() != nullptr) subkey(packet);
      return true;
    case kSignature:
      if (current() != nullptr) signature(packet);
      return true;
    case kUserId:
      without_signatures_ = false;
      if (current() == nullptr) return true;
      if (packet.body.size() > budget_.packet_bytes) {
        give_up(Why::too_much, "a user ID of " + std::to_string(packet.body.size()) + " bytes");
      } else if (counts(++current()->user_ids, budget_.user_ids, "user IDs")) {
        current()->bytes += packet.whole;
      }
      return true;
    case kUserAttribute:
      without_signatures_ = true;
      return true;
    case kMarker:
    case kTrust:
    case kPadding:
      return true;
    default:
      skipping_ = true;
      give_up(Why::malformed,
              "a packet of type " + std::to_string(packet.tag) + ", which no file of keys has");
      return false;
  }
}

void Splitter::end(Why why, std::string const& problem) {
  if (!problem.empty()) {
    skipping_ = true;
    give_up(why, problem);
  }
  std::erase_if(result_.keys, [](KeyBlock const& block) { return block.bytes.empty(); });
}

}  // namespace

std::string fingerprint_of(std::string_view body) {
  std::string text{'\x99', static_cast<char>(body.size() >> 8), static_cast<char>(body.size())};
  text += body;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr);
  return hexadecimal({reinterpret_cast<char const*>(digest.data()), size});
}

SignatureSays signature_says(std::string_view body) {
  constexpr std::array<std::string_view, 12> kHashes = {
      "", "MD5", "SHA1", "RIPEMD160", "", "", "", "", "SHA256", "SHA384", "SHA512", "SHA224"};
  auto const head = signature_head(body, 0);
  bool const known = head.hash < kHashes.size();
  auto const& issuer = head.issuer_fingerprint.empty() ? head.issuer_id : head.issuer_fingerprint;
  return {.issuer = hexadecimal(issuer),
          .hash = std::string{known ? kHashes[head.hash] : std::string_view{}},
          .made = std::chrono::sys_seconds{std::chrono::seconds{head.made}}};
}

std::string without_revocations(std::string_view bytes) {
  constexpr std::size_t kKey = 0x20, kSubkey = 0x28, kUser = 0x30;  // section 5.2.1
  std::string kept;
  PacketReader reader{bytes};
  while (auto const packet = reader.next()) {
    auto const type = packet->tag == kSignature ? signature_head(packet->body, 0).type : 0;
    if (type != kKey && type != kSubkey && type != kUser) kept += packet->whole;
  }
  return kept;
}

KeyBlocks split_keys(std::string_view bytes, Budget const& budget) {
  Splitter splitter{budget};
  PacketReader reader{bytes};
  std::size_t packets = 0;
  while (auto const packet = reader.next()) {
    if (++packets > budget.packets) {
      splitter.end(Why::too_much, "more than " + std::to_string(budget.packets) + " packets");
      return splitter.done();
    }
    if (!splitter.take(*packet)) break;
  }
  splitter.end(Why::malformed, reader.problem());
  return splitter.done();
}

}  // namespace canary::openpgp
