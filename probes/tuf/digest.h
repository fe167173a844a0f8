// SPDX-License-Identifier: Apache-2.0
// Digests by the names that metadata gives them, and hexadecimal.
// Thread: none (pure).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_st;

namespace canary::tuf {

std::array<unsigned char, 32> sha256(std::string_view bytes);
// As a number that a double holds exactly.
std::uint64_t first_52_bits(std::array<unsigned char, 32> const& digest);
std::string sha256_hex(std::string_view bytes);
std::string sha512_hex(std::string_view bytes);

// What metadata calls "sha256", "blake2b", "md5", …: python's hashlib names what signers write.
// nullptr where OpenSSL has no such digest.
evp_md_st const* digest_named(std::string_view name);
// Hexadecimal; empty where OpenSSL refuses (a weak one under FIPS).
std::string digest_hex(evp_md_st const& digest, std::string_view bytes);

std::string to_hex(std::string_view bytes);                     // lower case
std::optional<std::string> from_hex(std::string_view hex);      // either case; even length
bool equal_hex(std::string_view left, std::string_view right);  // ignoring case

}  // namespace canary::tuf
