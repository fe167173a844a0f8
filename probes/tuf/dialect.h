// SPDX-License-Identifier: Apache-2.0
// Relatives of TUF whose files are easily taken for it: named, so that nobody looks for a fault in
// a repository that is none.
// Thread: none (pure).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "probes/tuf/json.h"

namespace canary::tuf {

// A sentence, "signed is missing: this is a DSSE envelope …"; nullopt where it may be TUF.
std::optional<std::string> foreign_dialect(json::Value const& file);
// The same of bytes that are no JSON at all.
std::optional<std::string> foreign_bytes(std::string_view bytes);

}  // namespace canary::tuf
