// SPDX-License-Identifier: Apache-2.0
// systemd's notifications: datagrams of our own that never block. A full queue means the next tick.
// Thread: from_environment() at start; the rest the watchdog's. Allocates nothing.
// Source: sd_notify(3), systemd.service(5) WatchdogSec=, TimeoutStartSec= (EXTEND_TIMEOUT_USEC),
// FileDescriptorStoreMax=.
#pragma once

#include <sys/un.h>

#include <cstdint>
#include <string_view>

#include "daemon/watchdog/tell/sentence.h"

namespace canary::watchdog {

struct NotifyAddress {
  sockaddr_un address{};
  unsigned size = 0;             // 0: nobody to notify
  std::int64_t watchdog_ns = 0;  // 0: systemd does not watch us
};
// `socket` is NOTIFY_SOCKET (a path, or "@name"), the others WATCHDOG_USEC and WATCHDOG_PID; each
// may be null. Nobody to notify where they make no sense.
NotifyAddress notify_address(char const* socket, char const* usec, char const* pid,
                             std::int32_t own_pid);

class Notifier {
 public:
  struct Now {
    std::int64_t now_ns = 0;
    std::uint64_t progress = 0;  // counts steps of start, reload and stop
    bool beating = false;        // the loop turned since the last ping, and is not hung
    Sentence const* status = nullptr;
  };

  void open(NotifyAddress const& address);
  void close();
  bool enabled() const { return socket_ >= 0; }

  // What is to be said; each is repeated at the next tick until it is through.
  void ready();
  void reloading(std::int64_t now_ns);
  void stopping();
  // Leaves the tables behind `descriptor` to systemd, in place of those of the process before: the
  // next start is handed them, whatever this one dies of. Where the unit has no store it is
  // nothing.
  void leave_tables(int descriptor) { tables_ = descriptor; }

  // Says what is due. True when it pinged systemd's watchdog.
  bool tick(Now const& now);
  std::uint64_t failures() const { return failures_; }

 private:
  enum class Phase : std::uint8_t { starting, running, reloading, stopping };
  bool send(std::string_view text, int descriptor = -1);
  void say_phase(std::int64_t now_ns);
  void say_tables();
  void say_status(Now const& now);

  NotifyAddress address_;
  int socket_ = -1;
  Phase phase_ = Phase::starting;
  bool say_reloading_ = false, say_ready_ = false, say_stopping_ = false;
  int tables_ = -1;         // to be left to systemd; -1: nothing is, or it was
  bool forgotten_ = false;  // what the process before us left is out of the store
  std::int64_t reloading_ns_ = 0;
  std::uint64_t progress_ = 0;
  std::int64_t extended_ns_ = 0, pinged_ns_ = 0, status_ns_ = 0;
  Sentence status_;
  std::uint64_t failures_ = 0;
};

}  // namespace canary::watchdog
