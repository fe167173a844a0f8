// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "config/duration.h"
#include "probes/fetch/tls_session.h"
#include "probes/openssl_memory.h"
#include "runtime/contract.h"

namespace canary::fetch {
namespace {

namespace asio = boost::asio;
using runtime::Task;
using runtime::Trace;

// Nothing where it is no time: whoever wrote the certificate chose the bytes.
std::optional<std::chrono::sys_seconds> time_of(ASN1_TIME const* when) {
  std::tm time{};
  if (when == nullptr || ::ASN1_TIME_to_tm(when, &time) != 1) return std::nullopt;
  return std::chrono::sys_seconds{std::chrono::seconds{::timegm(&time)}};
}

std::optional<Validity> validity_of(X509 const* certificate) {
  auto const begins = time_of(::X509_get0_notBefore(certificate));
  auto const ends = time_of(::X509_get0_notAfter(certificate));
  if (!begins || !ends) return std::nullopt;
  return Validity{*begins, *ends};
}

// Of the certificates that the server sent, its own first, the one that ends first, as far as they
// say when they do.
std::optional<Validity> earliest_of(STACK_OF(X509) const* chain) {
  std::optional<Validity> earliest;
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    auto const validity = validity_of(sk_X509_value(chain, i));
    if (validity && (!earliest || validity->ends < earliest->ends)) earliest = validity;
  }
  return earliest;
}

// What OpenSSL saw while it verified, noted before it gives the handshake up.
struct Verification {
  int error = X509_V_OK;
  bool sent = false;    // the certificate that failed is the server's, not one of our CAs
  bool is_own = false;  // and the server's own, not one of its issuers
  std::optional<std::chrono::sys_seconds> begins, ends;  // of the one that failed
  bool seen = false;                                     // earliest is looked for once
  std::optional<Validity> earliest;

  void note(bool good, X509_STORE_CTX* store);
};

void Verification::note(bool good, X509_STORE_CTX* store) {
  X509* const own = ::X509_STORE_CTX_get0_cert(store);
  auto* const chain = ::X509_STORE_CTX_get0_untrusted(store);
  if (!seen) earliest = earliest_of(chain);
  seen = true;
  X509* const failed = ::X509_STORE_CTX_get_current_cert(store);
  if (good || error != X509_V_OK) return;
  error = ::X509_STORE_CTX_get_error(store);
  if (failed == nullptr) return;
  begins = time_of(::X509_get0_notBefore(failed));
  ends = time_of(::X509_get0_notAfter(failed));
  is_own = own != nullptr && ::X509_cmp(failed, own) == 0;
  sent = is_own;
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    sent = sent || ::X509_cmp(failed, sk_X509_value(chain, i)) == 0;
  }
}

std::string text_of(std::optional<std::chrono::sys_seconds> const& time) {
  return time ? config::to_text(*time) : "a time that cannot be read";
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
              whose + " ended on " + text_of(seen.ends)};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {seen.sent ? FaultKind::tls_not_yet_valid : otherwise,
              whose + " is valid only from " + text_of(seen.begins) + " on"};
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
  auto const size = SSL_get_tlsext_status_ocsp_resp(tls, static_cast<void*>(&staple));
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
  explicit Tls(TlsContexts::Context context) : session(std::move(context)) {}
  TlsSession session;
  Verification verification;
  std::vector<int> errors;  // of look()
  std::array<char, 16 * 1024> received;
};

Connection::Connection(Tcp::socket socket, std::string peer)
    : socket_(std::move(socket)), peer_(std::move(peer)), guard_(socket_.get_executor(), [this] {
        runtime::error_code ignored;
        socket_.close(ignored);
      }) {}

Connection::~Connection() = default;

// Sends what TLS has to say, if anything.
Task<runtime::error_code> Connection::send_output(Trace trace, runtime::StaticName name,
                                                  std::source_location where) {
  std::string const bytes = tls_->session.take_output();
  if (bytes.empty()) co_return runtime::error_code{};
  auto const [error, size] =
      co_await asio::async_write(socket_, asio::buffer(bytes), wait(trace, name, where));
  co_return error;
}

// An end that TLS did not announce is an error of its own.
Task<runtime::error_code> Connection::receive_input(Trace trace, runtime::StaticName name,
                                                    std::source_location where) {
  auto const room = asio::buffer(tls_->received);
  auto const [error, size] = co_await socket_.async_read_some(room, wait(trace, name, where));
  tls_->session.feed({tls_->received.data(), size});
  bool const ended = error == asio::error::eof;
  co_return ended ? runtime::error_code{asio::ssl::error::stream_truncated} : error;
}

