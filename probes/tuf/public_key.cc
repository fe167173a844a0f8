// SPDX-License-Identifier: Apache-2.0
// Decodes keys and verifies signatures with OpenSSL 3's EVP; the only place that does.
// Thread: none (pure).
#include "probes/tuf/public_key.h"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "probes/openssl_memory.h"
#include "probes/tuf/digest.h"

namespace canary::tuf {
namespace {

constexpr int kMinRsaBits = 2048;  // TUF 1.0.34 §4.2

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;
using Handle = std::shared_ptr<EVP_PKEY>;

unsigned char const* octets(std::string_view bytes) {
  return reinterpret_cast<unsigned char const*>(bytes.data());
}

Handle own(EVP_PKEY* key) {
  ERR_clear_error();  // a bad key is data to us, not an error of OpenSSL's next user
  return key != nullptr ? Handle(key, EVP_PKEY_free) : nullptr;
}

// The body of "-----BEGIN PUBLIC KEY-----" or "-----BEGIN RSA PUBLIC KEY-----", nothing else;
// never asks for a passphrase.
Handle from_pem(std::string_view pem) {
  Owned<BIO> const bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  char* kind = nullptr;
  char* header = nullptr;
  unsigned char* body = nullptr;
  long size = 0;
  EVP_PKEY* key = nullptr;
  if (bio && PEM_read_bio(bio.get(), &kind, &header, &body, &size) == 1 &&
      std::string_view(header).empty()) {
    unsigned char const* at = body;
    if (std::string_view(kind) == PEM_STRING_PUBLIC) {
      key = d2i_PUBKEY(nullptr, &at, size);
    } else if (std::string_view(kind) == PEM_STRING_RSA_PUBLIC) {
      key = d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, size);
    }
    if (at != body + size) {  // something follows
      EVP_PKEY_free(key);
      key = nullptr;
    }
  }
  OPENSSL_free(kind);
  OPENSSL_free(header);
  OPENSSL_free(body);
  return own(key);
}

Handle from_parameters(char const* type, OSSL_PARAM_BLD* builder) {
  Owned<OSSL_PARAM> const parameters(OSSL_PARAM_BLD_to_param(builder));
  Owned<EVP_PKEY_CTX> const context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1) {
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
  }
  return own(key);
}

// The canonical key of a point, whatever form it has; null where it is not on the curve.
Handle from_point(std::string_view curve, std::string_view point) {
  Owned<OSSL_PARAM_BLD> const builder(OSSL_PARAM_BLD_new());
  bool const built = builder &&
                     OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                     curve.data(), curve.size()) == 1 &&
                     OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                                      point.data(), point.size()) == 1;
  return built ? from_parameters("EC", builder.get()) : nullptr;
}

Handle from_modulus(BIGNUM const& modulus, BIGNUM const& exponent) {
  Owned<OSSL_PARAM_BLD> const builder(OSSL_PARAM_BLD_new());
  bool const built = builder &&
                     OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, &modulus) == 1 &&
                     OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, &exponent) == 1;
  return built ? from_parameters("RSA", builder.get()) : nullptr;
}

Owned<BIGNUM> number_of(EVP_PKEY const& key, char const* name) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(&key, name, &number);
  ERR_clear_error();
  return Owned<BIGNUM>(number);
}

struct Curve {
  Scheme scheme;
  std::string_view name;   // OpenSSL's
  std::size_t field_size;  // bytes of a coordinate
};
constexpr std::array kCurves{
    Curve{Scheme::ecdsa_sha2_nistp224, "secp224r1", 28},
    Curve{Scheme::ecdsa_sha2_nistp256, "prime256v1", 32},
    Curve{Scheme::ecdsa_sha2_nistp384, "secp384r1", 48},
    Curve{Scheme::ecdsa_sha2_nistp521, "secp521r1", 66},
};

Curve const* curve_of(EVP_PKEY const& key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  int const known = EVP_PKEY_get_utf8_string_param(&key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(),
                                                   group.size(), &size);
  ERR_clear_error();
  if (known != 1) return nullptr;
  for (Curve const& curve : kCurves) {
    if (curve.name == std::string_view(group.data(), size)) return &curve;
  }
  return nullptr;
}

