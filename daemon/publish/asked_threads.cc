// SPDX-License-Identifier: Apache-2.0
// Source: libmicrohttpd 0.9.75, MHD_add_connection: of a pool it takes the thread whose number is
// the socket's modulo the threads, or the next that has room.
#include "daemon/publish/asked_threads.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace canary::daemon {
namespace {

// The same socket under a number that leads to that thread; -1 where there is no descriptor.
int numbered_for(int socket, unsigned number, unsigned of) {
  while (socket >= 0 && static_cast<unsigned>(socket) % of != number) {
    int const other = ::fcntl(socket, F_DUPFD_CLOEXEC, socket + 1);
    ::close(socket);
    socket = other;
  }
  return socket;
}

}  // namespace

void AskedThreads::add(MHD_Daemon* daemon, unsigned threads) {
  for (unsigned i = 0; i < threads; ++i) {
    if (channels_ == nullptr || threads_.size() == watchdog::SelfChannels::kMost) return;
    threads_.push_back({.daemon = daemon, .number = i, .of = threads});
  }
}

void AskedThreads::renew() {
  if (channels_ == nullptr) return;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (channels_->wanted(i)) connect(i);
  }
  channels_->expect(threads_.size());
}

void AskedThreads::connect(std::size_t place) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return;
  auto const& thread = threads_[place];
  int const served = numbered_for(ends[1], thread.number, thread.of);
  sockaddr_un const nobody{.sun_family = AF_UNIX, .sun_path = {}};
  if (served >= 0) sockets_[place].store(served);
  // It closes what it does not take.
  if (served >= 0 &&
      ::MHD_add_connection(thread.daemon, served, reinterpret_cast<sockaddr const*>(&nobody),
                           sizeof(sa_family_t)) == MHD_YES) {
    channels_->give(place, ends[0]);
    return;
  }
  sockets_[place].store(0);
  ::close(ends[0]);
}

bool AskedThreads::has(int socket) const {
  for (auto const& each : sockets_) {
    if (each.load() == socket) return true;
  }
  return false;
}

void AskedThreads::left(int socket) {
  for (auto& each : sockets_) {
    int expected = socket;
    if (each.compare_exchange_strong(expected, 0)) return;
  }
}

}  // namespace canary::daemon
