// SPDX-License-Identifier: Apache-2.0
// Names of notices, and their counting.
// Thread: none (pure).
#include "probes/tuf/notice.h"

#include <algorithm>
#include <utility>

namespace canary::tuf {

void count_notice(Notices& notices, Notice notice) {
  auto const same = std::find_if(notices.begin(), notices.end(), [&](Notice const& each) {
    return each.kind == notice.kind && each.role == notice.role;
  });
  if (same == notices.end()) {
    notices.push_back(std::move(notice));
  } else {
    same->times += notice.times;
  }
}

std::string_view name(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::keyid_mismatch:
      return "keyid_mismatch";
    case NoticeKind::key_unusable:
      return "key_unusable";
    case NoticeKind::key_unsupported:
      return "key_unsupported";
    case NoticeKind::key_scheme:
      return "key_scheme";
    case NoticeKind::key_missing:
      return "key_missing";
    case NoticeKind::key_listed_twice:
      return "key_listed_twice";
    case NoticeKind::same_key_twice:
      return "same_key_twice";
    case NoticeKind::legacy_key_format:
      return "legacy_key_format";
    case NoticeKind::key_encoding:
      return "key_encoding";
    case NoticeKind::keyid_not_hex:
      return "keyid_not_hex";
    case NoticeKind::expires_format:
      return "expires_format";
    case NoticeKind::signature_missing:
      return "signature_missing";
    case NoticeKind::signature_invalid:
      return "signature_invalid";
    case NoticeKind::signature_unknown:
      return "signature_unknown";
    case NoticeKind::signature_not_hex:
      return "signature_not_hex";
    case NoticeKind::salt_length:
      return "salt_length";
    case NoticeKind::hash_unknown:
      return "hash_unknown";
    case NoticeKind::sha256_missing:
      return "sha256_missing";
    case NoticeKind::hash_not_hex:
      return "hash_not_hex";
    case NoticeKind::hash_upper_case:
      return "hash_upper_case";
    case NoticeKind::length_zero:
      return "length_zero";
    case NoticeKind::large_number:
      return "large_number";
    case NoticeKind::custom_spec_version:
      return "custom_spec_version";
    case NoticeKind::consistent_snapshot_missing:
      return "consistent_snapshot_missing";
    case NoticeKind::extra_role:
      return "extra_role";
    case NoticeKind::extra_entry:
      return "extra_entry";
    case NoticeKind::custom_no_object:
      return "custom_no_object";
    case NoticeKind::custom_empty:
      return "custom_empty";
    case NoticeKind::target_name_refused:
      return "target_name_refused";
    case NoticeKind::delegation_extra:
      return "delegation_extra";
    case NoticeKind::succinct_roles:
      return "succinct_roles";
    case NoticeKind::pattern_refused:
      return "pattern_refused";
    case NoticeKind::deep:
      return "deep";
    case NoticeKind::large_file:
      return "large_file";
    case NoticeKind::text_not_normalised:
      return "text_not_normalised";
    case NoticeKind::same_version_changed:
      return "same_version_changed";
    case NoticeKind::threshold_unmeetable:
      return "threshold_unmeetable";
    case NoticeKind::previous_discarded:
      return "previous_discarded";
  }
  return "unknown";
}

}  // namespace canary::tuf
