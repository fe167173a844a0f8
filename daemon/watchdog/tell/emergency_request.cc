// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/tell/emergency_request.h"

#include "daemon/watchdog/sample/server_question.h"

namespace canary::watchdog {
namespace {

// std::string_view's own functions check their arguments by throwing.
std::string_view part(std::string_view text, std::size_t from, std::size_t to) {
  return {text.data() + from, to - from};
}

std::size_t find(std::string_view text, char wanted, std::size_t from) {
  while (from < text.size() && text.data()[from] != wanted) ++from;
  return from;
}

bool contains(std::string_view text, std::string_view wanted) {
  for (std::size_t at = 0; at + wanted.size() <= text.size(); ++at) {
    if (part(text, at, at + wanted.size()) == wanted) return true;
  }
  return false;
}

EmergencyPath path_of(std::string_view path) {
  for (auto const each : {EmergencyPath::metrics, EmergencyPath::healthy, EmergencyPath::ready,
                          EmergencyPath::live}) {
    // Whatever the prefix (--web.route-prefix): this thread is not told of it.
    std::string_view const known = to_text(each);
    if (path.size() < known.size()) continue;
    if (part(path, path.size() - known.size(), path.size()) == known) return each;
  }
  return EmergencyPath::other;
}

std::string_view line_of(EmergencyStatus status) {
  switch (status) {
    case EmergencyStatus::ok:
      return "200 OK";
    case EmergencyStatus::bad_method:
      return "405 Method Not Allowed";
    case EmergencyStatus::too_large:
      return "431 Request Header Fields Too Large";
    case EmergencyStatus::unavailable:
      return "503 Service Unavailable";
  }
  return "500 Internal Server Error";
}

}  // namespace

std::string_view to_text(EmergencyPath path) {
  switch (path) {
    case EmergencyPath::metrics:
      return "/metrics";
    case EmergencyPath::healthy:
      return "/-/healthy";
    case EmergencyPath::ready:
      return "/-/ready";
    case EmergencyPath::live:
      return "/-/live";
    case EmergencyPath::other:
      return "other";
  }
  return "unknown";
}

EmergencyRequest read_request(std::string_view bytes) {
  EmergencyRequest request;
  request.whole = contains(bytes, "\r\n\r\n") || contains(bytes, "\n\n");
  std::string_view const line = part(bytes, 0, find(bytes, '\n', 0));
  std::size_t const method_end = find(line, ' ', 0);
  std::string_view const method = part(line, 0, method_end);
  request.head_only = method == "HEAD";
  request.known_method = request.head_only || method == "GET";
  std::size_t const path_begin = method_end < line.size() ? method_end + 1 : method_end;
  std::size_t const target_end = find(line, ' ', path_begin);
  std::string_view const target = part(line, path_begin, target_end);
  std::string_view const path = part(target, 0, find(target, '?', 0));
  request.path = path_of(path);
  request.for_people = !path.empty() && path.data()[path.size() - 1] == '/';
  request.from_watchdog = contains(bytes, kWatchdogAgent);
  return request;
}

EmergencyHead answer_head(EmergencyStatus status, std::string_view content_type,
                          std::size_t body_size) {
  EmergencyHead head;
  head.add("HTTP/1.1 ").add(line_of(status)).add("\r\nContent-Type: ").add(content_type);
  head.add("\r\nContent-Length: ").number(body_size);
  if (status == EmergencyStatus::bad_method) head.add("\r\nAllow: GET, HEAD");
  head.add("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff");
  head.add("\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'");
  head.add("\r\nConnection: close\r\n\r\n");
  return head;
}

}  // namespace canary::watchdog
