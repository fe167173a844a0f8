// SPDX-License-Identifier: Apache-2.0
// What other clients refuse in a file that parses here: repositories are read by all of them.
// Each claim was tried on the client itself: tests/tuf/client_refusals_test.cc has the table.
// Thread: none (pure). Source: python-tuf 7.0.1 with securesystemslib 1.6, go-tuf 2.4.2,
// tough 0.24.0.
#pragma once

#include <string_view>

#include "probes/tuf/json.h"
#include "probes/tuf/keys.h"
#include "probes/tuf/notice.h"

namespace canary::tuf {

// Looks over a whole file. REQUIRES: parse.h takes it as `role`'s; other roles are targets roles.
void note_refusals(json::Document const& file, std::string_view role, Notices& notices);

// Who can't use a key of this type and scheme, in words: "go-tuf refuses its signatures, …"; empty
// where all three can.
std::string_view refusals_of(Key const& key);

}  // namespace canary::tuf
