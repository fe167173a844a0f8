// SPDX-License-Identifier: Apache-2.0
#include "tests/support/certificates.h"

#include <atomic>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace canary::support {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&::X509_free)>;

void check(bool good, char const* what) {
  if (!good) throw std::runtime_error(std::string{"making a certificate: "} + what);
}

Key make_key() {
  Key key{::EVP_EC_gen("P-256"), &::EVP_PKEY_free};
  check(key != nullptr, "key");
  return key;
}

void extend(X509* certificate, X509* issuer, int id, std::string const& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* const extension = ::X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  check(extension != nullptr, value.c_str());
  ::X509_add_ext(certificate, extension, -1);
  ::X509_EXTENSION_free(extension);
}

Certificate make_certificate(std::string const& name, EVP_PKEY* key, std::chrono::seconds begins,
                             std::chrono::seconds ends) {
  static std::atomic<long> serial{1};
  Certificate certificate{::X509_new(), &::X509_free};
  ::X509_set_version(certificate.get(), X509_VERSION_3);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate.get()), serial++);
  ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), begins.count());
  ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), ends.count());
  ::X509_set_pubkey(certificate.get(), key);
  auto const* const text = reinterpret_cast<unsigned char const*>(name.c_str());
  ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               text, -1, -1, 0);
  return certificate;
}

std::FILE* open_for_writing(std::filesystem::path const& path) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  check(file != nullptr, path.c_str());
  return file;
}

void write_certificate(std::filesystem::path const& path, X509* certificate) {
  std::FILE* const file = open_for_writing(path);
  ::PEM_write_X509(file, certificate);
  std::fclose(file);
}

void write_key(std::filesystem::path const& path, EVP_PKEY* key) {
  std::FILE* const file = open_for_writing(path);
  ::PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
}

}  // namespace

struct CertificateAuthority::Impl {
  std::filesystem::path folder;
  std::string name;
  Key key{nullptr, &::EVP_PKEY_free};
  Certificate certificate{nullptr, &::X509_free};
};

CertificateAuthority::CertificateAuthority(std::filesystem::path folder, std::string name)
    : impl_(std::make_unique<Impl>()) {
  impl_->folder = std::move(folder);
  impl_->name = std::move(name);
  impl_->key = make_key();
  impl_->certificate = make_certificate(impl_->name, impl_->key.get(), std::chrono::hours{-24},
                                        std::chrono::hours{24 * 365});
  auto* const own = impl_->certificate.get();
  ::X509_set_issuer_name(own, ::X509_get_subject_name(own));
  extend(own, own, NID_basic_constraints, "critical,CA:TRUE");
  extend(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
  check(::X509_sign(own, impl_->key.get(), ::EVP_sha256()) > 0, "signing the CA");
  write_certificate(certificate(), own);
}

CertificateAuthority::~CertificateAuthority() = default;

std::filesystem::path CertificateAuthority::certificate() const {
  return impl_->folder / (impl_->name + ".pem");
}

Credentials CertificateAuthority::issue(Wanted const& wanted) const {
  auto const key = make_key();
  auto const made = make_certificate(wanted.file_name, key.get(), wanted.begins, wanted.ends);
  auto* const issuer = impl_->certificate.get();
  ::X509_set_issuer_name(made.get(), ::X509_get_subject_name(issuer));
  std::string names;
  for (auto const& name : wanted.names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  for (auto const& one : wanted.addresses) names += (names.empty() ? "IP:" : ",IP:") + one;
  if (!names.empty()) extend(made.get(), issuer, NID_subject_alt_name, names);
  check(::X509_sign(made.get(), impl_->key.get(), ::EVP_sha256()) > 0, "signing");
  Credentials const files{impl_->folder / (wanted.file_name + ".pem"),
                          impl_->folder / (wanted.file_name + ".key")};
  write_certificate(files.certificate, made.get());
  write_key(files.key, key.get());
  return files;
}

}  // namespace canary::support
