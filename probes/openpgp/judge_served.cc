// SPDX-License-Identifier: Apache-2.0
// Keys as clients have them beside keys as they are served today; and the signatures of files.
// Thread: any (pure).
#include <algorithm>
#include <utility>

#include "config/duration.h"
#include "probes/openpgp/declaration.h"
#include "probes/openpgp/judge.h"
#include "probes/openpgp/verdict.h"

namespace canary::openpgp {
namespace {

using probes::Reason;
using probes::Severity;
using Status = DataSignature::Status;

PublicKey const* find_key(std::vector<KeySource> const& sources, std::string const& fingerprint) {
  for (KeySource const& source : sources) {
    for (PublicKey const& key : source.file.keys) {
      if (key.primary.fingerprint == fingerprint) return &key;
    }
  }
  return nullptr;
}

std::string end_text(std::optional<sys_seconds> const& end) {
  return end ? "ends " + config::to_text(*end) : "has no end";
}

// As clients have it, and as it is served.
struct Values {
  std::string expected, received;
};

class Comparison {
 public:
  Comparison(PublicKey const& ours, PublicKey const& served, Judged& into)
      : ours_(ours), served_(served), into_(into) {}
  void run();

 private:
  Finding& differs(std::string message, Values values) {
    same_ = false;
    into_.findings.push_back({.check = std::string{kServed},
                              .subject = name_of({&ours_, &ours_.primary}),
                              .severity = Severity::warning,
                              .reason = kMismatch,
                              .message = std::move(message),
                              .expected = std::move(values.expected),
                              .received = std::move(values.received)});
    return into_.findings.back();
  }
  void compare(Key const& ours, Key const& served, std::string const& what);

  PublicKey const& ours_;
  PublicKey const& served_;
  Judged& into_;
  bool same_ = true;
};

void Comparison::compare(Key const& ours, Key const& served, std::string const& what) {
  if (served.revoked && !ours.revoked) {
    auto& finding =
        differs(what + " is revoked as it is served; clients with the older copy go on trusting it",
                {"not revoked", "revoked"});
    finding.severity = Severity::critical;
    finding.reason = kRevoked;
  } else if (ours.revoked && !served.revoked) {
    differs(what + " is served without its revocation", {"revoked", "not revoked"});
  }
  if (ours.ends != served.ends) {
    bool const longer = !served.ends || (ours.ends && *ours.ends < *served.ends);
    differs(what + " " + end_text(ours.ends) + " as clients have it, and " + end_text(served.ends) +
                " as it is served" +
                (longer ? ": clients need the new copy before that" : ": an old copy is served"),
            {end_text(ours.ends), end_text(served.ends)});
  }
}

void Comparison::run() {
  compare(ours_.primary, served_.primary, "the key");
  for (Key const* const signing : served_.signing()) {
    if (signing == &served_.primary) continue;
    Key const* const known = ours_.find(signing->fingerprint);
    if (known != nullptr) {
      compare(*known, *signing, "its subkey " + id_of(*signing));
    } else {
      differs("its subkey " + id_of(*signing) + " is served only: clients with the older copy " +
                  "can't verify what it signs",
              {"no such subkey", "subkey " + id_of(*signing)});
    }
  }
  for (Key const* const signing : ours_.signing()) {
    if (served_.find(signing->fingerprint) == nullptr) {
      differs("its subkey " + id_of(*signing) + " is not served any more",
              {"subkey " + id_of(*signing), "no such subkey"});
    }
  }
  if (same_) {
    into_.findings.push_back({.check = std::string{kServed},
                              .subject = name_of({&ours_, &ours_.primary}),
                              .message = "served as clients have it"});
  }
}

std::string_view words(Status status) {
  switch (status) {
    case Status::good:
      return "good";
    case Status::bad:
      return "wrong: the file is not what was signed, or the key is not sound";
    case Status::ended:
      return "over: it was good for a stated time";
    case Status::no_key:
      return "by a key that clients do not have";
    case Status::unusable:
      break;
  }
  return "of a form that is not known";
}

Reason const& reason_of(Status status) {
  switch (status) {
    case Status::good:
      return Reason::none;
    case Status::no_key:
      return kNoKey;
    case Status::ended:
      return Reason::expired;
    case Status::unusable:
      return Reason::unsupported;
    case Status::bad:
      break;
  }
  return Reason::signature;
}

Finding signature_finding(SignedFileSource const& source, DataSignature const& signature,
                          bool others) {
  bool const good = signature.status == Status::good;
  // A signature that no client can judge stands beside good ones in every file that is signed by
  // an old and by a new key; a wrong one is wrong.
  bool const only_not_ours = signature.status == Status::no_key && others;
  Finding finding{.check = std::string{kSignatures}, .subject = source.name};
  finding.severity = good || only_not_ours ? Severity::ok
                     : others              ? Severity::warning
                                           : Severity::critical;
  finding.reason = finding.severity == Severity::ok ? Reason::none : reason_of(signature.status);
  std::string const key = signature.key.empty() ? "an unnamed key" : signature.key;
  finding.message = "signature by " + key + " with " +
                    (signature.hash.empty() ? "an unknown hash" : signature.hash) + " of " +
                    config::to_text(signature.made) + ": " + std::string{words(signature.status)};
  if (finding.severity != Severity::ok) {
    finding.expected = "a good signature by a key that clients have";
    finding.received = words(signature.status);
  }
  return finding;
}

}  // namespace

void judge_served(Looked const& looked, Signers const& signers, Judged& into) {
  if (looked.served.empty()) return;
  for (KeySource const& source : looked.served) {
    for (PublicKey const& served : source.file.keys) {
      auto const* const ours = find_key(looked.keys, served.primary.fingerprint);
      if (ours != nullptr) {
        Comparison{*ours, served, into}.run();
        continue;
      }
      into.findings.push_back({.check = std::string{kServed},
                               .subject = name_of({&served, &served.primary}),
                               .severity = Severity::warning,
                               .reason = kMismatch,
                               .message = "served, and clients do not have it: they can't verify "
                                          "what it signs"});
    }
  }
  for (Signer const& signer : signers.all) {
    if (find_key(looked.served, signer.whole->primary.fingerprint) != nullptr) continue;
    into.findings.push_back({.check = std::string{kServed},
                             .subject = name_of(signer),
                             .severity = signers.told ? Severity::critical : Severity::warning,
                             .reason = kNotServed,
                             .message = "not served: who begins today can't verify what it signs"});
  }
}

void judge_signatures(Looked const& looked, Judged& into) {
  for (SignedFileSource const& source : looked.signed_files) {
    if (!source.file.problem.empty()) {
      into.findings.push_back(
          {.check = std::string{kSignatures},
           .subject = source.name,
           .severity = source.file.too_much ? Severity::unknown : Severity::critical,
           .reason = source.file.too_much ? Reason::size_limit : Reason::parse,
           .message = source.file.problem});
    }
    auto const& all = source.file.signatures;
    auto const good = std::ranges::count(all, Status::good, &DataSignature::status);
    for (DataSignature const& each : all) {
      bool const others = good > (each.status == Status::good ? 1 : 0);
      into.findings.push_back(signature_finding(source, each, others));
    }
  }
}

}  // namespace canary::openpgp
