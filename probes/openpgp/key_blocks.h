// SPDX-License-Identifier: Apache-2.0
// A file of keys in whatever form: binary, or armoured in one block or many.
// Thread: any (CPU only; on a worker).
#pragma once

#include <string_view>

#include "probes/openpgp/packets.h"

namespace canary::openpgp {

// Never both lists empty.
KeyBlocks read_blocks(std::string_view bytes, Budget const& budget);

}  // namespace canary::openpgp
