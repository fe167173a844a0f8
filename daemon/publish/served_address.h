// SPDX-License-Identifier: Apache-2.0
// One address of the HTTP server, as libmicrohttpd serves it and calls us: connections, whom to let
// in, requests and their answers.
// Thread: serve() whoever starts the server; the rest libmicrohttpd's.
#pragma once

#include <microhttpd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "daemon/publish/asked_threads.h"
#include "daemon/publish/clients.h"
#include "daemon/publish/later_answers.h"
#include "daemon/publish/response.h"
#include "daemon/publish/routes.h"
#include "daemon/publish/web_gate.h"

namespace canary::daemon {

struct StopDaemon {
  void operator()(MHD_Daemon* daemon) const { ::MHD_stop_daemon(daemon); }
};
using DaemonPointer = std::unique_ptr<MHD_Daemon, StopDaemon>;

// What all threads of a server share.
struct Shared {
  Routes routes;
  WebGate* gate;  // nullptr: plain HTTP for everybody
  AskedThreads asked;
  LaterAnswers later{};
  std::atomic<bool> stopping{false};
  std::atomic<std::size_t> unread{0};
  StandingAnswer full, no_memory;
};

// What the threads of one address share.
struct Address {
  // `to_private`: it is the private listener, where nobody is asked for TLS or a password.
  Address(Shared& with, std::string name, std::size_t most, Clients::ToldFull told_full,
          bool to_private)
      : shared(with),
        clients(std::move(name), most, std::move(told_full)),
        is_private(to_private),
        gate(to_private ? nullptr : with.gate),
        tls(gate != nullptr && gate->access()->tls != nullptr) {}
  Shared& shared;
  Clients clients;
  bool const is_private;
  WebGate* const gate;  // nullptr: everybody is let in
  bool const tls;       // for as long as the address is served
};

struct ServedHow {
  unsigned threads = 0;
  unsigned connections = 0;  // at most, of each thread
  std::chrono::milliseconds timeout{0};
};
// Takes the listening socket over; null, with an errno, where no daemon could be started on it:
// then it is the caller's still. `address` outlives the daemon.
DaemonPointer serve(Address& address, int socket, ServedHow const& how);

}  // namespace canary::daemon
