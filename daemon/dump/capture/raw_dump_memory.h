// SPDX-License-Identifier: Apache-2.0
// What RawDump allocates at its start, so that it need not later. Of RawDump's own sources only.
// Thread: as RawDump.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "daemon/dump/capture/process_sample.h"
#include "daemon/dump/capture/raw_dump.h"

namespace canary::dump {

struct RawDump::Process {
  ProcessSample sample;
};

struct RawDump::Buffers {
  std::array<std::byte, 64 * 1024> file{};
  std::array<char, 128 * 1024> text{};
  std::array<char, 64 * 1024> log{};
  std::array<std::uint32_t, 4'096> seen{};
  std::array<std::int32_t, 256> ids{};
  std::size_t id_count = 0;
};

}  // namespace canary::dump
