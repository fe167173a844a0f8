// SPDX-License-Identifier: Apache-2.0
// Who refuses what is signed, and from which day on.
// Thread: any (pure).
#include <algorithm>
#include <optional>
#include <utility>

#include "config/duration.h"
#include "probes/openpgp/declaration.h"
#include "probes/openpgp/judge.h"
#include "probes/openpgp/verdict.h"

namespace canary::openpgp {
namespace {

using probes::Severity;
using Status = DataSignature::Status;

void keep_first(std::optional<Refusal>& first, std::optional<Refusal> other) {
  if (other && (!first || other->from < first->from)) first = std::move(other);
}

// Of what is accepted as long as one of several is: the last. Nothing where one is never refused.
class LastOf {
 public:
  void add(std::optional<Refusal> refusal) {
    any_ = true;
    if (!refusal) {
      never_ = true;
    } else if (!last_ || last_->from < refusal->from) {
      last_ = std::move(refusal);
    }
  }
  bool any() const { return any_; }
  std::optional<Refusal> get() const { return never_ ? std::nullopt : last_; }

 private:
  bool any_ = false, never_ = false;
  std::optional<Refusal> last_;
};

// What a client makes of a key that has ended or is revoked, and of what it signed at a time. Ends
// to come are told of by themselves.
std::optional<Refusal> by_end(ClientProfile const& client, Signer const& signer, sys_seconds made,
                              sys_seconds now) {
  std::string const key = "key " + id_of(*signer.key);
  if (signer.key->revoked) return Refusal{{}, key + " is revoked", ""};
  auto const end = signer.whole->end_of(*signer.key);
  if (!end || now < *end || client.ended == EndedKey::not_known) return std::nullopt;
  if (made < *end && client.ended == EndedKey::still_good) return std::nullopt;
  return Refusal{*end, key + " has ended", ""};
}

std::optional<Refusal> of_signature(ClientProfile const& client, Signer const& signer,
                                    DataSignature const& signature, sys_seconds now) {
  auto first = refusal_of(client, *signer.whole, *signer.key);
  keep_first(first, refusal_of(client, signature.hash));
  keep_first(first, by_end(client, signer, signature.made, now));
  return first;
}

// A client that stops at one key of a file it can't take.
std::optional<Refusal> by_other_keys(ClientProfile const& client, Looked const& looked) {
  std::optional<Refusal> first;
  if (!client.every_key) return first;
  for (KeySource const& source : looked.keys) {
    for (PublicKey const& key : source.file.keys) {
      keep_first(first, refusal_of(client, key, key.primary));
    }
  }
  return first;
}

// Of the keys alone, where no signed file is looked at. Ends are told of by themselves.
std::optional<Refusal> of_keys(ClientProfile const& client, Signers const& signers) {
  LastOf last;
  for (Signer const& signer : signers.all) {
    if (!signer.key->revoked) last.add(refusal_of(client, *signer.whole, *signer.key));
  }
  return last.get();
}

// Of the files: each needs one signature that is accepted.
std::optional<Refusal> of_files(ClientProfile const& client, Looked const& looked,
                                Signers const& signers, sys_seconds now) {
  std::optional<Refusal> first;
  for (SignedFileSource const& source : looked.signed_files) {
    LastOf last;
    for (DataSignature const& each : source.file.signatures) {
      auto const signer = std::ranges::find_if(
          signers.all, [&](Signer const& one) { return one.key->fingerprint == each.key; });
      if (each.status != Status::good || signer == signers.all.end()) continue;
      last.add(of_signature(client, *signer, each, now));
    }
    keep_first(first,
               last.any() ? last.get() : Refusal{{}, "no good signature of " + source.name, ""});
  }
  return first;
}

struct Thresholds {
  std::chrono::seconds warning, critical;
};

Finding client_finding(ClientProfile const& client, std::optional<Refusal> const& refusal,
                       Thresholds const& thresholds, sys_seconds now) {
  Finding finding{.check = std::string{kClients}, .subject = std::string{client.name}};
  std::string const title{client.title};
  if (!refusal) {
    finding.message = "accepted by " + title;
    return finding;
  }
  finding.evidence = std::string{refusal->source};
  bool const always = refusal->from == sys_seconds{};
  std::string const day = always ? "" : " from " + config::to_text(refusal->from).substr(0, 10);
  finding.message = "refused by " + title + day + ": " + refusal->why;
  auto const left = refusal->from - now;
  if (left <= std::chrono::seconds{0}) {
    finding.severity = Severity::critical;
    finding.reason = kRefused;
    finding.expected = "what " + title + " accepts";
    finding.received = refusal->why;
  } else if (left < thresholds.warning) {
    finding.severity = left < thresholds.critical ? Severity::critical : Severity::warning;
    finding.reason = kRefusedSoon;
  }
  return finding;
}

// Keys that are refused while others do: a warning, for who signs is not known.
std::optional<Finding> some_refused(ClientProfile const& client, Signers const& signers,
                                    sys_seconds now) {
  std::size_t count = 0;
  std::string first;
  for (Signer const& signer : signers.all) {
    auto const refusal = refusal_of(client, *signer.whole, *signer.key);
    if (signer.key->revoked || !refusal || now < refusal->from) continue;
    if (count++ == 0) first = refusal->why;
  }
  if (count == 0) return std::nullopt;
  Finding finding{.check = std::string{kClients}, .subject = std::string{client.name}};
  finding.severity = Severity::warning;
  finding.reason = kRefused;
  finding.message = std::to_string(count) + " of " + std::to_string(signers.all.size()) +
                    " keys are refused by " + std::string{client.title} + ": " + first;
  return finding;
}

}  // namespace

void judge_clients(Looked const& looked, Signers const& signers, Spec const& spec, sys_seconds now,
                   Judged& into) {
  if (signers.all.empty()) return;
  Thresholds const thresholds{spec.refusal.warning.span, spec.refusal.critical.span};
  for (std::string const& name : spec.clients) {
    ClientProfile const* const client = find_profile(name);
    if (client == nullptr) continue;
    auto refusal = looked.signed_files.empty() ? of_keys(*client, signers)
                                               : of_files(*client, looked, signers, now);
    keep_first(refusal, by_other_keys(*client, looked));
    into.findings.push_back(client_finding(*client, refusal, thresholds, now));
    if (refusal && refusal->from != sys_seconds{}) {
      into.things.push_back(
          {.type = &kClient,
           .name = name,
           .expiry = probes::Expiry{refusal->from, thresholds.warning, thresholds.critical}});
    }
    if (refusal || signers.told) continue;
    if (auto some = some_refused(*client, signers, now)) into.findings.push_back(std::move(*some));
  }
}

}  // namespace canary::openpgp
