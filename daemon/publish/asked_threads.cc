// SPDX-License-Identifier: Apache-2.0
// Source: libmicrohttpd 0.9.75, MHD_add_connection: of a pool it takes the thread whose number is
// the socket's modulo the threads, or the next that has room.
#include "daemon/publish/asked_threads.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

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
    if (threads_.size() == watchdog::SelfChannels::kMost) return;
    threads_.push_back({.daemon = daemon, .number = i, .of = threads});
  }
}

void AskedThreads::renew() {
  if (channels_ == nullptr) return;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (!channels_->wanted(i)) continue;
    int const mine = connect(i, asked_);
    if (mine >= 0) channels_->give(i, mine);
    if (mine < 0 && errno == ENOMEM) channels_->refuse(i);
  }
  channels_->expect(threads_.size(), threads_.empty() ? 0 : threads_.front().of);
}

void AskedThreads::wake() {
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (passing_[i].load() != 0) continue;  // a thread that is stuck has the last one still
    int const mine = connect(i, passing_);
    if (mine >= 0) ::close(mine);
  }
}

// Our end of a connection that the thread of that place serves, noted in `served`; -1, with an
// errno, where there is no descriptor, the thread is full, or it has no memory for it.
int AskedThreads::connect(std::size_t place, Sockets& served) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return -1;
  auto const& thread = threads_[place];
  // Where descriptors are few there may be none for the way over a third.
  if (static_cast<unsigned>(ends[0]) % thread.of == thread.number) std::swap(ends[0], ends[1]);
  int const theirs = numbered_for(ends[1], thread.number, thread.of);
  sockaddr_un const nobody{.sun_family = AF_UNIX, .sun_path = {}};
  if (theirs >= 0) served[place].store(theirs);
  // It closes what it does not take.
  if (theirs >= 0 &&
      ::MHD_add_connection(thread.daemon, theirs, reinterpret_cast<sockaddr const*>(&nobody),
                           sizeof(sa_family_t)) == MHD_YES) {
    return ends[0];
  }
  int const error = errno;
  served[place].store(0);
  ::close(ends[0]);
  errno = error;
  return -1;
}

bool AskedThreads::has(int socket) const {
  for (Sockets const* sockets : {&asked_, &passing_}) {
    for (auto const& each : *sockets) {
      if (each.load() == socket) return true;
    }
  }
  return false;
}

void AskedThreads::left(int socket) {
  for (Sockets* sockets : {&asked_, &passing_}) {
    for (auto& each : *sockets) {
      int expected = socket;
      if (each.compare_exchange_strong(expected, 0)) return;
    }
  }
}

}  // namespace canary::daemon
