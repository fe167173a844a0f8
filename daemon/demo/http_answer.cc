// SPDX-License-Identifier: Apache-2.0
// Parses request heads and makes answers of files.
// Thread: none.
#include "daemon/demo/http_answer.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace canary::daemon {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view trim(std::string_view text) {
  auto const first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes what stands before `mark`, or everything.
std::string_view take(std::string_view& rest, std::string_view mark) {
  auto const end = rest.find(mark);
  auto const taken = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + mark.size());
  return taken;
}

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

// "/healthy/metadata/timestamp.json" as a relative path; nullopt where it could lead elsewhere.
std::optional<std::filesystem::path> relative_path(std::string_view path) {
  if (!path.starts_with('/') || path.ends_with('/')) return std::nullopt;
  path.remove_prefix(1);
  std::filesystem::path result;
  do {
    auto const segment = take(path, "/");
    if (segment.empty() || segment.starts_with('.') || !std::ranges::all_of(segment, is_name)) {
      return std::nullopt;
    }
    result /= segment;
  } while (!path.empty());
  return result;
}

std::optional<std::string> read_file(std::filesystem::path const& path) {
  std::error_code problem;
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(path, problem))) {
    return std::nullopt;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Error";
  }
}

DemoAnswer make_answer(int status, std::string_view type, std::string body, bool close) {
  DemoAnswer result{.status = status, .body = std::move(body), .close = close};
  result.head = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_phrase(status)) +
                "\r\nContent-Type: " + std::string(type) +
                "\r\nContent-Length: " + std::to_string(result.body.size()) + "\r\n" +
                (status == 405 ? "Allow: GET, HEAD\r\n" : "") +
                (close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n");
  return result;
}

DemoAnswer plain(int status, bool close) {
  return make_answer(status, "text/plain", std::string(reason_phrase(status)) + "\n", close);
}

}  // namespace

std::optional<DemoRequest> parse_request(std::string_view head) {
  std::string_view line = take(head, "\r\n");
  DemoRequest request;
  request.method = take(line, " ");
  std::string_view target = take(line, " ");
  if (request.method.empty() || target.empty()) return std::nullopt;
  if (line != "HTTP/1.1" && line != "HTTP/1.0") return std::nullopt;
  request.keep_alive = line == "HTTP/1.1";
  request.path = take(target, "?");
  while (!head.empty()) {
    std::string_view field = take(head, "\r\n");
    if (field.find(':') == std::string_view::npos) return std::nullopt;
    std::string const name = lower(take(field, ":"));
    std::string const value = lower(trim(field));
    if (name == "connection" && value == "close") request.keep_alive = false;
    if (name == "connection" && value == "keep-alive") request.keep_alive = true;
    if (name == "transfer-encoding") request.has_body = true;
    if (name == "content-length" && value != "0") request.has_body = true;
  }
  return request;
}

DemoAnswer answer(DemoRequest const& request, std::filesystem::path const& root) {
  bool const close = !request.keep_alive || request.has_body;
  bool const head_only = request.method == "HEAD";
  DemoAnswer result;
  if (request.method != "GET" && !head_only) {
    result = plain(405, close);
  } else {
    auto const path = relative_path(request.path);
    auto bytes = path ? read_file(root / *path) : std::nullopt;
    bool const json = path && path->extension() == ".json";
    result = bytes ? make_answer(200, json ? "application/json" : "application/octet-stream",
                                 std::move(*bytes), close)
                   : plain(404, close);
  }
  if (head_only) result.body.clear();
  return result;
}

DemoAnswer error_answer(int status) { return plain(status, true); }

}  // namespace canary::daemon
