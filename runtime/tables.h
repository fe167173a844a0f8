// SPDX-License-Identifier: Apache-2.0
// What the process writes down about itself, for readers that need no cooperation from it: the
// handler running now, the operations pending, each run's logical coroutine stack, what every
// thread is at, and what the watchdog makes of it.
// Plain records in one preallocated block in a memfd. Static texts are offsets into the program's
// image, not pointers, so that another process (the dump helper, the next start) can read it too.
// Thread: one writer per record unless it says otherwise; any thread may read. Every field is an
// atomic: a torn record is noticed by its `sequence`, never undefined.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/operation_record.h"
#include "runtime/text_offset.h"

namespace canary::runtime {

inline constexpr std::size_t kFramesPerRun = 32;  // live at once; more are counted, not shown
inline constexpr std::size_t kThreads = 64;
inline constexpr std::size_t kLagBuckets = 16;
inline constexpr std::size_t kLagSlots = 60;
inline constexpr std::int64_t kLagSlotNs = 10'000'000'000;
inline constexpr std::size_t kLongest = 8;

// Text that is copied into a record: truncated to its size, readable while written.
template <std::size_t kBytes>
struct CopiedText {
  static_assert(kBytes % 8 == 0);
  std::array<std::atomic<std::uint64_t>, kBytes / 8> words{};

  void store(std::string_view text) {
    std::array<char, kBytes> bytes{};
    std::size_t const size = text.size() < kBytes ? text.size() : kBytes;
    if (size > 0) __builtin_memcpy(bytes.data(), text.data(), size);
    for (std::size_t i = 0; i < words.size(); ++i) {
      std::uint64_t word = 0;
      __builtin_memcpy(&word, bytes.data() + i * 8, 8);
      words[i].store(word, std::memory_order_relaxed);
    }
  }
  // Without allocation; NUL-terminated unless it fills all.
  std::array<char, kBytes + 1> bytes() const {
    std::array<char, kBytes + 1> result{};
    for (std::size_t i = 0; i < words.size(); ++i) {
      std::uint64_t const word = words[i].load(std::memory_order_relaxed);
      __builtin_memcpy(result.data() + i * 8, &word, 8);
    }
    return result;
  }
  std::string load() const { return std::string{bytes().data()}; }
};

// Who wrote the block, for readers in another process.
struct TablesHeader {
  static constexpr std::uint64_t kMagic = 0x31305944524E4143;  // "CANRDY01"
  std::uint64_t magic = kMagic;
  std::uint32_t header_bytes = 0, loop_bytes = 0, thread_bytes = 0, run_bytes = 0,
                operation_bytes = 0;  // of one record each; a reader of another layout refuses
  std::uint32_t runs = 0, operations = 0, threads = 0;
  std::int32_t process = 0;
  std::int64_t started_monotonic_ns = 0, started_wall_ns = 0;
  std::array<unsigned char, 20> build_id{};
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
// while being written. Written by the loop thread, but `ask_cancel` and `stalled` by the watchdog.
struct RunRecord {
  enum State : std::uint8_t { free = 0, running = 1, cancelling = 2 };
  enum Kind : std::uint8_t { probe = 0, service = 1 };  // services never end and are not judged
  std::atomic<std::uint32_t> sequence{0};
  std::atomic<std::uint32_t> generation{0};  // counts the runs that had this record
  std::atomic<std::uint8_t> state{free};
  std::atomic<std::uint8_t> kind{probe};
  std::atomic<std::uint32_t> ask_cancel{0};   // the generation that the watchdog wants cancelled
  std::atomic<std::uint32_t> stalled{0};      // the generation that did not unwind
  std::atomic<std::uint32_t> used_frames{0};  // a bit per frame
  std::atomic<std::uint32_t> frames_lost{0};
  std::atomic<std::int64_t> started_ns{0};
  std::atomic<std::int64_t> deadline_ns{0};    // monotonic; INT64_MAX where there is none
  std::atomic<std::int64_t> cancelling_ns{0};  // since when it was asked to end
  std::atomic<std::uint64_t> progress{0};      // bytes received and steps done
  std::atomic<std::int64_t> progress_ns{0};    // when `progress` last moved
  CopiedText<104> name;
  std::array<FrameRecord, kFramesPerRun> frames{};
};

// A kind of handler and how long it took.
struct HandlerRecord {
  std::atomic<std::int64_t> nanoseconds{0};
  std::atomic<std::uint64_t> kind{0}, place{0};  // as in OperationRecord
  std::atomic<std::uint32_t> line{0};
};

// The beats that came through the loop in one stretch of kLagSlotNs.
struct LagSlot {
  std::atomic<std::int64_t> number{0};  // of the stretch: the clock over kLagSlotNs
  std::atomic<std::uint64_t> worst_ns{0};
  std::atomic<std::uint32_t> beats{0};
};

// The loop as a whole and the handler that runs now.
struct LoopRecord {
  enum State : std::uint8_t { not_started = 0, in_run = 1, left_run = 2 };
  std::atomic<std::uint8_t> state{not_started};
  std::atomic<std::int32_t> thread{0};            // kernel thread id
  std::atomic<std::uint64_t> handlers{0};         // completed since start
  std::atomic<std::int64_t> handler_since_ns{0};  // 0: none runs
  std::atomic<std::uint32_t> handler{0};  // whose: index of its operation + 1; 0: not recorded
  std::atomic<std::uint64_t> operations_lost{0};  // not recorded: the table was full

