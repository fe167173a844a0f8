// SPDX-License-Identifier: Apache-2.0
// What the watchdog knows, for metrics, the API, the server's health and dumps.
// Thread: written by the watchdog alone; any thread reads, without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/watchdog/judge/culprits.h"
#include "daemon/watchdog/judge/verdict.h"
#include "daemon/watchdog/tell/loop_curve.h"
#include "runtime/published.h"

namespace canary::watchdog {

inline constexpr std::size_t kTickBuckets = 16;  // up to 1 ms, 2 ms, 4 ms, … as LoopRecord::lag
inline constexpr std::size_t kPathBytes = 256;

using PathText = std::array<char, kPathBytes>;

struct LastStall {
  std::int64_t wall_ns = 0;  // since the epoch, when it reached its level
  Incident incident;         // its text offsets are those of the program that wrote them
  // operation, function and file:line as text, since an older program's offsets mean nothing here.
  std::array<char, 160> site{};
};

// What the process before was at when it ended, by the tables that systemd's descriptor store kept.
struct CrashRecord {
  bool known = false;  // there were tables, and they can be read
  bool in_run =
      false;  // its loop had not left run(): nobody had asked it to end, or it did not get there
  std::int32_t process = 0;
  std::int64_t ended_wall_ns = 0;  // when its watchdog last looked
  std::int64_t handler_ns = 0;     // for how long a handler ran then; 0: none did
  std::int64_t beat_age_ns = -1;   // then; -1: its loop had not begun to turn
  std::uint32_t runs = 0;          // of probes, that were going on
  ProbeText run{};                 // whose handler ran; empty: nobody's
  std::array<char, 160> site{};    // of that handler; empty where another build wrote the tables
  PathText dump{};  // the post-mortem, raw; the helper writes .txt and .json beside it
};

// How a process ended, as far as the next one can tell.
enum class End : std::uint8_t {
  unknown,  // it left nothing that tells, or the machine went down
  orderly,  // it was told to stop, and did
  aborted,  // its loop hung (or its stop did): its own watchdog or systemd ended it
  killed,   // without a word, while its loop turned: SIGKILL, out of memory, a crash
};
std::string_view to_text(End end);

// What the last start left behind.
struct PreviousRun {
  bool known = false;  // there was one
  bool clean = false;  // it stopped because it was told to
  End end = End::unknown;
  bool same_boot = false;
  std::int64_t started_wall_ns = 0;
  std::int64_t last_alive_wall_ns = 0;
  std::int64_t blind_ns = 0;   // from then until this start
  std::uint64_t restarts = 0;  // unclean ones in a row, this one included
  bool has_stall = false;      // `stall` is the last one ever, not only of that run
  LastStall stall;
  CrashRecord crash;
};

enum class DumpFate : std::uint8_t { none, written, suppressed, failed };

struct DumpOutcome {
  std::uint64_t request = 0;  // as request_dump() gave it; 0: the watchdog's own
  DumpFate fate = DumpFate::none;
  std::int64_t wall_ns = 0;
  PathText path{};  // of the raw dump; the helper writes .txt and .json beside it
};

// What is asked for while the watchdog's answers stand in for the HTTP server's.
enum class EmergencyPath : std::uint8_t { metrics, healthy, ready, live, other };
inline constexpr std::size_t kEmergencyPaths = 5;
std::string_view to_text(EmergencyPath path);

struct Record {
  // The watchdog's own punctuality.
  std::atomic<std::int64_t> tick_ns{0};  // monotonic, of the last tick; 0: not started
  std::atomic<std::uint64_t> ticks{0};
  std::array<std::atomic<std::uint64_t>, kTickBuckets> lateness{};
  std::atomic<std::uint64_t> lateness_sum_ns{0};
  std::array<std::atomic<std::uint64_t>, kDisturbances> disturbances{};

