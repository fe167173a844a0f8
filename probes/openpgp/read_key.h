// SPDX-License-Identifier: Apache-2.0
// One public key out of librnp.
// Thread: any (CPU only; on a worker).
#pragma once

#include "probes/openpgp/keys.h"
#include "probes/openpgp/rnp.h"

namespace canary::openpgp {

// `primary` is a primary key of a keyring that holds nothing else.
PublicKey read_key(rnp_key_handle_t primary);

}  // namespace canary::openpgp
