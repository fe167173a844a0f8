// SPDX-License-Identifier: Apache-2.0
// SHA-256 and SHA-512 of bytes in memory, and hexadecimal.
// Thread: none (pure).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace canary::tuf {

std::array<unsigned char, 32> sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
std::string sha512_hex(std::string_view bytes);

std::string to_hex(std::string_view bytes);                     // lower case
std::optional<std::string> from_hex(std::string_view hex);      // either case; even length
bool equal_hex(std::string_view left, std::string_view right);  // ignoring case

}  // namespace canary::tuf
