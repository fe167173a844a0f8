// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/clients.h"

#include <poll.h>
#include <sys/socket.h>

#include <iterator>
#include <utility>
#include <vector>

namespace canary::daemon {

Clients::Clients(std::string address, std::size_t most, ToldFull told_full)
    : told_full_(std::move(told_full)) {
  counts_.address = std::move(address);
  counts_.most = most;
}

Clients::Place Clients::came(int socket, std::int64_t now_ns) {
  std::unique_lock lock{mutex_};
  all_.push_back({.socket = socket, .since_ns = now_ns});
  auto const place = std::prev(all_.end());
  ++connected_;
  if (connected_ <= counts_.most) return place;
  make_room(place, now_ns);
  bool const news = full_ns_ == 0;
  full_ns_ = now_ns;
  lock.unlock();
  if (news && told_full_) told_full_(counts_.address, counts_.most, true);
  return place;
}

// Who is idle goes before who reads nothing, the longest first; nobody who is being served.
void Clients::make_room(Place newcomer, std::int64_t now_ns) {
  Client* idle = nullptr;
  Client* slow = nullptr;
  for (auto& each : all_) {
    if (each.cut || each.waits || &each == &*newcomer) continue;
    auto& oldest = each.answering ? slow : idle;
    if (oldest == nullptr || each.since_ns < oldest->since_ns) oldest = &each;
  }
  if (idle == nullptr && slow != nullptr && now_ns - slow->since_ns >= kReadsWithin) idle = slow;
  if (idle == nullptr) {
    newcomer->refused = true;
    ++counts_.refused;
    return;
  }
  cut(*idle);
  ++counts_.cut_for_room;
}

// The server's thread sees the end of the connection and closes it; nobody else may.
void Clients::cut(Client& client) {
  ::shutdown(client.socket, SHUT_RDWR);
  client.cut = true;
  --connected_;
}

void Clients::asks(Place client, std::int64_t now_ns) {
  std::lock_guard const lock{mutex_};
  client->answering = true;
  client->waits = false;
  client->since_ns = now_ns;
}

void Clients::waits(Place client) {
  std::lock_guard const lock{mutex_};
  client->waits = true;
}

void Clients::answered(Place client, std::int64_t now_ns) {
  std::lock_guard const lock{mutex_};
  client->answering = false;
  client->since_ns = now_ns;
}

void Clients::left(Place client) {
  std::lock_guard const lock{mutex_};
  if (!client->cut) --connected_;
  all_.erase(client);
}

bool Clients::look(std::int64_t now_ns) {
  std::unique_lock lock{mutex_};
  std::vector<pollfd> sockets;
  std::vector<Client*> clients;
  for (auto& each : all_) {
    if (each.cut || each.answering) continue;
    sockets.push_back({.fd = each.socket, .events = POLLRDHUP, .revents = 0});
    clients.push_back(&each);
  }
  if (!sockets.empty()) ::poll(sockets.data(), sockets.size(), 0);
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    bool const ended = sockets[i].revents != 0;
    if (ended && clients[i]->ended) {
      cut(*clients[i]);
      ++counts_.cut_gone;
    }
    clients[i]->ended = ended;
  }
  bool const over = full_ns_ != 0 && connected_ < counts_.most && now_ns - full_ns_ >= kFullFor;
  if (over) full_ns_ = 0;
  bool const again = !all_.empty() || full_ns_ != 0;
  lock.unlock();
  if (over && told_full_) told_full_(counts_.address, counts_.most, false);
  return again;
}

ClientCounts Clients::counts() const {
  std::lock_guard const lock{mutex_};
  auto counts = counts_;
  counts.connected = connected_;
  return counts;
}

}  // namespace canary::daemon
