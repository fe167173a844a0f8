// SPDX-License-Identifier: Apache-2.0
// The thread that writes the watchdog's memory down, so that the watchdog touches no file system:
// where the disk does not answer, it alone waits, and the watchdog tells of it.
// Thread: control; the thread is its own.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "daemon/watchdog/act/dumper.h"
#include "daemon/watchdog/act/memory_file.h"

namespace canary::watchdog {

// A block as it begins, zero; a file in memory where that is allowed. Throws std::system_error
// where there is no memory for it.
class MappedBlock {
 public:
  MappedBlock();
  ~MappedBlock();
  MappedBlock(MappedBlock const&) = delete;
  MappedBlock& operator=(MappedBlock const&) = delete;
  MemoryBlock& operator*() const { return *block_; }
  MemoryBlock* operator->() const { return block_; }

 private:
  MemoryBlock* block_;
};

class MemoryWriter {
 public:
  // Reads the file and opens it for writing; waits for that for a second at most. Throws
  // std::system_error where there is no thread or no memory to be had.
  explicit MemoryWriter(std::filesystem::path file, DumpWriter dumps = {});
  // As end().
  ~MemoryWriter();
  MemoryWriter(MemoryWriter const&) = delete;
  MemoryWriter& operator=(MemoryWriter const&) = delete;

  // What the file told; nothing where it did not answer.
  StoredMemory const& found() const { return found_; }
  // Why nothing is remembered over a restart; empty where it is.
  std::string const& trouble() const { return trouble_; }
  MemoryBlock& block();
  // An eventfd: something changed in the block.
  int wake() const;
  // The block has what is to be written from now on.
  void begin();

  // Writes what is unwritten; a disk that does not answer within `limit` is left to itself.
  void end(std::chrono::milliseconds limit = std::chrono::seconds{2});

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the thread, which may outlive this
  StoredMemory found_;
  std::string trouble_;
};

}  // namespace canary::watchdog
