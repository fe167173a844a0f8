// SPDX-License-Identifier: Apache-2.0
#include "runtime/build_id.h"

#include <elf.h>

#include <cstring>

namespace canary::runtime {
namespace {

// Names and contents of notes fill words of four bytes.
std::size_t padded(std::size_t size) { return (size + 3) / 4 * 4; }

}  // namespace

std::span<unsigned char const> build_id_of(dl_phdr_info const& object) {
  for (auto const& segment : std::span{object.dlpi_phdr, object.dlpi_phnum}) {
    if (segment.p_type != PT_NOTE) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): that is what the linker gives
    auto const* at = reinterpret_cast<unsigned char const*>(object.dlpi_addr + segment.p_vaddr);
    auto const* const end = at + segment.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      auto const& note = *reinterpret_cast<ElfW(Nhdr) const*>(at);
      auto const* const name = at + sizeof note;
      auto const* const content = name + padded(note.n_namesz);
      bool const gnu = note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0;
      if (gnu && note.n_type == NT_GNU_BUILD_ID) return {content, note.n_descsz};
      at = content + padded(note.n_descsz);
    }
  }
  return {};
}

}  // namespace canary::runtime
