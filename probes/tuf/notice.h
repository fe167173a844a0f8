// SPDX-License-Identifier: Apache-2.0
// What is odd about accepted metadata without being a reason to refuse it.
// Thread: none (values).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace canary::tuf {

enum class NoticeKind : std::uint8_t {
  keyid_mismatch,       // a key id is not the SHA-256 of its key
  key_unusable,         // a key that does not decode, or whose type and scheme do not fit
  key_unsupported,      // a key of a type, scheme or size that canaryd can't use
  key_scheme,           // a scheme that we know, and some clients don't
  key_missing,          // a role names a key id that has no key
  key_listed_twice,     // a role names a key id more than once
  same_key_twice,       // two key ids of one role are the same public key
  legacy_key_format,    // hexadecimal curve point instead of PEM
  key_encoding,         // decodes, but is written in a way that some clients don't read
  keyid_not_hex,        // a key id that is no hexadecimal number
  expires_format,       // fraction or offset where the specification has `YYYY-MM-DDTHH:MM:SSZ`
  signature_missing,    // a role's key made no signature, or an empty one
  signature_invalid,    // a signature by an authorised key does not verify
  signature_unknown,    // a signature by a key that the role does not name
  signature_not_hex,    // anybody's
  salt_length,          // RSA-PSS salt of another length than the digest
  hash_unknown,         // a hash algorithm other than sha256 and sha512
  sha256_missing,       // hashes without sha256
  hash_not_hex,         // a digest that is no hexadecimal number
  hash_upper_case,      // a digest in upper case
  length_zero,          // a metadata file is listed with length 0
  large_number,         // an integer that go-tuf does not keep as it is
  custom_spec_version,  // `spec_version` written otherwise than X.Y.Z
  consistent_snapshot_missing,  // in a root
  extra_role,                   // a root's fifth role
  extra_entry,                  // timestamp lists more than snapshot.json
  custom_no_object,             // a target's `custom`
  custom_empty,                 // a target's `custom` is `{}`
  target_name_refused,          // a target's path that resolves to nothing
  delegation_extra,             // a field of delegations that the specification has not
  succinct_roles,               // TAP 15
  pattern_refused,              // a path pattern that is no glob to tough
  deep,                         // more levels of JSON than tough reads
  large_file,                   // more bytes than python-tuf and go-tuf read
  text_not_normalised,          // a letter and its accent are two characters
  same_version_changed,         // a re-published version with other content was discarded
  threshold_unmeetable,         // fewer keys than the threshold demands
  previous_discarded,           // stored metadata was not usable and is forgotten
};

struct Notice {
  NoticeKind kind;
  std::string role;
  std::string detail;       // of the first
  std::uint64_t times = 1;  // how often, in one file

  friend bool operator==(Notice const&, Notice const&) = default;
};

using Notices = std::vector<Notice>;

// Adds one, or counts it where this kind is noted of the role already: a hostile file makes no more
// notices than there are kinds.
void count_notice(Notices& notices, Notice notice);

// "keyid_mismatch": stable, for findings and documentation.
std::string_view name(NoticeKind kind);

}  // namespace canary::tuf
