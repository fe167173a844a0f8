// SPDX-License-Identifier: Apache-2.0
// Answers of name servers, built byte by byte.
// Thread: any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace canary::dns {

inline std::string two(std::size_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}
inline std::string four(std::size_t value) { return two(value >> 16) + two(value); }

// "mail.example" as labels.
inline std::string wire_name(std::string_view name) {
  std::string bytes;
  while (!name.empty()) {
    auto const dot = std::min(name.find('.'), name.size());
    bytes += static_cast<char>(dot);
    bytes += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return bytes + std::string(1, 0);
}

inline std::string const kAsked = "\xc0\x0c";  // the name of the question

inline std::string wire_record(std::string const& owner, int type, std::string const& data,
                               std::size_t ttl = 60) {
  return owner + two(static_cast<std::size_t>(type)) + two(1) + four(ttl) + two(data.size()) + data;
}

// Of a query: its question, up to its class.
inline std::string question_of(std::string const& query) {
  std::size_t end = 12;
  while (query.at(end) != 0) end += 1U + static_cast<unsigned char>(query[end]);
  return query.substr(12, end + 5 - 12);
}

inline std::string wire_answer(std::string const& query, std::vector<std::string> const& records,
                               std::size_t flags = 0x8180) {
  std::string bytes = query.substr(0, 2) + two(flags) + two(1) + two(records.size()) + two(0) +
                      two(0) + question_of(query);
  for (auto const& each : records) bytes += each;
  return bytes;
}

inline std::string wire_soa(std::size_t serial) {
  return wire_name("ns.example") + wire_name("root.example") + four(serial) + four(1) + four(2) +
         four(3) + four(4);
}

}  // namespace canary::dns
