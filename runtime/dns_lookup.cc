// SPDX-License-Identifier: Apache-2.0
#include "runtime/dns_lookup.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>

#include "runtime/event.h"

namespace canary::runtime {
namespace {

// For the other kind of address, once one is decided. An A may be all that works where IPv6 does
// not lead anywhere, and some servers say wrongly that there is no such name when asked for AAAA.
constexpr auto kAaaaWait = std::chrono::milliseconds{50};
constexpr auto kAWait = std::chrono::milliseconds{1'000};
constexpr std::chrono::milliseconds kLeastTimeout{20};
constexpr int kAddressesMax = 32;  // of one answer

// What became of one of the two questions.
struct Answer {
  bool asked = false;
  bool done = false;
  int status = ARES_SUCCESS;
  int timeouts = 0;  // of servers, before the one that answered
  Resolver::Addresses addresses;
};

bool is_absence(int status) { return status == ARES_ENODATA || status == ARES_ENOTFOUND; }
bool is_timeout(int status) {
  return status == ARES_ETIMEOUT || status == ARES_ECANCELLED || status == ARES_EDESTRUCTION;
}

// No such name goes for both kinds; a server that failed for one is not worth waiting for where
// there is another.
bool decides(Answer const& answer, bool last_server) {
  if (!answer.done || answer.status == ARES_SUCCESS || answer.status == ARES_ENODATA) return false;
  return answer.status == ARES_ENOTFOUND || (!last_server && !is_timeout(answer.status));
}

// A c-ares channel with its sockets on the loop. c-ares closes its sockets itself: each descriptor
// is released from Asio before that, when c-ares says that it wants nothing more of it.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  Channel(Executor executor, Trace trace) : executor_(executor), trace_(trace), changed(executor) {}

  bool open(NameServers const& servers, std::size_t first_server,
            std::chrono::milliseconds per_server);
  void ask(std::string const& name, bool v4, bool v6);
  // Answers what is open as cancelled and leaves nothing behind.
  void close();
  // Lets c-ares see to its timeouts.
  void process_timeouts() { ::ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD); }
  Deadline next_timeout(Deadline latest) const;

  bool done() const { return (!v4.asked || v4.done) && (!v6.asked || v6.done); }
  bool has_addresses() const { return !v4.addresses.empty() || !v6.addresses.empty(); }
  // Nothing is to be gained by waiting long for the other kind's answer of this server.
  bool is_decided(bool last_server) const {
    return has_addresses() || decides(v4, last_server) || decides(v6, last_server);
  }
  int own_error() const { return own_error_; }
  // How many servers, from the first on, were silent before another one answered.
  std::size_t servers_passed() const {
    int most = 0;
    for (Answer const* each : {&v4, &v6}) {
      if (each->done && !is_timeout(each->status)) most = std::max(most, each->timeouts);
    }
    return static_cast<std::size_t>(most);
  }

  Answer v4, v6;

 private:
  struct Watch {
    Watch(Executor const& executor, int fd) : descriptor(executor, fd) {}
    asio::posix::stream_descriptor descriptor;
    bool wants_read = false, wants_write = false;
    bool reading = false, writing = false;
  };

  void socket_state(int fd, bool read, bool write);
  void watch(std::shared_ptr<Watch> const& watch, int fd);
  void ready(std::shared_ptr<Watch> const& watch, int fd, bool write, error_code error);
  static void on_a(void* self, int status, int timeouts, unsigned char* data, int size);
  static void on_aaaa(void* self, int status, int timeouts, unsigned char* data, int size);

  static ares_socket_functions const& socket_functions();
  // -1 and errno, which is kept.
  int failed(int result) {
    if (result < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS ||
                       errno == EPERM || errno == EACCES || errno == EADDRNOTAVAIL)) {
      own_error_ = errno;
    }
    return result;
  }

  Executor executor_;
  Trace trace_;
  int own_error_ = 0;
  ares_channel channel_ = nullptr;
  std::map<int, std::shared_ptr<Watch>> watches_;

 public:
  Event changed;
};

bool Channel::open(NameServers const& servers, std::size_t first_server,
                   std::chrono::milliseconds per_server) {
  static int const library = ::ares_library_init(ARES_LIB_INIT_ALL);
  if (library != ARES_SUCCESS) return false;
  // Everything that c-ares would read from files is given, so that it reads none.
  ares_options options{};
  std::vector<char*> domains;
  domains.reserve(servers.search.size());
  for (auto const& domain : servers.search) domains.push_back(const_cast<char*>(domain.c_str()));
  char lookups[] = "b";
  options.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOALIASES;
  options.timeout = static_cast<int>(per_server.count());
  options.tries = servers.tries;
  options.ndots = servers.ndots;
  options.domains = domains.data();
  options.ndomains = static_cast<int>(domains.size());
  options.lookups = lookups;
  options.sock_state_cb = [](void* self, ares_socket_t fd, int read, int write) {
    static_cast<Channel*>(self)->socket_state(fd, read != 0, write != 0);
  };
  options.sock_state_cb_data = this;
  int const given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
                    ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST |
                    ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE;
  if (::ares_init_options(&channel_, &options, given) != ARES_SUCCESS) return false;
  ::ares_set_socket_functions(channel_, &socket_functions(), this);
  std::string list;
  for (std::size_t i = first_server; i < servers.servers.size(); ++i) {
    list += (list.empty() ? "" : ",") + servers.servers[i];
  }
  return ::ares_set_servers_ports_csv(channel_, list.c_str()) == ARES_SUCCESS;
}

