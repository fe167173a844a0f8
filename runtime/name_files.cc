// SPDX-License-Identifier: Apache-2.0
#include "runtime/name_files.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace canary::runtime {
namespace {

constexpr std::size_t kServersMax = 3;  // as the C library

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlanks = " \t\r";
  while (true) {
    auto const begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    auto const end = std::min(line.find_first_of(kBlanks, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

// Calls `use` with the words of each line that has some, comments removed.
template <class Use>
void each_line(std::string_view text, std::string_view comment, Use use) {
  while (!text.empty()) {
    auto const end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find_first_of(comment));
    auto const words = words_of(line);
    if (!words.empty()) use(words);
  }
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void use_option(NameServers& result, std::string_view option) {
  auto const colon = option.find(':');
  if (colon == std::string_view::npos) return;
  auto const value = number(option.substr(colon + 1));
  if (!value) return;
  auto const name = option.substr(0, colon);
  if (name == "ndots") result.ndots = std::clamp(*value, 0, 15);
  if (name == "timeout") result.timeout = std::chrono::seconds{std::clamp(*value, 1, 30)};
  if (name == "attempts") result.tries = std::clamp(*value, 1, 5);
}

}  // namespace

Hosts parse_hosts(std::string_view text) {
  Hosts hosts;
  each_line(text, "#", [&hosts](std::vector<std::string_view> const& words) {
    boost::system::error_code error;
    auto const address = boost::asio::ip::make_address(std::string{words.front()}, error);
    if (error) return;
    for (std::size_t i = 1; i < words.size(); ++i) {
      std::string name{words[i]};
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      auto& addresses = hosts[name];
      if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
    }
  });
  return hosts;
}

NameServers parse_resolv_conf(std::string_view text) {
  NameServers result;
  each_line(text, "#;", [&result](std::vector<std::string_view> const& words) {
    if (words.size() < 2) return;
    if (words[0] == "nameserver") {
      boost::system::error_code error;
      auto const address = boost::asio::ip::make_address(std::string{words[1]}, error);
      // A scoped (link-local) server cannot be told to c-ares.
      if (error || result.servers.size() == kServersMax) return;
      if (address.is_v6() && address.to_v6().scope_id() != 0) return;
      auto const shown = address.to_string();
      result.servers.push_back(address.is_v6() ? "[" + shown + "]:53" : shown + ":53");
    } else if (words[0] == "search" || words[0] == "domain") {
      result.search.assign(words.begin() + 1, words.end());
    } else if (words[0] == "options") {
      for (std::size_t i = 1; i < words.size(); ++i) use_option(result, words[i]);
    }
  });
  if (result.servers.empty()) result.servers.emplace_back("127.0.0.1:53");
  return result;
}

}  // namespace canary::runtime
