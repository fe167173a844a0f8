// SPDX-License-Identifier: Apache-2.0
// Reads public keys and verifies signatures with OpenSSL 3's EVP; the only place that does.
// Thread: none (pure).
#include "probes/tuf/keys.h"

#include <array>
#include <optional>
#include <utility>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "probes/tuf/canonical_json.h"
#include "probes/tuf/digest.h"

namespace canary::tuf {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 16384;
constexpr int kUsualSalt = 32;

// DER of a SubjectPublicKeyInfo up to the curve point.
constexpr std::string_view kP256Header(
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    "\x03\x42\x00",
    26);
constexpr std::string_view kP384Header(
    "\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00",
    23);

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Handle = std::shared_ptr<EVP_PKEY>;

unsigned char const* octets(std::string_view bytes) {
  return reinterpret_cast<unsigned char const*>(bytes.data());
}

Handle own(EVP_PKEY* key) {
  ERR_clear_error();  // a bad key is data to us, not an error of OpenSSL's next user
  return key != nullptr ? Handle(key, EVP_PKEY_free) : nullptr;
}

Handle from_der(std::string_view der) {
  unsigned char const* at = octets(der);
  Handle key = own(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  return at == octets(der) + der.size() ? key : nullptr;
}

// "-----BEGIN PUBLIC KEY-----" only; never asks for a passphrase.
Handle from_pem(std::string_view pem) {
  std::unique_ptr<BIO, Free> const bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<std::size_t>(pem.size(), 1 << 20))));
  char* kind = nullptr;
  char* header = nullptr;
  unsigned char* body = nullptr;
  long size = 0;
  Handle key;
  if (bio && PEM_read_bio(bio.get(), &kind, &header, &body, &size) == 1) {
    if (std::string_view(kind) == PEM_STRING_PUBLIC && std::string_view(header).empty()) {
      key = from_der({reinterpret_cast<char const*>(body), static_cast<std::size_t>(size)});
    }
  }
  OPENSSL_free(kind);
  OPENSSL_free(header);
  OPENSSL_free(body);
  ERR_clear_error();
  return key;
}

struct Read {
  Handle handle;
  std::string problem;
  bool legacy = false;
};

Read problem(std::string_view text) { return {nullptr, std::string(text), false}; }

Read read_ed25519(std::string_view text) {
  std::optional<std::string> const raw = from_hex(text);
  if (!raw || raw->size() != 32) return problem("an ed25519 key is 64 hexadecimal digits");
  Handle key = own(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(*raw), 32));
  return key ? Read{key, {}, false} : problem("not a point of the curve");
}

bool is_on_curve(EVP_PKEY const& key, std::string_view curve) {
  if (EVP_PKEY_get_base_id(&key) != EVP_PKEY_EC) return false;
  std::array<char, 64> group{};
  std::size_t size = 0;
  int const known = EVP_PKEY_get_utf8_string_param(&key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(),
                                                   group.size(), &size);
  ERR_clear_error();
  return known == 1 && std::string_view(group.data(), size) == curve;
}

Read read_ecdsa(std::string_view text, std::string_view curve, std::string_view header) {
  std::size_t const point = header == kP256Header ? 65 : 97;
  if (std::optional<std::string> const raw = from_hex(text); raw && !raw->empty()) {
    if (raw->size() != point || raw->front() != '\x04') {
      return problem("a hexadecimal ECDSA key is one uncompressed point of the scheme's curve");
    }
    Handle key = from_der(std::string(header) + *raw);
    return key ? Read{key, {}, true} : problem("not a point of the curve");
  }
  Handle key = from_pem(text);
  if (!key) return problem("neither a PEM public key nor a hexadecimal point");
  if (!is_on_curve(*key, curve)) return problem("the key is not on the scheme's curve");
  return {key, {}, false};
}

Read read_rsa(std::string_view text) {
  Handle key = from_pem(text);
  if (!key) return problem("not a PEM public key");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return problem("not an RSA key");
  int const bits = EVP_PKEY_get_bits(key.get());
  if (bits < kMinRsaBits || bits > kMaxRsaBits) {
    return problem("RSA keys have 2048 to 16384 bits, this one " + std::to_string(bits));
  }
  return {key, {}, false};
}