// The handshake to its end. Its steps are on a worker: the server chooses what they cost.
Task<runtime::error_code> Connection::shake(runtime::Workers& cpu, Trace trace,
                                            runtime::StaticName name, std::source_location where) {
  while (true) {
    auto step = [tls = tls_] { return tls->session.handshake(); };
    auto const done = co_await cpu.run(trace, name, std::move(step), where);
    auto const unsent = co_await send_output(trace, name, where);
    if (done.error) co_return done.error;
    if (unsent || !done.wants_input) co_return unsent;
    auto const missing = co_await receive_input(trace, name, where);
    if (missing) co_return missing;
  }
}

Task<std::optional<Connection::TlsFailure>> Connection::handshake(TlsContexts::Context context,
                                                                  std::string host,
                                                                  runtime::Workers& cpu, Due due,
                                                                  Trace trace) {
  runtime::require_loop_thread();
  tls_ = std::make_shared<Tls>(std::move(context));
  SSL* const native = tls_->session.native();
  if (!expect_host(native, host)) {
    co_return TlsFailure{FaultKind::tls_handshake, "no TLS certificate can be for " + host};
  }
  tls_->session.on_certificate([seen = &tls_->verification](bool good, X509_STORE_CTX* store) {
    seen->note(good, store);
    return good;
  });
  guard_.expect(due);
  auto const error = co_await shake(cpu, trace, "http.tls", std::source_location::current());
  guard_.pause();
  if (!error) {
    certificates_ = earliest_of(::SSL_get_peer_cert_chain(native));
    co_return std::nullopt;
  }
  certificates_ = tls_->verification.earliest;
  if (timed_out()) co_return TlsFailure{FaultKind::timeout, {}};
  if (error == asio::error::operation_aborted) runtime::throw_operation_aborted();
  if (!tls_->session.refused().empty()) {
    co_return TlsFailure{FaultKind::tls_costly, refusal(host)};
  }
  if (tls_->verification.error != X509_V_OK) {
    co_return verification_failure(tls_->verification, host);
  }
  co_return handshake_failure(error, host, peer_);
}

Task<canary::Result<Connection::Shown, Connection::TlsFailure>> Connection::look(
    TlsContexts::Context context, std::string host, runtime::Workers& cpu, Due due, Trace trace) {
  runtime::require_loop_thread();
  tls_ = std::make_shared<Tls>(std::move(context));
  SSL* const native = tls_->session.native();
  runtime::error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  if (not_an_address) SSL_set_tlsext_host_name(native, host.c_str());
  SSL_set_tlsext_status_type(native, TLSEXT_STATUSTYPE_ocsp);
  tls_->session.on_certificate([errors = &tls_->errors](bool good, X509_STORE_CTX* store) {
    if (!good) errors->push_back(::X509_STORE_CTX_get_error(store));
    return true;
  });
  guard_.expect(due);
  auto const error = co_await shake(cpu, trace, "tls.look", std::source_location::current());
  guard_.pause();
  if (timed_out()) co_return TlsFailure{FaultKind::timeout, {}};
  if (error == asio::error::operation_aborted) runtime::throw_operation_aborted();
  if (!tls_->session.refused().empty()) {
    co_return TlsFailure{FaultKind::tls_costly, refusal(host)};
  }
  if (error) {
    auto failure = handshake_failure(error, host, peer_);
    if (failure.kind == FaultKind::reset) failure.kind = FaultKind::tls_handshake;
    co_return failure;
  }
  co_return shown_by(native, tls_->errors);
}

std::string Connection::refusal(std::string const& host) const {
  return "the TLS handshake with " + host + " at " + peer_ +
         " was given up: " + tls_->session.refused();
}

Task<Connection::Io> Connection::write(std::string bytes, Due due, Trace trace,
                                       runtime::StaticName name, std::source_location where) {
  runtime::require_loop_thread();
  Io io;
  guard_.expect(due);
  if (tls_) {
    auto const step = tls_->session.write(bytes);
    io = {step.error, step.size};
    if (!io.error) io.error = co_await send_output(trace, name, where);
  } else {
    auto const buffer = asio::buffer(bytes);
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

Task<Connection::Io> Connection::read_tls(std::span<char> room, Trace trace,
                                          runtime::StaticName name, std::source_location where) {
  while (true) {
    auto const step = tls_->session.read(room);
    if (!step.wants_input) co_return Io{step.error, step.size};
    auto const unsent = co_await send_output(trace, name, where);
    if (unsent) co_return Io{.error = unsent};
    auto const missing = co_await receive_input(trace, name, where);
    if (missing) co_return Io{.error = missing};
  }
}

Task<Connection::Io> Connection::read_some(std::span<char> room, Due due, Trace trace,
                                           runtime::StaticName name, std::source_location where) {
  runtime::require_loop_thread();
  Io io;
  guard_.expect(due);
  if (tls_) {
    io = co_await read_tls(room, trace, name, where);
  } else {
    auto const buffer = asio::buffer(room.data(), room.size());
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
