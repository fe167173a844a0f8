// SPDX-License-Identifier: Apache-2.0
// CRC-32C, eight bytes at a time from tables made when the program is compiled.
// Thread: none; async-signal-safe.
// Source: Castagnoli's polynomial as in RFC 3720 appendix B.4.
#pragma once

#include <cstddef>
#include <cstdint>

namespace canary::dump {

// Goes on from `before`; 0 for the first part.
std::uint32_t crc32c(std::uint32_t before, void const* data, std::size_t size);

}  // namespace canary::dump
