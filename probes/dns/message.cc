// SPDX-License-Identifier: Apache-2.0
#include "probes/dns/message.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace canary::dns {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestName = 253;
constexpr int kClassIn = 1;
constexpr std::size_t kUdpBytes = 1'232;

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string two(std::size_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

// Reads on; once something does not fit, everything is "broken" and reads as nothing.
class Cursor {
 public:
  Cursor(std::string_view whole, std::size_t at, std::size_t end)
      : whole_(whole), at_(at), end_(std::min(end, whole.size())) {}

  bool broken() const { return broken_; }
  bool at_end() const { return at_ >= end_; }
  std::size_t at() const { return at_; }
  std::string_view bytes(std::size_t size) {
    if (broken_ || end_ - at_ < size) {
      broken_ = true;
      return {};
    }
    auto const part = whole_.substr(at_, size);
    at_ += size;
    return part;
  }
  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (unsigned char const byte : bytes(size)) value = value << 8 | byte;
    return value;
  }
  // "mail.example.com.", in lower case; what is no letter, digit, '-' or '_' as \DDD.
  std::string name();

 private:
  std::string_view whole_;
  std::size_t at_, end_;
  bool broken_ = false;
};

void append_label(std::string& name, std::string_view label) {
  for (unsigned char const c : lower(label)) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                       c == '*' || c == '/';
    if (plain) {
      name += static_cast<char>(c);
    } else {
      std::string const digits = std::to_string(1'000 + c);
      name += '\\' + digits.substr(1);
    }
  }
  name += '.';
}

// A pointer leads back, each further than the one before: so there is an end.
std::string Cursor::name() {
  std::string name;
  std::size_t at = at_, limit = at_, length = 0;
  bool jumped = false;
  while (!broken_) {
    std::size_t const end = jumped ? whole_.size() : end_;
    if (at >= end) break;
    auto const size = static_cast<unsigned char>(whole_[at]);
    if (size == 0) {
      if (!jumped) at_ = at + 1;
      return name.empty() ? "." : name;
    }
    if (size >= 0xc0) {
      if (at + 1 >= end) break;
      std::size_t const to =
          static_cast<std::size_t>(size & 0x3f) << 8 | static_cast<unsigned char>(whole_[at + 1]);
      if (!jumped) at_ = at + 2;
      if (to >= limit) break;
      jumped = true;
      at = limit = to;
      continue;
    }
    length += size + 1U;
    if (size > kLongestLabel || length > kLongestName + 1 || at + 1 + size > end) break;
    append_label(name, whole_.substr(at + 1, size));
    at += 1U + size;
  }
  broken_ = true;
  return {};
}

std::string address(int family, std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (bytes.empty()) return {};
  ::inet_ntop(family, bytes.data(), text.data(), text.size());
  return text.data();
}

std::string strings(Cursor& data) {
  std::string text;
  while (!data.at_end() && !data.broken()) text += data.bytes(data.number(1));
  return text;
}

std::string soa(Cursor& data, std::uint32_t& serial) {
  std::string text = data.name();
  text += " " + data.name();
  serial = data.number(4);
  text += " " + std::to_string(serial);
  for (int i = 0; i < 4; ++i) text += " " + std::to_string(data.number(4));
  return text;
}

std::string caa(Cursor& data, std::size_t end) {
  std::string text = std::to_string(data.number(1)) + " ";
  text += lower(data.bytes(data.number(1)));
  auto const value = data.broken() ? std::string_view{} : data.bytes(end - data.at());
  return text + " \"" + std::string{value} + "\"";
}

// Nothing where its data do not fit its type.
std::optional<Record> read_record(Type type, std::uint32_t ttl, std::string_view whole,
                                  std::size_t begin, std::size_t end) {
  Cursor data{whole, begin, end};
  Record record{.ttl = ttl};
  switch (type) {
    case Type::a:
      record.value = address(AF_INET, data.bytes(4));
      break;
    case Type::aaaa:
      record.value = address(AF_INET6, data.bytes(16));
      break;
    case Type::ns:
    case Type::cname:
      record.value = data.name();
      break;
    case Type::mx:
      record.value = std::to_string(data.number(2)) + " ";
      record.value += data.name();
      break;
    case Type::txt:
      record.value = strings(data);
      break;
    case Type::soa:
      record.value = soa(data, record.serial);
      break;
    case Type::caa:
      record.value = caa(data, end);
      break;
  }
  if (data.broken() || !data.at_end()) return std::nullopt;
  return record;
}

// A record of the answer's section.
struct Found {
  std::string owner;
  std::uint32_t type = 0, ttl = 0;
  std::size_t begin = 0, end = 0;  // of its data
};