// "04" and both coordinates.
std::string whole_point(EVP_PKEY const& key, Curve const& curve) {
  Owned<BIGNUM> const x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X);
  Owned<BIGNUM> const y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y);
  if (!x || !y) return {};
  std::string point(1 + 2 * curve.field_size, '\x04');
  int const size = static_cast<int>(curve.field_size);
  auto* at = reinterpret_cast<unsigned char*>(point.data() + 1);
  bool const fits = BN_bn2binpad(x.get(), at, size) == size &&
                    BN_bn2binpad(y.get(), at + curve.field_size, size) == size;
  return fits ? point : std::string{};
}

void refuse(PublicKey& key, Fitness fitness, std::string problem) {
  key.handle = nullptr;
  key.fitness = fitness;
  key.problem = std::move(problem);
}

Handle read_ed25519(std::string_view text) {
  std::optional<std::string> const raw = from_hex(text);
  if (!raw) return nullptr;
  return own(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(*raw), raw->size()));
}

Handle read_ecdsa(Key const& text, PublicKey& key) {
  std::size_t const scheme =
      static_cast<std::size_t>(text.scheme) - static_cast<std::size_t>(Scheme::ecdsa_sha2_nistp224);
  if (text.hex_point) {
    std::optional<std::string> const point = from_hex(text.text);
    if (!point) return nullptr;
    key.compressed = point->front() != '\x04';
    return from_point(kCurves[scheme].name, *point);
  }
  Handle const written = from_pem(text.text);
  if (!written) return nullptr;
  Curve const* const curve =
      EVP_PKEY_get_base_id(written.get()) == EVP_PKEY_EC ? curve_of(*written) : nullptr;
  if (curve == nullptr) {
    refuse(key, Fitness::malformed, "not a key on one of the curves P-224, P-256, P-384, P-521");
    return nullptr;
  }
  key.other_curve = curve->scheme != text.scheme;
  std::array<char, 32> form{};
  EVP_PKEY_get_utf8_string_param(written.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                 form.data(), form.size(), nullptr);
  key.compressed = std::string_view(form.data()) != "uncompressed";
  return from_point(curve->name, whole_point(*written, *curve));
}

Handle read_rsa(std::string_view text, PublicKey& key, FileBudget const& budget) {
  Handle const written = from_pem(text);
  if (!written) return nullptr;
  int const type = EVP_PKEY_get_base_id(written.get());
  if (type != EVP_PKEY_RSA && type != EVP_PKEY_RSA_PSS) {
    refuse(key, Fitness::malformed, "not an RSA key");
    return nullptr;
  }
  Owned<BIGNUM> const modulus = number_of(*written, OSSL_PKEY_PARAM_RSA_N);
  Owned<BIGNUM> const exponent = number_of(*written, OSSL_PKEY_PARAM_RSA_E);
  if (!modulus || !exponent) return nullptr;
  key.rsa_bits = BN_num_bits(modulus.get());
  if (key.rsa_bits < kMinRsaBits) {
    refuse(key, Fitness::malformed,
           "RSA keys have 2048 bits or more, this one " + std::to_string(key.rsa_bits));
  } else if (!BN_is_odd(exponent.get()) || BN_is_one(exponent.get())) {
    refuse(key, Fitness::malformed, "no RSA key has this exponent");
  } else if (key.rsa_bits > budget.rsa_bits) {
    refuse(key, Fitness::unsupported,
           "an RSA key of " + std::to_string(key.rsa_bits) + " bits; canaryd verifies up to " +
               std::to_string(budget.rsa_bits));
  } else if (BN_num_bits(exponent.get()) > budget.rsa_exponent_bits) {
    refuse(key, Fitness::unsupported,
           "an RSA exponent of " + std::to_string(BN_num_bits(exponent.get())) +
               " bits; canaryd verifies up to " + std::to_string(budget.rsa_exponent_bits));
  } else {
    return from_modulus(*modulus, *exponent);
  }
  return nullptr;
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

// Which of Message's digests.
std::size_t digest_index(Scheme scheme) {
  Scheme const first = is_ecdsa(scheme) ? Scheme::ecdsa_sha2_nistp224
                       : is_pss(scheme) ? Scheme::rsassa_pss_sha224
                                        : Scheme::rsa_pkcs1v15_sha224;
  return static_cast<std::size_t>(scheme) - static_cast<std::size_t>(first);
}

EVP_MD const* digest_of(Scheme scheme) {
  constexpr std::array kDigests{EVP_sha224, EVP_sha256, EVP_sha384, EVP_sha512};
  return kDigests[digest_index(scheme)]();
}

bool verifies_ed25519(EVP_PKEY* key, std::string_view signature, std::string_view message) {
  Owned<EVP_MD_CTX> const context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message),
                          message.size()) == 1;
}

