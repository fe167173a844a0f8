// SPDX-License-Identifier: Apache-2.0
// Takes the chunked transfer coding apart.
// Thread: none (pure). Source: RFC 9112 section 7.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "probes/fetch/oddity.h"

namespace canary::fetch {

class ChunkDecoder {
 public:
  enum class State { data, need_more, done, malformed };
  struct Step {
    State state;
    std::size_t consumed = 0;    // of the input
    std::string_view data = {};  // of the body, within the consumed input; state == data
  };
  // Looks at the next bytes: either skips framing and needs more, or gives one stretch of data.
  // Call until the input is consumed or the state is done or malformed.
  Step next(std::string_view input);
  // Bytes that the current chunk still holds.
  std::uint64_t left_in_chunk() const { return left_; }
  // What was odd so far.
  Oddities const& oddities() const { return oddities_; }

 private:
  enum class Expect { size, data, data_end, trailer };
  bool take_size(std::string_view line);
  Step framing(std::string_view input);
  std::optional<std::string_view> take_line(std::string_view& input, std::string& joined);

  Expect expect_ = Expect::size;
  std::uint64_t left_ = 0;
  std::string line_;  // the beginning of one whose end has not come
  std::size_t trailer_bytes_ = 0;
  Oddities oddities_;
};

}  // namespace canary::fetch
