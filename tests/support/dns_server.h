// SPDX-License-Identifier: Apache-2.0
// A small name server on loopback, over UDP and TCP, that answers as a test scripts it.
// Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace canary::support {

class DnsServer {
 public:
  struct Name {
    enum class Behaviour { answer, silent, server_failure, truncated_over_udp, garbage };
    Behaviour behaviour = Behaviour::answer;
    std::vector<std::string> addresses = {};  // IPv4 for A, IPv6 for AAAA; none: no data
    bool silent_for_aaaa = false;
    bool fails_for_a = false;                       // SERVFAIL, beside whatever AAAA gets
    std::chrono::milliseconds aaaa_comes_after{0};  // the answer to AAAA only
    // Instead of all that: gives the answer's bytes for the query's; nothing: silence.
    std::function<std::optional<std::string>(std::string const& query, bool over_tcp)> raw = {};
  };

  DnsServer();
  ~DnsServer();
  DnsServer(DnsServer const&) = delete;
  DnsServer& operator=(DnsServer const&) = delete;

  // Names that were not added do not exist (NXDOMAIN).
  void add(std::string name, Name behaviour);
  void add(std::string name, std::vector<std::string> addresses);
  // "127.0.0.1:port".
  std::string address() const;
  int queries() const;
  int queries_over_tcp() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace canary::support