// As c-ares itself would call the system, but it would not tell why a call failed.
ares_socket_functions const& Channel::socket_functions() {
  static ares_socket_functions const functions{
      .asocket = [](int family, int type, int protocol, void* self) -> ares_socket_t {
        int const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
        return static_cast<Channel*>(self)->failed(::socket(family, type | flags, protocol));
      },
      .aclose = [](ares_socket_t fd, void*) { return ::close(fd); },
      .aconnect =
          [](ares_socket_t fd, sockaddr const* to, ares_socklen_t size, void* self) {
            return static_cast<Channel*>(self)->failed(::connect(fd, to, size));
          },
      .arecvfrom = [](ares_socket_t fd, void* data, std::size_t size, int flags, sockaddr* from,
                      ares_socklen_t* from_size,
                      void*) { return ::recvfrom(fd, data, size, flags, from, from_size); },
      .asendv = [](ares_socket_t fd, iovec const* pieces, int count, void* self) -> ares_ssize_t {
        auto const sent = ::writev(fd, pieces, count);
        if (sent < 0) static_cast<Channel*>(self)->failed(-1);
        return sent;
      }};
  return functions;
}

void Channel::ask(std::string const& name, bool want_v4, bool want_v6) {
  v4.asked = want_v4;
  v6.asked = want_v6;
  if (want_v6) ::ares_search(channel_, name.c_str(), ns_c_in, ns_t_aaaa, &Channel::on_aaaa, this);
  if (want_v4) ::ares_search(channel_, name.c_str(), ns_c_in, ns_t_a, &Channel::on_a, this);
}

void Channel::close() {
  if (channel_ != nullptr) ::ares_destroy(channel_);
  channel_ = nullptr;
  for (auto& [fd, watch] : watches_) watch->descriptor.release();
  watches_.clear();
}

Deadline Channel::next_timeout(Deadline latest) const {
  timeval value{};
  if (::ares_timeout(channel_, nullptr, &value) == nullptr) return latest;
  return latest.within(std::chrono::seconds{value.tv_sec} +
                       std::chrono::microseconds{value.tv_usec} + std::chrono::milliseconds{1});
}

