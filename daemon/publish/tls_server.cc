// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/tls_server.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <gnutls/x509.h>

#include "config/read_file.h"

namespace canary::daemon {
namespace {

using config::NamedFile;
using config::Problem;
using config::WebTls;
using ClientAuth = WebTls::ClientAuth;

constexpr std::size_t kMostPem = std::size_t{4} << 20;

Problem problem_at(NamedFile const& file, std::string const& what) {
  Problem problem = file.at;
  problem.message = what;
  return problem;
}

std::string priorities(WebTls const& settings) {
  constexpr std::array<char const*, 4> kNames{":+VERS-TLS1.0", ":+VERS-TLS1.1", ":+VERS-TLS1.2",
                                              ":+VERS-TLS1.3"};
  std::string text = "NORMAL:-VERS-ALL";
  for (auto i = static_cast<std::size_t>(settings.least);
       i <= static_cast<std::size_t>(settings.most); ++i) {
    text += kNames.at(i);
  }
  return text + (settings.prefer_server_ciphers ? ":%SERVER_PRECEDENCE" : "");
}

gnutls_certificate_request_t request_of(ClientAuth client_auth) {
  switch (client_auth) {
    case ClientAuth::none:
      return GNUTLS_CERT_IGNORE;
    case ClientAuth::request:
    case ClientAuth::verify_if_given:
      return GNUTLS_CERT_REQUEST;
    case ClientAuth::require_any:
    case ClientAuth::require_and_verify:
      return GNUTLS_CERT_REQUIRE;
  }
  return GNUTLS_CERT_REQUIRE;
}

gnutls_datum_t datum_of(std::string const& bytes) {
  return {.data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())),
          .size = static_cast<unsigned>(bytes.size())};
}

// What GnuTLS says of a certificate and its key, for whoever has to mend it.
std::string why_no_pair(int error, WebTls const& settings) {
  std::string const key = settings.key.path.string(), own = settings.certificate.path.string();
  switch (error) {
    case GNUTLS_E_CERTIFICATE_KEY_MISMATCH:
      return key + " is not the key of " + own;
    case GNUTLS_E_DECRYPTION_FAILED:
      return key + " is encrypted: a key without a password is wanted";
    case GNUTLS_E_NO_CERTIFICATE_FOUND:
      return own + " holds no certificate in PEM";
    case GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR:
      return key + " or " + own + " is not what it should be, in PEM";
    default:
      return key + " and " + own + ": " + ::gnutls_strerror(error);
  }
}