Result<std::vector<Found>, std::string> read_answers(std::string_view bytes, std::size_t at,
                                                     std::size_t count) {
  if (count > kMostRecords) {
    return "it has more than " + std::to_string(kMostRecords) + " records";
  }
  std::vector<Found> all;
  Cursor cursor{bytes, at, bytes.size()};
  for (std::size_t i = 0; i < count; ++i) {
    Found found{.owner = cursor.name()};
    found.type = cursor.number(2);
    bool const in = cursor.number(2) == kClassIn;
    found.ttl = cursor.number(4);
    auto const size = cursor.number(2);
    found.begin = cursor.at();
    cursor.bytes(size);
    found.end = cursor.at();
    if (cursor.broken()) return "it ends in its record " + std::to_string(i + 1);
    if (in) all.push_back(std::move(found));
  }
  return all;
}

}  // namespace

bool is_name(std::string_view name) {
  if (name.size() > kLongestName) return false;
  while (!name.empty()) {
    auto const dot = std::min(name.find('.'), name.size());
    if (dot == 0 || dot > kLongestLabel) return false;
    bool const plain = std::ranges::all_of(name.substr(0, dot), [](unsigned char c) {
      return c > 0x20 && c < 0x7f && c != '\\' && c != '"';
    });
    if (!plain || dot + 1 == name.size()) return false;
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return true;
}

std::string to_bytes(Question const& question, std::uint16_t id) {
  std::size_t const flags = (question.recursion ? 0x0100U : 0U) | 0x0020U;  // RD, AD
  std::string bytes = two(id) + two(flags) + two(1) + two(0) + two(0) + two(1);
  std::string_view name = question.name;
  while (!name.empty()) {
    auto const dot = std::min(name.find('.'), name.size());
    bytes += static_cast<char>(dot);
    bytes += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  bytes += '\0' + two(static_cast<std::size_t>(question.type)) + two(kClassIn);
  constexpr int kOpt = 41;
  return bytes + '\0' + two(kOpt) + two(kUdpBytes) + two(0) + two(0) + two(0);
}

Result<Message, std::string> parse(std::string_view bytes, Question const& question) {
  Cursor header{bytes, 0, bytes.size()};
  header.number(2);
  auto const flags = header.number(2);
  auto const questions = header.number(2);
  auto const answers = header.number(2);
  header.number(4);
  if (header.broken() || (flags & 0x8000) == 0) return "it is no answer of the DNS";
  Message message{.rcode = static_cast<int>(flags & 0xf),
                  .authoritative = (flags & 0x0400) != 0,
                  .truncated = (flags & 0x0200) != 0,
                  .authenticated = (flags & 0x0020) != 0,
                  .records = {},
                  .aliases = {}};
  Cursor asked{bytes, kHeaderBytes, bytes.size()};
  std::string name = asked.name();
  auto const type = asked.number(2);
  asked.number(2);
  std::string const wanted = question.name.empty() ? "." : question.name;
  if (questions != 1 || asked.broken() || !is_same_value(name, wanted) ||
      type != static_cast<std::uint32_t>(question.type)) {
    return "it answers another question";
  }
  auto const found = read_answers(bytes, asked.at(), answers);
  if (!found) return found.error();
  // An alias leads to another name, whose records stand in the same answer; in any order.
  for (std::size_t hops = 0; hops <= kMostAliases; ++hops) {
    std::optional<std::string> next;
    for (Found const& each : found.value()) {
      if (each.owner != name) continue;
      bool const wanted_type = each.type == static_cast<std::uint32_t>(question.type);
      if (!wanted_type && each.type != static_cast<std::uint32_t>(Type::cname)) continue;
      auto record = read_record(wanted_type ? question.type : Type::cname, each.ttl, bytes,
                                each.begin, each.end);
      if (!record) return "a record's data are not of its type";
      if (wanted_type) {
        message.records.push_back(std::move(*record));
      } else {
        next = std::move(record->value);
      }
    }
    if (!next || !message.records.empty()) return message;
    message.aliases.push_back(*next);
    name = std::move(*next);
  }
  return "its aliases lead in a circle, or are more than " + std::to_string(kMostAliases);
}

std::string rcode_text(int rcode) {
  constexpr std::array<char const*, 6> kNames{"NOERROR",  "FORMERR", "SERVFAIL",
                                              "NXDOMAIN", "NOTIMP",  "REFUSED"};
  if (rcode >= 0 && static_cast<std::size_t>(rcode) < kNames.size()) {
    return kNames.at(static_cast<std::size_t>(rcode));
  }
  return "RCODE " + std::to_string(rcode);
}

bool is_same_value(std::string_view a, std::string_view b) {
  auto const bare = [](std::string_view text) {
    if (text.size() > 1 && text.ends_with('.')) text.remove_suffix(1);
    return lower(text);
  };
  return bare(a) == bare(b);
}

}  // namespace canary::dns
