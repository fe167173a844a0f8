// SPDX-License-Identifier: Apache-2.0
// Writes what is known of a hang into a file of its own, from preallocated memory and with write(2)
// alone: neither a full disk nor a stuck allocator, logger or linker keeps it from being written.
// Beside it an emergency text for people goes at once; the dump helper replaces it by a better one.
// Where the directory is on a disk, both are written into memory, and another thread writes them
// down (daemon/dump/write/memory_dumps.h): the disk may not answer.
// Thread: made at start; then one at a time (the watchdog's). Async-signal-safe but for the
// constructor and the destructor.
// Source: raw_format.h has the file's layout.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "daemon/dump/write/dump_files.h"
#include "daemon/dump/write/memory_dumps.h"
#include "daemon/dump/write/section_writer.h"
#include "daemon/watchdog/judge/verdict.h"

namespace canary::dump {

// Copies the last lines of the log, oldest first and each ended by '\n', into `into`; returns the
// bytes written. Takes no lock and allocates nothing.
using CopyLogLines = std::size_t (*)(void* context, std::span<char> into);

struct DumpPlace {
  // On tmpfs where there is one: RUNTIME_DIRECTORY + "/dumps". Empty: for write_to_memory alone.
  std::string directory;
  bool on_disk = false;  // the directory; then somebody calls memory_dumps()->write_down()
  std::string versions;  // what `canaryd version` prints, gathered at start
  CopyLogLines log_lines = nullptr;
  void* log_context = nullptr;
};

struct DumpRequest {
  std::uint64_t number = 0;  // in the file's name; Incident::id where there is one
  std::string_view reason;   // "stall", "hung", "dead", "SIGUSR1", "request"; [a-zA-Z0-9-]
  std::span<watchdog::Incident const>
      incidents;                // the first is what the dump is about; may be none
  std::int64_t decided_ns = 0;  // monotonic: when the dump was decided upon
};

struct DumpResult {
  bool written = false;  // whole, and `path` leads to it
  bool waits = false;    // in memory, for a disk that has not taken it yet: see next_late()
  int error = 0;         // errno of the first failure, even where the dump was written in part
  std::array<char, 256> path{};       // of the raw dump; absolute
  std::array<char, 256> text_path{};  // of the emergency text; empty where it could not be written
  std::uint64_t bytes = 0;
  std::int64_t tables_ns = 0;  // from the decision to the tables being in the file
  std::int64_t stack_ns = 0;   // likewise the first stack
};

class RawDump {
 public:
  // Creates the directory (0700), reserves two files and one in memory, opens what is read from
  // /proc later. Never throws for a directory that cannot be had: dumps then go to memory, and
  // trouble() says why.
  explicit RawDump(DumpPlace place);
  ~RawDump();
  RawDump(RawDump const&) = delete;
  RawDump& operator=(RawDump const&) = delete;
  std::string const& trouble() const;
  // Null where the directory is in memory itself. Thread: any.
  std::shared_ptr<MemoryDumps> const& memory_dumps() const { return memory_dumps_; }

  // Everything but further samples: tables within milliseconds, then the emergency text, the stack
  // of the first incident's thread (else the loop's), the other threads' stacks, /proc. A dump that
  // is still open is finished first. False: of the stuck thread's stack nothing could be copied,
  // nor will be by sample().
  bool start(DumpRequest const& request);
  // One more stack of the thread: a computing thread needs several, 100 ms apart.
  void sample(std::int32_t thread);
  // Gives the file its name ("stall-000012-loop.raw") and says where it is. A disk is waited for:
  // half a second, two before the end of the process.
  DumpResult finish();
  // Where a dump that had to wait is by now; false where there is none. Once for each.
  bool next_late(std::span<char, 256> path);
  bool open() const { return open_; }

  // The same content into `into`, for a reader in this process; returns the bytes used.
  std::size_t write_to_memory(DumpRequest const& request, std::span<std::byte> into);

 private:
  struct Process;
  struct Buffers;

  void choose_file();
  void write_all(DumpRequest const& request, SectionWriter& out);
  void write_stacks(DumpRequest const& request, SectionWriter& out);
  void write_text(DumpRequest const& request, SectionWriter& out);
  void name_file(DumpRequest const& request);
  void finish_file();
  void finish_in_memory();
  bool keep_in_memory();

  DumpPlace place_;
  std::unique_ptr<Process> process_;
  std::unique_ptr<Buffers> buffers_;
  std::optional<DumpFiles> files_;  // one of the two
  std::shared_ptr<MemoryDumps> memory_dumps_;
  int memory_ = -1;  // the file of last resort
  bool open_ = false;
  bool ends_process_ = false;
  bool stack_copied_ = false;  // of the stuck thread
  bool in_file_ = false;       // file_ is one of files_
  int file_ = -1;
  SectionWriter writer_;
  DumpResult result_{};
  MemoryDumps::Stem stem_{};
  std::uint64_t text_at_ = 0;
  std::size_t text_size_ = 0;
};

}  // namespace canary::dump
