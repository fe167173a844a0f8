// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/descriptor_shares.h"

#include <algorithm>

#include "daemon/publish/server.h"
#include "probes/fetch/spare_connections.h"

namespace canary::daemon {
namespace {

constexpr std::size_t kOwn = 64;  // log, tables, dumps, watchdog, /proc, the disk's files
// Listener and its copy, and for each thread an epoll, an eventfd and the watchdog's question.
constexpr std::size_t kOfAnAddress = 14;
constexpr std::size_t kOfARun = 8;  // a few lookups, two attempts to connect, a file
constexpr std::size_t kLeastConnections = 4;
constexpr std::size_t kPrivate = Server::kPrivateConnections + Server::kConnectionsLeaving;

// As many as a run of the hungriest probe may hold at once.
std::size_t of_a_run(config::Config const& config) {
  std::size_t most = kOfARun;
  for (auto const& probe : config.probes) {
    most = std::max(most, kOfARun + probe.kind.connections());
  }
  return most;
}

}  // namespace

DescriptorShares share_descriptors(std::size_t limit, config::Config const& config) {
  std::size_t const addresses = config.web.listen_addresses.size();
  std::size_t const run = of_a_run(config);
  std::size_t const own = kOwn + (addresses + 1) * kOfAnAddress + kPrivate +
                          addresses * std::size_t{Server::kConnectionsLeaving};
  auto const connections = static_cast<std::size_t>(config.web.max_connections);
  // More runs than probes there are never.
  auto const runs = std::min(static_cast<std::size_t>(config.scheduler.max_concurrent_runs),
                             std::max<std::size_t>(1, config.probes.size()));
  DescriptorShares shares{.max_connections = config.web.max_connections,
                          .max_concurrent_runs = config.scheduler.max_concurrent_runs};
  std::size_t const wanted = own + addresses * connections + runs * run;
  if (wanted <= limit) {
    shares.spare_connections = std::min(limit - wanted, fetch::SpareConnections::kMost);
    return shares;
  }
  std::size_t const least = own + addresses * kLeastConnections + run;
  if (least > limit) {
    shares.refusal = "canaryd needs " + std::to_string(least) +
                     " descriptors at the least, and may open " + std::to_string(limit) +
                     " (RLIMIT_NOFILE; LimitNOFILE= of the unit)";
    return shares;
  }
  // Half of what is left for each, or less where that is more than it wants.
  std::size_t const left = limit - own;
  std::size_t const web_wants = addresses * connections;
  std::size_t const web =
      std::max(addresses * kLeastConnections,
               std::min(web_wants, std::max(left / 2, left - std::min(left, runs * run))));
  std::size_t const each = addresses == 0 ? connections : std::min(connections, web / addresses);
  std::size_t const for_runs = std::max<std::size_t>(1, (left - addresses * each) / run);
  shares.max_connections = static_cast<int>(each);
  if (for_runs < runs) shares.max_concurrent_runs = static_cast<int>(for_runs);
  shares.cut = "of " + std::to_string(limit) + " descriptors (RLIMIT_NOFILE) " +
               std::to_string(each) + " are for clients of each address, instead of " +
               std::to_string(connections) + " (web.max_connections), and the rest for " +
               std::to_string(std::min(for_runs, runs)) + " probes at once, instead of " +
               std::to_string(runs) + "; " + std::to_string(wanted) + " would suffice";
  return shares;
}

}  // namespace canary::daemon
