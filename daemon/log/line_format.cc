// SPDX-License-Identifier: Apache-2.0
// The packed form: pieces of {kind, length, bytes}: the message, then key and value in turn.
#include "daemon/log/line_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "config/harmless.h"
#include "daemon/text/escape.h"

namespace canary::daemon {
namespace {

enum class Piece : char { text = 't', literal = 'l', cut = 'c' };  // literal: number, true, false

constexpr std::size_t kHead = 3;             // kind and a length of two bytes
constexpr std::size_t kLongestText = 8'192;  // more than a line holds, escapes included

class Packer {
 public:
  explicit Packer(std::span<char> space) : space_(space) {}

  // False when `bytes` had to be cut.
  bool put(Piece kind, std::string_view bytes) {
    std::size_t const room = space_.size() - used_;
    // The mark that the line was cut must always have room.
    if (room < 2 * kHead) return false;
    auto const length =
        static_cast<std::uint16_t>(std::min({bytes.size(), room - 2 * kHead, std::size_t{0xFFFF}}));
    space_[used_] = static_cast<char>(kind);
    std::memcpy(&space_[used_ + 1], &length, sizeof length);
    std::copy_n(bytes.data(), length, space_.begin() + static_cast<std::ptrdiff_t>(used_ + kHead));
    used_ += kHead + length;
    return length == bytes.size();
  }
  // Whether a piece of this many bytes fits whole.
  bool fits(std::size_t bytes) const { return space_.size() - used_ >= 2 * kHead + bytes; }
  void mark_cut() {
    space_[used_] = static_cast<char>(Piece::cut);
    space_[used_ + 1] = space_[used_ + 2] = 0;
    used_ += kHead;
  }
  std::size_t used() const { return used_; }

 private:
  std::span<char> space_;
  std::size_t used_ = 0;
};

std::string_view number_text(LogValue const& value, std::span<char> buffer) {
  auto* const end = buffer.data() + buffer.size();
  auto const result =
      value.kind() == LogValue::Kind::integer
          ? std::to_chars(buffer.data(), end, value.integer())
          : std::to_chars(buffer.data(), end, value.real(), std::chars_format::general, 9);
  return {buffer.data(), static_cast<std::size_t>(result.ptr - buffer.data())};
}

// False when the line is full.
bool put_value(Packer& packer, LogValue const& value) {
  std::array<char, 32> buffer;
  switch (value.kind()) {
    case LogValue::Kind::text:
      return packer.put(Piece::text, value.text());
    case LogValue::Kind::boolean:
      return packer.put(Piece::literal, value.integer() != 0 ? "true" : "false");
    case LogValue::Kind::integer:
      return packer.put(Piece::literal, number_text(value, buffer));
    case LogValue::Kind::real:
      // JSON has no word for infinities, so they are text.
      return packer.put(std::isfinite(value.real()) ? Piece::literal : Piece::text,
                        number_text(value, buffer));
  }
  return true;
}

struct Unpacked {
  Piece kind = Piece::text;
  std::string_view bytes;
};

std::optional<Unpacked> take(std::span<char const>& packed) {
  if (packed.size() < kHead) return std::nullopt;
  std::uint16_t length = 0;
  std::memcpy(&length, packed.data() + 1, sizeof length);
  if (packed.size() < kHead + length) return std::nullopt;
  Unpacked const piece{static_cast<Piece>(packed[0]), {packed.data() + kHead, length}};
  packed = packed.subspan(kHead + length);
  return piece;
}

void append_field(std::string& out, config::LogFormat format, std::string_view key,
                  Unpacked const& value) {
  if (format == config::LogFormat::json) {
    if (!out.empty()) out += ',';
    append_json(out, key);
    out += ':';
  } else {
    if (!out.empty()) out += ' ';
    out += key;
    out += '=';
  }
  if (value.kind == Piece::literal) {
    out += value.bytes;
    return;
  }
  // Anything may be logged; this is where it comes into the log.
  std::string const text = make_harmless(value.bytes, kLongestText);
  if (format == config::LogFormat::json) {
    append_json(out, text);
  } else {
    append_logfmt(out, text);
  }
}

}  // namespace

std::string_view to_text(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return "debug";
    case config::LogLevel::info:
      return "info";
    case config::LogLevel::warn:
      return "warn";
    case config::LogLevel::error:
      return "error";
  }
  return "error";
}

std::size_t pack_line(std::span<char> space, std::string_view message, LogFields fields) {
  constexpr std::size_t kLongestNumber = 32;
  Packer packer{space};
  bool whole = packer.put(Piece::text, message);
  for (auto const& field : fields) {
    if (!whole) break;
    // A field that has nothing to say is left out.
    if (field.value.kind() == LogValue::Kind::text && field.value.text().empty()) continue;
    // A key comes with at least the room for a number; text may be cut.
    if (!packer.fits(field.key.size() + 2 * kHead + kLongestNumber)) {
      whole = false;
      break;
    }
    packer.put(Piece::text, field.key);
    whole = put_value(packer, field.value);
  }
  if (!whole) packer.mark_cut();
  return packer.used();
}

void append_line(std::string& out, config::LogFormat format, config::LogLevel level,
                 std::span<char const> packed) {
  std::string line;
  append_field(line, format, "level", {Piece::text, to_text(level)});
  if (auto const message = take(packed)) append_field(line, format, "msg", *message);
  while (auto const key = take(packed)) {
    if (key->kind == Piece::cut) {
      append_field(line, format, "cut", {Piece::literal, "true"});
      break;
    }
    auto const value = take(packed);
    if (!value) break;
    append_field(line, format, key->bytes, *value);
  }
  out += line;
}

}  // namespace canary::daemon