void Channel::socket_state(int fd, bool read, bool write) {
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

void Channel::watch(std::shared_ptr<Watch> const& watch, int fd) {
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

void Channel::ready(std::shared_ptr<Watch> const& ready, int fd, bool write, error_code error) {
  // Released meanwhile, or even another socket under the same number.
  auto const current = watches_.find(fd);
  if (error || channel_ == nullptr || current == watches_.end() || current->second != ready) return;
  trace_.progress();
  ::ares_process_fd(channel_, write ? ARES_SOCKET_BAD : fd, write ? fd : ARES_SOCKET_BAD);
  auto const still = watches_.find(fd);
  if (still != watches_.end() && still->second == ready) watch(ready, fd);
  changed.notify();
}

void Channel::on_a(void* argument, int status, int timeouts, unsigned char* data, int size) {
  auto& self = *static_cast<Channel*>(argument);
  std::array<ares_addrttl, kAddressesMax> found;
  int count = kAddressesMax;
  self.v4.done = true;
  self.v4.status = status;
  self.v4.timeouts = timeouts;
  if (status == ARES_SUCCESS) {
    self.v4.status = ::ares_parse_a_reply(data, size, nullptr, found.data(), &count);
  }
  for (int i = 0; self.v4.status == ARES_SUCCESS && i < count; ++i) {
    asio::ip::address_v4::bytes_type bytes;
    std::memcpy(bytes.data(), &found[static_cast<std::size_t>(i)].ipaddr, bytes.size());
    self.v4.addresses.emplace_back(asio::ip::address_v4{bytes});
  }
  self.changed.notify();
}

void Channel::on_aaaa(void* argument, int status, int timeouts, unsigned char* data, int size) {
  auto& self = *static_cast<Channel*>(argument);
  std::array<ares_addr6ttl, kAddressesMax> found;
  int count = kAddressesMax;
  self.v6.done = true;
  self.v6.status = status;
  self.v6.timeouts = timeouts;
  if (status == ARES_SUCCESS) {
    self.v6.status = ::ares_parse_aaaa_reply(data, size, nullptr, found.data(), &count);
  }
  for (int i = 0; self.v6.status == ARES_SUCCESS && i < count; ++i) {
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &found[static_cast<std::size_t>(i)].ip6addr, bytes.size());
    self.v6.addresses.emplace_back(asio::ip::address_v6{bytes});
  }
  self.changed.notify();
}

// Closes the channel when the lookup ends, however it does.
class Opened {
 public:
  explicit Opened(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}
  ~Opened() { channel_->close(); }
  Opened(Opened const&) = delete;
  Opened& operator=(Opened const&) = delete;
  Channel* operator->() const { return channel_.get(); }

 private:
  std::shared_ptr<Channel> channel_;
};

ResolveFault fault_of(std::string const& name, AddressFamily family, Answer const& v4,
                      Answer const& v6) {
  using Kind = ResolveFault::Kind;
  // The answer that says most: a failure, then no such name, no answer, a name without addresses.
  auto const weight = [](Answer const& answer) {
    if (!answer.asked) return 0;
    if (!answer.done || is_timeout(answer.status)) return 2;
    if (answer.status == ARES_ENOTFOUND) return 3;
    return is_absence(answer.status) || answer.status == ARES_SUCCESS ? 1 : 4;
  };
  Answer const& most = weight(v4) >= weight(v6) ? v4 : v6;
  int const status = most.done ? most.status : ARES_ETIMEOUT;
  char const* const wanted = family == AddressFamily::v4   ? "IPv4 "
                             : family == AddressFamily::v6 ? "IPv6 "
                                                           : "";
  switch (status) {
    case ARES_ENOTFOUND:
      return {Kind::no_such_name, "there is no host named " + name + " in the DNS"};
    case ARES_SUCCESS:  // an answer without addresses, such as a chain of aliases that ends nowhere
    case ARES_ENODATA:
      return {Kind::no_address, name + " exists in the DNS but has no " + wanted + "address"};
    case ARES_ETIMEOUT:
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
      return {Kind::timeout, "no name server answered for " + name + " in time"};
    case ARES_ECONNREFUSED:
      return {Kind::unreachable, "no name server can be reached to look up " + name};
    case ARES_EBADNAME:
      return {Kind::no_such_name, name + " is no name that the DNS can hold"};
    default:
      return {Kind::server,
              "every name server failed for " + name + ": " + ::ares_strerror(status)};
  }
}

}  // namespace

Task<Result<Resolver::Addresses, ResolveFault>> dns_lookup(std::string name, AddressFamily family,
                                                           NameServers servers,
                                                           std::shared_ptr<SilentServers> silent,
                                                           Deadline deadline, Trace trace) {
  Frame const frame{trace, "dns.lookup", name};
  auto const executor = co_await asio::this_coro::executor;
  servers.servers = silent->last(std::move(servers.servers), Clock::now());
  for (std::size_t first = 0;; ++first) {
    Opened const channel{std::make_shared<Channel>(executor, frame.trace())};
    auto const left = std::chrono::floor<std::chrono::milliseconds>(deadline.left());
    auto const share = left / static_cast<std::int64_t>(servers.servers.size() - first + 1);
    if (!channel->open(servers, first, std::clamp(share, kLeastTimeout, servers.timeout))) {
      co_return ResolveFault{ResolveFault::Kind::server, "c-ares cannot be set up to look up " +
                                                             name +
                                                             ": out of memory or a bad "
                                                             "address of a name server"};
    }
    channel->ask(name, family != AddressFamily::v6, family != AddressFamily::v4);
    Deadline until = deadline;
    bool shortened = false;
    bool const last_server = first + 1 == servers.servers.size();
    while (!channel->done() && !until.passed()) {
      if (channel->is_decided(last_server) && !shortened) {
        until = deadline.within(channel->v4.done ? kAaaaWait : kAWait);
        shortened = true;
      }
      auto const wake = channel->next_timeout(until);
      bool const notified = co_await channel->changed.wait_until(frame.trace(), "dns.answer", wake);
      if (!notified) {
        auto const state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) throw_operation_aborted();
        channel->process_timeouts();
      }
    }
    Answer& v4 = channel->v4;
    Answer& v6 = channel->v6;
    std::size_t const passed = channel->servers_passed();
    for (std::size_t i = first; i < std::min(first + passed, servers.servers.size() - 1); ++i) {
      silent->add(servers.servers[i], Clock::now());
    }
    if (channel->has_addresses()) {
      std::ranges::sort(v6.addresses);
      std::ranges::sort(v4.addresses);
      Resolver::Addresses all = std::move(v6.addresses);
      all.insert(all.end(), v4.addresses.begin(), v4.addresses.end());
      co_return all;
    }
    auto fault = fault_of(name, family, v4, v6);
    if (fault.kind != ResolveFault::Kind::no_such_name) fault.own_error = channel->own_error();
    bool const try_next =
        fault.kind == ResolveFault::Kind::server && !last_server && !deadline.passed();
    if (!try_next) co_return fault;
  }
}

}  // namespace canary::runtime
