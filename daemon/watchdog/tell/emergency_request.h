// SPDX-License-Identifier: Apache-2.0
// What somebody asks for who is not answered by the HTTP server, and the head of the answer.
// Thread: none (pure). Allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

struct EmergencyRequest {
  bool whole = false;          // all of its head is there
  bool known_method = false;   // GET or HEAD
  bool head_only = false;      // HEAD
  bool from_watchdog = false;  // its own question, which only the server may answer
  bool for_people = false;     // the first page: "/", below whatever prefix
  EmergencyPath path = EmergencyPath::other;
};
// Of the bytes received so far.
EmergencyRequest read_request(std::string_view bytes);

enum class EmergencyStatus : std::uint8_t { ok, bad_method, too_large, unavailable };

// Status line and headers of an answer with so long a body; the connection ends with it.
using EmergencyHead = ShortText<512>;
EmergencyHead answer_head(EmergencyStatus status, std::string_view content_type,
                          std::size_t body_size);

}  // namespace canary::watchdog
