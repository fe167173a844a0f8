// SPDX-License-Identifier: Apache-2.0
// Which keys we know how to use, told from their text alone: no arithmetic, so that a file full of
// keys costs no more than its bytes.
// Thread: none (pure).
#include "probes/tuf/keys.h"

#include <algorithm>
#include <array>
#include <utility>

#include "probes/tuf/canonical_json.h"
#include "probes/tuf/digest.h"

namespace canary::tuf {
namespace {

constexpr std::size_t kShownName = 60;  // bytes of an untrusted name that a message repeats

struct SchemeRow {
  Scheme scheme;
  std::string_view name;
  std::string_view type;
};

constexpr std::array kSchemes{
    SchemeRow{Scheme::unknown, "unknown", ""},
    SchemeRow{Scheme::ed25519, "ed25519", "ed25519"},
    SchemeRow{Scheme::ecdsa_sha2_nistp224, "ecdsa-sha2-nistp224", "ecdsa"},
    SchemeRow{Scheme::ecdsa_sha2_nistp256, "ecdsa-sha2-nistp256", "ecdsa"},
    SchemeRow{Scheme::ecdsa_sha2_nistp384, "ecdsa-sha2-nistp384", "ecdsa"},
    SchemeRow{Scheme::ecdsa_sha2_nistp521, "ecdsa-sha2-nistp521", "ecdsa"},
    SchemeRow{Scheme::rsassa_pss_sha224, "rsassa-pss-sha224", "rsa"},
    SchemeRow{Scheme::rsassa_pss_sha256, "rsassa-pss-sha256", "rsa"},
    SchemeRow{Scheme::rsassa_pss_sha384, "rsassa-pss-sha384", "rsa"},
    SchemeRow{Scheme::rsassa_pss_sha512, "rsassa-pss-sha512", "rsa"},
    SchemeRow{Scheme::rsa_pkcs1v15_sha224, "rsa-pkcs1v15-sha224", "rsa"},
    SchemeRow{Scheme::rsa_pkcs1v15_sha256, "rsa-pkcs1v15-sha256", "rsa"},
    SchemeRow{Scheme::rsa_pkcs1v15_sha384, "rsa-pkcs1v15-sha384", "rsa"},
    SchemeRow{Scheme::rsa_pkcs1v15_sha512, "rsa-pkcs1v15-sha512", "rsa"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kSchemes.size(); ++i) {
    if (kSchemes[i].scheme != static_cast<Scheme>(i)) return false;
  }
  return kSchemes.back().scheme == Scheme::rsa_pkcs1v15_sha512;
}
static_assert(in_order(), "a row per scheme, in the order of the enumeration");

std::string quoted(std::string_view text) {
  std::string shown = "\"";
  shown.append(text.substr(0, kShownName)).append(text.size() > kShownName ? "…\"" : "\"");
  return shown;
}

// The older spelling of an ECDSA key's type is its scheme.
bool has_type(SchemeRow const& row, std::string_view type) {
  return row.type == type || (row.type == "ecdsa" && row.name == type);
}

void refuse(Key& key, Fitness fitness, std::string problem) {
  key.fitness = fitness;
  key.problem = std::move(problem);
}

void find_scheme(Key& key) {
  bool known_name = false;
  bool known_type = false;
  for (SchemeRow const& row : kSchemes) {
    bool const named = row.scheme != Scheme::unknown && row.name == key.scheme_name;
    bool const typed = row.scheme != Scheme::unknown && has_type(row, key.type);
    if (named && typed) {
      key.scheme = row.scheme;
      return;
    }
    known_name = known_name || named;
    known_type = known_type || typed;
  }
  std::string const both = "keytype " + quoted(key.type) + ", scheme " + quoted(key.scheme_name);
  if (known_name && known_type) {
    refuse(key, Fitness::malformed, both + " do not belong together");
  } else {
    refuse(key, Fitness::unsupported, both + " are not supported by canaryd");
  }
}

bool is_hex(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

void look_at_text(Key& key, FileBudget const& budget) {
  if (key.text.size() > budget.key_text) {
    refuse(key, Fitness::unsupported,
           "a public key of " + std::to_string(key.text.size()) + " bytes; canaryd reads up to " +
               std::to_string(budget.key_text));
    return;
  }
  bool const hex = is_hex(key.text);
  if (key.scheme == Scheme::ed25519) {
    if (!hex || key.text.size() != 64) {
      refuse(key, Fitness::malformed, "an ed25519 key is 64 hexadecimal digits");
    }
    return;
  }
  bool const spki = key.text.find("-----BEGIN PUBLIC KEY-----") != std::string_view::npos;
  key.pkcs1 = is_rsa(key.scheme) &&
              key.text.find("-----BEGIN RSA PUBLIC KEY-----") != std::string_view::npos;
  key.hex_point = is_ecdsa(key.scheme) && hex;
  if (spki || key.pkcs1 || key.hex_point) return;
  refuse(key, Fitness::malformed,
         is_ecdsa(key.scheme) ? "neither a PEM public key nor a hexadecimal point"
                              : "not a PEM public key");
}

Result<std::string_view> text_of(json::Value const& key, std::string_view field,
                                 std::string_view id, std::string_view role) {
  json::Value const* value = key.find(field);
  std::string where = "keys." + std::string(id) + "." + std::string(field);
  if (value == nullptr) return Rejection{Rule::field_missing, std::string(role), where};
  if (!value->is_string()) {
    return Rejection{Rule::field_invalid, std::string(role), where + ": expected a string"};
  }
  return value->string();
}

}  // namespace

std::string_view name(Scheme scheme) { return kSchemes[static_cast<std::size_t>(scheme)].name; }

bool is_ecdsa(Scheme scheme) {
  return scheme >= Scheme::ecdsa_sha2_nistp224 && scheme <= Scheme::ecdsa_sha2_nistp521;
}

bool is_pss(Scheme scheme) {
  return scheme >= Scheme::rsassa_pss_sha224 && scheme <= Scheme::rsassa_pss_sha512;
}

bool is_rsa(Scheme scheme) { return scheme >= Scheme::rsassa_pss_sha224; }

Result<std::string> key_id(json::Value const& key, std::string_view role) {
  BOOST_OUTCOME_TRY(auto const canonical, canonical_json(key, role, "keys"));
  return sha256_hex(canonical);
}

Result<Key> parse_key(std::string_view id, json::Value const& value, std::string_view role,
                      FileBudget const& budget) {
  std::string const where = "keys." + std::string(id);
  if (!value.is_object()) {
    return Rejection{Rule::field_invalid, std::string(role), where + ": expected an object"};
  }
  Key key;
  key.id = id;
  BOOST_OUTCOME_TRY(key.type, text_of(value, "keytype", id, role));
  BOOST_OUTCOME_TRY(key.scheme_name, text_of(value, "scheme", id, role));
  json::Value const* keyval = value.find("keyval");
  if (keyval == nullptr || !keyval->is_object()) {
    return Rejection{keyval == nullptr ? Rule::field_missing : Rule::field_invalid,
                     std::string(role), where + ".keyval: expected an object"};
  }
  BOOST_OUTCOME_TRY(auto const computed, key_id(value, role));
  key.id_matches = computed == id;
  json::Value const* text = keyval->find("public");
  if (text != nullptr && text->is_string()) key.text = text->string();
  find_scheme(key);
  if (!key.usable()) return key;
  if (text == nullptr || !text->is_string()) {
    refuse(key, Fitness::malformed, "keyval has no public key");
  } else {
    look_at_text(key, budget);
  }
  return key;
}

}  // namespace canary::tuf
