// SPDX-License-Identifier: Apache-2.0
// Who may have canaryd do something over HTTP: this machine, or whoever said who it is, and never a
// page of another site in a browser.
// Thread: any (pure).
// Sources: RFC 6454 (Origin), Fetch Metadata (Sec-Fetch-Site), RFC 7239 (Forwarded).
#pragma once

#include <optional>
#include <string>

#include "daemon/publish/routes.h"

namespace canary::daemon {

// Why whoever asks may not change anything (403), wherever the request comes from; nothing where he
// may. A browser has to ask by the external URL's name, where there is one, or an address.
std::optional<HttpAnswer> refuse_person(HttpRequest const& request, WebPlace const& place);

// Why a request that changes something is refused (403); nothing where it is not.
std::optional<HttpAnswer> refuse_change(HttpRequest const& request, WebPlace const& place);

}  // namespace canary::daemon
