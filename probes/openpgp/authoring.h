// SPDX-License-Identifier: Apache-2.0
// Makes keys: for the demo, which has one that is about to end.
// Thread: any (CPU only).
#pragma once

#include <chrono>
#include <string>

namespace canary::openpgp {

// The public part, binary, of a new Ed25519 key of `user` that signs; its secret part is gone.
// "Made" then, it ends `lifetime` later. "" where librnp can't.
std::string make_public_key(std::string const& user, std::chrono::sys_seconds made,
                            std::chrono::seconds lifetime);

}  // namespace canary::openpgp
