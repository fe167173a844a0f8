// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/write/checksum.h"

namespace canary::dump {
namespace {

struct Tables {
  std::uint32_t at[8][256];
};

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82F63B78U : 0);
    tables.at[0][i] = value;
  }
  for (std::uint32_t i = 0; i < 256; ++i) {
    for (int k = 1; k < 8; ++k) {
      std::uint32_t const before = tables.at[k - 1][i];
      tables.at[k][i] = (before >> 8) ^ tables.at[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32c(std::uint32_t before, void const* data, std::size_t size) {
  auto const& table = kTables.at;
  auto const* at = static_cast<unsigned char const*>(data);
  std::uint32_t value = ~before;
  for (; size >= 8; size -= 8, at += 8) {
    std::uint64_t word = 0;
    __builtin_memcpy(&word, at, 8);
    word ^= value;
    value = table[7][word & 0xFF] ^ table[6][(word >> 8) & 0xFF] ^ table[5][(word >> 16) & 0xFF] ^
            table[4][(word >> 24) & 0xFF] ^ table[3][(word >> 32) & 0xFF] ^
            table[2][(word >> 40) & 0xFF] ^ table[1][(word >> 48) & 0xFF] ^ table[0][word >> 56];
  }
  for (; size > 0; --size, ++at) value = (value >> 8) ^ table[0][(value ^ *at) & 0xFF];
  return ~value;
}

}  // namespace canary::dump
