// SPDX-License-Identifier: Apache-2.0
#include "runtime/dns_channel.h"

#include <ares.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "runtime/contract.h"

namespace canary::runtime {

struct DnsChannel::Watch {
  Watch(Executor const& executor, int fd) : descriptor(executor, fd) {}
  asio::posix::stream_descriptor descriptor;
  bool wants_read = false, wants_write = false;
  bool reading = false, writing = false;
};

// -1 and errno, which is kept.
int DnsChannel::failed(int result) {
  if (result < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS ||
                     errno == EPERM || errno == EACCES || errno == EADDRNOTAVAIL)) {
    own_error_ = errno;
  }
  return result;
}

void DnsChannel::process_timeouts() {
  ::ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

bool DnsChannel::open(NameServers const& servers, std::size_t first,
                      std::chrono::milliseconds per_server, bool over_tcp) {
  require_loop_thread();
  static int const library = ::ares_library_init(ARES_LIB_INIT_ALL);
  if (library != ARES_SUCCESS) return false;
  // Everything that c-ares would read from files is given, so that it reads none.
  ares_options options{};
  std::vector<char*> domains;
  domains.reserve(servers.search.size());
  for (auto const& domain : servers.search) domains.push_back(const_cast<char*>(domain.c_str()));
  char lookups[] = "b";
  options.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOALIASES;
  if (over_tcp) options.flags |= ARES_FLAG_USEVC;
  options.timeout = static_cast<int>(per_server.count());
  options.tries = servers.tries;
  options.ndots = servers.ndots;
  options.domains = domains.data();
  options.ndomains = static_cast<int>(domains.size());
  options.lookups = lookups;
  options.sock_state_cb = [](void* self, ares_socket_t fd, int read, int write) {
    static_cast<DnsChannel*>(self)->socket_state(fd, read != 0, write != 0);
  };
  options.sock_state_cb_data = this;
  int const given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
                    ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST |
                    ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE;
  if (::ares_init_options(&channel_, &options, given) != ARES_SUCCESS) return false;
  ::ares_set_socket_functions(channel_, &socket_functions(), this);
  std::string list;
  for (std::size_t i = first; i < servers.servers.size(); ++i) {
    list += (list.empty() ? "" : ",") + servers.servers[i];
  }
  return ::ares_set_servers_ports_csv(channel_, list.c_str()) == ARES_SUCCESS;
}

// As c-ares itself would call the system, but it would not tell why a call failed.
ares_socket_functions const& DnsChannel::socket_functions() {
  static ares_socket_functions const functions{
      .asocket = [](int family, int type, int protocol, void* self) -> ares_socket_t {
        int const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
        return static_cast<DnsChannel*>(self)->failed(::socket(family, type | flags, protocol));
      },
      .aclose = [](ares_socket_t fd, void*) { return ::close(fd); },
      .aconnect =
          [](ares_socket_t fd, sockaddr const* to, ares_socklen_t size, void* self) {
            return static_cast<DnsChannel*>(self)->failed(::connect(fd, to, size));
          },
      .arecvfrom = [](ares_socket_t fd, void* data, std::size_t size, int flags, sockaddr* from,
                      ares_socklen_t* from_size,
                      void*) { return ::recvfrom(fd, data, size, flags, from, from_size); },
      .asendv = [](ares_socket_t fd, iovec const* pieces, int count, void* self) -> ares_ssize_t {
        auto const sent = ::writev(fd, pieces, count);
        if (sent < 0) static_cast<DnsChannel*>(self)->failed(-1);
        return sent;
      }};
  return functions;
}

void DnsChannel::close() {
  if (channel_ != nullptr) ::ares_destroy(channel_);
  channel_ = nullptr;
  for (auto& [fd, watch] : watches_) watch->descriptor.release();
  watches_.clear();
}

Deadline DnsChannel::next_timeout(Deadline latest) const {
  timeval value{};
  if (::ares_timeout(channel_, nullptr, &value) == nullptr) return latest;
  return latest.within(std::chrono::seconds{value.tv_sec} +
                       std::chrono::microseconds{value.tv_usec} + std::chrono::milliseconds{1});
}

void DnsChannel::socket_state(int fd, bool read, bool write) {
  auto const found = watches_.find(fd);
  if (!read && !write) {
    if (found == watches_.end()) return;
    found->second->descriptor.release();  // waits end with operation_aborted
    watches_.erase(found);
    return;
  }
  auto const entry = found != watches_.end()
                         ? found->second
                         : (watches_[fd] = std::make_shared<Watch>(executor_, fd));
  entry->wants_read = read;
  entry->wants_write = write;
  watch(entry, fd);
}

void DnsChannel::watch(std::shared_ptr<Watch> const& watch, int fd) {
  using Descriptor = asio::posix::stream_descriptor;
  BOOST_ASIO_HANDLER_LOCATION((__FILE__, __LINE__, __func__));
  auto const self = shared_from_this();
  if (watch->wants_read && !watch->reading) {
    watch->reading = true;
    watch->descriptor.async_wait(Descriptor::wait_read, [self, watch, fd](error_code error) {
      watch->reading = false;
      self->ready(watch, fd, false, error);
    });
  }
  if (watch->wants_write && !watch->writing) {
    watch->writing = true;
    watch->descriptor.async_wait(Descriptor::wait_write, [self, watch, fd](error_code error) {
      watch->writing = false;
      self->ready(watch, fd, true, error);
    });
  }
}

void DnsChannel::ready(std::shared_ptr<Watch> const& ready, int fd, bool write, error_code error) {
  // Released meanwhile, or even another socket under the same number.
  auto const current = watches_.find(fd);
  if (error || channel_ == nullptr || current == watches_.end() || current->second != ready) return;
  trace_.progress();
  ::ares_process_fd(channel_, write ? ARES_SOCKET_BAD : fd, write ? fd : ARES_SOCKET_BAD);
  auto const still = watches_.find(fd);
  if (still != watches_.end() && still->second == ready) watch(ready, fd);
  changed.notify();
}

}  // namespace canary::runtime
