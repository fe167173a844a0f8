// SPDX-License-Identifier: Apache-2.0
// The clients of one address of the HTTP server: how many there are, and who has to make room for
// a new one. A client that does nothing, however it does it, is cut before anybody is refused.
// Thread: any; one lock, held for a few system calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>

namespace canary::daemon {

struct ClientCounts {
  std::string address;
  std::size_t connected = 0, most = 0;
  std::uint64_t cut_for_room = 0;  // idle, or reading nothing, while others wanted in
  std::uint64_t cut_gone = 0;      // had closed its end and would never ask again
  std::uint64_t refused = 0;       // told that the server is full
};

class Clients {
 public:
  static constexpr std::int64_t kReadsWithin = 2'000'000'000;  // ns; then an answer makes room, too
  static constexpr std::int64_t kFullFor = 10'000'000'000;     // ns without a cut: has room again

  struct Client {
    int socket = -1;
    std::int64_t since_ns = 0;  // came, was answered last, or asked what is being answered
    bool answering = false;
    bool waits = false;    // for what is being made for it: makes room for nobody
    bool refused = false;  // its request is to be answered with "full"
    bool ended = false;    // had closed its end when it was last looked at
    bool cut = false;      // is shut down; leaves soon
  };
  using Place = std::list<Client>::iterator;

  // `told_full` hears once when the address gets full, and once when it has room again.
  using ToldFull = std::function<void(std::string_view address, std::size_t most, bool full)>;
  Clients(std::string address, std::size_t most, ToldFull told_full);

  // A connection stands; `socket` stays open until left(). Cuts who must make room for it. Times
  // are monotonic nanoseconds.
  Place came(int socket, std::int64_t now_ns);
  void asks(Place client, std::int64_t now_ns);      // its request is whole
  void waits(Place client);                          // and is answered later; until asks()
  void answered(Place client, std::int64_t now_ns);  // or the answer was given up
  void left(Place client);

  // Cuts clients that closed their end without a request under way, the second time they are seen
  // so: one that ends its side after asking gets its answer. Every quarter of a second or so.
  // False where nobody is there to be looked at again.
  bool look(std::int64_t now_ns);

  ClientCounts counts() const;

 private:
  void make_room(Place newcomer, std::int64_t now_ns);
  void cut(Client& client);

  mutable std::mutex mutex_;
  std::list<Client> all_;
  std::size_t connected_ = 0;  // without those that are cut
  ClientCounts counts_;
  ToldFull told_full_;
  std::int64_t full_ns_ = 0;  // when there last was no room; 0: is not full
};

}  // namespace canary::daemon
