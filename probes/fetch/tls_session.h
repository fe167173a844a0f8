// SPDX-License-Identifier: Apache-2.0
// The client's side of TLS over bytes in memory: no socket, no waiting. What a handshake costs is
// the server's to choose, within the bounds below: it is for a worker.
// Thread: any one at a time; handshake() on a worker, the rest where it is cheap.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/system/error_code.hpp>
#include <openssl/types.h>

#include "probes/fetch/tls_contexts.h"

namespace canary::fetch {

// What a server may have us compute in one handshake; more is refused, with a sentence. A
// certificate's key has at most 16,384 bits, as OpenSSL itself holds it.
inline constexpr int kMostCertificates = 24;          // that are sent
inline constexpr int kMostDiffieHellmanBits = 4'096;  // of a prime of the server's own choice

class TlsSession {
 public:
  explicit TlsSession(TlsContexts::Context context);
  ~TlsSession();
  TlsSession(TlsSession const&) = delete;
  TlsSession& operator=(TlsSession const&) = delete;

  SSL* native() { return tls_.get(); }
  // Called in handshake(), for each certificate as OpenSSL's verify callback is; false refuses it.
  using OnCertificate = std::function<bool(bool good, X509_STORE_CTX* store)>;
  void on_certificate(OnCertificate verify) { verify_ = std::move(verify); }

  // How a step went; what it wrote is in take_output(), to be sent whatever came of it.
  struct Step {
    bool wants_input = false;  // nothing can be done before feed()
    boost::system::error_code error = {};
    std::size_t size = 0;  // read or written
  };
  Step handshake();
  Step read(std::span<char> room);
  Step write(std::string_view bytes);

  void feed(std::string_view bytes);  // came from the server
  std::string take_output();          // is to be sent to it

  // Why a handshake was refused that would cost too much; "": it was not.
  std::string const& refused() const { return refused_; }
  // For the context's callbacks: are these certificates few enough to be verified?
  bool affords(X509_STORE_CTX* store);

 private:
  struct Free {
    void operator()(SSL* tls) const;
  };
  static int verify(int good, X509_STORE_CTX* store);
  static int allow(SSL const* tls, SSL_CTX const* context, int what, int bits, int id, void* object,
                   void* more);
  Step step(int result);

  TlsContexts::Context context_;  // outlives tls_
  std::unique_ptr<SSL, Free> tls_;
  BIO* input_ = nullptr;  // tls_ owns both
  BIO* output_ = nullptr;
  OnCertificate verify_;
  std::string refused_;
};

// Has the context's certificates verified only where the session affords it.
void bound_verification(SSL_CTX* context);

}  // namespace canary::fetch
