// SPDX-License-Identifier: Apache-2.0
// Bytes to typed metadata: everything that can be said of one file without trusting anybody.
// Thread: none (pure). Source: TUF 1.0.34 §4.
#pragma once

#include <string>
#include <string_view>

#include "probes/tuf/metadata.h"

namespace canary::tuf {

// Each rejects: json_*, budget, number_not_integer, field_*, wrong_type, spec_version,
// duplicate_signature, other_dialect. The caller has limited the size. `role` names the file in
// errors.
Result<Metadata<Root>> parse_root(std::string bytes, FileBudget const& budget = {});
Result<Metadata<Timestamp>> parse_timestamp(std::string bytes, FileBudget const& budget = {});
Result<Metadata<Snapshot>> parse_snapshot(std::string bytes, FileBudget const& budget = {});
Result<Metadata<Targets>> parse_targets(std::string bytes, std::string_view role,
                                        FileBudget const& budget = {});

struct Expiry {
  Time time{};
  bool as_specified = true;  // `YYYY-MM-DDTHH:MM:SSZ`; otherwise a fraction or an offset was there
};

// Accepts the specification's format, and 1 to 9 digits of fraction or an offset as seen in real
// repositories; rounds down to seconds. Rejects: field_invalid.
Result<Expiry> parse_expires(std::string_view text, std::string_view role);

// "2030-01-31T00:00:00Z", for years 0 to 9999.
std::string expires_text(Time time);

}  // namespace canary::tuf
