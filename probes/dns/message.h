// SPDX-License-Identifier: Apache-2.0
// Messages of the DNS: a question as bytes, an answer read within bounds.
// Thread: any (pure). Source: RFC 1035 section 4, RFC 3596 (AAAA), RFC 6891 (EDNS), RFC 8659 (CAA),
// RFC 4035 section 3.2 (AD).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"

namespace canary::dns {

enum class Type : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  mx = 15,
  txt = 16,
  aaaa = 28,
  caa = 257
};

struct Question {
  std::string name;  // without its final dot; "" is the root
  Type type = Type::a;
  bool recursion = true;
};
bool is_name(std::string_view name);  // one that fits into a question
// One with EDNS, an answer of 1,232 bytes over UDP, and AD. REQUIRES: is_name(question.name).
std::string to_bytes(Question const& question, std::uint16_t id);

struct Record {
  std::uint32_t ttl = 0;
  // As zone files have it: "192.0.2.1", "mail.example.com.", "10 mail.example.com.",
  // "0 issue \"ca.example\"", a TXT's strings joined. Names are in lower case.
  std::string value;
  std::uint32_t serial = 0;  // of a SOA
  friend bool operator==(Record const&, Record const&) = default;
};
struct Message {
  int rcode = 0;
  bool authoritative = false, truncated = false, authenticated = false;
  std::vector<Record> records;       // of the type and name that were asked for
  std::vector<std::string> aliases;  // names that led there, by CNAME
};
inline constexpr std::size_t kMostRecords = 1'024;
inline constexpr std::size_t kMostAliases = 16;

// An error says what is wrong with `bytes` as an answer to that question.
Result<Message, std::string> parse(std::string_view bytes, Question const& question);

std::string rcode_text(int rcode);  // "NXDOMAIN", "RCODE 11"
// Equal but for the case and the final dot of names.
bool is_same_value(std::string_view a, std::string_view b);

}  // namespace canary::dns
