// SPDX-License-Identifier: Apache-2.0
// Writes sections into a file or into memory; checksums them on the way and marks each complete
// once all of it is there. Allocates nothing.
// Thread: one at a time; async-signal-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/dump/write/raw_format.h"

namespace canary::dump {

class SectionWriter {
 public:
  SectionWriter() = default;
  // Into the file, through `buffer`. Writes the file's magic.
  SectionWriter(int file, std::span<std::byte> buffer);
  // Into `memory`; what does not fit is an error (ENOSPC).
  explicit SectionWriter(std::span<std::byte> memory);

  void begin(SectionType type);
  void bytes(void const* data, std::size_t size);
  void text(std::string_view text) { bytes(text.data(), text.size()); }
  void item(std::uint32_t kind, std::uint32_t tag, std::string_view content);
  // From memory that other threads write meanwhile, as atomic words. `size` is a multiple of 8.
  void shared(std::byte const* data, std::size_t size);
  void end();

  int error() const { return error_; }  // errno of the first failure; nothing is written after it
  std::uint64_t size() const { return at_; }

 private:
  void put(void const* data, std::size_t size);  // through the buffer
  void flush();
  void write_at(std::uint64_t at, void const* data, std::size_t size);

  int file_ = -1;
  std::span<std::byte> buffer_;
  std::size_t used_ = 0;       // of the buffer, where writing to a file
  std::uint64_t at_ = 0;       // where the next byte goes
  std::uint64_t section_ = 0;  // where the section's header is
  SectionHeader header_;
  std::uint32_t checksum_ = 0;
  int error_ = 0;
};

}  // namespace canary::dump
