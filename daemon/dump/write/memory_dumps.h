// SPDX-License-Identifier: Apache-2.0
// Raw dumps on their way to a disk that may not answer: the watchdog writes them into memory, and
// another thread writes them down.
//
//     int const file = dumps.claim();              // the watchdog
//     ...write the dump into `file`...
//     dumps.complete("stall-000012-loop", whole);
//                                                  dumps.write_down();    // woken by ready()
//     dumps.wait(500'000'000, path);               // "/var/lib/…/stall-000012-loop.raw"
//
// Thread: see each. The watchdog's functions are async-signal-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "daemon/dump/write/dump_files.h"

namespace canary::dump {

class MemoryDumps {
 public:
  static constexpr std::size_t kPlaces = 3;
  using Path = std::array<char, 256>;
  using Stem = std::array<char, 96>;

  struct Whole {
    std::uint64_t bytes = 0;
    std::uint64_t text_at = 0;  // where in the dump the text for people is
    std::size_t text_bytes = 0;
  };
  enum class Kept : std::uint8_t { on_disk, in_memory, waiting };

  // As DumpFiles. Thread: control.
  explicit MemoryDumps(std::string directory);
  ~MemoryDumps();
  MemoryDumps(MemoryDumps const&) = delete;
  MemoryDumps& operator=(MemoryDumps const&) = delete;
  std::string const& trouble() const { return files_.trouble(); }

  // An empty file in memory; -1 where every place still waits for the disk. Thread: watchdog.
  int claim();
  // What was claimed last is whole. Thread: watchdog.
  void complete(std::string_view stem, Whole const& whole);
  // Waits so long for what was completed last, and says where it is: on the disk, or in memory
  // ("/proc/12/fd/7"), for good where the disk failed. Thread: watchdog.
  Kept wait(std::int64_t limit_ns, Path& path);
  // One that wait() had left waiting and that is kept by now; false where there is none. Once for
  // each. Thread: watchdog.
  bool next_late(Path& path);
  // errno of what failed for what was completed last; 0: nothing. Thread: watchdog.
  int error() const;

  // Readable while there is something to write down. Thread: any.
  int ready() const { return ready_; }
  // Takes as long as the disk does. Thread: the writer's.
  void write_down();

 private:
  enum State : std::uint8_t { unused, claimed, waiting, written, failed };
  struct Place {
    std::atomic<std::uint8_t> state{unused};
    int file = -1;
    bool told = false;        // by wait() or next_late(); the watchdog's own
    std::uint64_t order = 0;  // counts up
    Stem stem{};
    Whole whole;
    Path path{};  // where it is on the disk
    int error = 0;
  };

  Kept tell(Place& place, Path& path);
  bool write_down(Place& place);
  bool copy(Place const& place, int into);
  void place_text(Place& place, std::string_view stem);

  int ready_;
  std::array<Place, kPlaces> places_{};
  Place* last_ = nullptr;  // the watchdog's own, as `order_`
  std::uint64_t order_ = 0;
  DumpFiles files_;  // the writer's from here on
  std::array<char, 128 * 1024> buffer_{};
};

}  // namespace canary::dump
