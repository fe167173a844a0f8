// SPDX-License-Identifier: Apache-2.0
// Answers as libmicrohttpd sends them.
// Thread: any.
#pragma once

#include <microhttpd.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "config/web_file.h"
#include "daemon/publish/routes.h"

namespace canary::daemon {

struct DestroyResponse {
  void operator()(MHD_Response* response) const { ::MHD_destroy_response(response); }
};
using ResponsePointer = std::unique_ptr<MHD_Response, DestroyResponse>;

// A body of more than this counts in `unread` until the client has read it.
inline constexpr std::size_t kSmallBody = std::size_t{64} << 10;

// Null where there is no memory; throws std::bad_alloc for the same.
// `headers` go before ours of the same name.
ResponsePointer make_response(HttpAnswer answer, std::atomic<std::size_t>& unread,
                              std::vector<config::WebHeader> const& headers = {});

// A text, with status 503, that needs no memory when it is sent.
class StandingAnswer {
 public:
  // `text` is static.
  explicit StandingAnswer(std::string_view text);
  MHD_Result send(MHD_Connection* connection) const;

 private:
  ResponsePointer response_;
};

}  // namespace canary::daemon
