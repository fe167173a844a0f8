// SPDX-License-Identifier: Apache-2.0
// What the loop writes down about itself, for readers that need no cooperation from it: the
// handler running now, the operations pending, and for each run its logical coroutine stack.
// Plain records in one preallocated block. Static texts are offsets into the program's image, not
// pointers, so that another process (the next start) can read the block too.
// Thread: one writer per record; any thread may read. Every field is an atomic, so a torn read is
// noticed (by `sequence`), never undefined.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace canary::runtime {

// A string literal of this program, as an offset from the start of its image; 0 is "none".
using TextOffset = std::uint32_t;
TextOffset text_offset(char const* text);
char const* text_at(TextOffset offset);  // "" for none

inline constexpr std::size_t kFramesPerRun = 32;  // live at once; more are counted, not shown
inline constexpr std::uint8_t kNoFrame = 0xFF;
inline constexpr std::uint16_t kNoRun = 0xFFFF;

// Text that is copied into a record: truncated to its size, readable while written.
template <std::size_t kBytes>
struct CopiedText {
  static_assert(kBytes % 8 == 0);
  std::array<std::atomic<std::uint64_t>, kBytes / 8> words{};

  void store(std::string_view text) {
    std::array<char, kBytes> bytes{};
    text.substr(0, kBytes).copy(bytes.data(), kBytes);
    for (std::size_t i = 0; i < words.size(); ++i) {
      std::uint64_t word = 0;
      __builtin_memcpy(&word, bytes.data() + i * 8, 8);
      words[i].store(word, std::memory_order_relaxed);
    }
  }
  std::string load() const {
    std::array<char, kBytes + 1> bytes{};
    for (std::size_t i = 0; i < words.size(); ++i) {
      std::uint64_t const word = words[i].load(std::memory_order_relaxed);
      __builtin_memcpy(bytes.data() + i * 8, &word, 8);
    }
    return std::string{bytes.data()};
  }
};

// One live frame of a run's coroutine stack, or the wait at its tip.
struct FrameRecord {
  enum Kind : std::uint8_t { unused = 0, frame = 1, wait = 2 };
  std::atomic<std::uint8_t> kind{unused};
  std::atomic<std::uint8_t> parent{kNoFrame};
  std::atomic<std::uint32_t> line{0};
  std::atomic<TextOffset> name{0};
  std::atomic<TextOffset> file{0};
  std::atomic<std::int64_t> since_ns{0};  // monotonic
  CopiedText<40> detail;                  // a role, a target, a host
};

// One run of a probe (or a service of the daemon) with its frames, under a sequence lock: odd
// while being written. Written by the loop thread only.
struct RunRecord {
  enum State : std::uint8_t { free = 0, running = 1, cancelling = 2 };
  std::atomic<std::uint32_t> sequence{0};
  std::atomic<std::uint32_t> generation{0};  // counts the runs that had this record
  std::atomic<std::uint8_t> state{free};
  std::atomic<std::uint32_t> used_frames{0};  // a bit per frame
  std::atomic<std::uint32_t> frames_lost{0};
  std::atomic<std::int64_t> started_ns{0};
  std::atomic<std::int64_t> deadline_ns{0};  // monotonic; INT64_MAX where there is none
  std::atomic<std::uint64_t> progress{0};    // bytes received and steps done
  std::atomic<std::int64_t> progress_ns{0};  // when `progress` last moved
  CopiedText<104> name;
  std::array<FrameRecord, kFramesPerRun> frames{};
};

// One operation that Asio has been asked for and has not completed.
struct OperationRecord {
  std::atomic<std::uint32_t> sequence{0};  // odd while written
  std::atomic<std::uint8_t> pending{0};
  std::atomic<std::uint8_t> frame{kNoFrame};
  std::atomic<std::uint16_t> run{kNoRun};
  std::atomic<std::int64_t> since_ns{0};
  std::atomic<std::uint64_t> object{0};  // its address: tells operations of one object together
  std::atomic<std::uint64_t> native_handle{0};
  std::atomic<TextOffset> object_type{0}, operation{0}, file{0}, function{0};
  std::atomic<std::uint32_t> line{0};
};

// The loop as a whole and the handler that runs now.
struct LoopRecord {
  enum State : std::uint8_t { not_started = 0, in_run = 1, left_run = 2 };
  std::atomic<std::uint8_t> state{not_started};
  std::atomic<std::int32_t> thread{0};            // kernel thread id
  std::atomic<std::uint64_t> handlers{0};         // completed since start
  std::atomic<std::int64_t> handler_since_ns{0};  // 0: none runs
  std::atomic<TextOffset> object_type{0}, operation{0}, file{0}, function{0};
  std::atomic<std::uint32_t> line{0};
  std::atomic<std::uint16_t> run{kNoRun};
  std::atomic<std::uint8_t> frame{kNoFrame};
  std::atomic<std::uint32_t> depth{0};   // handlers inside handlers; over 1 is a nested run
  std::atomic<std::int64_t> beat_ns{0};  // when the beat last came through the executor
  std::atomic<std::uint64_t> operations_lost{0};  // not recorded: the table was full
};

struct TableSizes {
  std::uint16_t runs = 1'024;
  std::uint32_t operations = 16'384;
};

// The block. Made once by Loop; lives until the process ends, so that a late reader never dangles.
class Tables {
 public:
  explicit Tables(TableSizes sizes);
  LoopRecord& loop() { return *loop_; }
  std::span<RunRecord> runs() { return runs_; }
  std::span<OperationRecord> operations() { return operations_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
  LoopRecord* loop_ = nullptr;
  std::span<RunRecord> runs_;
  std::span<OperationRecord> operations_;
};

// The process's tables; nullptr until a Loop was made.
Tables* tables();
Tables& make_tables(TableSizes sizes);  // the first call decides the sizes

}  // namespace canary::runtime
