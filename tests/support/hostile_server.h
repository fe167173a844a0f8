// SPDX-License-Identifier: Apache-2.0
// An HTTP server that answers as each test scripts it, rightly or wrongly; by plain sockets and a
// thread per connection, so that it shares nothing with the client under test.
// Thread: any. Scripts run on the connection's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/certificates.h"

namespace canary::support {

struct ServedRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body = {};                       // where it has a Content-Length
  int connection = 0;                          // counted from 1, in the order of accepting
  int on_connection = 0;                       // counted from 1
};

// The server's end of a connection, as a script sees it.
class Peer {
 public:
  virtual ~Peer() = default;
  // False once the client has gone or the server stops.
  virtual bool send(std::string_view bytes) = 0;
  virtual void close() = 0;  // an orderly end (with TLS: without close_notify)
  virtual void reset() = 0;  // RST
  // Waits until the client goes or the server stops; false when `span` is over before that.
  virtual bool wait_for_end(std::chrono::milliseconds span = std::chrono::hours{1}) = 0;
  // Passes bytes both ways between the client and 127.0.0.1:`port` until one of them ends.
  virtual void tunnel(std::uint16_t port) = 0;
};

using Script = std::function<void(Peer&, ServedRequest const&)>;
using Headers = std::vector<std::pair<std::string, std::string>>;

// A whole answer with Content-Length; the connection stays open.
Script respond(int status, std::string body, Headers headers = {});
Script respond(std::string body);
Script redirect_to(std::string location, int status = 302);
// These bytes, as they are; then the end.
Script raw(std::string bytes);
Script raw_then_reset(std::string bytes);
// These bytes; then silence until the client goes.
Script raw_then_silence(std::string bytes);
// `head`, then one byte of `body` per `pause`.
Script trickle(std::string head, std::string body, std::chrono::milliseconds pause);
// `head`, then bytes without end.
Script endless(std::string head);
Script chunked(std::vector<std::string> pieces);
// Answers Range requests for `body` as RFC 9110 says, If-Range included.
Script ranged(std::string body, std::string etag);
// One script for each time it is asked; the last one stays.
Script in_turn(std::vector<Script> scripts);

class HostileServer {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    std::optional<Credentials> tls = {};
    std::optional<std::filesystem::path> client_ca = {};  // then a client certificate is needed
    Script on_accept = {};  // instead of reading requests: a script for the bare connection
  };

  HostileServer();
  explicit HostileServer(Options options);
  ~HostileServer();  // ends all connections
  HostileServer(HostileServer const&) = delete;
  HostileServer& operator=(HostileServer const&) = delete;

  // What answers a request for exactly `target` (as in the request line). 404 where nothing does.
  void on(std::string target, Script script);
  void on_any(Script script);

  std::uint16_t port() const;
  // "http://127.0.0.1:port" + target; `host` instead of the address where given.
  std::string url(std::string_view target, std::string_view host = {}) const;

  std::vector<ServedRequest> requests() const;
  int connections() const;       // ever accepted
  int open_connections() const;  // now
  // Waits until no connection is open; false after ten seconds.
  bool wait_until_idle() const;
  // Waits until `count` requests have come; false after ten seconds.
  bool wait_for_requests(std::size_t count) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace canary::support
