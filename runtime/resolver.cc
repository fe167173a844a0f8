// SPDX-License-Identifier: Apache-2.0
#include "runtime/resolver.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "runtime/contract.h"
#include "runtime/dns_lookup.h"
#include "runtime/file_identity.h"
#include "runtime/known_file.h"
#include "runtime/name_files.h"
#include "runtime/silent_servers.h"

namespace canary::runtime {
namespace {

constexpr auto kFilesFreshFor = std::chrono::seconds{1};

std::string text_of(std::filesystem::path const& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

// What reads a file, on a file thread, where it is another one than what is known of it.
template <class T, class Parse>
auto reader(std::filesystem::path path, Parse parse) {
  return [path = std::move(path), parse = std::move(parse)](KnownFile<T> known) {
    auto identity = identity_of(path);
    if (known.value && known.identity == identity) return known;
    known.value = std::make_shared<T>(parse(text_of(path)));
    known.identity = std::move(identity);
    return known;
  };
}

bool wanted(asio::ip::address const& address, AddressFamily family) {
  return family == AddressFamily::any || (family == AddressFamily::v6) == address.is_v6();
}

Result<Resolver::Addresses, ResolveFault> of_family(Resolver::Addresses addresses,
                                                    AddressFamily family, std::string const& host) {
  std::erase_if(addresses, [family](auto const& address) { return !wanted(address, family); });
  if (addresses.empty()) {
    return ResolveFault{
        ResolveFault::Kind::no_address,
        host + " has no " + (family == AddressFamily::v4 ? "IPv4" : "IPv6") + " address"};
  }
  std::ranges::sort(addresses, [](auto const& a, auto const& b) {
    return a.is_v6() != b.is_v6() ? a.is_v6() : a < b;
  });
  return addresses;
}

// RFC 6761 section 6.3: never asked of the DNS.
bool is_localhost(std::string_view name) {
  return name == "localhost" || name.ends_with(".localhost");
}

}  // namespace

struct Resolver::Impl {
  FileThreads& threads;
  ResolverOptions options;
  KnownFile<Hosts const> hosts = {};
  KnownFile<NameServers const> servers = {};
  Clock::time_point read_at = {};
  std::shared_ptr<SilentServers> silent = std::make_shared<SilentServers>();

  static Task<void> refresh(std::shared_ptr<Impl> self, Deadline until, Trace trace) {
    ResolverOptions const& options = self->options;
    FileAsk hosts{.name = "dns.files", .file = options.hosts_file, .until = until};
    auto read_hosts = reader<Hosts const>(options.hosts_file, parse_hosts);
    auto known_hosts = co_await look_again(trace, self->threads, std::move(hosts), self->hosts,
                                           std::move(read_hosts));
    self->hosts = std::move(known_hosts);
    FileAsk conf{.name = "dns.files", .file = options.resolv_conf, .until = until};
    auto read_conf = reader<NameServers const>(
        options.resolv_conf, [instead = options.servers](std::string const& text) {
          auto servers = parse_resolv_conf(text);
          if (!instead.empty()) servers.servers = instead;
          return servers;
        });
    auto known_servers = co_await look_again(trace, self->threads, std::move(conf), self->servers,
                                             std::move(read_conf));
    self->servers = std::move(known_servers);
    self->read_at = Clock::now();
  }

  // What stands in the way of a lookup.
  std::optional<DiskWait> missing() const {
    if (!hosts.value) return hosts.waits;
    return servers.value ? std::nullopt : servers.waits;
  }
};

Resolver::Resolver(FileThreads& files, ResolverOptions options)
    : impl_(std::make_shared<Impl>(Impl{files, std::move(options)})) {}
Resolver::~Resolver() = default;

Task<Result<Resolver::Addresses, ResolveFault>> Resolver::resolve(std::string host,
                                                                  AddressFamily family,
                                                                  Deadline deadline, Trace trace) {
  require_loop_thread();
  auto const impl = impl_;
  error_code not_an_address;
  auto const literal = asio::ip::make_address(host, not_an_address);
  if (!not_an_address) {
    Addresses one{literal};
    co_return of_family(std::move(one), family, host);
  }
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return std::tolower(c); });
  std::string const asked = host;  // a final dot keeps the search list away
  if (host.ends_with('.')) host.pop_back();
  if (is_localhost(host)) {
    Addresses loopback{asio::ip::address_v6::loopback(), asio::ip::address_v4::loopback()};
    co_return of_family(std::move(loopback), family, host);
  }
  bool const known = impl->hosts.value && impl->servers.value;
  if (!known || Clock::now() - impl->read_at > kFilesFreshFor) {
    co_await Impl::refresh(impl, deadline, trace);
  }
  if (auto const missing = impl->missing()) {
    co_return ResolveFault{ResolveFault::Kind::disk, sentence(*missing)};
  }
  auto const hosts = impl->hosts.value;
  if (auto const there = hosts->find(host); there != hosts->end()) {
    co_return of_family(there->second, family, host);
  }
  co_return co_await dns_lookup(asked, family, *impl->servers.value, impl->silent, deadline, trace);
}

std::vector<DiskWait> Resolver::waits() const {
  std::vector<DiskWait> all;
  for (auto const* waits : {&impl_->hosts.waits, &impl_->servers.waits}) {
    if (*waits) all.push_back(**waits);
  }
  return all;
}

}  // namespace canary::runtime
