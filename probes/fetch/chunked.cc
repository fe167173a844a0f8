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

// The next line without its line feed (its CR is kept); nothing while that is not there. `joined`
// holds the line where it began in an earlier input.
std::optional<std::string_view> ChunkDecoder::take_line(std::string_view& input,
                                                        std::string& joined) {
  auto const end = input.find('\n');
  auto line = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? line.size() : line.size() + 1);
  bool const complete = end != std::string_view::npos;
  if (complete && line_.empty()) return line;
  line_.append(line.substr(0, kLineMax + 1));
  if (!complete) return std::nullopt;
  joined = std::exchange(line_, {});
  return joined;
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
    std::string joined;
    auto const taken = take_line(input, joined);
    if (std::max(line_.size(), taken.value_or("").size()) > kLineMax) return step(State::malformed);
    if (!taken) break;
    std::string_view line = *taken;
    bool const has_cr = line.ends_with('\r');
    if (has_cr) line.remove_suffix(1);
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
      if (line.find(':') == std::string_view::npos) return step(State::malformed);
      trailer_bytes_ += line.size();
      if (trailer_bytes_ > kTrailerMax) return step(State::malformed);
    }
  }
  return step(State::need_more);
}

}  // namespace canary::fetch
