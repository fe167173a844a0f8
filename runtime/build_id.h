// SPDX-License-Identifier: Apache-2.0
// Which build of a program or library is in memory: the linker's note in its image.
// Thread: any. Source: elf(5), the note NT_GNU_BUILD_ID.
#pragma once

#include <link.h>

#include <span>

namespace canary::runtime {

// The bytes lie in the object's image; empty where it has no such note. For use in a visitor of
// dl_iterate_phdr(3).
std::span<unsigned char const> build_id_of(dl_phdr_info const& object);

}  // namespace canary::runtime
