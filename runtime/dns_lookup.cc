// SPDX-License-Identifier: Apache-2.0
#include "runtime/dns_lookup.h"

#include <ares.h>
#include <arpa/nameser.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include <boost/asio/this_coro.hpp>

#include "runtime/contract.h"
#include "runtime/dns_channel.h"

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

// The two questions about one name.
class Lookup {
 public:
  explicit Lookup(DnsChannel& channel) : channel_(channel) {}

  void ask(std::string const& name, bool want_v4, bool want_v6);
  bool done() const { return (!v4.asked || v4.done) && (!v6.asked || v6.done); }
  bool has_addresses() const { return !v4.addresses.empty() || !v6.addresses.empty(); }
  // Nothing is to be gained by waiting long for the other kind's answer of this server.
  bool is_decided(bool last_server) const {
    return has_addresses() || decides(v4, last_server) || decides(v6, last_server);
  }
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
  static void on_a(void* self, int status, int timeouts, unsigned char* data, int size);
  static void on_aaaa(void* self, int status, int timeouts, unsigned char* data, int size);

  DnsChannel& channel_;
};

void Lookup::ask(std::string const& name, bool want_v4, bool want_v6) {
  v4.asked = want_v4;
  v6.asked = want_v6;
  if (want_v6)
    ::ares_search(channel_.handle(), name.c_str(), ns_c_in, ns_t_aaaa, &Lookup::on_aaaa, this);
  if (want_v4) ::ares_search(channel_.handle(), name.c_str(), ns_c_in, ns_t_a, &Lookup::on_a, this);
}

void Lookup::on_a(void* argument, int status, int timeouts, unsigned char* data, int size) {
  auto& self = *static_cast<Lookup*>(argument);
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
  self.channel_.changed.notify();
}

void Lookup::on_aaaa(void* argument, int status, int timeouts, unsigned char* data, int size) {
  auto& self = *static_cast<Lookup*>(argument);
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
  self.channel_.changed.notify();
}

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
  require_loop_thread();
  Frame const frame{trace, "dns.lookup", name};
  auto const executor = co_await asio::this_coro::executor;
  servers.servers = silent->last(std::move(servers.servers), Clock::now());
  for (std::size_t first = 0;; ++first) {
    auto const opened = std::make_shared<DnsChannel>(executor, frame.trace());
    Lookup lookup{*opened};  // outlives the channel, which answers it when it is closed
    OpenedChannel const channel{opened};
    auto const left = std::chrono::floor<std::chrono::milliseconds>(deadline.left());
    auto const share = left / static_cast<std::int64_t>(servers.servers.size() - first + 1);
    if (!channel->open(servers, first, std::clamp(share, kLeastTimeout, servers.timeout))) {
      co_return ResolveFault{ResolveFault::Kind::server, "c-ares cannot be set up to look up " +
                                                             name +
                                                             ": out of memory or a bad "
                                                             "address of a name server"};
    }
    lookup.ask(name, family != AddressFamily::v6, family != AddressFamily::v4);
    Deadline until = deadline;
    bool shortened = false;
    bool const last_server = first + 1 == servers.servers.size();
    while (!lookup.done() && !until.passed()) {
      if (lookup.is_decided(last_server) && !shortened) {
        until = deadline.within(lookup.v4.done ? kAaaaWait : kAWait);
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
    Answer& v4 = lookup.v4;
    Answer& v6 = lookup.v6;
    std::size_t const passed = lookup.servers_passed();
    for (std::size_t i = first; i < std::min(first + passed, servers.servers.size() - 1); ++i) {
      silent->add(servers.servers[i], Clock::now());
    }
    if (lookup.has_addresses()) {
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
