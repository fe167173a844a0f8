// SPDX-License-Identifier: Apache-2.0
// Names to addresses without blocking the loop: the system's hosts file, then DNS by c-ares, each
// lookup with a channel and a deadline of its own.
// Thread: loop.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "config/result.h"
#include "runtime/deadline.h"
#include "runtime/file_threads.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::runtime {

struct ResolverOptions {
  std::filesystem::path hosts_file = "/etc/hosts";
  std::filesystem::path resolv_conf = "/etc/resolv.conf";
  // "address:port" or "[address]:port"; instead of the name servers of resolv_conf.
  std::vector<std::string> servers = {};
};

struct ResolveFault {
  enum class Kind {
    no_such_name,  // NXDOMAIN
    no_address,    // the name exists, without an address of the wanted family
    server,        // SERVFAIL, REFUSED or an unreadable answer, from every name server
    unreachable,   // no name server can be contacted
    timeout,
    disk,  // our own has not given the system's files
  } kind;
  std::string message;  // a sentence without a final stop
  int own_error = 0;    // errno where our own side could not even ask: no descriptor, a firewall
};

enum class AddressFamily { any, v4, v6 };

class Resolver {
 public:
  using Addresses = std::vector<asio::ip::address>;

  // `files` outlives the resolver; the system's files are read there, and again when they change.
  explicit Resolver(FileThreads& files, ResolverOptions options = {});
  ~Resolver();
  Resolver(Resolver const&) = delete;
  Resolver& operator=(Resolver const&) = delete;

  // IPv6 before IPv4, each in ascending order, never empty. Addresses and localhost need no
  // lookup. Throws operation_aborted when cancelled.
  Task<Result<Addresses, ResolveFault>> resolve(std::string host, AddressFamily family,
                                                Deadline deadline, Trace trace);

  // Of the system's files those whose disk did not answer the last look: names are looked up by
  // what they were before.
  std::vector<DiskWait> waits() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace canary::runtime
