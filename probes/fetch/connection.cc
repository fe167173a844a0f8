// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "config/duration.h"
#include "probes/openssl_memory.h"
#include "runtime/contract.h"

namespace canary::fetch {
namespace {

namespace asio = boost::asio;
using runtime::Task;
using runtime::Trace;

std::chrono::sys_seconds time_of(ASN1_TIME const* when) {
  std::tm time{};
  if (::ASN1_TIME_to_tm(when, &time) != 1) return std::chrono::sys_seconds::max();
  return std::chrono::sys_seconds{std::chrono::seconds{::timegm(&time)}};
}

Validity validity_of(X509 const* certificate) {
  return {time_of(::X509_get0_notBefore(certificate)), time_of(::X509_get0_notAfter(certificate))};
}

// Of the certificates that the server sent, its own first, the one that ends first.
std::optional<Validity> earliest_of(STACK_OF(X509) const* chain) {
  std::optional<Validity> earliest;
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    auto const validity = validity_of(sk_X509_value(chain, i));
    if (!earliest || validity.ends < earliest->ends) earliest = validity;
  }
  return earliest;
}

// What OpenSSL saw while it verified, noted before it gives the handshake up.
struct Verification {
  int error = X509_V_OK;
  bool sent = false;    // the certificate that failed is the server's, not one of our CAs
  bool is_own = false;  // and the server's own, not one of its issuers
  Validity failed;      // of the one that failed
  std::optional<Validity> earliest;

  void note(bool good, X509_STORE_CTX* store);
};

void Verification::note(bool good, X509_STORE_CTX* store) {
  X509* const own = ::X509_STORE_CTX_get0_cert(store);
  auto* const chain = ::X509_STORE_CTX_get0_untrusted(store);
  if (!earliest && own != nullptr) {
    earliest = validity_of(own);
    auto const of_chain = earliest_of(chain);
    if (of_chain && of_chain->ends < earliest->ends) earliest = of_chain;
  }
  X509* const bad = ::X509_STORE_CTX_get_current_cert(store);
  if (good || error != X509_V_OK) return;
  error = ::X509_STORE_CTX_get_error(store);
  if (bad == nullptr) return;
  failed = validity_of(bad);
  is_own = own != nullptr && ::X509_cmp(bad, own) == 0;
  sent = is_own;
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    sent = sent || ::X509_cmp(bad, sk_X509_value(chain, i)) == 0;
  }
}

// Bad is what no client accepts. Whether an issuer is known is a matter of each client's own CAs,
// and so is one of ours that has ended.
Connection::TlsFailure verification_failure(Verification const& seen, std::string const& host) {
  std::string const whose = seen.is_own ? "the TLS certificate of " + host
                                        : (seen.sent ? "a certificate in the TLS chain of "
                                                     : "our own CA's certificate for ") +
                                              host;
  FaultKind const otherwise = FaultKind::tls_untrusted;
  switch (seen.error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {seen.sent ? FaultKind::tls_expired : otherwise,
              whose + " ended on " + config::to_text(seen.failed.ends)};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {seen.sent ? FaultKind::tls_not_yet_valid : otherwise,
              whose + " is valid only from " + config::to_text(seen.failed.begins) + " on"};
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return {FaultKind::tls_wrong_host,
              "the TLS certificate that " + host + " shows is for other names"};
    case X509_V_ERR_OUT_OF_MEM:
      return {FaultKind::exhausted, "verifying the TLS certificate of " + host +
                                        " failed: " + std::string{own_trouble(ENOMEM)}};
    default:
      return {otherwise, "the TLS certificate of " + host +
                             " is by an issuer that is not among our CAs (ca_file, or the "
                             "system's): " +
                             ::X509_verify_cert_error_string(seen.error)};
  }
}

bool expect_host(SSL* tls, std::string const& host) {
  runtime::error_code not_an_address;
  auto const address = asio::ip::make_address(host, not_an_address);
  if (!not_an_address) {
    auto* const parameters = ::SSL_get0_param(tls);
    return ::X509_VERIFY_PARAM_set1_ip_asc(parameters, address.to_string().c_str()) == 1;
  }
  ::SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  std::string const name = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
  return SSL_set_tlsext_host_name(tls, name.c_str()) == 1 &&
         ::SSL_set1_host(tls, name.c_str()) == 1;
}

std::vector<std::string> encoded(STACK_OF(X509) const* chain) {
  std::vector<std::string> all;
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    X509* const certificate = sk_X509_value(chain, i);
    std::string der(static_cast<std::size_t>(std::max(0, ::i2d_X509(certificate, nullptr))), '\0');
    auto* at = reinterpret_cast<unsigned char*>(der.data());
    ::i2d_X509(certificate, &at);
    all.push_back(std::move(der));
  }
  return all;
}

Connection::Shown shown_by(SSL* tls, std::vector<int> errors) {
  Connection::Shown shown{.protocol = ::SSL_get_version(tls), .errors = std::move(errors)};
  shown.cipher = ::SSL_get_cipher_name(tls);
  shown.chain = encoded(::SSL_get_peer_cert_chain(tls));
  shown.verified = encoded(::SSL_get0_verified_chain(tls));
  unsigned char const* staple = nullptr;
  auto const size = SSL_get_tlsext_status_ocsp_resp(tls, &staple);
  if (size > 0) {
    shown.staple.assign(reinterpret_cast<char const*>(staple), static_cast<std::size_t>(size));
  }
  return shown;
}

