// SPDX-License-Identifier: Apache-2.0
// What the demo's server answers: the head of a request in, an answer out. Only GET and HEAD of
// files; no percent-encoding, as none of the demo's names needs it.
// Thread: none; answer() reads a file. Source: RFC 9112.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace canary::daemon {

struct DemoRequest {
  std::string method;
  std::string path;        // without query
  bool keep_alive = true;  // HTTP/1.0 asks for it, HTTP/1.1 asks against it
  bool has_body = false;   // we never read one: the connection ends with the answer
  friend bool operator==(DemoRequest const&, DemoRequest const&) = default;
};

// Reads a request's head, up to and without its empty line; nullopt where it is none.
std::optional<DemoRequest> parse_request(std::string_view head);

struct DemoAnswer {
  int status = 200;
  std::string head{};
  std::string body;    // empty for HEAD
  bool close = false;  // the connection ends after it
};

// 200 with a file below `root`, 404 (nothing there, or a name that leads elsewhere), 405, 400
// (no request at all), 431 (a head that is too long).
DemoAnswer answer(DemoRequest const& request, std::filesystem::path const& root);
DemoAnswer error_answer(int status);

}  // namespace canary::daemon
