// SPDX-License-Identifier: Apache-2.0
// Who may have how many of the descriptors that this process may open: the HTTP server's clients
// and the probes each have a share, so that neither can take the other's.
// Thread: any (pure).
#pragma once

#include <cstddef>
#include <string>

#include "config/config.h"

namespace canary::daemon {

struct DescriptorShares {
  int max_connections = 0;            // of each address of the server
  int max_concurrent_runs = 0;        // of probes
  std::size_t spare_connections = 0;  // of all runs together, beyond what each has
  // What had to be cut and what would suffice; empty where the configuration has what it wants.
  std::string cut;
  // Why not even the least can be had; empty where it can.
  std::string refusal;
};

// `limit`: descriptors that may be open, RLIMIT_NOFILE.
DescriptorShares share_descriptors(std::size_t limit, config::Config const& config);

}  // namespace canary::daemon
