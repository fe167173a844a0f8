// SPDX-License-Identifier: Apache-2.0
// One pending operation of Asio, as it stands in the tables (runtime/tables.h).
// Thread: written by the thread that starts the operation and the one that ends it; any may read.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "runtime/text_offset.h"

namespace canary::runtime {

inline constexpr std::uint8_t kNoFrame = 0xFF;
inline constexpr std::uint16_t kNoRun = 0xFFFF;

// What is known of an operation that Asio has been asked for: a copy of one moment.
struct Operation {
  std::uint16_t run = kNoRun;
  std::uint8_t frame = kNoFrame;
  std::int64_t since_ns = 0;
  std::uint64_t object = 0;  // its address: tells operations of one object together
  std::uint64_t native_handle = 0;
  TextOffset object_type = 0, operation = 0, file = 0, function = 0;
  std::uint32_t line = 0;
};

// The word that says whether an OperationRecord holds one, and for whom: one store makes the record
// valid, one frees it.
struct OperationHead {
  enum State : std::uint8_t {
    free = 0,
    claimed = 1,  // by another thread than the loop's, which fills it in
    pending = 2,
    running = 3,  // its handler is
  };
  std::uint32_t turn = 0;  // counts the record's uses
  std::uint16_t run = kNoRun;
  std::uint8_t frame = kNoFrame;
  std::uint8_t state = free;
};

// One operation, from its start until its handler has returned. `head` is written last when it
// starts and first when it ends, so a reader that sees the same head before and after has it whole.
// As few and wide stores as it takes: this is paid for every handler (docs/performance.md).
struct alignas(64) OperationRecord {
  std::atomic<std::uint64_t> head{0};  // an OperationHead
  std::atomic<std::int64_t> since_ns{0};
  std::atomic<std::uint64_t> object{0};
  std::atomic<std::uint64_t> native_handle{0};
  std::atomic<std::uint64_t> kind{0};   // two TextOffsets: the object's type, the operation
  std::atomic<std::uint64_t> place{0};  // two TextOffsets: file, function
  std::atomic<std::uint32_t> line{0};

  OperationHead load_head(std::memory_order order = std::memory_order_acquire) const {
    return std::bit_cast<OperationHead>(head.load(order));
  }
  void store_head(OperationHead value, std::memory_order order) {
    head.store(std::bit_cast<std::uint64_t>(value), order);
  }

  // Copies what is here, for any reader, and says what it is. What is `free` is a copy of the
  // operation that was here last, or of none, or of several where it changed each time.
  OperationHead::State read(Operation& into) const noexcept {
    static constexpr int kAttempts = 8;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      std::uint64_t const before = head.load(std::memory_order_acquire);
      auto const [turn, run, frame, state] = std::bit_cast<OperationHead>(before);
      std::uint64_t const both = kind.load(std::memory_order_relaxed);
      std::uint64_t const where = place.load(std::memory_order_relaxed);
      into = {.run = run,
              .frame = frame,
              .since_ns = since_ns.load(std::memory_order_relaxed),
              .object = object.load(std::memory_order_relaxed),
              .native_handle = native_handle.load(std::memory_order_relaxed),
              .object_type = first_of(both),
              .operation = second_of(both),
              .file = first_of(where),
              .function = second_of(where),
              .line = line.load(std::memory_order_relaxed)};
      std::atomic_thread_fence(std::memory_order_acquire);
      if (head.load(std::memory_order_relaxed) == before) {
        return static_cast<OperationHead::State>(state);
      }
    }
    return OperationHead::free;
  }
};

}  // namespace canary::runtime
