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
  keyid_mismatch,        // a key id is not the SHA-256 of its key: strict clients refuse the file
  key_unusable,          // a key of unknown type or scheme, or one that does not decode
  key_missing,           // a role names a key id that has no key
  key_listed_twice,      // a role names a key id more than once
  same_key_twice,        // two key ids of one role are the same public key
  legacy_key_format,     // hexadecimal curve point instead of PEM
  expires_format,        // fraction or offset where the specification has `YYYY-MM-DDTHH:MM:SSZ`
  signature_missing,     // a role's key made no signature, or an empty one
  signature_invalid,     // a signature by an authorised key does not verify
  signature_unknown,     // a signature by a key that the role does not name
  salt_length,           // RSA-PSS salt other than 32 bytes: strict clients refuse it
  hash_unknown,          // a hash algorithm that we do not know beside one that we do
  custom_spec_version,   // `spec_version` written otherwise than X.Y.Z
  same_version_changed,  // a re-published version with other content was discarded
  threshold_unmeetable,  // fewer keys than the threshold demands
  previous_discarded,    // stored metadata was not usable and is forgotten
};

struct Notice {
  NoticeKind kind;
  std::string role;
  std::string detail;

  friend bool operator==(Notice const&, Notice const&) = default;
};

using Notices = std::vector<Notice>;

// "keyid_mismatch": stable, for findings and documentation.
std::string_view name(NoticeKind kind);

}  // namespace canary::tuf
