// SPDX-License-Identifier: Apache-2.0
// Where a redirect leads, as clients follow it.
// Thread: none (pure).
#pragma once

#include "config/url.h"
#include "probes/fetch/head.h"
#include "probes/fetch/transfer.h"

namespace canary::fetch {

// 301, 302, 303, 307 and 308; no client follows the others.
bool is_redirect(ResponseHead const& head);

// The target of `head`, an answer to transfer.url; what is odd about it is noted in `transfer`.
// Credentials in it are dropped: they are not ours to send. Error: redirect_refused.
Result<config::Url> redirect_target(Transfer& transfer, ResponseHead const& head);

}  // namespace canary::fetch