// A name that the certificate has, as the setting writes it; "" for a kind that none has.
std::string name_of(unsigned kind, std::string_view bytes) {
  if (kind == GNUTLS_SAN_DNSNAME || kind == GNUTLS_SAN_RFC822NAME || kind == GNUTLS_SAN_URI) {
    return std::string{bytes};
  }
  bool const four = bytes.size() == sizeof(in_addr), six = bytes.size() == sizeof(in6_addr);
  if (kind != GNUTLS_SAN_IPADDRESS || (!four && !six)) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(four ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

}  // namespace

Result<std::shared_ptr<TlsServer const>, std::vector<Problem>> TlsServer::make(
    WebTls const& settings) {
  std::shared_ptr<TlsServer> made{new TlsServer{settings}};
  auto problems = made->prepare();
  if (!problems.empty()) return problems;
  return std::shared_ptr<TlsServer const>{std::move(made)};
}

std::vector<Problem> TlsServer::prepare() {
  gnutls_certificate_credentials_t credentials = nullptr;
  gnutls_priority_t priority = nullptr;
  int const allocated = ::gnutls_certificate_allocate_credentials(&credentials);
  credentials_.reset(credentials);
  int const parsed = ::gnutls_priority_init(&priority, priorities(settings_).c_str(), nullptr);
  priority_.reset(priority);
  if (allocated != GNUTLS_E_SUCCESS || parsed != GNUTLS_E_SUCCESS) throw std::bad_alloc{};
  std::vector<Problem> problems;
  take_key(problems);
  take_clients_ca(problems);
  return problems;
}

void TlsServer::take_key(std::vector<Problem>& problems) {
  auto const before = problems.size();
  auto const own = config::read_file(settings_.certificate.path, kMostPem);
  if (!own) problems.push_back(problem_at(settings_.certificate, own.error().text));
  auto key = config::read_file(settings_.key.path, kMostPem);
  if (!key) problems.push_back(problem_at(settings_.key, key.error().text));
  if (problems.size() != before) return;
  auto const certificate_bytes = datum_of(own.value()), key_bytes = datum_of(key.value());
  int const error = ::gnutls_certificate_set_x509_key_mem2(
      credentials_.get(), &certificate_bytes, &key_bytes, GNUTLS_X509_FMT_PEM, nullptr, 0);
  ::explicit_bzero(key.value().data(), key.value().size());
  if (error == GNUTLS_E_MEMORY_ERROR) throw std::bad_alloc{};
  if (error >= 0) return;
  bool const about_certificate = error == GNUTLS_E_NO_CERTIFICATE_FOUND;
  problems.push_back(problem_at(about_certificate ? settings_.certificate : settings_.key,
                                why_no_pair(error, settings_)));
}

void TlsServer::take_clients_ca(std::vector<Problem>& problems) {
  if (!settings_.client_ca) return;
  auto const& file = *settings_.client_ca;
  auto const bytes = config::read_file(file.path, kMostPem);
  if (!bytes) {
    problems.push_back(problem_at(file, bytes.error().text));
    return;
  }
  auto const pem = datum_of(bytes.value());
  int const count =
      ::gnutls_certificate_set_x509_trust_mem(credentials_.get(), &pem, GNUTLS_X509_FMT_PEM);
  if (count == GNUTLS_E_MEMORY_ERROR) throw std::bad_alloc{};
  if (count > 0) return;
  problems.push_back(problem_at(file, file.path.string() + " holds no certificate in PEM"));
}

bool TlsServer::put_on(gnutls_session_t session) const {
  ::gnutls_session_set_ptr(session, const_cast<TlsServer*>(this));
  ::gnutls_session_set_verify_function(session, [](gnutls_session_t each) {
    return static_cast<TlsServer const*>(::gnutls_session_get_ptr(each))->verify(each);
  });
  ::gnutls_certificate_server_set_request(session, request_of(settings_.client_auth));
  return ::gnutls_priority_set(session, priority_.get()) == GNUTLS_E_SUCCESS &&
         ::gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials_.get()) ==
             GNUTLS_E_SUCCESS;
}

// 0 where the client's certificate, if it showed one, is as it has to be.
int TlsServer::verify(gnutls_session_t session) const {
  if (settings_.client_auth != ClientAuth::verify_if_given &&
      settings_.client_auth != ClientAuth::require_and_verify) {
    return 0;
  }
  unsigned count = 0;
  auto const* const shown = ::gnutls_certificate_get_peers(session, &count);
  if (shown == nullptr || count == 0) {
    return settings_.client_auth == ClientAuth::verify_if_given ? 0 : -1;
  }
  gnutls_typed_vdata_st purpose{
      .type = GNUTLS_DT_KEY_PURPOSE_OID,
      .data = reinterpret_cast<unsigned char*>(const_cast<char*>(GNUTLS_KP_TLS_WWW_CLIENT)),
      .size = 0};
  unsigned status = 0;
  if (::gnutls_certificate_verify_peers(session, &purpose, 1, &status) != GNUTLS_E_SUCCESS ||
      status != 0) {
    return -1;
  }
  return settings_.client_allowed_sans.empty() || is_allowed(shown[0]) ? 0 : -1;
}

bool TlsServer::is_allowed(gnutls_datum_t const& certificate) const {
  gnutls_x509_crt_t parsed = nullptr;
  if (::gnutls_x509_crt_init(&parsed) != GNUTLS_E_SUCCESS) return false;
  bool allowed = false;
  if (::gnutls_x509_crt_import(parsed, &certificate, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS) {
    std::array<char, 2'048> bytes{};
    for (unsigned i = 0; !allowed; ++i) {
      std::size_t size = bytes.size();
      unsigned kind = 0;
      int const got =
          ::gnutls_x509_crt_get_subject_alt_name2(parsed, i, bytes.data(), &size, &kind, nullptr);
      if (got == GNUTLS_E_SHORT_MEMORY_BUFFER) continue;  // longer than any that is allowed
      if (got < 0) break;
      // Text comes with a NUL behind it that `size` may count.
      std::string_view text{bytes.data(), std::min(size, bytes.size())};
      if (kind != GNUTLS_SAN_IPADDRESS) text = text.substr(0, text.find('\0'));
      auto const name = name_of(kind, text);
      allowed = !name.empty() && std::ranges::find(settings_.client_allowed_sans, name) !=
                                     settings_.client_allowed_sans.end();
    }
  }
  ::gnutls_x509_crt_deinit(parsed);
  return allowed;
}

}  // namespace canary::daemon
