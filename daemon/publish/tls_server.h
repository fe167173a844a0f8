// SPDX-License-Identifier: Apache-2.0
// What every TLS connection of the HTTP server begins with: certificate and key, versions, and
// whose certificates are asked of clients. One value for good: where the files change, another one
// takes its place, and connections to come begin with that.
// Thread: any; make() blocks on files.
// Source: GnuTLS 3.7; libmicrohttpd 0.9.75, which leaves the session's credentials to whoever sets
// others in its notice of a new connection.
#pragma once

#include <memory>
#include <vector>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "config/problem.h"
#include "config/result.h"
#include "config/web_file.h"

namespace canary::daemon {

class TlsServer {
 public:
  // Reads the files. A problem names where the file is named, and the file.
  static Result<std::shared_ptr<TlsServer const>, std::vector<config::Problem>> make(
      config::WebTls const& settings);

  // Prepares a session before its handshake; it must not outlive this. False where there is no
  // memory: then the session has no credentials, and no handshake comes to its end.
  bool put_on(gnutls_session_t session) const;

  // Has every client shown a certificate that was verified?
  bool knows_clients() const {
    return settings_.client_auth == config::WebTls::ClientAuth::require_and_verify;
  }

  // For libmicrohttpd, whose own credentials nobody is to be served with.
  static int no_certificate(gnutls_session_t, gnutls_datum_t const*, int,
                            gnutls_pk_algorithm_t const*, int, gnutls_pcert_st**, unsigned*,
                            gnutls_privkey_t*) {
    return -1;
  }

 private:
  struct Free {
    void operator()(gnutls_certificate_credentials_t each) const {
      ::gnutls_certificate_free_credentials(each);
    }
    void operator()(gnutls_priority_t each) const { ::gnutls_priority_deinit(each); }
  };
  template <class T>
  using Owned = std::unique_ptr<std::remove_pointer_t<T>, Free>;

  explicit TlsServer(config::WebTls settings) : settings_(std::move(settings)) {}
  std::vector<config::Problem> prepare();
  void take_key(std::vector<config::Problem>& problems);
  void take_clients_ca(std::vector<config::Problem>& problems);
  bool is_allowed(gnutls_datum_t const& certificate) const;
  int verify(gnutls_session_t session) const;

  config::WebTls settings_;
  Owned<gnutls_certificate_credentials_t> credentials_;
  Owned<gnutls_priority_t> priority_;
};

}  // namespace canary::daemon
