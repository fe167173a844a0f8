// SPDX-License-Identifier: Apache-2.0
// What every run's HTTP client shares: name lookups, TLS contexts, worker threads, the
// environment's proxies. Made once, by the program's main part; outlives every client.
// Thread: loop.
#pragma once

#include <chrono>
#include <functional>

#include "probes/fetch/proxy.h"
#include "probes/fetch/secret_files.h"
#include "probes/fetch/server_clock.h"
#include "probes/fetch/spare_connections.h"
#include "probes/fetch/tls_contexts.h"
#include "runtime/file_threads.h"
#include "runtime/resolver.h"
#include "runtime/workers.h"

namespace canary::fetch {

struct Services {
  // Reads the proxy variables of the environment. `cpu` and `files` outlive this.
  Services(runtime::Workers& cpu, runtime::FileThreads& files,
           runtime::ResolverOptions options = {})
      : cpu(cpu),
        files(files),
        resolver(files, std::move(options)),
        tls(files),
        secrets(files),
        proxies(ProxyVariables::from_environment()) {}

  runtime::Workers& cpu;
  runtime::FileThreads& files;
  runtime::Resolver resolver;
  TlsContexts tls;
  SecretFiles secrets;
  SpareConnections spare;
  ClockWitnesses clocks;  // what every run saw of servers' clocks
  // Ours, as answers are compared with it.
  std::function<std::chrono::system_clock::time_point()> wall_clock =
      std::chrono::system_clock::now;
  ProxyVariables proxies;
};

}  // namespace canary::fetch
