// SPDX-License-Identifier: Apache-2.0
// Digests by OpenSSL; hexadecimal by hand.
// Thread: none (pure).
#include "probes/tuf/digest.h"

#include <algorithm>
#include <new>
#include <utility>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "probes/openssl_memory.h"

namespace canary::tuf {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

unsigned char const* octets(std::string_view bytes) {
  return reinterpret_cast<unsigned char const*>(bytes.data());
}

template <class Digest>
std::string hex_of(Digest const& digest) {
  return to_hex({reinterpret_cast<char const*>(digest.data()), digest.size()});
}

int value_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::array<unsigned char, 32> sha256(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  if (SHA256(octets(bytes), bytes.size(), digest.data()) == nullptr) throw std::bad_alloc{};
  return digest;
}

std::uint64_t first_52_bits(std::array<unsigned char, 32> const& digest) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 7; ++i) bits = bits << 8 | digest[i];
  return bits >> 4;
}

std::string sha256_hex(std::string_view bytes) { return hex_of(sha256(bytes)); }

std::string sha512_hex(std::string_view bytes) {
  std::array<unsigned char, 64> digest{};
  if (SHA512(octets(bytes), bytes.size(), digest.data()) == nullptr) throw std::bad_alloc{};
  return hex_of(digest);
}

evp_md_st const* digest_named(std::string_view name) {
  using Digest = std::pair<std::string_view, EVP_MD const* (*)()>;
  constexpr std::array kDigests{
      Digest{"sha256", EVP_sha256},
      Digest{"sha512", EVP_sha512},
      Digest{"sha224", EVP_sha224},
      Digest{"sha384", EVP_sha384},
      Digest{"sha512_224", EVP_sha512_224},
      Digest{"sha512_256", EVP_sha512_256},
      Digest{"sha3_224", EVP_sha3_224},
      Digest{"sha3_256", EVP_sha3_256},
      Digest{"sha3_384", EVP_sha3_384},
      Digest{"sha3_512", EVP_sha3_512},
      Digest{"blake2b", EVP_blake2b512},
      Digest{"blake2s", EVP_blake2s256},
      Digest{"sha1", EVP_sha1},
      Digest{"md5", EVP_md5},
  };
  for (auto const& [known, digest] : kDigests) {
    if (known == name) return digest();
  }
  return nullptr;
}

std::string digest_hex(evp_md_st const& digest, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  probes::OpensslMemory const memory;
  int const done = EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, &digest, nullptr);
  if (done == 1) return to_hex({reinterpret_cast<char const*>(out.data()), size});
  memory.require();
  return {};
}

std::string to_hex(std::string_view bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (char const c : bytes) {
    auto const byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    int const high = value_of(hex[i]);
    int const low = value_of(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

bool equal_hex(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    int const value = value_of(a);
    return value >= 0 && value == value_of(b);
  });
}

}  // namespace canary::tuf
