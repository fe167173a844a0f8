// SPDX-License-Identifier: Apache-2.0
// The four parsers: a document, its envelope, the fields that all have, and each role's own.
// Thread: none (pure). Source: TUF 1.0.34 §4.3–4.6, TAP 15.
#include "probes/tuf/parse.h"

#include <algorithm>
#include <utility>

#include "probes/tuf/canonical_json.h"
#include "probes/tuf/client_refusals.h"
#include "probes/tuf/dialect.h"
#include "probes/tuf/digest.h"
#include "probes/tuf/fields.h"
#include "probes/tuf/role_name.h"

namespace canary::tuf {
namespace {

template <class Entry, class Name>
void sort_by(std::vector<Entry>& entries, Name name) {
  auto const less = [&](Entry const& a, Entry const& b) { return name(a) < name(b); };
  if (!std::is_sorted(entries.begin(), entries.end(), less)) {
    std::sort(entries.begin(), entries.end(), less);
  }
}

void note(Notices& notices, NoticeKind kind, Place const& place, std::string_view what) {
  count_notice(notices, {kind, std::string(place.role()), place.path() + ": " + std::string(what)});
}

// What reads one file: what it may cost, and what was odd.
struct Reading {
  FileBudget const& budget;
  Notices& notices;
};

Result<void> within(Place const& place, std::size_t found, std::size_t budget,
                    std::string_view name) {
  if (found <= budget) return outcome::success();
  return place.reject(Rule::budget, std::to_string(found) + " entries, canaryd looks at " +
                                        std::to_string(budget) + " (budget " + std::string(name) +
                                        ")");
}

Result<std::vector<Signature>> read_signatures(Place const& file, FileBudget const& budget) {
  BOOST_OUTCOME_TRY(auto const* list, field(file, "signatures", json::Kind::array));
  Place const place(file, "signatures", *list);
  BOOST_OUTCOME_TRYV(within(place, list->array().size(), budget.signatures, "signatures"));
  std::vector<Signature> signatures;
  signatures.reserve(list->array().size());
  for (json::Value const& item : list->array()) {
    Place const here(place, signatures.size(), item);
    if (!item.is_object()) return here.reject(Rule::field_invalid, "expected object");
    BOOST_OUTCOME_TRY(auto const keyid, string_field(here, "keyid"));
    BOOST_OUTCOME_TRY(auto const hex, string_field(here, "sig"));
    signatures.push_back({keyid, hex});
  }
  sort_by(signatures, [](Signature const& each) { return each.keyid; });
  auto const twice =
      std::adjacent_find(signatures.begin(), signatures.end(),
                         [](Signature const& a, Signature const& b) { return a.keyid == b.keyid; });
  if (twice == signatures.end()) return signatures;
  return place.reject(Rule::duplicate_signature,
                      "two signatures by key " + std::string(twice->keyid));
}

// "1.0" and "1.0.34", not "2.0.0" and not "1".
Result<void> check_spec_version(Place const& place, std::string_view text, Notices& notices) {
  std::vector<std::string_view> parts;
  for (std::string_view rest = text;; rest.remove_prefix(parts.back().size() + 1)) {
    parts.push_back(rest.substr(0, rest.find('.')));
    if (parts.back().size() == rest.size()) break;
  }
  bool const numbers = std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  });
  if (!numbers || parts.size() < 2 || parts.size() > 3 || parts.front() != "1") {
    return place.reject(Rule::spec_version,
                        "spec_version: expected 1.X.Y, found " + std::string(text.substr(0, 40)));
  }
  if (parts.size() != 3) {
    note(notices, NoticeKind::custom_spec_version, place, "spec_version " + std::string(text));
  }
  return outcome::success();
}

