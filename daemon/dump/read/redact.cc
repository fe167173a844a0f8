// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/read/redact.h"

#include <algorithm>
#include <cstring>

#include "daemon/dump/write/checksum.h"
#include "daemon/dump/write/raw_format.h"

namespace canary::dump {

void forget_stacks(std::span<std::byte> raw) {
  std::size_t at = sizeof kFileMagic;
  while (at + sizeof(SectionHeader) <= raw.size()) {
    SectionHeader header;
    std::memcpy(&header, raw.data() + at, sizeof header);
    if (header.magic != kSectionMagic) return;
    std::size_t const start = at + sizeof header;
    // Of a section that was cut short the length is not known: it reaches to the end.
    std::size_t const room = raw.size() - start;
    bool const whole = header.complete == 1 && header.length <= room;
    std::size_t const length = whole ? header.length : room;
    if (header.type == SectionType::stack && length > sizeof(StackSection)) {
      auto const content = raw.subspan(start, length);
      std::ranges::fill(content.subspan(sizeof(StackSection)), std::byte{0});
      header.checksum = crc32c(0, content.data(), content.size());
      std::memcpy(raw.data() + at, &header, sizeof header);
    }
    at = start + (length + 7) / 8 * 8;
  }
}

}  // namespace canary::dump
