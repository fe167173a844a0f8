// SPDX-License-Identifier: Apache-2.0
// Words and numbers of the line-wise files that are kept beside trusted metadata.
// Thread: none (pure).
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "probes/tuf/metadata.h"

namespace canary::tuf {

// Up to the next `end`, which must be there, and is taken as well.
std::optional<std::string_view> take_until(std::string_view& text, char end);

// The whole of `text`, in decimal; nullopt where it is none, or says anything else.
template <class Number>
std::optional<Number> number(std::optional<std::string_view> text) {
  Number value{};
  if (!text) return std::nullopt;
  auto const [stop, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || stop != text->data() + text->size()) return std::nullopt;
  return value;
}

// Seconds since 1970, of years that arithmetic can't leave.
std::optional<Time> time_of(std::optional<std::string_view> text);
std::string seconds_text(Time time);

}  // namespace canary::tuf
