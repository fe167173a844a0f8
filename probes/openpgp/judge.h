// SPDX-License-Identifier: Apache-2.0
// What the files of a run say, as findings.
// Thread: any (pure).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "probes/openpgp/keys.h"
#include "probes/openpgp/signed_file.h"
#include "probes/openpgp/spec.h"
#include "probes/report.h"

namespace canary::openpgp {

// Each by the name under which it is told of.
struct KeySource {
  std::string name;
  KeyFile file;
};
struct SignedFileSource {
  std::string name;
  SignedFile file;
};
struct Looked {
  std::vector<KeySource> keys, served;  // those that could be had
  std::vector<SignedFileSource> signed_files;
  bool complete = true;  // all that the spec names is here
};

// A key that signs: a primary key or a subkey. Both are of a Looked.
struct Signer {
  PublicKey const* whole = nullptr;
  Key const* key = nullptr;
};
// Those that sign: as `signed` files show, as `signers` says, or else of each primary key the one
// that ends last. `told`: by one of the first two.
struct Signers {
  std::vector<Signer> all;
  bool told = false;
  std::vector<std::string> missing;  // of `signers`
};
Signers signers_of(Looked const& looked, Spec const& spec);

// "0123456789ABCDEF Some Archive <archive@example.com>".
std::string name_of(Signer const& signer);

using probes::Finding;
using std::chrono::sys_seconds;

struct Judged {
  std::vector<Finding> findings;
  std::vector<probes::ThingFacts> things;
};
// All of it.
Judged judge(Looked const& looked, Spec const& spec, sys_seconds now);

// Its parts, which add to `into`.
void judge_sources(Looked const& looked, Judged& into);
void judge_signers(Signers const& signers, Spec const& spec, sys_seconds now, Judged& into);
void judge_served(Looked const& looked, Signers const& signers, Judged& into);
void judge_signatures(Looked const& looked, Judged& into);
void judge_clients(Looked const& looked, Signers const& signers, Spec const& spec, sys_seconds now,
                   Judged& into);

}  // namespace canary::openpgp
