// SPDX-License-Identifier: Apache-2.0
#include "runtime/resolver.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "runtime/contract.h"
#include "runtime/dns_lookup.h"
#include "runtime/name_files.h"
#include "runtime/silent_servers.h"
#include "runtime/task_group.h"

namespace canary::runtime {
namespace {

constexpr auto kFilesFreshFor = std::chrono::seconds{1};
// How long a lookup waits for the disk where an older state of the files is known.
constexpr auto kRefreshWait = std::chrono::milliseconds{250};

// What tells whether a file has changed.
struct Identity {
  std::uint64_t inode = 0, size = 0;
  std::int64_t seconds = 0, nanoseconds = 0;
  friend bool operator==(Identity const&, Identity const&) = default;
};

Identity identity_of(std::filesystem::path const& path) {
  struct ::stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_ino, static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec,
          status.st_mtim.tv_nsec};
}

std::string text_of(std::filesystem::path const& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

struct SystemFiles {
  Identity hosts_identity, servers_identity;
  Hosts hosts;
  NameServers servers;
};
using Files = std::shared_ptr<SystemFiles const>;

// On the disk thread.
Files read_files(ResolverOptions const& options, Files const& known) {
  auto const hosts = identity_of(options.hosts_file);
  auto const servers = identity_of(options.resolv_conf);
  if (known && known->hosts_identity == hosts && known->servers_identity == servers) return known;
  auto fresh = std::make_shared<SystemFiles>();
  fresh->hosts_identity = hosts;
  fresh->servers_identity = servers;
  fresh->hosts = parse_hosts(text_of(options.hosts_file));
  fresh->servers = parse_resolv_conf(text_of(options.resolv_conf));
  if (!options.servers.empty()) fresh->servers.servers = options.servers;
  return fresh;
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
  Workers& disk;
  ResolverOptions options;
  Files files = {};
  Clock::time_point read_at = {};
  std::shared_ptr<SilentServers> silent = std::make_shared<SilentServers>();

  static Task<Files> refresh(std::shared_ptr<Impl> self, Trace trace) {
    auto job = [options = self->options, known = self->files] {
      return read_files(options, known);
    };
    Files fresh = co_await self->disk.run(trace, "dns.files", std::move(job));
    self->files = fresh;
    self->read_at = Clock::now();
    co_return fresh;
  }
};

Resolver::Resolver(Workers& disk, ResolverOptions options)
    : impl_(std::make_shared<Impl>(Impl{disk, std::move(options)})) {}
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
  Files files = impl->files;
  if (!files || Clock::now() - impl->read_at > kFilesFreshFor) {
    auto refresh = Impl::refresh(impl, trace);
    auto const until = files ? deadline.within(kRefreshWait) : deadline;
    auto const fresh = co_await within(until, std::move(refresh), trace);
    if (fresh) files = *fresh;
  }
  if (!files) {
    co_return ResolveFault{ResolveFault::Kind::timeout,
                           "the disk did not give " + impl->options.hosts_file.string() + " and " +
                               impl->options.resolv_conf.string() + " in time"};
  }
  if (auto const known = files->hosts.find(host); known != files->hosts.end()) {
    co_return of_family(known->second, family, host);
  }
  co_return co_await dns_lookup(asked, family, files->servers, impl->silent, deadline, trace);
}

}  // namespace canary::runtime