Connection::TlsFailure handshake_failure(runtime::error_code error, std::string const& host,
                                         std::string const& peer) {
  std::string const what = "the TLS handshake with " + host + " at " + peer + " failed: ";
  bool const protocol = error.category() == asio::error::get_ssl_category();
  if (protocol && probes::is_want_of_memory(static_cast<unsigned long>(error.value()))) {
    return {FaultKind::exhausted, what + std::string{own_trouble(ENOMEM)}};
  }
  return {protocol ? FaultKind::tls_handshake : FaultKind::reset, what + error.message()};
}

}  // namespace

std::string to_text(Tcp::endpoint const& endpoint) {
  auto const address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(endpoint.port());
}

struct Connection::Tls {
  Tls(Tcp::socket& socket, TlsContexts::Context shared)
      : context(std::move(shared)), stream(socket, *context) {}
  TlsContexts::Context context;
  asio::ssl::stream<Tcp::socket&> stream;
  Verification verification;
};

Connection::Connection(Tcp::socket socket, std::string peer)
    : socket_(std::move(socket)), peer_(std::move(peer)), guard_(socket_.get_executor(), [this] {
        runtime::error_code ignored;
        socket_.close(ignored);
      }) {}

Connection::~Connection() = default;

Task<std::optional<Connection::TlsFailure>> Connection::handshake(TlsContexts::Context context,
                                                                  std::string host, Due due,
                                                                  Trace trace) {
  runtime::require_loop_thread();
  tls_ = std::make_unique<Tls>(socket_, std::move(context));
  SSL* const native = tls_->stream.native_handle();
  if (!expect_host(native, host)) {
    co_return TlsFailure{FaultKind::tls_handshake, "no TLS certificate can be for " + host};
  }
  auto const note = [seen = &tls_->verification](bool good, asio::ssl::verify_context& context) {
    seen->note(good, context.native_handle());
    return good;
  };
  tls_->stream.set_verify_callback(note);
  guard_.expect(due);
  auto const [error] = co_await tls_->stream.async_handshake(asio::ssl::stream_base::client,
                                                             wait(trace, "http.tls"));
  guard_.pause();
  if (!error) {
    certificates_ = earliest_of(::SSL_get_peer_cert_chain(native));
    co_return std::nullopt;
  }
  certificates_ = tls_->verification.earliest;
  if (timed_out()) co_return TlsFailure{FaultKind::timeout, {}};
  if (error == asio::error::operation_aborted) runtime::throw_operation_aborted();
  if (tls_->verification.error != X509_V_OK) {
    co_return verification_failure(tls_->verification, host);
  }
  co_return handshake_failure(error, host, peer_);
}

Task<canary::Result<Connection::Shown, Connection::TlsFailure>> Connection::look(
    TlsContexts::Context context, std::string host, Due due, Trace trace) {
  runtime::require_loop_thread();
  tls_ = std::make_unique<Tls>(socket_, std::move(context));
  SSL* const native = tls_->stream.native_handle();
  runtime::error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  if (not_an_address) SSL_set_tlsext_host_name(native, host.c_str());
  SSL_set_tlsext_status_type(native, TLSEXT_STATUSTYPE_ocsp);
  auto const errors = std::make_shared<std::vector<int>>();
  auto const note = [errors](bool good, asio::ssl::verify_context& seen) {
    if (!good) errors->push_back(::X509_STORE_CTX_get_error(seen.native_handle()));
    return true;
  };
  tls_->stream.set_verify_callback(note);
  guard_.expect(due);
  auto const [error] = co_await tls_->stream.async_handshake(asio::ssl::stream_base::client,
                                                             wait(trace, "tls.look"));
  guard_.pause();
  if (timed_out()) co_return TlsFailure{FaultKind::timeout, {}};
  if (error == asio::error::operation_aborted) runtime::throw_operation_aborted();
  if (error) {
    auto failure = handshake_failure(error, host, peer_);
    if (failure.kind == FaultKind::reset) failure.kind = FaultKind::tls_handshake;
    co_return failure;
  }
  co_return shown_by(native, *errors);
}

Task<Connection::Io> Connection::write(std::string bytes, Due due, Trace trace,
                                       runtime::StaticName name, std::source_location where) {
  runtime::require_loop_thread();
  Io io;
  guard_.expect(due);
  auto const buffer = asio::buffer(bytes);
  if (tls_) {
    auto const [error, size] =
        co_await asio::async_write(tls_->stream, buffer, wait(trace, name, where));
    io = {error, size};
  } else {
    auto const [error, size] =
        co_await asio::async_write(socket_, buffer, wait(trace, name, where));
    io = {error, size};
  }
  guard_.pause();
  if (io.error == asio::error::operation_aborted && !timed_out()) {
    runtime::throw_operation_aborted();
  }
  co_return io;
}

Task<Connection::Io> Connection::read_some(std::span<char> room, Due due, Trace trace,
                                           runtime::StaticName name, std::source_location where) {
  runtime::require_loop_thread();
  Io io;
  guard_.expect(due);
  auto const buffer = asio::buffer(room.data(), room.size());
  if (tls_) {
    auto const [error, size] =
        co_await tls_->stream.async_read_some(buffer, wait(trace, name, where));
    io = {error, size};
  } else {
    auto const [error, size] = co_await socket_.async_read_some(buffer, wait(trace, name, where));
    io = {error, size};
  }
  guard_.pause();
  if (io.error == asio::error::operation_aborted && !timed_out()) {
    runtime::throw_operation_aborted();
  }
  if (io.size > 0) trace.progress(io.size);
  co_return io;
}

bool Connection::is_idle() {
  runtime::require_loop_thread();
  char byte = 0;
  if (!socket_.is_open() || !input.empty() || timed_out()) return false;
  auto const size = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace canary::fetch
