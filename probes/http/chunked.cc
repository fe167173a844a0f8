// SPDX-License-Identifier: Apache-2.0
#include "probes/http/chunked.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace canary::http {
namespace {

constexpr std::size_t kLineMax = 4 * 1024;
constexpr std::size_t kTrailerMax = 64 * 1024;

// "1A;name=value" -> 26.
std::optional<std::uint64_t> chunk_size(std::string_view line) {
  auto text = line.substr(0, line.find(';'));
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  std::uint64_t value = 0;
  auto const end = text.data() + text.size();
  auto const [stop, error] = std::from_chars(text.data(), end, value, 16);
  if (text.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace

// Moves input into line_ up to a line feed; true once the line is complete (its end removed).
bool ChunkDecoder::take_line(std::string_view& input) {
  auto const end = input.find('\n');
  auto const size = end == std::string_view::npos ? input.size() : end;
  line_.append(input.substr(0, std::min(size, kLineMax + 1)));
  input.remove_prefix(end == std::string_view::npos ? size : size + 1);
  if (end == std::string_view::npos) return false;
  if (line_.ends_with('\r')) line_.pop_back();
  return true;
}

ChunkDecoder::Step ChunkDecoder::next(std::string_view input) {
  if (expect_ != Expect::data) return framing(input);
  auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), left_));
  left_ -= size;
  if (left_ == 0) expect_ = Expect::data_end;
  return {State::data, size, input.substr(0, size)};
}

ChunkDecoder::Step ChunkDecoder::framing(std::string_view input) {
  auto const before = input.size();
  auto const step = [&](State state) { return Step{state, before - input.size(), {}}; };
  while (!input.empty()) {
    bool const complete = take_line(input);
    if (line_.size() > kLineMax) return step(State::malformed);
    if (!complete) break;
    std::string const line = std::exchange(line_, {});
    if (expect_ == Expect::data_end) {
      if (!line.empty()) return step(State::malformed);
      expect_ = Expect::size;
    } else if (expect_ == Expect::size) {
      auto const size = chunk_size(line);
      if (!size) return step(State::malformed);
      left_ = *size;
      expect_ = left_ == 0 ? Expect::trailer : Expect::data;
      if (left_ > 0) {
        // Data follows: what is here of it goes out in the same step's sequel.
        return step(State::need_more);
      }
    } else {
      if (line.empty()) return step(State::done);
      trailer_bytes_ += line.size();
      if (trailer_bytes_ > kTrailerMax) return step(State::malformed);
    }
  }
  return step(State::need_more);
}

}  // namespace canary::http
