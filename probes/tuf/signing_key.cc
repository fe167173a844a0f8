// SPDX-License-Identifier: Apache-2.0
// Generates keys and signs with OpenSSL 3's EVP.
// Thread: none.
#include "probes/tuf/signing_key.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "probes/tuf/authoring.h"
#include "probes/tuf/digest.h"

namespace canary::tuf {
namespace {

// Only memory or a broken OpenSSL can be the reason: nothing to go on with.
void require(bool good, char const* what) {
  if (good) return;
  std::fprintf(stderr, "canaryd: OpenSSL cannot %s\n", what);
  std::abort();
}

unsigned char const* octets(std::string_view bytes) {
  return reinterpret_cast<unsigned char const*>(bytes.data());
}

std::string public_pem(EVP_PKEY* key) {
  std::unique_ptr<BIO, decltype(&BIO_free)> const bio(BIO_new(BIO_s_mem()), BIO_free);
  require(bio && PEM_write_bio_PUBKEY(bio.get(), key) == 1, "write a public key");
  char* text = nullptr;
  long const size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string raw_public(EVP_PKEY* key) {
  std::array<unsigned char, 32> raw{};
  std::size_t size = raw.size();
  require(EVP_PKEY_get_raw_public_key(key, raw.data(), &size) == 1, "read a public key");
  return to_hex({reinterpret_cast<char const*>(raw.data()), size});
}

std::string key_object(std::string_view type, std::string_view scheme, std::string_view text) {
  return R"({"keytype":)" + json_quote(type) + R"(,"keyval":{"public":)" + json_quote(text) +
         R"(},"scheme":)" + json_quote(scheme) + "}";
}

std::string describe(EVP_PKEY* key, Scheme scheme) {
  if (scheme == Scheme::ed25519) return key_object("ed25519", "ed25519", raw_public(key));
  return key_object(is_ecdsa(scheme) ? "ecdsa" : "rsa", name(scheme), public_pem(key));
}

char const* curve_of(Scheme scheme) {
  if (scheme == Scheme::ecdsa_sha2_nistp224) return "P-224";
  if (scheme == Scheme::ecdsa_sha2_nistp256) return "P-256";
  return scheme == Scheme::ecdsa_sha2_nistp384 ? "P-384" : "P-521";
}

EVP_MD const* digest_of(Scheme scheme) {
  if (scheme == Scheme::ed25519) return nullptr;
  std::string_view const text = name(scheme);
  if (text.ends_with("224")) return EVP_sha224();
  if (text.ends_with("256")) return EVP_sha256();
  return text.ends_with("384") ? EVP_sha384() : EVP_sha512();
}

std::string id_of(std::string const& object) {
  auto const document = json::Document::parse(object, "key", {});
  require(document.has_value(), "read the JSON of a key");
  auto const id = key_id(document.value()->root(), "key");
  require(id.has_value(), "canonicalise the JSON of a key");
  return id.value();
}

}  // namespace

SigningKey::SigningKey(std::shared_ptr<evp_pkey_st> key, Scheme scheme)
    : key_(std::move(key)),
      scheme_(scheme),
      json_(describe(key_.get(), scheme)),
      id_(id_of(json_)) {}

SigningKey SigningKey::ed25519(std::string_view seed) {
  auto const secret = sha256(seed);
  EVP_PKEY* key =
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.data(), secret.size());
  require(key != nullptr, "make an ed25519 key");
  return {std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free), Scheme::ed25519};
}

SigningKey SigningKey::generate(Scheme scheme) {
  require(scheme != Scheme::unknown, "generate a key of unknown scheme");
  EVP_PKEY* const key = scheme == Scheme::ed25519 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                        : is_ecdsa(scheme)        ? EVP_EC_gen(curve_of(scheme))
                                                  : EVP_RSA_gen(2048);
  require(key != nullptr, "generate a key");
  return {std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free), scheme};
}

std::string SigningKey::sign(std::string_view message) const {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EVP_PKEY_CTX* options = nullptr;
  require(EVP_DigestSignInit(context.get(), &options, digest_of(scheme_), nullptr, key_.get()) == 1,
          "sign");
  if (is_pss(scheme_)) {
    require(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0, "use PSS");
    require(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) > 0, "use PSS");
  }
  std::size_t size = 0;
  require(EVP_DigestSign(context.get(), nullptr, &size, octets(message), message.size()) == 1,
          "sign");
  std::string signature(size, '\0');
  require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                         octets(message), message.size()) == 1,
          "sign");
  signature.resize(size);
  return to_hex(signature);
}

SigningKey SigningKey::with_id(std::string id) const {
  SigningKey copy = *this;
  copy.id_ = std::move(id);
  return copy;
}

SigningKey SigningKey::with_public_json(std::string json) const {
  SigningKey copy = *this;
  copy.json_ = std::move(json);
  copy.id_ = id_of(copy.json_);
  return copy;
}

}  // namespace canary::tuf
