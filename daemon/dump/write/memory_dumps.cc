// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/write/memory_dumps.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "daemon/text/fixed_text.h"
#include "runtime/tables.h"

namespace canary::dump {
namespace {

constexpr std::int64_t kBetweenLooks = 2'000'000;

void drain(int eventfd) {
  std::uint64_t count = 0;
  [[maybe_unused]] auto const ignored = ::read(eventfd, &count, sizeof count);
}

}  // namespace

// Those that the disk refused are given up first.
int MemoryDumps::claim() {
  last_ = nullptr;
  for (std::uint8_t const state : {unused, failed}) {
    for (Place& place : places_) {
      if (place.file < 0 || place.state.load(std::memory_order_acquire) != state) continue;
      if (state == failed && !place.told) continue;
      if (::ftruncate(place.file, 0) != 0) continue;
      place.state.store(claimed, std::memory_order_relaxed);
      place.told = false;
      last_ = &place;
      return place.file;
    }
  }
  return -1;
}

void MemoryDumps::complete(std::string_view stem, Whole const& whole) {
  copy_text(last_->stem, stem);
  last_->whole = whole;
  last_->order = ++order_;
  last_->error = 0;
  last_->path = {};
  last_->state.store(waiting, std::memory_order_release);
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const ignored = ::write(ready_, &one, sizeof one);
}

MemoryDumps::Kept MemoryDumps::wait(std::int64_t limit_ns, Path& path) {
  std::int64_t const until = runtime::now_ns() + limit_ns;
  timespec const pause{.tv_sec = 0, .tv_nsec = kBetweenLooks};
  while (last_->state.load(std::memory_order_acquire) == waiting && runtime::now_ns() < until) {
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
  }
  return tell(*last_, path);
}

bool MemoryDumps::next_late(Path& path) {
  for (Place& place : places_) {
    std::uint8_t const state = place.state.load(std::memory_order_acquire);
    if (state != written && (state != failed || place.told)) continue;
    tell(place, path);
    return true;
  }
  return false;
}

// A place whose dump is on the disk is free again.
MemoryDumps::Kept MemoryDumps::tell(Place& place, Path& path) {
  std::uint8_t const state = place.state.load(std::memory_order_acquire);
  if (state == written) {
    path = place.path;
    place.state.store(unused, std::memory_order_relaxed);
    return Kept::on_disk;
  }
  ShortText<64> memory;
  (memory << "/proc/").number(::getpid());
  (memory << "/fd/").number(place.file);
  copy_text(path, memory.view());
  place.told = state == failed;
  return state == failed ? Kept::in_memory : Kept::waiting;
}

int MemoryDumps::error() const {
  bool const known = last_ != nullptr && last_->state.load(std::memory_order_acquire) != waiting;
  return known ? last_->error : 0;
}

void MemoryDumps::write_down() {
  drain(ready_);
  while (true) {
    Place* next = nullptr;
    for (Place& place : places_) {
      if (place.state.load(std::memory_order_acquire) != waiting) continue;
      if (next == nullptr || place.order < next->order) next = &place;
    }
    if (next == nullptr) return;
    files_.prepare();
    bool const good = write_down(*next);
    next->error = files_.error();
    next->state.store(good ? written : failed, std::memory_order_release);
    files_.reserve();
  }
}

bool MemoryDumps::write_down(Place& place) {
  Stem stem{};
  files_.free_name(place.stem.data(), stem);
  int const file = files_.open_raw();
  if (file < 0) return false;
  place_text(place, stem.data());
  bool const good =
      copy(place, file) && files_.name_raw(stem.data(), place.whole.bytes, place.path);
  files_.close_raw();
  return good;
}

bool MemoryDumps::copy(Place const& place, int into) {
  std::uint64_t done = 0;
  while (done < place.whole.bytes) {
    auto const at = static_cast<off_t>(done);
    ssize_t const got = ::pread(place.file, buffer_.data(), buffer_.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    ssize_t const put = ::pwrite(into, buffer_.data(), static_cast<std::size_t>(got), at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      files_.note(put < 0 ? errno : EIO);
      return false;
    }
    done += static_cast<std::uint64_t>(put);
  }
  return true;
}

// First, as where the watchdog itself writes to the disk: it tells most.
void MemoryDumps::place_text(Place& place, std::string_view stem) {
  std::size_t const wanted = std::min(place.whole.text_bytes, buffer_.size());
  ssize_t const got =
      ::pread(place.file, buffer_.data(), wanted, static_cast<off_t>(place.whole.text_at));
  if (got <= 0) return;
  Path path{};
  files_.place_text(stem, {buffer_.data(), static_cast<std::size_t>(got)}, path);
}

}  // namespace canary::dump