Result<void> read_common(Place const& place, std::string_view type, Common& common,
                         Notices& notices) {
  BOOST_OUTCOME_TRY(auto const found, string_field(place, "_type"));
  if (found != type) {
    return place.reject(Rule::wrong_type, "_type: expected " + std::string(type) + ", found " +
                                              std::string(found.substr(0, 40)));
  }
  BOOST_OUTCOME_TRY(common.spec_version, string_field(place, "spec_version"));
  BOOST_OUTCOME_TRYV(check_spec_version(place, common.spec_version, notices));
  BOOST_OUTCOME_TRY(common.version, integer_field(place, "version", 1));
  BOOST_OUTCOME_TRY(auto const expires, string_field(place, "expires"));
  BOOST_OUTCOME_TRY(auto const expiry, parse_expires(expires, place.role()));
  if (!expiry.as_specified) {
    note(notices, NoticeKind::expires_format, place, "expires " + std::string(expires));
  }
  common.expires = expiry.time;
  return outcome::success();
}

Result<RoleKeys> read_role_keys(Place const& place, FileBudget const& budget) {
  if (!place.value().is_object()) return place.reject(Rule::field_invalid, "expected object");
  RoleKeys keys;
  BOOST_OUTCOME_TRY(auto const* ids, field(place, "keyids", json::Kind::array));
  Place const here(place, "keyids", *ids);
  BOOST_OUTCOME_TRYV(within(here, ids->array().size(), budget.keyids, "keyids"));
  BOOST_OUTCOME_TRY(keys.keyids, strings(here));
  BOOST_OUTCOME_TRY(keys.threshold, integer_field(place, "threshold", 1));
  return keys;
}

Result<std::vector<Key>> read_keys(Place const& parent, Reading reading) {
  BOOST_OUTCOME_TRY(auto const* object, field(parent, "keys", json::Kind::object));
  Place const place(parent, "keys", *object);
  BOOST_OUTCOME_TRYV(within(place, object->object().size(), reading.budget.keys, "keys"));
  Notices& notices = reading.notices;
  std::vector<Key> keys;
  keys.reserve(object->object().size());
  for (json::Member const& member : object->object()) {
    BOOST_OUTCOME_TRY(auto key, parse_key(member.name, member.value, place.role(), reading.budget));
    Place const here(place, member.name, member.value);
    if (key.fitness == Fitness::malformed) {
      note(notices, NoticeKind::key_unusable, here, key.problem);
    } else if (key.fitness == Fitness::unsupported) {
      note(notices, NoticeKind::key_unsupported, here, key.problem);
    }
    std::string_view const refused = refusals_of(key);
    if (key.scheme != Scheme::unknown && !refused.empty()) {
      std::string what =
          key.pkcs1 ? "PKCS#1" : std::string(key.type) + " " + std::string(name(key.scheme));
      note(notices, NoticeKind::key_scheme, here, what.append(": ").append(refused));
    }
    if (!key.id_matches) {
      note(notices, NoticeKind::keyid_mismatch, here, "the id is not the SHA-256 of the key");
    }
    if (key.hex_point) note(notices, NoticeKind::legacy_key_format, here, "no PEM");
    keys.push_back(std::move(key));
  }
  sort_by(keys, [](Key const& key) { return key.id; });
  return keys;
}

Result<Hashes> read_hashes(Place const& place, Notices& notices) {
  if (place.value().object().empty()) return place.reject(Rule::field_invalid, "is empty");
  Hashes hashes{.all = &place.value()};
  for (json::Member const& member : place.value().object()) {
    if (!member.value.is_string() || member.value.string().empty()) {
      return Place(place, member.name, member.value)
          .reject(Rule::field_invalid, "expected a hexadecimal digest");
    }
    if (member.name == "sha256") {
      hashes.sha256 = member.value.string();
    } else if (member.name == "sha512") {
      hashes.sha512 = member.value.string();
    } else {
      note(notices, NoticeKind::hash_unknown, place, member.name);
    }
  }
  return hashes;
}