  // The beat: a timer, then a turn in the queue. `beats` counts those that arrived.
  std::atomic<std::uint64_t> beats{0};
  std::atomic<std::int64_t> beat_due_ns{0};    // when the timer should fire
  std::atomic<std::int64_t> beat_timer_ns{0};  // when its handler ran
  std::atomic<std::int64_t> beat_ns{0};        // when the turn in the queue came
  // How late beats were, from due to arrived: counts of up to 1 ms, 2 ms, 4 ms, …; the last is
  // everything above.
  std::array<std::atomic<std::uint64_t>, kLagBuckets> lag{};
  std::atomic<std::uint64_t> lag_sum_ns{0};
  // The last ten minutes, by the stretch's number: how it came to this.
  std::array<LagSlot, kLagSlots> lag_history{};
  std::array<HandlerRecord, kLongest> longest{};  // one per kind of handler, unordered
};

// A thread that says what it is at. Taken for the thread's life, and kept when that ends at work,
// so that it is missed; written by the thread itself,
// `queued` and `oldest_queued_ns` by its queue's owner under that queue's lock.
struct ThreadRecord {
  // disk: the state directory's; files: everybody else's.
  enum Kind : std::uint8_t {
    unused = 0,
    loop,
    disk,
    cpu,
    log,
    server,
    main,
    watchdog,
    emergency,
    files
  };
  std::atomic<std::uint8_t> kind{unused};
  std::atomic<std::int32_t> thread{0};
  CopiedText<16> name;
  std::atomic<TextOffset> job{0};             // what it does now
  CopiedText<80> about;                       // and with which file; empty: none
  std::atomic<std::int64_t> job_since_ns{0};  // 0: idle
  std::atomic<std::int64_t> beat_ns{0};       // when it last came round; 0: it does not say
  std::atomic<std::uint64_t> jobs{0};         // done
  std::atomic<std::uint32_t> queued{0};       // jobs that wait for this kind of thread
  std::atomic<std::int64_t> oldest_queued_ns{0};
  std::atomic<std::uint64_t> stack_low{0}, stack_high{0};  // addresses, for stack capture
};

// The scheduler's promise: nothing is due before `next_due_ns`.
struct SchedulerRecord {
  std::atomic<std::int64_t> next_due_ns{0};   // monotonic; INT64_MAX: nothing scheduled
  std::atomic<std::int64_t> last_pass_ns{0};  // when it last looked
  std::atomic<std::uint64_t> passes{0};
};

struct TableSizes {
  std::uint16_t runs = 1'024;
  std::uint32_t operations = 16'384;
};

// The block. Made once by Loop; lives until the process ends, so that a late reader never dangles.
class Tables {
 public:
  explicit Tables(TableSizes sizes);
  // Over a block of `bytes` that another process wrote; ok() is false where it is none of ours.
  explicit Tables(std::span<std::byte> block);

  bool ok() const { return header_ != nullptr; }
  TablesHeader& header() { return *header_; }
  LoopRecord& loop() { return *loop_; }
  SchedulerRecord& scheduler() { return *scheduler_; }
  std::span<ThreadRecord> threads() { return threads_; }
  std::span<RunRecord> runs() { return runs_; }
  std::span<OperationRecord> operations() { return operations_; }
  std::span<std::byte> block() { return block_; }
  // The memfd, for systemd's descriptor store; -1 over a foreign block.
  int descriptor() const { return descriptor_; }

 private:
  struct Layout;
  void place(std::byte* start, Layout const& layout);

  std::span<std::byte> block_;
  int descriptor_ = -1;
  TablesHeader* header_ = nullptr;
  LoopRecord* loop_ = nullptr;
  SchedulerRecord* scheduler_ = nullptr;
  std::span<ThreadRecord> threads_;
  std::span<RunRecord> runs_;
  std::span<OperationRecord> operations_;
};

// Of the handler that runs now or, where none does, ran last; all "none" where it is not recorded.
Operation operation_of_handler(Tables& tables);

// The process's tables; nullptr until a Loop was made.
Tables* tables();
Tables& make_tables(TableSizes sizes);  // the first call decides the sizes

// Nanoseconds of CLOCK_MONOTONIC; the coarse one is a few milliseconds behind and costs a fifth.
std::int64_t now_ns();
std::int64_t coarse_now_ns();

}  // namespace canary::runtime
