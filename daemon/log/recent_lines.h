// SPDX-License-Identifier: Apache-2.0
// The last lines of the log in preallocated memory, readable at any moment without a lock.
// Thread: add() one; read() any.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace canary::daemon {

template <std::size_t Lines, std::size_t Bytes>
class RecentLines {
 public:
  void add(std::string_view text) {
    std::uint64_t const number = added_.load(std::memory_order_relaxed);
    Line& line = lines_[number % Lines];
    line.sequence.store(2 * number + 1, std::memory_order_relaxed);  // odd: being written
    auto const length = std::min(text.size(), Bytes);
    line.length.store(static_cast<std::uint32_t>(length), std::memory_order_release);
    for (std::size_t i = 0; i * 8 < length; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + i * 8, std::min<std::size_t>(8, length - i * 8));
      line.words[i].store(word, std::memory_order_release);
    }
    line.sequence.store(2 * number + 2, std::memory_order_release);
    added_.store(number + 1, std::memory_order_release);
  }

  // The last `count`, oldest first; a line that is overwritten meanwhile is left out.
  std::vector<std::string> read(std::size_t count) const {
    std::uint64_t const end = added_.load(std::memory_order_acquire);
    std::uint64_t const held = std::min<std::uint64_t>({end, Lines, count});
    std::vector<std::string> result;
    result.reserve(held);
    for (std::uint64_t number = end - held; number < end; ++number) {
      Line const& line = lines_[number % Lines];
      if (line.sequence.load(std::memory_order_acquire) != 2 * number + 2) continue;
      std::string text(std::min<std::size_t>(line.length.load(std::memory_order_acquire), Bytes),
                       '\0');
      for (std::size_t i = 0; i * 8 < text.size(); ++i) {
        std::uint64_t const word = line.words[i].load(std::memory_order_acquire);
        std::memcpy(text.data() + i * 8, &word, std::min<std::size_t>(8, text.size() - i * 8));
      }
      if (line.sequence.load(std::memory_order_relaxed) == 2 * number + 2) {
        result.push_back(std::move(text));
      }
    }
    return result;
  }

  // The last lines that fit into `into`, oldest first, each ended by '\n'; returns the bytes
  // written. Allocates nothing and takes no lock.
  std::size_t copy_last(std::span<char> into) const {
    std::uint64_t const end = added_.load(std::memory_order_acquire);
    std::uint64_t first = end;
    std::size_t room = into.size();
    while (first > 0 && end - first < Lines) {
      std::size_t const length = lines_[(first - 1) % Lines].length.load(std::memory_order_acquire);
      if (std::min(length, Bytes) + 1 > room) break;
      room -= std::min(length, Bytes) + 1;
      --first;
    }
    std::size_t used = 0;
    for (; first < end; ++first) {
      Line const& line = lines_[first % Lines];
      if (line.sequence.load(std::memory_order_acquire) != 2 * first + 2) continue;
      std::size_t const length =
          std::min<std::size_t>(line.length.load(std::memory_order_acquire), Bytes);
      if (used + length + 1 > into.size()) break;  // it became longer meanwhile
      for (std::size_t i = 0; i * 8 < length; ++i) {
        std::uint64_t const word = line.words[i].load(std::memory_order_acquire);
        std::memcpy(into.data() + used + i * 8, &word, std::min<std::size_t>(8, length - i * 8));
      }
      if (line.sequence.load(std::memory_order_relaxed) != 2 * first + 2) continue;
      used += length;
      into[used++] = '\n';
    }
    return used;
  }

 private:
  static_assert(Bytes % 8 == 0);
  struct Line {
    std::atomic<std::uint64_t> sequence{0};
    std::atomic<std::uint32_t> length{0};
    std::array<std::atomic<std::uint64_t>, Bytes / 8> words{};
  };
  std::array<Line, Lines> lines_{};
  std::atomic<std::uint64_t> added_{0};
};

}  // namespace canary::daemon
