// SPDX-License-Identifier: Apache-2.0
// A request as libmicrohttpd has it, for Routes.
// Thread: any.
#pragma once

#include <microhttpd.h>

#include "daemon/publish/routes.h"

namespace canary::daemon {

// Its functions hold as long as the request does. `is_private`: it came to the private listener.
HttpRequest request_of(MHD_Connection* connection, char const* method, char const* path,
                       bool is_private);

}  // namespace canary::daemon
