// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/tls_contexts.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <boost/asio/ssl/context.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "probes/fetch/tls_session.h"
#include "probes/openssl_memory.h"
#include "runtime/contract.h"
#include "runtime/file_identity.h"

namespace canary::fetch {
namespace {

namespace ssl = boost::asio::ssl;
using Made = canary::Result<TlsContexts::Context, std::string>;
using Given = canary::Result<TlsContexts::Given, KeptCredential>;
using Known = runtime::KnownFile<ssl::context>;

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

std::string openssl_error(probes::OpensslMemory const& memory) {
  auto const code = ::ERR_peek_error();
  memory.require();
  char const* const reason = code == 0 ? nullptr : ::ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

// Which of the files is being read, for whoever waits for it.
enum class Reading : std::uint8_t { ca_file, client_cert, client_key };
using ReadingNow = std::atomic<Reading>;

std::filesystem::path name_of(Reading which, config::HttpSettings const& settings) {
  if (which == Reading::client_cert) return settings.client_cert_file.value_or("");
  if (which == Reading::client_key) return settings.client_key_file.value_or("");
  return settings.ca_file.value_or("the system's CA certificates");
}

// On a file thread.
Made make_context(std::filesystem::path const& ca_file, config::HttpSettings const& settings,
                  ReadingNow& now) {
  probes::OpensslMemory const memory;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  auto* const native = context->native_handle();
  ::SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  ::SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  bound_verification(native);
  ::SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  ::SSL_CTX_set_alpn_protos(native, kHttp11, sizeof kHttp11);
  now = Reading::ca_file;
  if (::SSL_CTX_load_verify_file(native, ca_file.c_str()) != 1) {
    return "the CA certificates in " + ca_file.string() +
           " cannot be read: " + openssl_error(memory);
  }
  if (settings.client_cert_file.has_value() != settings.client_key_file.has_value()) {
    return std::string{"a client certificate needs both client_cert_file and client_key_file"};
  }
  if (!settings.client_cert_file) return context;
  auto const& certificate = *settings.client_cert_file;
  auto const& key = *settings.client_key_file;
  now = Reading::client_cert;
  if (::SSL_CTX_use_certificate_chain_file(native, certificate.c_str()) != 1) {
    return "the client certificate in " + certificate.string() +
           " cannot be read: " + openssl_error(memory);
  }
  now = Reading::client_key;
  if (::SSL_CTX_use_PrivateKey_file(native, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return "the client certificate's key in " + key.string() +
           " cannot be read: " + openssl_error(memory);
  }
  if (::SSL_CTX_check_private_key(native) != 1) {
    return "the key in " + key.string() + " does not belong to the certificate in " +
           certificate.string();
  }
  return context;
}

// On a file thread: what is known after a look at the files.
Known look(Known known, config::HttpSettings const& settings, ReadingNow& now) {
  auto const ca_file = ca_file_of(settings);
  std::string identity = ca_file.string() + "," + runtime::identity_of(ca_file);
  for (auto const which : {Reading::client_cert, Reading::client_key}) {
    auto const file = name_of(which, settings);
    if (file.empty()) continue;
    now = which;
    identity += runtime::identity_of(file);
  }
  if (known.value && known.identity == identity) {
    known.problem.clear();
    return known;
  }
  auto fresh = make_context(ca_file, settings, now);
  known.problem = fresh ? "" : fresh.error();
  if (!fresh) return known;
  known.identity = std::move(identity);
  known.value = std::move(fresh).value();
  return known;
}

}  // namespace

runtime::Task<Given> TlsContexts::get(config::HttpSettings settings, runtime::Deadline until,
                                      runtime::Trace trace) {
  runtime::require_loop_thread();
  std::string key;
  for (auto const* const file :
       {&settings.ca_file, &settings.client_cert_file, &settings.client_key_file}) {
    key += (*file ? (*file)->string() : std::string{}) + '\0';
  }
  Known known = entries_[key];
  auto const now = std::make_shared<ReadingNow>(Reading::ca_file);
  auto read = [settings, now](Known known) { return look(std::move(known), settings, *now); };
  runtime::FileAsk ask{.name = "tls.files",
                       .file = name_of(Reading::ca_file, settings),
                       .key = "tls " + key,
                       .until = until};
  known = co_await runtime::look_again(trace, threads_, std::move(ask), std::move(known),
                                       std::move(read));
  if (known.waits) known.waits->file = name_of(*now, settings).string();
  entries_[key] = known;
  KeptCredential why{
      .file = settings.client_cert_file.value_or(settings.ca_file.value_or("")).string(),
      .why = known.problem,
      .waits = known.waits.has_value()};
  if (known.waits) {
    why.file = known.waits->file;
    why.why = sentence(*known.waits);
  }
  if (!known.value) co_return why;
  if (why.why.empty()) co_return TlsContexts::Given{known.value, std::nullopt};
  why.why = "TLS certificates cannot be read again, so what was read before is used: " + why.why;
  co_return TlsContexts::Given{known.value, std::move(why)};
}

}  // namespace canary::fetch
