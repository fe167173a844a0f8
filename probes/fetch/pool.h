// SPDX-License-Identifier: Apache-2.0
// Idle connections of one client, by where they lead.
// Thread: loop.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/url.h"
#include "probes/fetch/connection.h"
#include "probes/fetch/proxy.h"
#include "probes/fetch/spare_connections.h"

namespace canary::fetch {

class Pool {
 public:
  // What a run may have by itself, and more where it took spare ones.
  static constexpr std::size_t kIdlePerPlace = 8 + SpareConnections::kMost;

  // Where connections for `url` lead: its origin, the proxy, or the origin through the proxy.
  static std::string place(config::Url const& url, std::optional<Proxy> const& proxy) {
    if (!proxy) return url.origin();
    std::string const by = "proxy " + proxy->host + ":" + std::to_string(proxy->port);
    return url.scheme() == config::Scheme::https ? by + " to " + url.origin() : by;
  }

  // The connection used last that still looks alive, or none.
  std::unique_ptr<Connection> take(std::string const& place) {
    auto& idle = idle_[place];
    while (!idle.empty()) {
      auto connection = std::move(idle.back());
      idle.pop_back();
      if (connection->is_idle()) return connection;
    }
    return nullptr;
  }

  void put(std::string const& place, std::unique_ptr<Connection> connection) {
    auto& idle = idle_[place];
    if (idle.size() < kIdlePerPlace) idle.push_back(std::move(connection));
  }

 private:
  std::map<std::string, std::vector<std::unique_ptr<Connection>>> idle_;
};

}  // namespace canary::fetch
