// SPDX-License-Identifier: Apache-2.0
// Answers for the HTTP server while that hangs: a thread that has been there all along, accepts on
// the same listening sockets, and sends what the watchdog has written (EmergencyBoard). It has
// fixed room for a few connections, each with a limit of time, and waits in ppoll(2) alone, so it
// needs neither the allocator nor anybody's lock, and no client can hold it.
// Whoever is alive in the server goes first: a connection is taken only when it has been left
// waiting for kLeftAlone, or at once where the listener is taken from the server's threads.
// Thread: run() its own; the others any. Allocates nothing, takes no lock
// (tests/daemon/watchdog/symbols_test.py).
#pragma once

#include <poll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/watchdog/sample/own_row.h"
#include "daemon/watchdog/tell/emergency_board.h"
#include "daemon/watchdog/tell/emergency_request.h"
#include "daemon/watchdog/tell/emergency_screen.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

class EmergencyServer {
 public:
  static constexpr std::size_t kListeners = kEmergencyListeners;
  static constexpr std::size_t kConnections = 8;
  static constexpr std::size_t kSpares = 2;
  static constexpr std::int64_t kLeftAlone = 30'000'000;  // ns, for the server to take it
  // The same where nobody is answered (EmergencyBoard::guarded): whoever waits for longer is told
  // so by the end of the connection.
  static constexpr std::int64_t kGuardedAlone = 2'000'000'000;
  static constexpr std::int64_t kWhole = 5'000'000'000;       // ns, for one connection in all
  static constexpr std::int64_t kWithinReason = 500'000'000;  // then it may have to make room

  // `wake`: an eventfd that others write to; not closed here. Both references outlive the thread.
  // `stack`: the thread's own, from its lowest address to beyond its highest.
  EmergencyServer(EmergencyBoard const& board, Record& record, int wake,
                  StackBounds const& stack = {})
      : board_(board), record_(record), wake_(wake), stack_(stack) {
    spares_.fill(-1);
    keep_spares();
  }

  // The thread's body, until end().
  void run();
  // After these somebody writes to the eventfd.
  void end() { end_.store(true, std::memory_order_release); }
  void withdraw() { withdraw_.store(true, std::memory_order_release); }  // closes the listeners
  // Once, before the watchdog may have it answer: non-blocking listening sockets, which are its own
  // from now on; -1 is none. More than kListeners are left alone; how many it took.
  std::size_t listen_on(std::span<int const> sockets);

 private:
  enum class Stage : std::uint8_t { reading, writing, draining };
  struct Connection {
    int socket = -1;
    Stage stage = Stage::reading;
    std::int64_t since_ns = 0;
    std::size_t received = 0, sent = 0, size = 0;
    EmergencyPath path = EmergencyPath::other;
    std::array<char, 4'096> request{};
    std::array<char, kEmergencyPageBytes + 1'024> answer{};
  };
  struct Listener {
    int socket = -1;
    std::int64_t waiting_ns = 0;  // since when somebody waits there; 0: nobody was seen
  };
  struct Watched {
    std::array<pollfd, 1 + kListeners + kConnections> list{};
    std::size_t count = 0;
  };

  bool serving() const;
  void wait();
  void come_round();
  void watch_listeners(Watched& watched);
  void look_at_listeners(Watched const& watched);
  void accept_from(Listener& listener);
  void hang_up_on(Listener& listener);
  Connection* free_place();
  Connection* make_room();
  void go_on(Connection& connection);
  void receive(Connection& connection);
  void send_on(Connection& connection);
  void count(Connection const& connection);
  void drain(Connection& connection);
  void close(Connection& connection);
  void answer(Connection& connection, EmergencyRequest const& request);
  void fill(Connection& connection, EmergencyRequest const& request, EmergencyStatus status,
            std::string_view content_type, std::string_view body);
  void answer_live(Connection& connection, EmergencyRequest const& request);
  void answer_health(Connection& connection, EmergencyRequest const& request);
  void close_listeners();
  int accept_one(int listener);
  void keep_spares();
  void not_later_than(std::int64_t at_ns) {
    if (at_ns < next_ns_) next_ns_ = at_ns;
  }

  EmergencyBoard const& board_;
  Record& record_;
  int wake_;
  StackBounds stack_;
  runtime::ThreadRecord* row_ = nullptr;
  runtime::Tables* row_in_ = nullptr;
  std::atomic<bool> end_{false}, withdraw_{false};
  std::array<Listener, kListeners> listeners_{};
  std::atomic<std::size_t> listening_{0};
  std::array<Connection, kConnections> connections_{};
  std::array<int, kSpares> spares_{};  // descriptors for connections when others have all the rest
  EmergencyTexts texts_;               // as last read from the board
  EmergencyScreen screen_;             // made of those
  std::int64_t now_ns_ = 0;
  std::int64_t next_ns_ = 0;  // when to look again although nothing happens
  std::int64_t rested_ns_ =
      0;  // no accepting before: there was no descriptor, not even a spare one
};

}  // namespace canary::watchdog