Result<MetaFile> read_meta_file(Place const& place, Notices& notices) {
  if (!place.value().is_object()) return place.reject(Rule::field_invalid, "expected object");
  MetaFile file;
  BOOST_OUTCOME_TRY(file.version, integer_field(place, "version", 1));
  BOOST_OUTCOME_TRY(file.length, optional_integer_field(place, "length", 0));
  BOOST_OUTCOME_TRY(auto const* hashes, optional_field(place, "hashes", json::Kind::object));
  if (hashes != nullptr) {
    BOOST_OUTCOME_TRY(file.hashes, read_hashes(Place(place, "hashes", *hashes), notices));
  }
  return file;
}

Result<TargetFile> read_target_file(Place const& place, Notices& notices) {
  if (!place.value().is_object()) return place.reject(Rule::field_invalid, "expected object");
  TargetFile file;
  BOOST_OUTCOME_TRY(file.length, integer_field(place, "length", 0));
  BOOST_OUTCOME_TRY(auto const* hashes, field(place, "hashes", json::Kind::object));
  BOOST_OUTCOME_TRY(file.hashes, read_hashes(Place(place, "hashes", *hashes), notices));
  file.custom = place.value().find("custom");
  return file;
}

Result<DelegatedRole> read_delegated_role(Place const& place, FileBudget const& budget) {
  DelegatedRole role;
  BOOST_OUTCOME_TRY(role.keys, read_role_keys(place, budget));
  BOOST_OUTCOME_TRY(role.name, string_field(place, "name"));
  if (!is_delegated_role_name(role.name)) {
    return place.reject(Rule::field_invalid,
                        "name: no delegated role may be called \"" + std::string(role.name) + "\"");
  }
  BOOST_OUTCOME_TRY(auto const* terminating, field(place, "terminating", json::Kind::boolean));
  role.terminating = terminating->boolean();
  BOOST_OUTCOME_TRY(auto const* paths, optional_field(place, "paths", json::Kind::array));
  BOOST_OUTCOME_TRY(auto const* prefixes,
                    optional_field(place, "path_hash_prefixes", json::Kind::array));
  if ((paths == nullptr) == (prefixes == nullptr)) {
    return place.reject(paths == nullptr ? Rule::field_missing : Rule::field_invalid,
                        "expected exactly one of paths and path_hash_prefixes");
  }
  bool const patterns = paths != nullptr;
  json::Value const& list = patterns ? *paths : *prefixes;
  Place const here(place, patterns ? "paths" : "path_hash_prefixes", list);
  BOOST_OUTCOME_TRYV(within(here, list.array().size(), budget.entries, "entries"));
  BOOST_OUTCOME_TRY((patterns ? role.paths : role.path_hash_prefixes), strings(here));
  return role;
}

Result<SuccinctRoles> read_succinct_roles(Place const& place, FileBudget const& budget) {
  SuccinctRoles succinct;
  BOOST_OUTCOME_TRY(succinct.keys, read_role_keys(place, budget));
  BOOST_OUTCOME_TRY(auto const bits, integer_field(place, "bit_length", 1));
  if (bits > 32) return place.reject(Rule::field_invalid, "bit_length: expected 1 to 32");
  succinct.bit_length = static_cast<unsigned>(bits);
  BOOST_OUTCOME_TRY(succinct.name_prefix, string_field(place, "name_prefix"));
  return succinct;
}

Result<std::vector<DelegatedRole>> read_delegated_roles(Place const& place,
                                                        FileBudget const& budget) {
  BOOST_OUTCOME_TRYV(within(place, place.value().array().size(), budget.roles, "roles"));
  std::vector<DelegatedRole> roles;
  roles.reserve(place.value().array().size());
  std::vector<std::string_view> names;
  for (json::Value const& item : place.value().array()) {
    Place const here(place, roles.size(), item);
    BOOST_OUTCOME_TRY(auto role, read_delegated_role(here, budget));
    names.push_back(role.name);
    roles.push_back(std::move(role));
  }
  std::sort(names.begin(), names.end());
  auto const twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return roles;
  return place.reject(Rule::field_invalid, "two roles are called " + std::string(*twice));
}

