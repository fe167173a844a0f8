// SPDX-License-Identifier: Apache-2.0
#include "probes/http/connection.h"

#include <sys/socket.h>

#include <cerrno>
#include <ctime>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "config/duration.h"

namespace canary::http {
namespace {

namespace asio = boost::asio;
using runtime::Task;
using runtime::Trace;

std::chrono::sys_seconds not_after(X509* certificate) {
  std::tm time{};
  if (::ASN1_TIME_to_tm(::X509_get0_notAfter(certificate), &time) != 1) {
    return std::chrono::sys_seconds::max();
  }
  return std::chrono::sys_seconds{std::chrono::seconds{::timegm(&time)}};
}

// The certificates that the server sent; its own first.
std::optional<std::chrono::sys_seconds> earliest_not_after(SSL* tls) {
  auto* const chain = ::SSL_get_peer_cert_chain(tls);
  std::optional<std::chrono::sys_seconds> earliest;
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    auto const end = not_after(sk_X509_value(chain, i));
    if (!earliest || end < *earliest) earliest = end;
  }
  return earliest;
}

Connection::TlsFailure verification_failure(SSL* tls, std::string const& host, long result) {
  std::string const reason = ::X509_verify_cert_error_string(result);
  X509* const own = ::SSL_get0_peer_certificate(tls);
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {FaultKind::tls_expired,
              "the TLS certificate chain of " + host + " has expired" +
                  (own == nullptr ? ""
                                  : " (the server's own ends on " +
                                        config::to_text(not_after(own)).substr(0, 10) + ")")};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {FaultKind::tls_not_yet_valid, "the TLS certificate of " + host + " is not valid yet"};
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return {FaultKind::tls_wrong_host, "the TLS certificate is not for " + host};
    default:
      return {FaultKind::tls_untrusted,
              "the TLS certificate of " + host + " is not trusted: " + reason};
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
  tls_ = std::make_unique<Tls>(socket_, std::move(context));
  SSL* const native = tls_->stream.native_handle();
  if (!expect_host(native, host)) {
    co_return TlsFailure{FaultKind::tls_handshake, "no TLS certificate can be for " + host};
  }
  guard_.expect(due);
  auto const [error] = co_await tls_->stream.async_handshake(asio::ssl::stream_base::client,
                                                             wait(trace, "http.tls"));
  guard_.pause();
  if (!error) {
    tls_not_after_ = earliest_not_after(native);
    co_return std::nullopt;
  }
  if (timed_out()) co_return TlsFailure{FaultKind::timeout, {}};
  if (error == asio::error::operation_aborted) runtime::throw_operation_aborted();
  long const result = ::SSL_get_verify_result(native);
  if (result != X509_V_OK) co_return verification_failure(native, host, result);
  bool const protocol = error.category() == asio::error::get_ssl_category();
  co_return TlsFailure{
      protocol ? FaultKind::tls_handshake : FaultKind::reset,
      "the TLS handshake with " + host + " at " + peer_ + " failed: " + error.message()};
}

Task<Connection::Io> Connection::write(std::string bytes, Due due, Trace trace,
                                       runtime::StaticName name, std::source_location where) {
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
  char byte = 0;
  if (!socket_.is_open() || !input.empty() || timed_out()) return false;
  auto const size = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace canary::http
