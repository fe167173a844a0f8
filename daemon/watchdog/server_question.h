// SPDX-License-Identifier: Apache-2.0
// Does the HTTP server still answer? Asked from outside, as anybody would, at each of its addresses
// in turn, a step per tick and without waiting.
// Thread: the watchdog's. Allocates nothing.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace canary::watchdog {

// A header of the question, by which others can tell it.
inline constexpr std::string_view kWatchdogAgent = "User-Agent: canaryd-watchdog\r\n";

struct ServerAddress {
  sockaddr_storage address{};
  socklen_t size = 0;
};

// Each has threads of its own in the server.
struct ServerAddresses {
  static constexpr std::size_t kMost = 8;  // more are not asked
  std::array<ServerAddress, kMost> each{};
  std::size_t count = 0;
};

class ServerQuestion {
 public:
  void set_addresses(ServerAddresses const& addresses) { addresses_ = addresses; }
  std::size_t addresses() const { return addresses_.count; }
  void close();

  enum class Step { nothing, asked, answered };
  // Goes on with the question, or puts the next one. `want_ns`: how often to ask.
  Step step(std::int64_t now_ns, std::int64_t want_ns);

  // Since when a question has not been answered; 0: none is open. Refused connections and lost
  // ones do not end a question: it is put again.
  std::int64_t asked_ns() const { return asked_ns_; }
  std::int64_t answered_after_ns() const { return answered_after_ns_; }
  void forget();  // nobody is to be blamed for this one

 private:
  void connect_again(std::int64_t now_ns);
  bool go_on();  // true when an answer came

  enum class Stage : std::uint8_t { idle, connecting, reading };
  ServerAddresses addresses_;
  std::size_t asked_ = 0;  // which of them; the same one until it answers
  int socket_ = -1;
  Stage stage_ = Stage::idle;
  std::int64_t asked_ns_ = 0, last_asked_ns_ = 0, tried_ns_ = 0, answered_after_ns_ = 0;
};

}  // namespace canary::watchdog
