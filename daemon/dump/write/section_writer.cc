// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/write/section_writer.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "daemon/dump/write/checksum.h"

namespace canary::dump {

SectionWriter::SectionWriter(int file, std::span<std::byte> buffer) : file_(file), buffer_(buffer) {
  put(&kFileMagic, sizeof kFileMagic);
}

SectionWriter::SectionWriter(std::span<std::byte> memory) : buffer_(memory) {
  put(&kFileMagic, sizeof kFileMagic);
}

void SectionWriter::begin(SectionType type) {
  std::uint64_t const zero = 0;
  if (at_ % 8 != 0) put(&zero, 8 - at_ % 8);
  section_ = at_;
  header_ = {.type = type};
  checksum_ = 0;
  put(&header_, sizeof header_);
}

void SectionWriter::bytes(void const* data, std::size_t size) {
  if (error_ != 0 || size == 0) return;
  checksum_ = crc32c(checksum_, data, size);
  put(data, size);
}

void SectionWriter::item(std::uint32_t kind, std::uint32_t tag, std::string_view content) {
  ItemHeader const header{kind, tag, static_cast<std::uint32_t>(content.size())};
  bytes(&header, sizeof header);
  text(content);
}

void SectionWriter::shared(std::byte const* data, std::size_t size) {
  std::uint64_t words[512];
  for (std::size_t done = 0; done < size && error_ == 0;) {
    std::size_t count = 0;
    for (; count < 512 && done < size; ++count, done += 8) {
      words[count] =
          __atomic_load_n(reinterpret_cast<std::uint64_t const*>(data + done), __ATOMIC_RELAXED);
    }
    bytes(words, count * 8);
  }
}

void SectionWriter::end() {
  if (error_ != 0) return;
  header_.length = at_ - section_ - sizeof header_;
  header_.checksum = checksum_;
  header_.complete = 1;
  flush();
  write_at(section_, &header_, sizeof header_);
}

void SectionWriter::put(void const* data, std::size_t size) {
  if (error_ != 0) return;
  if (file_ < 0) {
    if (at_ + size > buffer_.size()) {
      error_ = ENOSPC;
      return;
    }
    std::memcpy(buffer_.data() + at_, data, size);
    at_ += size;
    return;
  }
  auto const* from = static_cast<std::byte const*>(data);
  while (size > 0 && error_ == 0) {
    std::size_t const room = buffer_.size() - used_;
    std::size_t const part = size < room ? size : room;
    std::memcpy(buffer_.data() + used_, from, part);
    used_ += part;
    at_ += part;
    from += part;
    size -= part;
    if (used_ == buffer_.size()) flush();
  }
}

void SectionWriter::flush() {
  if (file_ < 0 || used_ == 0) return;
  std::size_t const size = used_;
  used_ = 0;
  write_at(at_ - size, buffer_.data(), size);
}

void SectionWriter::write_at(std::uint64_t at, void const* data, std::size_t size) {
  if (file_ < 0) {
    std::memcpy(buffer_.data() + at, data, size);
    return;
  }
  auto const* from = static_cast<std::byte const*>(data);
  while (size > 0 && error_ == 0) {
    ssize_t const written = ::pwrite(file_, from, size, static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      error_ = written < 0 ? errno : EIO;
      return;
    }
    from += written;
    at += static_cast<std::uint64_t>(written);
    size -= static_cast<std::size_t>(written);
  }
}

}  // namespace canary::dump
