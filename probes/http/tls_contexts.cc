// SPDX-License-Identifier: Apache-2.0
#include "probes/http/tls_contexts.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <boost/asio/ssl/context.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "probes/http/file_identity.h"
#include "runtime/contract.h"

namespace canary::http {
namespace {

namespace ssl = boost::asio::ssl;
using Made = canary::Result<TlsContexts::Context, std::string>;
using Given = canary::Result<TlsContexts::Given, std::string>;

// Where distributions keep all accepted CAs in one file.
constexpr std::array kSystemBundles{"/etc/ssl/certs/ca-certificates.crt",
                                    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                    "/etc/ssl/cert.pem"};

std::filesystem::path ca_file_of(config::HttpSettings const& settings) {
  if (settings.ca_file) return *settings.ca_file;
  char const* const given = std::getenv("SSL_CERT_FILE");
  if (given != nullptr && *given != '\0') return given;
  for (auto const* const bundle : kSystemBundles) {
    std::error_code error;
    if (std::filesystem::exists(bundle, error)) return bundle;
  }
  return kSystemBundles.front();
}

std::string openssl_error() {
  auto const code = ::ERR_get_error();
  ::ERR_clear_error();
  char const* const reason = code == 0 ? nullptr : ::ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

// On the disk thread: reads files.
Made make_context(std::filesystem::path const& ca_file, config::HttpSettings const& settings) {
  ::ERR_clear_error();
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  auto* const native = context->native_handle();
  ::SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  ::SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  ::SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  ::SSL_CTX_set_alpn_protos(native, kHttp11, sizeof kHttp11);
  if (::SSL_CTX_load_verify_file(native, ca_file.c_str()) != 1) {
    return "the CA certificates in " + ca_file.string() + " cannot be read: " + openssl_error();
  }
  if (settings.client_cert_file.has_value() != settings.client_key_file.has_value()) {
    return std::string{"a client certificate needs both client_cert_file and client_key_file"};
  }
  if (!settings.client_cert_file) return context;
  auto const& certificate = *settings.client_cert_file;
  auto const& key = *settings.client_key_file;
  if (::SSL_CTX_use_certificate_chain_file(native, certificate.c_str()) != 1) {
    return "the client certificate in " + certificate.string() +
           " cannot be read: " + openssl_error();
  }
  if (::SSL_CTX_use_PrivateKey_file(native, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return "the client certificate's key in " + key.string() +
           " cannot be read: " + openssl_error();
  }
  if (::SSL_CTX_check_private_key(native) != 1) {
    return "the key in " + key.string() + " does not belong to the certificate in " +
           certificate.string();
  }
  return context;
}

struct Loaded {
  std::string identity;
  TlsContexts::Context known;  // unchanged
  Made fresh = TlsContexts::Context{};
};

}  // namespace

runtime::Task<Given> TlsContexts::get(config::HttpSettings settings, runtime::Trace trace) {
  runtime::require_loop_thread();
  std::string key;
  for (auto const* const file :
       {&settings.ca_file, &settings.client_cert_file, &settings.client_key_file}) {
    key += (*file ? (*file)->string() : std::string{}) + '\0';
  }
  auto const known = entries_.find(key);
  Entry const entry = known == entries_.end() ? Entry{} : known->second;
  auto job = [settings, entry]() -> Loaded {
    auto const ca_file = ca_file_of(settings);
    std::string identity = ca_file.string() + "," + identity_of(ca_file);
    for (auto const* const file : {&settings.client_cert_file, &settings.client_key_file}) {
      if (*file) identity += identity_of(**file);
    }
    if (entry.context && entry.identity == identity) return {identity, entry.context};
    return {identity, nullptr, make_context(ca_file, settings)};
  };
  Loaded loaded = co_await disk_.run(trace, "tls.files", std::move(job));
  if (loaded.known) co_return TlsContexts::Given{loaded.known, std::nullopt};
  if (loaded.fresh) {
    entries_[key] = Entry{loaded.identity, loaded.fresh.value()};
    co_return TlsContexts::Given{loaded.fresh.value(), std::nullopt};
  }
  if (!entry.context) co_return loaded.fresh.error();
  KeptCredential kept{settings.client_cert_file.value_or(settings.ca_file.value_or("")).string(),
                      "TLS certificates cannot be read again, so what was read before is used: " +
                          loaded.fresh.error()};
  co_return TlsContexts::Given{entry.context, std::move(kept)};
}

}  // namespace canary::http
