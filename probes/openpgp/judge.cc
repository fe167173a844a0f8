// SPDX-License-Identifier: Apache-2.0
// Files, ends and revocations.
// Thread: any (pure).
#include "probes/openpgp/judge.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "config/duration.h"
#include "probes/end.h"
#include "probes/openpgp/declaration.h"
#include "probes/openpgp/verdict.h"

namespace canary::openpgp {
namespace {

using probes::Expiry;
using probes::Reason;
using probes::Severity;

// A key's validity is counted from its newest self-signature on: ends are moved by a new one.
Expiry expiry_of(Signer const& signer, sys_seconds end, config::ExpiryThresholds const& wanted) {
  auto begins = signer.key->created;
  for (auto const* const key : {signer.key, &signer.whole->primary}) {
    if (!key->signatures.empty()) begins = std::max(begins, key->signatures.front().made);
  }
  return probes::expiry_of(std::min(begins, end), end, wanted);
}

Finding unread_finding(KeySource const& source, Unread const& unread) {
  Finding finding{.check = std::string{kKeys}, .subject = source.name};
  bool const of_key = !unread.key.empty();
  finding.message = of_key ? "key " + unread.key + ": " + unread.message : unread.message;
  switch (unread.why) {
    case Unread::Why::malformed:
      finding.severity = Severity::critical;
      finding.reason = Reason::parse;
      break;
    case Unread::Why::secret:
      finding.severity = Severity::critical;
      finding.reason = kSecret;
      break;
    case Unread::Why::too_much:
      finding.severity = Severity::unknown;
      finding.reason = Reason::size_limit;
      break;
    case Unread::Why::unsupported:
      // Beside keys that are known it is one that its clients may not know either.
      finding.severity = source.file.keys.empty() ? Severity::unknown : Severity::warning;
      finding.reason = Reason::unsupported;
      break;
  }
  return finding;
}

bool usable(Signer const& signer, sys_seconds now) {
  auto const end = signer.whole->end_of(*signer.key);
  return !signer.key->revoked && (!end || now < *end);
}

// The finding of an end; the key is not revoked.
Finding end_finding(Signer const& signer, std::optional<Expiry> const& expiry, sys_seconds now) {
  Finding finding{.check = std::string{kExpiry}, .subject = name_of(signer)};
  std::string const kind = signer.key->kind();
  if (signer.key->created > now) {
    finding.severity = Severity::critical;
    finding.reason = kNotYetValid;
    finding.message = kind + ", of " + config::to_text(signer.key->created) + ": in the future";
    return finding;
  }
  if (!expiry) {
    finding.message = kind + ", without an end";
    return finding;
  }
  finding.message = kind + ", " + probes::judge_end(*expiry, now, finding);
  return finding;
}

Finding revoked_finding(Signer const& signer) {
  std::string const why = signer.key->revocation;
  return {.check = std::string{kRevocation},
          .subject = name_of(signer),
          .severity = Severity::critical,
          .reason = kRevoked,
          .message = "revoked" + (why.empty() || why == "No reason" ? "" : ": " + why)};
}

// Of each primary key once, wherever it stands: the first file's.
std::vector<PublicKey const*> all_keys(std::vector<KeySource> const& sources) {
  std::vector<PublicKey const*> all;
  std::set<std::string> seen;
  for (KeySource const& source : sources) {
    for (PublicKey const& key : source.file.keys) {
      if (seen.insert(key.primary.fingerprint).second) all.push_back(&key);
    }
  }
  return all;
}

Signer find(std::vector<PublicKey const*> const& keys, std::string_view name) {
  for (PublicKey const* const key : keys) {
    if (Key const* const found = key->find(name)) return {key, found};
  }
  return {};
}

// Of a primary key: what signs for longest.
std::optional<Signer> last_to_end(PublicKey const& key) {
  std::optional<Signer> last;
  auto const order = [&](Key const* each) {
    auto const end = key.end_of(*each);
    return std::pair{!each->revoked, end.value_or(sys_seconds::max())};
  };
  for (Key const* const each : key.signing()) {
    if (!last || order(last->key) < order(each)) last = Signer{&key, each};
  }
  return last;
}

std::vector<std::string> who_signed(Looked const& looked) {
  std::vector<std::string> all;
  for (SignedFileSource const& source : looked.signed_files) {
    for (DataSignature const& each : source.file.signatures) {
      bool const right = each.status == DataSignature::Status::good;
      if (right && std::ranges::find(all, each.key) == all.end()) all.push_back(each.key);
    }
  }
  return all;
}

}  // namespace

std::string name_of(Signer const& signer) {
  std::string name = id_of(*signer.key);
  if (!signer.whole->user.empty()) name += " " + signer.whole->user;
  return name;
}

Signers signers_of(Looked const& looked, Spec const& spec) {
  Signers signers;
  auto const keys = all_keys(looked.keys);
  auto names = who_signed(looked);
  names.insert(names.end(), spec.signers.begin(), spec.signers.end());
  std::set<Key const*> seen;
  for (std::string const& name : names) {
    Signer const found = find(keys, name);
    if (found.key == nullptr) {
      signers.missing.push_back(name);
    } else if (seen.insert(found.key).second) {
      signers.all.push_back(found);
    }
  }
  signers.told = !names.empty();
  if (signers.told) return signers;
  for (PublicKey const* const key : keys) {
    if (auto const last = last_to_end(*key)) signers.all.push_back(*last);
  }
  return signers;
}

void judge_sources(Looked const& looked, Judged& into) {
  for (auto const* const sources : {&looked.keys, &looked.served}) {
    for (KeySource const& source : *sources) {
      std::size_t signing = 0;
      for (PublicKey const& key : source.file.keys) signing += key.signing().size();
      if (signing > 0) {
        into.findings.push_back(
            {.check = std::string{kKeys},
             .subject = source.name,
             .message = "primary keys: " + std::to_string(source.file.keys.size()) +
                        "; keys that sign: " + std::to_string(signing)});
      } else if (source.file.unread.empty()) {
        into.findings.push_back({.check = std::string{kKeys},
                                 .subject = source.name,
                                 .severity = Severity::critical,
                                 .reason = kNoKey,
                                 .message = "none of its keys may be used to sign, or none has a "
                                            "self-signature that is right"});
      }
      for (Unread const& unread : source.file.unread) {
        into.findings.push_back(unread_finding(source, unread));
      }
    }
  }
}

void judge_signers(Signers const& signers, Spec const& spec, sys_seconds now, Judged& into) {
  std::size_t const good = static_cast<std::size_t>(std::ranges::count_if(
      signers.all, [&](Signer const& signer) { return usable(signer, now); }));
  for (std::string const& missing : signers.missing) {
    into.findings.push_back({.check = std::string{kKeys},
                             .subject = missing,
                             .severity = Severity::critical,
                             .reason = kNoKey,
                             .message = "this key signs, and clients do not have it"});
  }
  for (Signer const& signer : signers.all) {
    auto const end = signer.whole->end_of(*signer.key);
    std::optional<Expiry> expiry;
    if (end) expiry = expiry_of(signer, *end, spec.expiry);
    Finding finding =
        signer.key->revoked ? revoked_finding(signer) : end_finding(signer, expiry, now);
    // Who signs is not known: one of several keys may be an old one.
    bool const others = good > (usable(signer, now) ? 1U : 0U);
    bool const over = !usable(signer, now);
    if (finding.severity == Severity::critical && !signers.told && others) {
      finding.severity = Severity::warning;
      finding.message += "; other keys are still good";
    }
    into.findings.push_back(std::move(finding));
    if (over && !signers.told && others) continue;  // what is over is no deadline
    into.things.push_back({.type = &kSigningKey,
                           .name = signer.key->fingerprint,
                           .expiry = expiry,
                           .numbers = {signer.key->bits},
                           .one_of_many = true});
  }
}

Judged judge(Looked const& looked, Spec const& spec, sys_seconds now) {
  Judged judged;
  judge_sources(looked, judged);
  Signers const signers = signers_of(looked, spec);
  judge_signatures(looked, judged);
  judge_signers(signers, spec, now, judged);
  judge_clients(looked, signers, spec, now, judged);
  judge_served(looked, signers, judged);
  return judged;
}

}  // namespace canary::openpgp
