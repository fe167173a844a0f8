// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/chunked.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace canary::fetch {
namespace {

constexpr std::size_t kLineMax = 64 * 1024;
constexpr std::size_t kGoLineMax = 4 * 1024;
constexpr std::size_t kDigitsMax = 16;
constexpr std::size_t kTrailerMax = 64 * 1024;

// "1A;name=value" -> 26.
std::optional<std::uint64_t> chunk_size(std::string_view line) {
  auto text = line.substr(0, line.find(';'));
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  std::uint64_t value = 0;
  auto const end = text.data() + text.size();
  auto const [stop, error] = std::from_chars(text.data(), end, value, 16);
  if (text.empty() || text.size() > kDigitsMax || error != std::errc{} || stop != end)
    return std::nullopt;
  return value;
}

}  // namespace

// Moves input into line_ up to a line feed; true once the line is complete (its CR is kept).
bool ChunkDecoder::take_line(std::string_view& input) {
  auto const end = input.find('\n');
  auto const size = end == std::string_view::npos ? input.size() : end;
  line_.append(input.substr(0, std::min(size, kLineMax + 1)));
  input.remove_prefix(end == std::string_view::npos ? size : size + 1);
  if (end == std::string_view::npos) return false;
  return true;
}

bool ChunkDecoder::take_size(std::string_view line) {
  if (line.size() > kGoLineMax) note(oddities_, Oddity::chunk_extension);
  auto const extension = line.find(';');
  bool const blank = extension != std::string_view::npos && extension > 0 &&
                     (line[extension - 1] == ' ' || line[extension - 1] == '\t');
  if (blank) note(oddities_, Oddity::chunk_extension);
  auto const size = chunk_size(line);
  if (!size) return false;
  left_ = *size;
  expect_ = left_ == 0 ? Expect::trailer : Expect::data;
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
    std::string line = std::exchange(line_, {});
    bool const has_cr = line.ends_with('\r');
    if (has_cr) line.pop_back();
    if (expect_ == Expect::data_end) {
      if (!line.empty() || !has_cr) return step(State::malformed);
      expect_ = Expect::size;
    } else if (expect_ == Expect::size) {
      if (!has_cr) note(oddities_, Oddity::chunk_line_end);
      if (!take_size(line)) return step(State::malformed);
      if (left_ > 0) {
        // Data follows: what is here of it goes out in the same step's sequel.
        return step(State::need_more);
      }
    } else {
      if (line.empty()) return step(State::done);
      if (line.find(':') == std::string::npos) return step(State::malformed);
      trailer_bytes_ += line.size();
      if (trailer_bytes_ > kTrailerMax) return step(State::malformed);
    }
  }
  return step(State::need_more);
}

}  // namespace canary::fetch
