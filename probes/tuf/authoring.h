// SPDX-License-Identifier: Apache-2.0
// Writes and signs whole TUF repositories: the demo's, and the worlds of tests. Start from
// `a_repository`, which is valid, change one fact, publish.
// Thread: none (pure but for random keys).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/tuf/metadata.h"
#include "probes/tuf/signing_key.h"

namespace canary::tuf {

// Who may sign a role, and who does.
struct Signers {
  std::vector<SigningKey> keys;
  std::uint64_t threshold = 1;
  std::optional<std::vector<SigningKey>> signing{};  // instead of all keys
};

struct RootSpec {
  std::uint64_t version = 1;
  Time expires{};
  bool consistent_snapshot = true;
  Signers root, timestamp, snapshot, targets;
};

struct DelegationSpec {
  std::string name;
  Signers signers;
  std::vector<std::string> paths{};               // patterns, unless there are prefixes
  std::vector<std::string> path_hash_prefixes{};  // hexadecimal
  bool terminating = false;
};

struct SuccinctSpec {
  Signers signers;
  unsigned bit_length = 4;
  std::string name_prefix = "bin";
};

struct TargetsSpec {
  std::uint64_t version = 1;
  Time expires{};
  std::map<std::string, std::string> files{};  // path to content
  std::vector<DelegationSpec> delegations{};
  std::optional<SuccinctSpec> succinct{};  // instead of delegations
};

struct VersionSpec {
  std::uint64_t version = 1;
  Time expires{};
};

struct Repository {
  std::vector<RootSpec> roots;  // each is signed by its own keys and by those of the one before
  VersionSpec timestamp;
  VersionSpec snapshot;
  TargetsSpec targets;
  // What delegated roles say, bins too; one that is delegated to but absent here is published
  // empty, with the version and expiry of `targets`.
  std::map<std::string, TargetsSpec> delegated{};
  bool list_lengths = true;  // of snapshot and targets files
  bool list_hashes = true;
  bool list_sha512 = false;  // of targets, beside SHA-256
};

// What a server serves: paths below the metadata's and the targets' base URL, not percent-encoded
// beyond the role names of metadata files.
struct Published {
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string> targets;

  std::string const& root(std::uint64_t version) const;  // REQUIRES: it was published
};

// Root, timestamp, snapshot and targets 1, valid for a year from `now`, one ed25519 key each, two
// targets, consistent snapshots.
Repository a_repository(Time now);

// A copy of the newest root with the next version, appended; change it to rotate keys.
RootSpec& add_root(Repository& repository);

Published publish(Repository const& repository);

// The parts, for authoring what `publish` would not: JSON of `signed`, and its envelope.
std::string root_json(RootSpec const& root);
std::string targets_json(TargetsSpec const& targets, bool list_sha512 = false);
struct ListedFile {
  std::string name;  // "snapshot.json"
  std::uint64_t version = 1;
  std::string_view bytes{};  // empty: neither length nor hash is listed
  bool length = true;
  bool hashes = true;
};
std::string timestamp_json(VersionSpec const& spec, ListedFile const& snapshot);
std::string snapshot_json(VersionSpec const& spec, std::span<ListedFile const> files);
// Signs the canonical form of `signed_json` once per key. REQUIRES: JSON with integers only.
std::string sign_metadata(std::string_view signed_json, std::span<SigningKey const> keys);

// A JSON string literal.
std::string json_quote(std::string_view text);

}  // namespace canary::tuf
