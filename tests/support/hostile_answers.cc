// SPDX-License-Identifier: Apache-2.0
#include "tests/support/hostile_answers.h"

#include <algorithm>
#include <stdexcept>

namespace canary::support {
namespace {

using namespace std::chrono_literals;

constexpr char kHead[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";

}  // namespace

std::vector<HostileAnswer> hostile_answers() {
  auto const json = std::string(1000, '{');
  return {
      {"reset_before_the_answer", raw_then_reset("")},
      {"closed_before_the_answer", raw("")},
      {"reset_in_the_body", raw_then_reset(std::string{kHead} + "{")},
      {"not_found", respond(404, "gone")},
      {"forbidden", respond(403, "no")},
      {"too_many_requests", respond(429, "later")},
      {"server_error", respond(500, "oops")},
      {"endless_body_without_length", endless("HTTP/1.0 200 OK\r\n\r\n")},
      {"endless_chunk",
       endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n")},
      {"announces_too_much", raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")},
      {"truncated_body", raw(std::string{kHead} + "{\"signed\"")},
      {"truncated_chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc")},
      {"bad_chunk_size", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")},
      {"compressed_body", respond(200, "\x1f\x8b", {{"Content-Encoding", "gzip"}})},
      {"compressed_transfer", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n\x1f\x8b")},
      {"slow_first_byte", raw_then_silence("")},
      {"head_byte_by_byte", trickle("", std::string{kHead}, 10ms)},
      {"silence_in_the_body", raw_then_silence(std::string{kHead} + "{")},
      {"body_byte_by_byte", trickle(kHead, json, 10ms)},
      {"no_http_at_all", raw("SSH-2.0-OpenSSH_9.2\r\n\r\n")},
      {"head_without_end", endless("HTTP/1.1 200 OK\r\nX-Long: ")},
      {"two_lengths", raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}")},
      {"redirect_loop", redirect_to("/")},
      {"redirect_without_location", respond(302, "")},
      {"redirect_to_a_file", redirect_to("file:///etc/passwd")},
  };
}

Script hostile_answer(std::string const& name) {
  auto const all = hostile_answers();
  auto const found = std::ranges::find(all, name, &HostileAnswer::name);
  if (found == all.end()) throw std::invalid_argument{"no hostile answer " + name};
  return found->script;
}

}  // namespace canary::support
