// SPDX-License-Identifier: Apache-2.0
// A value in a JSON document that came from outside, read within bounds.
// Thread: any (pure). Source: RFC 8259, RFC 6901.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/result.h"

namespace canary::http {

inline constexpr std::size_t kJsonDepth = 64;
inline constexpr std::size_t kJsonMemory = std::size_t{64} << 20;

bool is_pointer(std::string_view text);  // RFC 6901: "" or "/..."

class JsonDocument {
 public:
  struct Refusal {
    bool too_large;  // more than kJsonMemory: nothing is known of it
    std::string why;
  };
  // Of levels at most kJsonDepth.
  static Result<JsonDocument, Refusal> parse(std::string_view text);

  // "" where the value at `pointer` is `wanted` (any, where that is ""), else what is there
  // instead: "there is 3". `wanted` is JSON, or a text as it stands.
  std::string differs(std::string const& pointer, std::string const& wanted) const;

  JsonDocument(JsonDocument&&) noexcept;
  ~JsonDocument();

 private:
  struct Impl;
  explicit JsonDocument(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace canary::http
