// SPDX-License-Identifier: Apache-2.0
// The server's end of the watchdog's questions: a connection within the process for each of
// libmicrohttpd's threads, made again whenever it broke.
// Thread: add() and the first renew() at start-up, then the clients' keeper; the rest any.
#pragma once

#include <microhttpd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <vector>

#include "daemon/watchdog/self_channels.h"

namespace canary::daemon {

class AskedThreads {
 public:
  // nullptr: nobody asks.
  explicit AskedThreads(watchdog::SelfChannels* channels) : channels_(channels) {}

  // The threads of `daemon`'s pool, which outlives the last renew().
  void add(MHD_Daemon* daemon, unsigned threads);
  // Makes what is wanted, as far as there are descriptors.
  void renew();

  // Is it the server's end of such a connection? Those are no clients.
  bool has(int socket) const;
  void left(int socket);

 private:
  struct Thread {
    MHD_Daemon* daemon;
    unsigned number, of;
  };
  void connect(std::size_t place);

  watchdog::SelfChannels* channels_;
  std::vector<Thread> threads_;
  std::array<std::atomic<int>, watchdog::SelfChannels::kMost> sockets_{};  // 0: none
};

}  // namespace canary::daemon