Result<Delegations> read_delegations(Place const& place, Reading reading) {
  Delegations delegations;
  BOOST_OUTCOME_TRY(delegations.keys, read_keys(place, reading));
  BOOST_OUTCOME_TRY(auto const* roles, optional_field(place, "roles", json::Kind::array));
  BOOST_OUTCOME_TRY(auto const* succinct,
                    optional_field(place, "succinct_roles", json::Kind::object));
  if (roles != nullptr && succinct != nullptr) {
    return place.reject(Rule::field_invalid, "roles and succinct_roles exclude each other");
  }
  if (roles != nullptr) {
    BOOST_OUTCOME_TRY(delegations.roles,
                      read_delegated_roles(Place(place, "roles", *roles), reading.budget));
  } else if (succinct != nullptr) {
    Place const here(place, "succinct_roles", *succinct);
    BOOST_OUTCOME_TRY(delegations.succinct, read_succinct_roles(here, reading.budget));
  } else {
    return place.reject(Rule::field_missing, "expected roles or succinct_roles");
  }
  return delegations;
}

Result<void> read_content(Place const& place, Root& root, Reading reading) {
  BOOST_OUTCOME_TRY(auto const* consistent,
                    optional_field(place, "consistent_snapshot", json::Kind::boolean));
  root.consistent_snapshot = consistent != nullptr && consistent->boolean();
  BOOST_OUTCOME_TRY(root.keys, read_keys(place, reading));
  BOOST_OUTCOME_TRY(auto const* roles, field(place, "roles", json::Kind::object));
  Place const here(place, "roles", *roles);
  std::pair<std::string_view, RoleKeys*> const all[] = {{"root", &root.root},
                                                        {"timestamp", &root.timestamp},
                                                        {"snapshot", &root.snapshot},
                                                        {"targets", &root.targets}};
  for (auto const& [name, keys] : all) {
    BOOST_OUTCOME_TRY(auto const* role, field(here, name, json::Kind::object));
    BOOST_OUTCOME_TRY(*keys, read_role_keys(Place(here, name, *role), reading.budget));
  }
  return outcome::success();
}

Result<void> read_content(Place const& place, Timestamp& timestamp, Reading reading) {
  BOOST_OUTCOME_TRY(auto const* meta, field(place, "meta", json::Kind::object));
  Place const here(place, "meta", *meta);
  BOOST_OUTCOME_TRY(auto const* file, field(here, "snapshot.json", json::Kind::object));
  BOOST_OUTCOME_TRY(timestamp.snapshot,
                    read_meta_file(Place(here, "snapshot.json", *file), reading.notices));
  return outcome::success();
}

Result<void> read_content(Place const& place, Snapshot& snapshot, Reading reading) {
  BOOST_OUTCOME_TRY(auto const* meta, field(place, "meta", json::Kind::object));
  Place const here(place, "meta", *meta);
  BOOST_OUTCOME_TRYV(within(here, meta->object().size(), reading.budget.entries, "entries"));
  snapshot.entries.reserve(meta->object().size());
  for (json::Member const& member : meta->object()) {
    BOOST_OUTCOME_TRY(auto const file,
                      read_meta_file(Place(here, member.name, member.value), reading.notices));
    snapshot.entries.push_back({member.name, file});
  }
  sort_by(snapshot.entries, [](Snapshot::Entry const& entry) { return entry.file; });
  return outcome::success();
}

