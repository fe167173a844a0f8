// SPDX-License-Identifier: Apache-2.0
// What is at a code address: the function, those inlined into it, file and line.
// Thread: one (the helper's).
#pragma once

#include <vector>

#include <elfutils/libdwfl.h>

#include "daemon/dump/read/document.h"

namespace canary::dump {

// The innermost first; at least one. Without debug information it has function or module alone.
// `code` is the address of the call, not of the return.
std::vector<NativeFrame> symbols_at(Dwfl* space, Dwarf_Addr code);

// Is this a jump into another library? Linkers give those no frame information: the return address
// is on top of the stack.
bool is_linkage_stub(Dwfl* space, Dwarf_Addr code);

}  // namespace canary::dump
