// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/tls_session.h"

#include <cerrno>
#include <new>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace canary::fetch {
namespace {

namespace asio = boost::asio;

TlsSession* session_of(SSL const* tls) { return static_cast<TlsSession*>(SSL_get_app_data(tls)); }

TlsSession* session_of(X509_STORE_CTX* store) {
  auto const* const tls = static_cast<SSL const*>(
      ::X509_STORE_CTX_get_ex_data(store, ::SSL_get_ex_data_X509_STORE_CTX_idx()));
  return tls == nullptr ? nullptr : session_of(tls);
}

int verify_if_affordable(X509_STORE_CTX* store, void*) {
  TlsSession* const session = session_of(store);
  if (session == nullptr || session->affords(store)) return ::X509_verify_cert(store);
  ::X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
  return 0;
}

}  // namespace

void bound_verification(SSL_CTX* context) {
  ::SSL_CTX_set_cert_verify_callback(context, &verify_if_affordable, nullptr);
}

void TlsSession::Free::operator()(SSL* tls) const { ::SSL_free(tls); }

TlsSession::TlsSession(TlsContexts::Context context)
    : context_(std::move(context)), tls_(::SSL_new(context_->native_handle())) {
  ::ERR_clear_error();
  input_ = ::BIO_new(::BIO_s_mem());
  output_ = ::BIO_new(::BIO_s_mem());
  if (!tls_ || input_ == nullptr || output_ == nullptr) {
    ::BIO_free(input_);
    ::BIO_free(output_);
    throw std::bad_alloc{};
  }
  BIO_set_mem_eof_return(input_, -1);  // more may come
  BIO_set_mem_eof_return(output_, -1);
  ::SSL_set_bio(tls_.get(), input_, output_);
  SSL* const native = tls_.get();
  SSL_set_app_data(native, this);
  ::SSL_set_connect_state(native);
  // Every later handshake would be on the loop, as often as the server asks for one.
  ::SSL_set_options(native, SSL_OP_NO_RENEGOTIATION);
  ::SSL_set_verify(native, SSL_VERIFY_PEER, &TlsSession::verify);
  ::SSL_set_security_callback(native, &TlsSession::allow);
}

TlsSession::~TlsSession() = default;

int TlsSession::verify(int good, X509_STORE_CTX* store) {
  TlsSession* const session = session_of(store);
  if (session == nullptr || !session->verify_) return good;
  return session->verify_(good != 0, store) ? 1 : 0;
}

bool TlsSession::affords(X509_STORE_CTX* store) {
  auto* const sent = ::X509_STORE_CTX_get0_untrusted(store);
  if (sent == nullptr || sk_X509_num(sent) <= kMostCertificates) return true;
  refused_ = "the server sends " + std::to_string(sk_X509_num(sent)) +
             " certificates; canaryd verifies " + std::to_string(kMostCertificates) + " at most";
  return false;
}

// OpenSSL's own rule first; it has none for what is too large.
int TlsSession::allow(SSL const* tls, SSL_CTX const* context, int what, int bits, int id,
                      void* object, void* more) {
  auto const usual = ::SSL_CTX_get_security_callback(::SSL_get_SSL_CTX(tls));
  if (usual != nullptr && usual(tls, context, what, bits, id, object, more) == 0) return 0;
  if (what != SSL_SECOP_TMP_DH || object == nullptr) return 1;
  int const size = ::EVP_PKEY_get_bits(static_cast<EVP_PKEY*>(object));
  if (size <= kMostDiffieHellmanBits) return 1;
  if (TlsSession* const session = session_of(tls)) {
    session->refused_ = "the server wants a Diffie-Hellman exchange of " + std::to_string(size) +
                        " bits; canaryd computes " + std::to_string(kMostDiffieHellmanBits) +
                        " at most";
  }
  return 0;
}

// What OpenSSL says of a call that gave `result`.
TlsSession::Step TlsSession::step(int result) {
  if (result > 0) return {.size = static_cast<std::size_t>(result)};
  switch (::SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {.wants_input = true};
    case SSL_ERROR_ZERO_RETURN:
      return {.error = asio::error::eof};
    default:
      break;
  }
  auto const code = ::ERR_get_error();
  ::ERR_clear_error();
  if (code == 0) return {.error = asio::ssl::error::unspecified_system_error};
  return {.error = {static_cast<int>(code), asio::error::get_ssl_category()}};
}

TlsSession::Step TlsSession::handshake() {
  ::ERR_clear_error();
  Step result = step(::SSL_do_handshake(tls_.get()));
  ::ERR_clear_error();
  return result;
}

TlsSession::Step TlsSession::read(std::span<char> room) {
  ::ERR_clear_error();
  return step(::SSL_read(tls_.get(), room.data(), static_cast<int>(room.size())));
}

TlsSession::Step TlsSession::write(std::string_view bytes) {
  if (bytes.empty()) return {};
  ::ERR_clear_error();
  return step(::SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())));
}

void TlsSession::feed(std::string_view bytes) {
  if (::BIO_write(input_, bytes.data(), static_cast<int>(bytes.size())) !=
      static_cast<int>(bytes.size())) {
    throw std::bad_alloc{};
  }
}

std::string TlsSession::take_output() {
  std::string bytes(::BIO_ctrl_pending(output_), '\0');
  if (!bytes.empty()) ::BIO_read(output_, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

}  // namespace canary::fetch
