// SPDX-License-Identifier: Apache-2.0
// Serves the metrics, the API and the health pages over HTTP from threads of its own, which share
// nothing with the loop but what ResultStore::read() gives: they answer while the loop is dead.
// Thread: any.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/result.h"
#include "daemon/publish/routes.h"

namespace canary::daemon {

class Server {
 public:
  // Beyond web.max_connections of an address, for those that are on their way out.
  static constexpr int kConnectionsLeaving = 16;
  // Of the private listener: this machine's `status`, `reload` and `dump`, also by many at once.
  static constexpr int kPrivateConnections = 40;

  // Listens on every address of `settings`, at most max_connections clients on each: a new one
  // makes an idle one go (daemon/publish/clients.h); port 0 picks a free one. The error names the
  // address: "cannot listen on 127.0.0.1:9732: Address already in use". `private_socket`: a path
  // for the AF_UNIX listener that this machine's `canaryd dump` and `status`, and the watchdog,
  // ask; none where it is empty. `inherited`: sockets that listen, served instead of the settings'
  // addresses where there are any, and closed at the end; this process ends no other's listening.
  static Result<std::unique_ptr<Server>, std::string> start(config::WebSettings const& settings,
                                                            Sources const& sources,
                                                            std::string const& private_socket = {},
                                                            std::vector<int> const& inherited = {});
  // Why no private listener can be had at `path`; empty where one can.
  static std::string private_socket_trouble(std::string const& path);
  // Stops as stop() does.
  ~Server();
  Server(Server const&) = delete;
  Server& operator=(Server const&) = delete;

  // "127.0.0.1:9732" or "[::1]:9732", in the order of the settings, with the ports in use.
  std::vector<std::string> const& addresses() const;

  // The listening sockets, the private one last; closed by stop().
  std::vector<int> const& sockets() const;

  // Takes no more connections and closes the open ones; idempotent.
  void stop();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace canary::daemon
