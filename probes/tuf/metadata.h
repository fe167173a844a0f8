// SPDX-License-Identifier: Apache-2.0
// The four kinds of TUF metadata as plain values. Text is a view into the document that each value
// keeps alive, so copies are cheap and safe to keep.
// Thread: none (immutable once parsed). Source: TUF 1.0.34 §4.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/tuf/json.h"
#include "probes/tuf/keys.h"
#include "probes/tuf/notice.h"

namespace canary::tuf {

using Time = std::chrono::sys_seconds;

// What a role's keys are and how many of them must sign.
struct RoleKeys {
  std::vector<std::string_view> keyids{};  // as listed, repetitions included
  std::uint64_t threshold = 1;
};

// Hexadecimal digests as listed.
struct Hashes {
  json::Value const* all = nullptr;  // the object of algorithms and digests; null: none is listed
  std::string_view sha256{};         // of these; empty where not listed
  std::string_view sha512{};

  bool listed() const { return all != nullptr; }
};

// What timestamp says about snapshot, and snapshot about each targets file.
struct MetaFile {
  std::uint64_t version = 0;
  std::optional<std::uint64_t> length{};
  Hashes hashes{};
};

struct TargetFile {
  std::uint64_t length = 0;
  Hashes hashes{};
  json::Value const* custom = nullptr;  // as written; lives as long as its Targets
};

// What all four have in common.
struct Common {
  std::shared_ptr<json::Document const> document;  // owns everything that is a view
  std::string_view spec_version;
  std::uint64_t version = 0;  // >= 1
  Time expires{};
  std::uint64_t fingerprint = 0;  // first 52 bits of the canonical signed part's SHA-256
};

struct Root : Common {
  bool consistent_snapshot = false;
  std::vector<Key> keys;  // sorted by id
  RoleKeys root, timestamp, snapshot, targets;
};

struct Timestamp : Common {
  MetaFile snapshot;
};

struct Snapshot : Common {
  struct Entry {
    std::string_view file;  // "targets.json", "npm.json": with its suffix, not percent-encoded
    MetaFile meta;
  };
  std::vector<Entry> entries;  // sorted by file

  // The entry of role "targets" or of a delegated role; nullptr where it is not listed.
  MetaFile const* find(std::string_view role) const;
};

struct DelegatedRole {
  std::string_view name;
  RoleKeys keys{};
  std::vector<std::string_view> paths;               // patterns; or
  std::vector<std::string_view> path_hash_prefixes;  // hexadecimal
  bool terminating = false;
};

// TAP 15: 2^bit_length bins "prefix-hex".
struct SuccinctRoles {
  RoleKeys keys{};
  unsigned bit_length = 1;  // 1 to 32
  std::string_view name_prefix{};

  std::uint64_t count() const { return std::uint64_t{1} << bit_length; }
};

struct Delegations {
  std::vector<Key> keys;             // sorted by id
  std::vector<DelegatedRole> roles;  // in order of priority
  std::optional<SuccinctRoles> succinct;
};

struct Targets : Common {
  struct Entry {
    std::string_view path;
    TargetFile file;
  };
  std::vector<Entry> entries;  // sorted by path
  std::optional<Delegations> delegations;

  TargetFile const* find(std::string_view path) const;
};

// One entry of `signatures`, unverified. `hex` may be empty or nonsense.
struct Signature {
  std::string_view keyid;
  std::string_view hex;
};

// Parsed, not yet trusted.
template <class T>
struct Metadata {
  T content;
  json::Value const* signed_part = nullptr;  // of content.document
  std::string signed_bytes;                  // its canonical form; emptied once verified
  std::vector<Signature> signatures;         // sorted by key id, each once
  std::array<unsigned char, 32> digest{};    // SHA-256 of the canonical signed part
  Notices notices;                           // found while parsing

  std::string const& bytes() const { return content.document->text(); }
};

// The key of this id, or nullptr. REQUIRES: `keys` sorted by id, as parse.h leaves them.
Key const* find_key(std::span<Key const> keys, std::string_view id);

}  // namespace canary::tuf