Scheme scheme_of(std::string_view type, std::string_view scheme) {
  bool const ecdsa = type == "ecdsa" || type == scheme;
  if (type == "ed25519" && scheme == "ed25519") return Scheme::ed25519;
  if (ecdsa && scheme == "ecdsa-sha2-nistp256") return Scheme::ecdsa_sha2_nistp256;
  if (ecdsa && scheme == "ecdsa-sha2-nistp384") return Scheme::ecdsa_sha2_nistp384;
  if (type == "rsa" && scheme == "rsassa-pss-sha256") return Scheme::rsassa_pss_sha256;
  return Scheme::unknown;
}

Read read_public_key(Scheme scheme, std::string_view text) {
  switch (scheme) {
    case Scheme::ed25519:
      return read_ed25519(text);
    case Scheme::ecdsa_sha2_nistp256:
      return read_ecdsa(text, "prime256v1", kP256Header);
    case Scheme::ecdsa_sha2_nistp384:
      return read_ecdsa(text, "secp384r1", kP384Header);
    case Scheme::rsassa_pss_sha256:
      return read_rsa(text);
    case Scheme::unknown:
      break;
  }
  return problem("unknown type or scheme");
}

std::string fingerprint_of(EVP_PKEY const& key) {
  unsigned char* der = nullptr;
  int const size = i2d_PUBKEY(&key, &der);
  if (size <= 0) return {};
  std::string hex =
      sha256_hex({reinterpret_cast<char const*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return hex;
}

EVP_MD const* digest_of(Scheme scheme) {
  if (scheme == Scheme::ed25519) return nullptr;
  return scheme == Scheme::ecdsa_sha2_nistp384 ? EVP_sha384() : EVP_sha256();
}

// `salt`: bytes, or RSA_PSS_SALTLEN_AUTO; looked at for RSA-PSS only.
bool verifies(Key const& key, std::string_view signature, std::string_view message, int salt) {
  std::unique_ptr<EVP_MD_CTX, Free> const context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  // OpenSSL counts references of the key it is given; nothing else of it changes.
  auto* handle = const_cast<EVP_PKEY*>(key.handle.get());
  bool good = context && EVP_DigestVerifyInit(context.get(), &options, digest_of(key.scheme),
                                              nullptr, handle) == 1;
  if (good && key.scheme == Scheme::rsassa_pss_sha256) {
    good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt) > 0;
  }
  good = good && EVP_DigestVerify(context.get(), octets(signature), signature.size(),
                                  octets(message), message.size()) == 1;
  ERR_clear_error();
  return good;
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

Result<std::string> key_id(json::Value const& key, std::string_view role) {
  BOOST_OUTCOME_TRY(auto const canonical, canonical_json(key, role, "keys"));
  return sha256_hex(canonical);
}

Result<Key> parse_key(std::string_view id, json::Value const& value, std::string_view role) {
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
  key.scheme = scheme_of(key.type, key.scheme_name);
  json::Value const* text = keyval->find("public");
  if (text == nullptr || !text->is_string()) {
    key.problem = "keyval has no public key";
    return key;
  }
  Read read = read_public_key(key.scheme, text->string());
  if (read.handle) key.fingerprint = fingerprint_of(*read.handle);
  key.problem = std::move(read.problem);
  key.legacy_format = read.legacy;
  key.handle = std::move(read.handle);
  return key;
}

SignatureCheck check_signature(Key const& key, std::string_view hex, std::string_view message) {
  if (hex.empty()) return {SignatureState::empty, false};
  std::optional<std::string> const signature = from_hex(hex);
  if (!signature) return {SignatureState::malformed, false};
  if (verifies(key, *signature, message, kUsualSalt)) return {SignatureState::valid, false};
  if (key.scheme == Scheme::rsassa_pss_sha256 &&
      verifies(key, *signature, message, RSA_PSS_SALTLEN_AUTO)) {
    return {SignatureState::valid, true};
  }
  return {SignatureState::invalid, false};
}

}  // namespace canary::tuf
