// SPDX-License-Identifier: Apache-2.0
// One walk over the tree, field by field. What a client does not keep when it reads a file is not
// there when it verifies the signature: most refusals are of that kind.
// Thread: none (pure).
#include "probes/tuf/client_refusals.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>
#include <string>

#include "probes/tuf/digest.h"
#include "probes/tuf/fields.h"

namespace canary::tuf {
namespace {

using json::Value;

constexpr std::uint64_t kGoMost = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kDoubleMost = std::uint64_t{1}
                                      << 53U;  // go-tuf reads the unknown as double
constexpr std::size_t kToughDepth = 127;
constexpr std::size_t kLongHash = 128;

constexpr std::array<std::string_view, 4> kTopLevel{"root", "timestamp", "snapshot", "targets"};

bool one_of(std::string_view text, std::initializer_list<std::string_view> known) {
  return std::find(known.begin(), known.end(), text) != known.end();
}

bool is_hex(std::string_view text) {
  return text.size() % 2 == 0 &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// Is an integer beyond -most…most?
bool exceeds(std::string_view number, std::uint64_t most) {
  if (number.starts_with('-')) number.remove_prefix(1);
  std::uint64_t value = 0;
  auto const [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  return error != std::errc{} || value > most;
}

// globset, which tough reads patterns with: an open class or alternative, or a range that ends
// before it begins. Not all of its rules; those that people hit.
bool globset_refuses(std::string_view pattern) {
  std::size_t open = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char const c = pattern[i];
    if (c == '\\' && ++i == pattern.size()) return true;
    if (c == '{') ++open;
    if (c == '}' && open-- == 0) return true;
    if (c != '[') continue;
    std::size_t const first = i + 1 + (pattern.substr(i + 1).starts_with('!') ? 1 : 0);
    i = pattern.find(']', first + 1);
    if (i == std::string_view::npos) return true;
    for (std::size_t at = first + 1; at + 1 < i; ++at) {
      if (pattern[at] == '-' && pattern[at - 1] > pattern[at + 1]) return true;
    }
  }
  return open != 0;
}

// To tough, which resolves "." and "..": what is left is empty.
bool leads_nowhere(std::string_view path) {
  std::size_t depth = 0;
  while (true) {
    std::size_t const slash = path.find('/');
    std::string_view const segment = path.substr(0, slash);
    if (segment == "..") {
      depth -= depth > 0 ? 1 : 0;
    } else if (!segment.empty() && segment != ".") {
      ++depth;
    }
    if (slash == std::string_view::npos) return depth == 0;
    path.remove_prefix(slash + 1);
  }
}

class Walk {
 public:
  Walk(std::string_view role, Notices& notices) : role_(role), notices_(notices) {}

  void file(json::Document const& document);

 private:
  void note(NoticeKind kind, Place const& place, std::string_view what = {});
  void envelope(Place const& file);
  void size(std::size_t bytes);
  void text_form(std::string_view text);
  void content(Place const& place);
  void root(Place const& place);
  void listing(Place const& place);
  void targets(Place const& place);
  void target(Place const& place);
  void delegations(Place const& place);
  void delegated_role(Place const& place);
  void keys(Place const& place);
  void role_keys(Place const& place);
  void hashes(Place const& place);
  void integer(Place const& place, std::string_view name);
  void unknown_members(Place const& place, std::initializer_list<std::string_view> known);
  void numbers(Place const& place, std::uint64_t most);

  std::string_view role_;
  Notices& notices_;
};

// Text is made for the first of a kind only.
void Walk::note(NoticeKind kind, Place const& place, std::string_view what) {
  auto const same = std::find_if(notices_.begin(), notices_.end(), [&](Notice const& each) {
    return each.kind == kind && each.role == role_;
  });
  if (same != notices_.end()) {
    ++same->times;
    return;
  }
  std::string detail = place.path();
  if (!what.empty()) detail.append(": ").append(what);
  notices_.push_back({kind, std::string(role_), std::move(detail)});
}

void Walk::file(json::Document const& document) {
  Place const file(role_, document.root());
  Value const* const signed_part = document.root().find("signed");
  Place const place(file, "signed", *signed_part);
  if (document.depth() > kToughDepth) {
    note(NoticeKind::deep, place, std::to_string(document.depth()) + " levels");
  }
  size(document.text().size());
  text_form(document.text());
  envelope(file);
  content(place);
}

// A letter and a combining mark: two characters where normalised text has one.
void Walk::text_form(std::string_view text) {
  auto const is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  for (std::size_t at = text.find_first_of("\xCC\xCD"); at != std::string_view::npos;
       at = text.find_first_of("\xCC\xCD", at + 1)) {
    bool const mark = text[at] == '\xCC' ||
                      (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) <= 0xAF);
    if (at == 0 || !mark || !is_letter(text[at - 1])) continue;
    count_notice(notices_, {NoticeKind::text_not_normalised, std::string(role_),
                            "byte " + std::to_string(at - 1) + ": a letter and a combining mark"});
    return;
  }
}

// The limits of python-tuf and go-tuf as they come; a listed length lifts them.
void Walk::size(std::size_t bytes) {
  std::size_t const most = role_ == "root"        ? 512'000
                           : role_ == "timestamp" ? 16'384
                           : role_ == "snapshot"  ? 2'000'000
                                                  : 5'000'000;
  if (bytes <= most) return;
  count_notice(notices_,
               {NoticeKind::large_file, std::string(role_),
                std::to_string(bytes) + " bytes, their limit is " + std::to_string(most) +
                    (one_of(role_, {"root", "timestamp"}) ? "" : " where no length is listed")});
}

void Walk::envelope(Place const& file) {
  Value const& list = *file.value().find("signatures");
  Place const place(file, "signatures", list);
  std::size_t index = 0;
  for (Value const& item : list.array()) {
    Place const here(place, index++, item);
    if (!is_hex(item.find("sig")->string())) note(NoticeKind::signature_not_hex, here);
    if (!is_hex(item.find("keyid")->string())) note(NoticeKind::keyid_not_hex, here);
  }
}

void Walk::content(Place const& place) {
  integer(place, "version");
  unknown_members(place, {"_type", "spec_version", "version", "expires", "consistent_snapshot",
                          "keys", "roles", "meta", "targets", "delegations"});
  if (role_ == "root") return root(place);
  if (one_of(role_, {"timestamp", "snapshot"})) return listing(place);
  targets(place);
}

void Walk::root(Place const& place) {
  Value const& signed_part = place.value();
  if (signed_part.find("consistent_snapshot") == nullptr) {
    note(NoticeKind::consistent_snapshot_missing, place);
  }
  keys(Place(place, "keys", *signed_part.find("keys")));
  Value const& roles = *signed_part.find("roles");
  Place const here(place, "roles", roles);
  for (json::Member const& member : roles.object()) {
    Place const role(here, member.name, member.value);
    bool const known =
        std::find(kTopLevel.begin(), kTopLevel.end(), member.name) != kTopLevel.end();
    if (!known) note(NoticeKind::extra_role, role);
    if (known) role_keys(role);
  }
}

void Walk::listing(Place const& place) {
  Value const& meta = *place.value().find("meta");
  Place const here(place, "meta", meta);
  for (json::Member const& member : meta.object()) {
    Place const entry(here, member.name, member.value);
    if (role_ == "timestamp" && member.name != "snapshot.json") {
      note(NoticeKind::extra_entry, entry);
      continue;
    }
    integer(entry, "version");
    integer(entry, "length");
    Value const* const length = member.value.find("length");
    if (length != nullptr && length->number() == "0") note(NoticeKind::length_zero, entry);
    if (Value const* const found = member.value.find("hashes")) {
      hashes(Place(entry, "hashes", *found));
    }
    unknown_members(entry, {"version", "length", "hashes"});
  }
}

void Walk::targets(Place const& place) {
  Value const& files = *place.value().find("targets");
  Place const here(place, "targets", files);
  for (json::Member const& member : files.object()) {
    Place const file(here, member.name, member.value);
    if (leads_nowhere(member.name)) note(NoticeKind::target_name_refused, file);
    target(file);
  }
  if (Value const* const found = place.value().find("delegations")) {
    delegations(Place(place, "delegations", *found));
  }
}

void Walk::target(Place const& place) {
  integer(place, "length");
  hashes(Place(place, "hashes", *place.value().find("hashes")));
  unknown_members(place, {"length", "hashes", "custom"});
  Value const* const custom = place.value().find("custom");
  if (custom == nullptr) return;
  Place const here(place, "custom", *custom);
  if (!custom->is_object()) note(NoticeKind::custom_no_object, here, json::name(custom->kind()));
  if (custom->is_object() && custom->object().empty()) note(NoticeKind::custom_empty, here);
  numbers(here, kGoMost);
}

void Walk::delegations(Place const& place) {
  Value const& value = place.value();
  keys(Place(place, "keys", *value.find("keys")));
  for (json::Member const& member : value.object()) {
    if (!one_of(member.name, {"keys", "roles", "succinct_roles"})) {
      note(NoticeKind::delegation_extra, Place(place, member.name, member.value));
    }
  }
  if (Value const* const succinct = value.find("succinct_roles")) {
    Place const here(place, "succinct_roles", *succinct);
    note(NoticeKind::succinct_roles, here);
    role_keys(here);
  }
  Value const* const roles = value.find("roles");
  if (roles == nullptr) return;
  Place const list(place, "roles", *roles);
  std::size_t index = 0;
  for (Value const& role : roles->array()) delegated_role(Place(list, index++, role));
}

void Walk::delegated_role(Place const& place) {
  role_keys(place);
  for (json::Member const& member : place.value().object()) {
    if (!one_of(member.name,
                {"name", "keyids", "threshold", "terminating", "paths", "path_hash_prefixes"})) {
      note(NoticeKind::delegation_extra, Place(place, member.name, member.value));
    }
  }
  Value const* const paths = place.value().find("paths");
  if (paths == nullptr) return;
  for (Value const& pattern : paths->array()) {
    if (globset_refuses(pattern.string())) {
      note(NoticeKind::pattern_refused, Place(place, "paths", *paths),
           pattern.string().substr(0, 120));
    }
  }
}

void Walk::keys(Place const& place) {
  for (json::Member const& member : place.value().object()) {
    if (!is_hex(member.name)) {
      note(NoticeKind::keyid_not_hex, Place(place, member.name, member.value));
    }
  }
}

void Walk::role_keys(Place const& place) {
  integer(place, "threshold");
  Value const& ids = *place.value().find("keyids");
  Place const here(place, "keyids", ids);
  std::set<std::string_view> seen;
  for (Value const& id : ids.array()) {
    if (!seen.insert(id.string()).second) note(NoticeKind::key_listed_twice, here, id.string());
    if (!is_hex(id.string())) note(NoticeKind::keyid_not_hex, here, id.string().substr(0, 120));
  }
}

void Walk::hashes(Place const& place) {
  if (place.value().find("sha256") == nullptr) note(NoticeKind::sha256_missing, place);
  for (json::Member const& member : place.value().object()) {
    std::string_view const hex = member.value.string();
    if (!is_hex(hex)) {
      note(NoticeKind::hash_not_hex, place, member.name.substr(0, kLongHash));
    } else if (hex.find_first_of("ABCDEF") != std::string_view::npos) {
      note(NoticeKind::hash_upper_case, place, member.name.substr(0, kLongHash));
    }
  }
}

void Walk::integer(Place const& place, std::string_view name) {
  Value const* const value = place.value().find(name);
  if (value == nullptr || !exceeds(value->number(), kGoMost)) return;
  note(NoticeKind::large_number, Place(place, name, *value), value->number().substr(0, 40));
}

void Walk::unknown_members(Place const& place, std::initializer_list<std::string_view> known) {
  for (json::Member const& member : place.value().object()) {
    if (!one_of(member.name, known)) {
      numbers(Place(place, member.name, member.value), kDoubleMost);
    }
  }
}

void Walk::numbers(Place const& place, std::uint64_t most) {
  Value const& value = place.value();
  if (value.kind() == json::Kind::number) {
    if (exceeds(value.number(), most) || value.number() == "-0") {
      note(NoticeKind::large_number, place, value.number().substr(0, 40));
    }
  } else if (value.is_object()) {
    for (json::Member const& member : value.object()) {
      numbers(Place(place, member.name, member.value), most);
    }
  } else if (value.is_array()) {
    std::size_t index = 0;
    for (Value const& item : value.array()) numbers(Place(place, index++, item), most);
  }
}

}  // namespace

void note_refusals(json::Document const& file, std::string_view role, Notices& notices) {
  Walk(role, notices).file(file);
}

std::string_view refusals_of(Key const& key) {
  constexpr std::string_view kToughAlone = "tough refuses the file";
  constexpr std::string_view kSignature = "go-tuf refuses its signatures, tough the file";
  constexpr std::string_view kRole = "go-tuf refuses the role's files, tough this one";
  constexpr std::string_view kNobody =
      "python-tuf and tough refuse the file, go-tuf its signatures";
  switch (key.scheme) {
    case Scheme::unknown:
      return "python-tuf and tough refuse the file, go-tuf those of the roles that name it";
    case Scheme::ed25519:
    case Scheme::ecdsa_sha2_nistp256:
      return {};
    case Scheme::rsassa_pss_sha256:
      return key.pkcs1 ? kToughAlone : std::string_view{};
    case Scheme::ecdsa_sha2_nistp384:
      return key.type == "ecdsa" ? kToughAlone : kRole;
    case Scheme::ecdsa_sha2_nistp521:
      return key.type == "ecdsa" ? kSignature : kRole;
    case Scheme::ecdsa_sha2_nistp224:
    case Scheme::rsassa_pss_sha224:
    case Scheme::rsa_pkcs1v15_sha224:
      return kNobody;
    default:
      return kSignature;
  }
}

}  // namespace canary::tuf
