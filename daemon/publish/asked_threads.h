// SPDX-License-Identifier: Apache-2.0
// The server's end of the watchdog's questions: a connection within the process for each of
// libmicrohttpd's threads, made again whenever it broke.
// Thread: add() and the first renew() at start-up, then the clients' keeper; has() and left() any.
#pragma once

#include <microhttpd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <vector>

#include "daemon/watchdog/sample/self_channels.h"

namespace canary::daemon {

class AskedThreads {
 public:
  // nullptr: nobody asks.
  explicit AskedThreads(watchdog::SelfChannels* channels) : channels_(channels) {}

  // The threads of `daemon`'s pool, which outlives the last renew().
  void add(MHD_Daemon* daemon, unsigned threads);
  // Makes what is wanted, as far as there are descriptors.
  void renew();
  // Makes the threads accept again: out of descriptors, libmicrohttpd takes no connection until one
  // that it has ends, and the watchdog's never do. One that ends at once is put to each thread.
  void wake();

  // Is it the server's end of such a connection? Those are no clients.
  bool has(int socket) const;
  void left(int socket);

 private:
  struct Thread {
    MHD_Daemon* daemon;
    unsigned number, of;
  };
  using Sockets = std::array<std::atomic<int>, watchdog::SelfChannels::kMost>;  // 0: none
  int connect(std::size_t place, Sockets& served);

  watchdog::SelfChannels* channels_;
  std::vector<Thread> threads_;
  Sockets asked_{}, passing_{};
};

}  // namespace canary::daemon
