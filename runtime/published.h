// SPDX-License-Identifier: Apache-2.0
// A plain value that one thread writes and any thread reads, without a lock and without tearing.
// Thread: store() one; load() any.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace canary::runtime {

// Under a sequence lock: odd while written.
template <class T>
class Published {
  static_assert(std::is_trivially_copyable_v<T>);
  static constexpr std::size_t kWords = (sizeof(T) + 7) / 8;

 public:
  void store(T const& value) {
    std::uint32_t const sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    auto const* const bytes = reinterpret_cast<unsigned char const*>(&value);
    for (std::size_t i = 0; i < kWords; ++i) {
      std::uint64_t word = 0;
      std::size_t const left = sizeof(T) - i * 8;
      __builtin_memcpy(&word, bytes + i * 8, left < 8 ? left : 8);
      words_[i].store(word, std::memory_order_release);
    }
    sequence_.store(sequence + 2, std::memory_order_release);
  }

  // False when the writer was faster than all attempts; `into` is then whatever.
  bool load(T& into) const {
    for (int attempt = 0; attempt < 100; ++attempt) {
      std::uint32_t const before = sequence_.load(std::memory_order_acquire);
      if (before % 2 == 1) continue;
      auto* const bytes = reinterpret_cast<unsigned char*>(&into);
      for (std::size_t i = 0; i < kWords; ++i) {
        std::uint64_t const word = words_[i].load(std::memory_order_acquire);
        std::size_t const left = sizeof(T) - i * 8;
        __builtin_memcpy(bytes + i * 8, &word, left < 8 ? left : 8);
      }
      if (sequence_.load(std::memory_order_relaxed) == before) return true;
    }
    return false;
  }
  // True once something was stored.
  bool known() const { return sequence_.load(std::memory_order_acquire) > 1; }

 private:
  std::atomic<std::uint32_t> sequence_{0};
  std::array<std::atomic<std::uint64_t>, kWords> words_{};
};

}  // namespace canary::runtime