// `salt`: RSA_PSS_SALTLEN_…; looked at for RSA-PSS only.
bool verifies(PublicKey const& key, std::string_view signature, Message& message, int salt) {
  // OpenSSL counts references of the key it is given; nothing else of it changes.
  auto* const handle = const_cast<EVP_PKEY*>(key.handle.get());
  bool good = false;
  if (key.scheme == Scheme::ed25519) {
    good = verifies_ed25519(handle, signature, message.bytes());
  } else {
    Owned<EVP_PKEY_CTX> const context(EVP_PKEY_CTX_new(handle, nullptr));
    std::string_view const digest = message.digest(key.scheme);
    good = context && EVP_PKEY_verify_init(context.get()) == 1;
    if (good && is_rsa(key.scheme)) {
      int const padding = is_pss(key.scheme) ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
      good = EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) > 0;
    }
    good = good && EVP_PKEY_CTX_set_signature_md(context.get(), digest_of(key.scheme)) > 0;
    if (good && is_pss(key.scheme)) {
      good = EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), salt) > 0;
    }
    good = good && EVP_PKEY_verify(context.get(), octets(signature), signature.size(),
                                   octets(digest), digest.size()) == 1;
  }
  ERR_clear_error();
  return good;
}

}  // namespace

PublicKey decode_key(Key const& text, FileBudget const& budget) {
  probes::OpensslMemory const memory;
  PublicKey key;
  key.scheme = text.scheme;
  if (!text.usable()) {
    refuse(key, text.fitness, text.problem);
    return key;
  }
  Handle handle = text.scheme == Scheme::ed25519 ? read_ed25519(text.text)
                  : is_ecdsa(text.scheme)        ? read_ecdsa(text, key)
                                                 : read_rsa(text.text, key, budget);
  if (handle) key.fingerprint = fingerprint_of(*handle);
  if (!key.fingerprint.empty()) {
    key.fitness = Fitness::usable;
    key.handle = std::move(handle);
    return key;
  }
  memory.require();  // it may be a good one
  if (key.problem.empty()) {
    refuse(key, Fitness::malformed,
           text.hex_point ? "not a point of the curve" : "its public key does not decode");
  }
  return key;
}

std::string_view Message::digest(Scheme scheme) {
  std::string& digest = digests_[digest_index(scheme)];
  if (digest.empty()) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    // Of memory, which it needs a little of: there is nothing else that can fail.
    if (EVP_Digest(bytes_.data(), bytes_.size(), bytes.data(), &size, digest_of(scheme), nullptr) !=
        1) {
      throw std::bad_alloc{};
    }
    digest.assign(reinterpret_cast<char const*>(bytes.data()), size);
  }
  return digest;
}

SignatureCheck check_signature(PublicKey const& key, std::string_view hex, Message& message) {
  if (hex.empty()) return {SignatureState::empty, false};
  std::optional<std::string> const signature = from_hex(hex);
  if (!signature) return {SignatureState::malformed, false};
  probes::OpensslMemory const memory;
  if (!verifies(key, *signature, message, RSA_PSS_SALTLEN_AUTO)) {
    memory.require();
    return {SignatureState::invalid, false};
  }
  bool const usual =
      !is_pss(key.scheme) || verifies(key, *signature, message, RSA_PSS_SALTLEN_DIGEST);
  if (!usual) memory.require();
  return {SignatureState::valid, !usual};
}

std::chrono::microseconds nominal_cost(Key const& key, std::size_t message_size) {
  using std::chrono::microseconds;
  switch (key.scheme) {
    case Scheme::ed25519:  // hashes the whole message, twice as slow as it is copied
      return microseconds{150 + message_size / 300};
    case Scheme::ecdsa_sha2_nistp256:
      return microseconds{600};
    case Scheme::ecdsa_sha2_nistp224:
      return microseconds{1'000};
    case Scheme::ecdsa_sha2_nistp384:
    case Scheme::ecdsa_sha2_nistp521:
      return microseconds{3'000};
    default: {  // RSA: the square of the modulus' length, of which its text tells
      std::size_t const length = key.text.size() / 450 + 1;  // 1 for 2,048 bits
      return microseconds{100 * length * length};
    }
  }
}

}  // namespace canary::tuf
