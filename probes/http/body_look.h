// SPDX-License-Identifier: Apache-2.0
// What is wanted of a body while it streams by: its hash, its text, or only how it begins.
// Thread: take() and restart() on a worker, one at a time; the rest once the body is complete.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "probes/fetch/body_sink.h"

struct evp_md_ctx_st;

namespace canary::http {

class BodyLook final : public fetch::BodyConsumer {
 public:
  // Keeps the first `kept` bytes.
  BodyLook(bool hashes, std::size_t kept);
  ~BodyLook() override;

  bool take(std::string_view piece) override;
  void restart() override;

  std::string const& text() const { return text_; }
  // Hexadecimal, lower case; "" where it was not wanted. Once.
  std::string sha256();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  bool const hashes_;
  std::size_t const kept_;
  std::string text_;
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace canary::http
