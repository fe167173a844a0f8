// SPDX-License-Identifier: Apache-2.0
// Tells dialects by what they have and TUF 1.0 has not.
// Thread: none (pure). Source: DSSE 1.0.2, hackage-security 0.6, Notary 0.7, ota-tuf (Uptane 2.1),
// in-toto 1.0, python-tuf before 1.0.
#include "probes/tuf/dialect.h"

#include <algorithm>

namespace canary::tuf {
namespace {

using json::Value;

bool has(Value const& object, std::string_view name) { return object.find(name) != nullptr; }

bool starts_with_capital(std::string_view text) {
  return !text.empty() && text.front() >= 'A' && text.front() <= 'Z';
}

std::string_view text_of(Value const& object, std::string_view name) {
  Value const* value = object.find(name);
  return value != nullptr && value->is_string() ? value->string() : std::string_view{};
}

template <class Test>
bool any_key(Value const& signed_part, Test test) {
  Value const* keys = signed_part.find("keys");
  if (keys == nullptr || !keys->is_object()) return false;
  return std::any_of(keys->object().begin(), keys->object().end(),
                     [&](json::Member const& key) { return test(key.value); });
}

// Files whose `_type` begins with a capital letter: all of TUF before 1.0, and who stayed there.
std::string old_dialect(Value const& signed_part) {
  std::string const type = "_type is \"" +
                           std::string(text_of(signed_part, "_type").substr(0, 20)) +
                           "\" with a capital letter, ";
  bool const notary = any_key(
      signed_part, [](Value const& key) { return text_of(key, "keytype").ends_with("-x509"); });
  if (notary) {
    return "this is Notary v1's dialect of TUF: " + type + "keys are X.509 certificates in base64";
  }
  bool const uptane = any_key(
      signed_part, [](Value const& key) { return starts_with_capital(text_of(key, "keytype")); });
  if (uptane) {
    return "this is Uptane as ota-tuf writes it: " + type + "keytypes are in upper case";
  }
  if (has(signed_part, "compression_algorithms")) {
    return "this is TUF before its version 1.0: " + type + "and there are compression_algorithms";
  }
  if (has(signed_part, "spec_version")) {
    return "this is a dialect of TUF: " + type + "TUF 1.0 has \"root\", \"timestamp\", …";
  }
  return "this is the dialect of Hackage (hackage-security): " + type +
         "keys and signatures are base64, and there is no spec_version";
}

}  // namespace

std::optional<std::string> foreign_dialect(Value const& file) {
  if (!file.is_object()) return std::nullopt;
  if (has(file, "payload") && has(file, "payloadType")) {
    return "signed is missing: this is a DSSE envelope, with payload and payloadType";
  }
  if (text_of(file, "mediaType").starts_with("application/vnd.dev.sigstore")) {
    return "signed is missing: this is a file of Sigstore's (" +
           std::string(text_of(file, "mediaType").substr(0, 80)) + "), no TUF metadata";
  }
  Value const* signed_part = file.find("signed");
  if (signed_part == nullptr) {
    if (!has(file, "_type")) return std::nullopt;
    return "signed is missing: this is the signed part alone, without its envelope of signed and "
           "signatures";
  }
  std::string_view const type = text_of(*signed_part, "_type");
  if (type == "layout" || type == "link") return "this is in-toto's metadata, not TUF's";
  if (starts_with_capital(type)) return old_dialect(*signed_part);
  return std::nullopt;
}

std::optional<std::string> foreign_bytes(std::string_view bytes) {
  // A SEQUENCE of more than 127 bytes.
  bool const der = bytes.size() > 2 && bytes[0] == '\x30' &&
                   (bytes[1] == '\x81' || bytes[1] == '\x82' || bytes[1] == '\x83');
  if (der) return "this is ASN.1 in DER, as Uptane's is, not JSON";
  if (bytes.starts_with("-----BEGIN ")) return "this is PEM, a key or a certificate, not JSON";
  return std::nullopt;
}

}  // namespace canary::tuf
