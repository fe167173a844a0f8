// SPDX-License-Identifier: Apache-2.0
// The bytes that are signed: OLPC canonical form of a parsed tree. Unknown fields and the text of
// numbers are kept; names are sorted by their UTF-8 bytes; only `"` and `\` are escaped, so the
// result need not be JSON; nothing is normalised.
// Thread: none (pure). Source: TUF 1.0.34 §4.2, wiki.laptop.org/go/Canonical_JSON.
#pragma once

#include <string>
#include <string_view>

#include "probes/tuf/json.h"

namespace canary::tuf {

// Appends to `out`, which the caller may have reserved. `role` and `where` (such as "signed") name
// the place in errors. Rejects: number_not_integer, with `out` half written.
Result<void> append_canonical_json(std::string& out, json::Value const& value,
                                   std::string_view role, std::string_view where);

Result<std::string> canonical_json(json::Value const& value, std::string_view role,
                                   std::string_view where);

}  // namespace canary::tuf
