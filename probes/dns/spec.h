// SPDX-License-Identifier: Apache-2.0
// What a probe of name servers is told.
// Thread: none (immutable once built).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/probe_spec.h"
#include "probes/dns/message.h"

namespace canary::dns {

enum class TypeName : std::uint8_t { a, aaaa, cname, soa, caa, txt, mx, ns };
enum class Expected : std::uint8_t { noerror, nxdomain, servfail, refused };
enum class Match : std::uint8_t { exactly, includes };
enum class Transport : std::uint8_t { udp, tcp };

struct Spec {
  std::string name;  // asked about
  TypeName type = TypeName::a;
  std::vector<std::string> servers;  // "HOST" or "HOST:PORT"
  std::vector<std::string> values;   // expected; where none are given, any will do
  Match match = Match::exactly;
  Expected rcode = Expected::noerror;
  bool recursion = true;
  bool authenticated = false;  // DNSSEC, by the server's word
  std::chrono::milliseconds serial_grace{600'000};
  Transport transport = Transport::udp;
  config::IpFamily ip_family = config::IpFamily::any;
  std::chrono::milliseconds resolve_timeout{5'000};
  std::chrono::milliseconds query_timeout{5'000};

  static constexpr std::string_view kKind = "dns";
  static constexpr bool kFetches = false;
  static constexpr bool kRunsPrograms = false;
  std::string location() const { return "dns:" + name; }
  std::string host() const { return servers.empty() ? location() : servers.front(); }
  std::size_t connections() const { return servers.size(); }
  Question question() const;
  int expected_rcode() const;
  friend bool operator==(Spec const&, Spec const&) = default;
};

void describe(config::FieldVisitor& visitor, Spec& spec);
void describe_defaults(config::FieldVisitor& visitor, Spec& spec);

// "192.0.2.1", "[2001:db8::1]:5353", "2001:db8::1", "ns.example.com:53".
struct ServerName {
  std::string host;  // without brackets
  std::uint16_t port = 53;
};
std::optional<ServerName> parse_server(std::string const& text);

}  // namespace canary::dns
