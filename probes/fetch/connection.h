// SPDX-License-Identifier: Apache-2.0
// One TCP connection, with TLS or without. Every operation has a due time; when it passes the
// socket is closed. Never waits for a TLS close_notify.
// Thread: loop.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "config/result.h"
#include "probes/fetch/fault.h"
#include "probes/fetch/guard.h"
#include "probes/fetch/tls_contexts.h"
#include "probes/fetch/validity.h"
#include "runtime/task.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

namespace canary::fetch {

using Tcp = boost::asio::ip::tcp;

// "192.0.2.1:443", "[2001:db8::1]:443".
std::string to_text(Tcp::endpoint const& endpoint);

// The operations throw operation_aborted when cancelled; a due time that passed shows as
// timed_out().
class Connection {
 public:
  struct Io {
    runtime::error_code error = {};
    std::size_t size = 0;
  };
  struct TlsFailure {
    FaultKind kind;
    std::string message;
  };

  // What the other side showed in a handshake.
  struct Shown {
    std::vector<std::string> chain;  // DER, as it was sent, its own certificate first
    std::vector<std::string>
        verified;                  // and as it was built from it and our CAs, as far as it goes
    std::string staple;            // an OCSP response, DER; empty: none
    std::string protocol, cipher;  // "TLSv1.3", "TLS_AES_256_GCM_SHA384"
    std::vector<int> errors;       // X509_V_ERR_... of verifying the chain, for any name
  };

  Connection(Tcp::socket socket, std::string peer);
  ~Connection();
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  // Makes this a TLS connection to `host` (SNI unless it is an address), its certificate verified
  // for that name. What OpenSSL computes for it, it computes on one of `cpu`, which outlives the
  // task.
  runtime::Task<std::optional<TlsFailure>> handshake(TlsContexts::Context context, std::string host,
                                                     runtime::Workers& cpu, Due due,
                                                     runtime::Trace trace);
  // A handshake for who wants to look: it goes on whatever is shown. Asks for a staple.
  runtime::Task<canary::Result<Shown, TlsFailure>> look(TlsContexts::Context context,
                                                        std::string host, runtime::Workers& cpu,
                                                        Due due, runtime::Trace trace);
  runtime::Task<Io> write(std::string bytes, Due due, runtime::Trace trace,
                          runtime::StaticName name,
                          std::source_location where = std::source_location::current());
  // Gives what there is, up to room.size(), waiting for the first byte. `room` outlives the task.
  runtime::Task<Io> read_some(std::span<char> room, Due due, runtime::Trace trace,
                              runtime::StaticName name,
                              std::source_location where = std::source_location::current());

  // Nothing has come since the last answer, not even its end: may carry another request.
  bool is_idle();
  bool timed_out() const { return guard_.fired(); }
  Due::Why why() const { return guard_.why(); }
  std::string const& peer() const { return peer_; }
  // Of the certificates that the last handshake showed, whether it was accepted or not.
  std::optional<Validity> certificates() const { return certificates_; }

  std::string input;           // received, not yet used
  std::uint64_t requests = 0;  // sent on this connection

 private:
  struct Tls;
  runtime::Task<runtime::error_code> shake(runtime::Workers& cpu, runtime::Trace trace,
                                           runtime::StaticName name, std::source_location where);
  runtime::Task<runtime::error_code> send_output(runtime::Trace trace, runtime::StaticName name,
                                                 std::source_location where);
  runtime::Task<runtime::error_code> receive_input(runtime::Trace trace, runtime::StaticName name,
                                                   std::source_location where);
  std::string refusal(std::string const& host) const;
  runtime::Task<Io> read_tls(std::span<char> room, runtime::Trace trace, runtime::StaticName name,
                             std::source_location where);

  Tcp::socket socket_;
  std::string peer_;
  std::shared_ptr<Tls> tls_;  // a worker that is at it holds it, too
  std::optional<Validity> certificates_;
  Guard guard_;  // last: dies before what it closes
};

}  // namespace canary::fetch
