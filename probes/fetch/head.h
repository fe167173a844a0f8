// SPDX-License-Identifier: Apache-2.0
// The head of an answer: status line and headers.
// Thread: none (pure). Source: RFC 9112.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/fetch/oddity.h"

namespace canary::fetch {

inline constexpr std::size_t kHeadBytesMax = 300 * 1024;  // curl's

struct ResponseHead {
  enum class Body { none, length, chunked, until_close };
  int status = 0;
  std::string reason;
  bool keep_alive = false;
  Body body = Body::none;
  std::uint64_t length = 0;                                  // body == length
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string unknown_coding;  // a Transfer-Encoding that nobody asked for; empty: none
  Oddities oddities;

  // The first header of that name; empty where there is none.
  std::string_view header(std::string_view name) const;
};

// The parts of a header that is a list, without blanks around, in lower case.
std::vector<std::string> list(std::string_view value);

// Reads one head out of bytes as they come.
class HeadParser {
 public:
  HeadParser();
  ~HeadParser();
  HeadParser(HeadParser const&) = delete;
  HeadParser& operator=(HeadParser const&) = delete;

  enum class State { need_more, done, malformed };
  struct Step {
    State state;
    std::size_t consumed = 0;
  };
  // `input` begins with what the steps before did not consume: they consume nothing until the head
  // is there as a whole. Once done, what follows the
  // consumed bytes is the body.
  Step put(std::string_view input);
  // What is wrong; state malformed only.
  std::string const& problem() const;
  // REQUIRES: done.
  ResponseHead take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace canary::fetch
