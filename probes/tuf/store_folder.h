// SPDX-License-Identifier: Apache-2.0
// A folder of small files, each replaced as a whole, under a lock. A crash at any point leaves
// files that load. Thread: any but the loop's: all of it blocks, for as long as the disk likes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"

namespace canary::tuf {

// What the file system refused. A value: a canary whose disk is full still watches.
struct StoreFault {
  std::filesystem::path path;
  std::string doing;  // "write", "rename", …
  int error = 0;      // errno

  friend bool operator==(StoreFault const&, StoreFault const&) = default;
};

// "cannot write /var/lib/canaryd/x/root.json: No space left on device".
std::string sentence(StoreFault const& fault);

template <class T>
using StoreResult = canary::Result<T, StoreFault>;

class StoreFolder {
 public:
  // Makes the folder where it is missing, on the disk with all its parents; locks it and removes
  // what a crash left half written.
  // Faults: EWOULDBLOCK where another process has the folder.
  static StoreResult<std::shared_ptr<StoreFolder>> open(std::filesystem::path const& path);
  ~StoreFolder();  // gives it back
  StoreFolder(StoreFolder const&) = delete;
  StoreFolder& operator=(StoreFolder const&) = delete;

  // The file's bytes; nullopt where there is none. Faults: EFBIG above `limit` bytes.
  StoreResult<std::optional<std::string>> read(std::string const& name, std::size_t limit) const;
  // To be a file's bytes; null: the file goes, which is no fault where there is none.
  struct Change {
    std::string name;
    std::string const* bytes;
  };
  // What became of each. Files that follow each other are written together: each into a temporary
  // file in the same folder and fsync, then all their names, then one fsync of the folder; a
  // removal comes after what stands before it is on the disk. Touches nothing where the same bytes
  // are stored already. REQUIRES: no name twice among files that follow each other.
  std::vector<StoreResult<void>> apply(std::vector<Change> const& changes) const;
  StoreResult<void> write(std::string const& name, std::string const& bytes) const;
  StoreResult<void> remove(std::string const& name) const;
  // Another one, once the file has changed.
  std::string identity(std::string const& name) const;

 private:
  StoreFolder(std::filesystem::path path, int lock);
  using Span = std::span<Change const>;
  using Outcomes = std::span<StoreResult<void>>;
  void write_together(Span changes, Outcomes outcomes) const;
  void remove_together(Span changes, Outcomes outcomes) const;
  std::filesystem::path path_;
  int lock_;
};

// As often as is needed, each on the disk before what lies in it. What is there already is left as
// it is, and not synced.
StoreResult<void> make_folders(std::filesystem::path const& path);
// The names in it outlive a power cut.
StoreResult<void> sync_folder(std::filesystem::path const& folder);
// Reads a whole regular file of at most `limit` bytes; nullopt where there is none.
StoreResult<std::optional<std::string>> read_whole_file(std::filesystem::path const& path,
                                                        std::size_t limit);
// Replaces `path` as a whole or not at all. Nobody else may be doing the same.
StoreResult<void> replace_file(std::filesystem::path const& path, std::string_view bytes);
// Makes a finished temporary file (written and not yet synced, open as `descriptor`) appear as
// `path`; the temporary file is gone afterwards in either case.
StoreResult<void> publish_file(int descriptor, std::filesystem::path const& temporary,
                               std::filesystem::path const& path);

// What a file is called until it is complete: "root.json.part".
std::filesystem::path temporary_name(std::filesystem::path const& path);

}  // namespace canary::tuf