  // 1 while the loop sees that the watchdog does not tick; written by the loop.
  std::atomic<std::uint8_t> watchdog_stalled{0};
  // Written by the control thread, which looks after the dump helper.
  std::atomic<std::uint8_t> dump_helper_up{0};
  std::atomic<std::uint64_t> dump_helper_restarts{0};

  // The loop now, as judged: what restarts and quarantine follow. Stalled means level stalled or
  // above.
  std::atomic<std::uint8_t> executor_level{0};
  bool executor_stalled() const {
    return executor_level.load(std::memory_order_acquire) >=
           static_cast<std::uint8_t>(Level::stalled);
  }
  // The loop by the wall clock, whosever fault: since when it has not turned (monotonic), once that
  // is long; 0: it turns.
  std::atomic<std::int64_t> executor_standing_ns{0};
  bool executor_stands() const {
    return executor_stalled() || executor_standing_ns.load(std::memory_order_acquire) != 0;
  }
  // How late it was, over the last hour; and the thresholds in force, from which on it is suspect
  // or stalled.
  LoopCurve curve;
  std::atomic<std::int64_t> loop_suspect_ns{0}, loop_stall_ns{0};
  // Likewise each part: the verdict it is seen in while it stands still; none: it does not.
  std::array<std::atomic<std::uint8_t>, kSubjects> standing{};
  // What it is seen in meanwhile, by either; none: it turns.
  std::atomic<std::uint8_t> executor_verdict{0};

  // How often an incident of the subject reached the level.
  std::array<std::array<std::atomic<std::uint64_t>, kLevels>, kSubjects> stalls{};
  std::array<std::atomic<std::uint64_t>, kVerdicts> verdicts{};  // of those that reached stalled
  runtime::Published<LastStall> last_stall;  // of this start; `previous.stall` is the one before
  std::array<runtime::Published<Incident>, kIncidents> incidents;  // level fine: an empty place
  std::atomic<std::uint32_t> current_incidents{0};
  std::atomic<std::uint64_t> incidents_lost{0};
  std::atomic<std::uint64_t> runs_cancelled{0};  // asked for by the watchdog
  std::atomic<std::uint32_t> runs_stalled{0};    // now: asked to end and still there

  // Dumps: stalls' and those asked for.
  std::atomic<std::uint64_t> dumps_written{0}, dumps_suppressed{0}, dumps_failed{0};
  std::atomic<std::uint64_t> dumps_asked{0};  // sequence of the last request
  runtime::Published<DumpOutcome> last_dump;  // of all
  runtime::Published<DumpOutcome>
      last_asked_dump;  // of those asked for: complete when request >= yours

  Culprits const* culprits = nullptr;               // set before the thread starts, never after
  std::atomic<std::uint32_t> quarantined_count{0};  // of those, in quarantine
  // Calls `use` with the name of each probe in quarantine, until it returns false.
  template <class Use>
  void each_quarantined(Use use) const {
    std::size_t const count =
        culprits == nullptr ? 0 : culprits->count.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < count; ++i) {
      Culprit each;
      if (!culprits->places.data()[i].load(each) || each.quarantined == 0) continue;
      each.probe.back() = 0;
      if (!use(each.probe)) return;
    }
  }

  std::atomic<std::uint64_t> server_questions{0}, server_answers{0};
  std::atomic<std::int64_t> server_answer_ns{0};  // how long the last answer took
  // Since when the watchdog's own page is served instead of the server's, monotonic; 0: it is not.
  std::atomic<std::int64_t> emergency_since_ns{0};
  // How often it was; written by the thread that serves it.
  std::array<std::atomic<std::uint64_t>, kEmergencyPaths> emergency_answers{};
  std::atomic<std::uint64_t> notify_pings{0}, notify_failures{0};
  std::atomic<std::uint64_t> lines_dropped{0};  // of the watchdog's own to the log

  PreviousRun previous;  // set before the thread starts, never after
};

}  // namespace canary::watchdog
