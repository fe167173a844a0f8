// SPDX-License-Identifier: Apache-2.0
// The table. "python-tuf", "go-tuf" and "tough" are the versions that client_refusals.h names.
// Thread: none (pure).
#include "probes/tuf/notice_meaning.h"

#include <array>

#include "probes/tuf/findings.h"

namespace canary::tuf {
namespace {

using probes::Reason;

constexpr std::array kMeanings{
    NoticeMeaning{NoticeKind::keyid_mismatch, kSignatures, Reason::signature,
                  "a key id is not the hash of its key: tough refuses the file"},
    NoticeMeaning{NoticeKind::key_unusable, kSignatures, Reason::signature,
                  "a key cannot be used by anybody: tough refuses the file, go-tuf those of the "
                  "roles that name it"},
    NoticeMeaning{NoticeKind::key_unsupported, kSignatures, Reason::unsupported,
                  "a key is of a kind that canaryd can't use: its signatures are not judged; "
                  "python-tuf and tough refuse files with kinds of key that they don't know"},
    NoticeMeaning{NoticeKind::key_scheme, kSignatures, Reason::signature,
                  "not every client can use a key's signature scheme"},
    NoticeMeaning{NoticeKind::key_missing, kSignatures, Reason::signature,
                  "a role names a key that is not there: go-tuf refuses the role's files"},
    NoticeMeaning{NoticeKind::key_listed_twice, kSignatures, Reason::signature,
                  "a role names a key more than once: python-tuf refuses the file"},
    NoticeMeaning{NoticeKind::same_key_twice, kSignatures, Reason::signature,
                  "two key ids are the same key, which counts once here and in go-tuf, twice in "
                  "python-tuf and tough"},
    NoticeMeaning{NoticeKind::legacy_key_format, kSignatures, Reason::signature,
                  "an ECDSA key is a hexadecimal point instead of PEM: python-tuf can't use it, "
                  "go-tuf refuses files of the roles that name it"},
    NoticeMeaning{NoticeKind::key_encoding, kSignatures, Reason::signature,
                  "a key is written in a way that not every client reads"},
    NoticeMeaning{NoticeKind::keyid_not_hex, kSignatures, Reason::signature,
                  "a key id is no hexadecimal number: tough refuses the file"},
    NoticeMeaning{NoticeKind::signature_invalid, kSignatures, Reason::signature,
                  "a signature does not verify, beside enough that do"},
    NoticeMeaning{NoticeKind::signature_not_hex, kSignatures, Reason::signature,
                  "a signature is no hexadecimal number: go-tuf and tough refuse the file"},
    NoticeMeaning{NoticeKind::salt_length, kSignatures, Reason::signature,
                  "an RSA-PSS salt is not as long as its digest: tough refuses the signature"},
    NoticeMeaning{NoticeKind::threshold_unmeetable, kSignatures, Reason::threshold,
                  "a threshold demands more keys than there are"},
    NoticeMeaning{NoticeKind::expires_format, kMetadata, Reason::parse,
                  "expires is not written as YYYY-MM-DDTHH:MM:SSZ: python-tuf refuses the file, "
                  "tough one with an offset, go-tuf one with zeros at the end of the fraction"},
    NoticeMeaning{NoticeKind::hash_unknown, kMetadata, Reason::parse,
                  "a hash is neither sha256 nor sha512: go-tuf refuses what it is of, python-tuf "
                  "where its Python does not know it"},
    NoticeMeaning{NoticeKind::sha256_missing, kMetadata, Reason::parse,
                  "hashes are listed without sha256: tough refuses the file"},
    NoticeMeaning{NoticeKind::hash_not_hex, kMetadata, Reason::parse,
                  "a hash is no hexadecimal number: go-tuf and tough refuse the file"},
    NoticeMeaning{NoticeKind::hash_upper_case, kMetadata, Reason::parse,
                  "a hash is written in upper case: go-tuf refuses the file, python-tuf what the "
                  "hash is of"},
    NoticeMeaning{NoticeKind::length_zero, kMetadata, Reason::parse,
                  "a file is listed with length 0: go-tuf refuses the list"},
    NoticeMeaning{NoticeKind::large_number, kMetadata, Reason::parse,
                  "an integer is one that go-tuf does not keep as it is: it refuses the file"},
    NoticeMeaning{NoticeKind::consistent_snapshot_missing, kMetadata, Reason::parse,
                  "the root does not say consistent_snapshot: go-tuf and tough refuse it"},
    NoticeMeaning{NoticeKind::extra_role, kMetadata, Reason::parse,
                  "the root has a role beside the four: python-tuf and tough refuse it"},
    NoticeMeaning{NoticeKind::extra_entry, kMetadata, Reason::parse,
                  "the timestamp lists more than snapshot.json: python-tuf and tough refuse it"},
    NoticeMeaning{NoticeKind::custom_no_object, kMetadata, Reason::parse,
                  "a target's custom is no object: tough refuses the file, go-tuf where it is "
                  "null"},
    NoticeMeaning{NoticeKind::custom_empty, kMetadata, Reason::parse,
                  "a target's custom is an empty object: tough refuses the file"},
    NoticeMeaning{NoticeKind::target_name_refused, kMetadata, Reason::parse,
                  "a target's path leads nowhere: tough refuses the file"},
    NoticeMeaning{NoticeKind::delegation_extra, kMetadata, Reason::parse,
                  "a delegation has a field that the specification has not: tough refuses the "
                  "file"},
    NoticeMeaning{NoticeKind::succinct_roles, kMetadata, Reason::parse,
                  "delegations are succinct_roles (TAP 15): tough refuses the file"},
    NoticeMeaning{NoticeKind::pattern_refused, kMetadata, Reason::parse,
                  "a path pattern is none to tough, which refuses the file"},
    NoticeMeaning{NoticeKind::deep, kMetadata, Reason::parse,
                  "more than 127 levels of JSON: tough refuses the file"},
    NoticeMeaning{NoticeKind::large_file, kMetadata, Reason::size_limit,
                  "the file is larger than python-tuf and go-tuf read unless told otherwise"},
    NoticeMeaning{NoticeKind::text_not_normalised, kMetadata, Reason::parse,
                  "text is not in Unicode's normal form C: tough refuses the file"},
    NoticeMeaning{NoticeKind::same_version_changed, kConsistency, Reason::equivocation,
                  "content changed without a new version; clients keep what they have"},
    NoticeMeaning{NoticeKind::previous_discarded, kStore, Reason::internal,
                  "our stored copy could not be used, so nothing was compared with it"},
};

}  // namespace

NoticeMeaning const* meaning_of(NoticeKind kind) {
  for (NoticeMeaning const& meaning : kMeanings) {
    if (meaning.kind == kind) return &meaning;
  }
  return nullptr;
}

}  // namespace canary::tuf
