// SPDX-License-Identifier: Apache-2.0
#include "probes/openpgp/verdict.h"

#include <algorithm>
#include <array>
#include <utility>

namespace canary::openpgp {
namespace {

using About = ClientRule::About;

// As people know them: "SHA-1".
std::string readable(std::string_view hash) {
  return hash.starts_with("SHA") && hash.size() > 3 && hash[3] != '-'
             ? "SHA-" + std::string{hash.substr(3)}
             : std::string{hash};
}

bool earlier(std::optional<Refusal> const& a, std::optional<Refusal> const& b) {
  return a && (!b || a->from < b->from);
}

ClientRule const* rule_for_hash(ClientProfile const& client, About about, std::string_view hash) {
  auto const found = std::ranges::find_if(client.rules, [&](ClientRule const& rule) {
    return rule.about == about && rule.name == hash;
  });
  return found == client.rules.end() ? nullptr : &*found;
}

bool is_about(ClientRule const& rule, Key const& key) {
  if (rule.about != About::key) return false;
  bool const named = key.algorithm == rule.name || key.curve.starts_with(rule.name);
  return named && key.bits >= rule.at_least && (rule.below == 0 || key.bits < rule.below);
}

// By its algorithm and size.
std::optional<Refusal> by_kind(ClientProfile const& client, Key const& key) {
  std::optional<Refusal> first;
  for (ClientRule const& rule : client.rules) {
    if (!is_about(rule, key)) continue;
    Refusal refusal{rule.from, key.kind() + " key " + id_of(key), rule.source};
    if (earlier(refusal, first)) first = std::move(refusal);
  }
  return first;
}

// Of one self-signature, by its hash and by that of the subkey's own in it.
std::optional<Refusal> of_signature(ClientProfile const& client, SelfSignature const& signature,
                                    Key const& key) {
  std::optional<Refusal> first;
  for (std::string const& hash : {signature.hash, signature.back_hash}) {
    auto const* const rule = rule_for_hash(client, About::self_signature, hash);
    if (rule == nullptr) continue;
    Refusal refusal{rule->from, readable(hash) + " self-signature of key " + id_of(key),
                    rule->source};
    if (earlier(refusal, first)) first = std::move(refusal);
  }
  return first;
}

// A client takes the newest self-signature that it knows as good: the key holds as long as one
// does.
std::optional<Refusal> by_signatures(ClientProfile const& client, Key const& key) {
  std::optional<Refusal> last;
  for (SelfSignature const& signature : key.signatures) {
    auto refusal = of_signature(client, signature, key);
    if (!refusal) return std::nullopt;
    if (!last || last->from < refusal->from) last = std::move(refusal);
  }
  return last;
}

}  // namespace

std::string id_of(Key const& key) {
  constexpr std::size_t kDigits = 16;
  return key.fingerprint.size() < kDigits
             ? key.fingerprint
             : key.fingerprint.substr(key.fingerprint.size() - kDigits);
}

std::optional<Refusal> refusal_of(ClientProfile const& client, PublicKey const& whole,
                                  Key const& key) {
  std::vector<Key const*> looked_at{&whole.primary};
  if (&key != &whole.primary) looked_at.push_back(&key);
  if (client.every_subkey) {
    for (Key const& subkey : whole.subkeys) {
      if (&subkey != &key) looked_at.push_back(&subkey);
    }
  }
  std::optional<Refusal> first;
  for (Key const* const each : looked_at) {
    for (auto refusal : {by_kind(client, *each), by_signatures(client, *each)}) {
      if (earlier(refusal, first)) first = std::move(refusal);
    }
  }
  return first;
}

std::optional<Refusal> refusal_of(ClientProfile const& client, std::string_view hash) {
  auto const* const rule = rule_for_hash(client, About::data_signature, hash);
  if (rule == nullptr) return std::nullopt;
  return Refusal{rule->from, readable(hash) + " signature", rule->source};
}

}  // namespace canary::openpgp