Result<void> read_content(Place const& place, Targets& targets, Reading reading) {
  BOOST_OUTCOME_TRY(auto const* files, field(place, "targets", json::Kind::object));
  Place const here(place, "targets", *files);
  BOOST_OUTCOME_TRYV(within(here, files->object().size(), reading.budget.entries, "entries"));
  targets.entries.reserve(files->object().size());
  for (json::Member const& member : files->object()) {
    BOOST_OUTCOME_TRY(auto const file,
                      read_target_file(Place(here, member.name, member.value), reading.notices));
    targets.entries.push_back({member.name, file});
  }
  sort_by(targets.entries, [](Targets::Entry const& entry) { return entry.path; });
  BOOST_OUTCOME_TRY(auto const* object, optional_field(place, "delegations", json::Kind::object));
  if (object != nullptr) {
    BOOST_OUTCOME_TRY(targets.delegations,
                      read_delegations(Place(place, "delegations", *object), reading));
  }
  return outcome::success();
}

template <class T>
Result<Metadata<T>> parse(std::string bytes, std::string_view role, std::string_view type,
                          FileBudget const& budget) {
  Metadata<T> metadata;
  if (auto foreign = foreign_bytes(bytes)) {
    return Rejection{Rule::other_dialect, std::string(role), std::move(*foreign)};
  }
  BOOST_OUTCOME_TRY(auto document,
                    json::Document::parse(std::move(bytes), role, {budget.depth, budget.values}));
  Place const file(role, document->root());
  if (!file.value().is_object()) return file.reject(Rule::field_invalid, "expected object");
  if (auto foreign = foreign_dialect(file.value())) {
    return Rejection{Rule::other_dialect, std::string(role), std::move(*foreign)};
  }
  BOOST_OUTCOME_TRY(metadata.signatures, read_signatures(file, budget));
  BOOST_OUTCOME_TRY(metadata.signed_part, field(file, "signed", json::Kind::object));
  Place const place(file, "signed", *metadata.signed_part);
  BOOST_OUTCOME_TRYV(read_common(place, type, metadata.content, metadata.notices));
  BOOST_OUTCOME_TRYV(read_content(place, metadata.content, {budget, metadata.notices}));
  metadata.signed_bytes.reserve(document->text().size());
  BOOST_OUTCOME_TRYV(
      append_canonical_json(metadata.signed_bytes, *metadata.signed_part, role, "signed"));
  note_refusals(*document, role, metadata.notices);
  metadata.digest = sha256(metadata.signed_bytes);
  metadata.content.fingerprint = first_52_bits(metadata.digest);
  metadata.content.document = std::move(document);
  return metadata;
}

}  // namespace

Result<Metadata<Root>> parse_root(std::string bytes, FileBudget const& budget) {
  return parse<Root>(std::move(bytes), "root", "root", budget);
}

Result<Metadata<Timestamp>> parse_timestamp(std::string bytes, FileBudget const& budget) {
  return parse<Timestamp>(std::move(bytes), "timestamp", "timestamp", budget);
}

Result<Metadata<Snapshot>> parse_snapshot(std::string bytes, FileBudget const& budget) {
  return parse<Snapshot>(std::move(bytes), "snapshot", "snapshot", budget);
}

Result<Metadata<Targets>> parse_targets(std::string bytes, std::string_view role,
                                        FileBudget const& budget) {
  return parse<Targets>(std::move(bytes), role, "targets", budget);
}

MetaFile const* Snapshot::find(std::string_view role) const {
  std::string const file = std::string(role) + ".json";
  auto const at = std::lower_bound(
      entries.begin(), entries.end(), file,
      [](Entry const& entry, std::string_view wanted) { return entry.file < wanted; });
  return at != entries.end() && at->file == file ? &at->meta : nullptr;
}

TargetFile const* Targets::find(std::string_view path) const {
  auto const at = std::lower_bound(
      entries.begin(), entries.end(), path,
      [](Entry const& entry, std::string_view wanted) { return entry.path < wanted; });
  return at != entries.end() && at->path == path ? &at->file : nullptr;
}

}  // namespace canary::tuf
