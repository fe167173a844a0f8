// SPDX-License-Identifier: Apache-2.0
// Which request headers a configuration may set, and which of them are secrets.
// Thread: none (pure). Source: RFC 9110 sections 5.5 and 5.6.2.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace canary::config {

constexpr std::size_t kMaxSecretBytes = std::size_t{64} * 1024;
constexpr std::size_t kMaxHeaderValueBytes = std::size_t{8} * 1024;

std::string lower_case(std::string_view text);  // ASCII

// What is wrong with a header's name: no token, or one that the client sets itself.
std::optional<std::string> check_header_name(std::string_view name);
// What is wrong with a header's value, without repeating it.
std::optional<std::string> check_header_value(std::string_view value);
// Authorization, Cookie and whatever is called a token, key, secret or password.
bool is_secret_header(std::string_view name);
// Is it one by its form, whatever the header's name: "Bearer ...", "Basic ..."?
bool is_credential(std::string_view value);

}  // namespace canary::config
