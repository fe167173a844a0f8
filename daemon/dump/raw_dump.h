// SPDX-License-Identifier: Apache-2.0
// Writes what is known of a hang into a file of its own, from preallocated memory and with write(2)
// alone: neither a full disk nor a stuck allocator, logger or linker keeps it from being written.
// Beside it an emergency text for people goes at once; the dump helper replaces it by a better one.
// Thread: made at start; then one at a time (the watchdog's). Async-signal-safe but for the
// constructor and the destructor.
// Source: raw_format.h has the file's layout.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "daemon/dump/section_writer.h"
#include "daemon/watchdog/verdict.h"

namespace canary::dump {

// Copies the last lines of the log, oldest first and each ended by '\n', into `into`; returns the
// bytes written. Takes no lock and allocates nothing.
using CopyLogLines = std::size_t (*)(void* context, std::span<char> into);

struct DumpPlace {
  // On tmpfs where there is one: RUNTIME_DIRECTORY + "/dumps". Empty: for write_to_memory alone.
  std::string directory;
  std::string versions;  // what `canaryd version` prints, gathered at start
  CopyLogLines log_lines = nullptr;
  void* log_context = nullptr;
};

struct DumpRequest {
  std::uint64_t number = 0;  // in the file's name; Episode::id where there is one
  std::string_view reason;   // "stall", "hung", "dead", "SIGUSR1", "request"; [a-zA-Z0-9-]
  std::span<watchdog::Episode const> episodes;  // the first is what the dump is about; may be none
  std::int64_t decided_ns = 0;                  // monotonic: when the dump was decided upon
};

struct DumpResult {
  bool written = false;  // whole, and `path` leads to it
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
  std::string const& trouble() const { return trouble_; }

  // Everything but further samples: tables within milliseconds, then the emergency text, the stack
  // of the first episode's thread (else the loop's), the other threads' stacks, /proc. A dump that
  // is still open is finished first. False: of the stuck thread's stack nothing could be copied,
  // nor will be by sample().
  bool start(DumpRequest const& request);
  // One more stack of the thread: a computing thread needs several, 100 ms apart.
  void sample(std::int32_t thread);
  // Gives the file its name ("stall-000012-loop.raw") and says where it is.
  DumpResult finish();
  bool open() const { return open_; }

  // The same content into `into`, for a reader in this process; returns the bytes used.
  std::size_t write_to_memory(DumpRequest const& request, std::span<std::byte> into);

 private:
  struct Spare {
    int descriptor = -1;
    std::array<char, 32> name{};
  };
  struct Descriptors;
  struct Buffers;

  void reserve(Spare& spare);
  void look_after_places();
  bool give_name(Spare& spare, std::string_view extension, std::span<char> path);
  bool keep_in_memory();
  void choose_file();
  void write_all(DumpRequest const& request, SectionWriter& out);
  void write_stacks(DumpRequest const& request, SectionWriter& out);
  void write_text(DumpRequest const& request, SectionWriter& out);
  void place_text();
  void name_file(DumpRequest const& request);

  DumpPlace place_;
  std::string trouble_;
  std::unique_ptr<Descriptors> descriptors_;
  std::unique_ptr<Buffers> buffers_;
  std::array<Spare, 2> spares_{};
  Spare text_spare_{};
  int memory_ = -1;  // the file of last resort
  bool open_ = false;
  bool stack_copied_ = false;  // of the stuck thread
  int file_ = -1;
  Spare* used_ = nullptr;
  SectionWriter writer_;
  DumpResult result_{};
  std::array<char, 96> stem_{};
  std::size_t text_size_ = 0;
};

}  // namespace canary::dump
