// SPDX-License-Identifier: Apache-2.0
// The metadata a client trusts, on disk: original bytes, one file per role, each replaced as a
// whole. A crash at any point leaves files that load.
// Thread: loop; every file is touched on the disk worker.
// Source: TUF 1.0.34 §5.0, §5.3.8, §5.4.5, §5.5.7, §5.6.6.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/result.h"
#include "probes/tuf/sightings.h"
#include "runtime/task.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

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

// A folder of `<role>.json` files, role names percent-encoded. One process at a time has it: open()
// takes a lock that is kept until the store and its last job are gone.
class LocalStore {
 public:
  // An empty `folder` remembers nothing: reads find nothing and writes succeed. `disk` outlives
  // the store.
  LocalStore(std::filesystem::path folder, runtime::Workers& disk);
  ~LocalStore();
  LocalStore(LocalStore const&) = delete;
  LocalStore& operator=(LocalStore const&) = delete;

  // Makes the folder where it is missing, locks it and removes what a crash left half written.
  // After a fault the store behaves like one without a folder. Faults: EWOULDBLOCK where another
  // process has the folder.
  runtime::Task<StoreResult<void>> open(runtime::Trace trace);

  // The stored bytes; nullopt where there are none. Faults: EFBIG above `limit` bytes.
  runtime::Task<StoreResult<std::optional<std::string>>> read(std::string role, std::size_t limit,
                                                              runtime::Trace trace);

  // Temporary file in the same folder, fsync, rename, fsync of the folder. Touches nothing where
  // the same bytes are stored already.
  runtime::Task<StoreResult<void>> write(std::string role, std::shared_ptr<std::string const> bytes,
                                         runtime::Trace trace);
  runtime::Task<StoreResult<void>> write(std::string role, std::string bytes,
                                         runtime::Trace trace) {
    return write(std::move(role), std::make_shared<std::string const>(std::move(bytes)), trace);
  }

  // Removes a role's file; it is no fault where there is none.
  runtime::Task<StoreResult<void>> forget(std::string role, runtime::Trace trace);

  // For which pinned root this folder was filled: kept beside the roles in `pinned.sha256`, so that
  // a newly pinned root is not passed over for an old chain.
  runtime::Task<StoreResult<std::optional<std::string>>> read_pin(runtime::Trace trace);
  runtime::Task<StoreResult<void>> write_pin(std::string sha256_hex, runtime::Trace trace);

  // Which versions were seen when, kept beside the roles in `versions.seen`. `pin` is the pinned
  // root's SHA-256: what was seen of another repository is forgotten.
  struct Seen {
    Sightings sightings{};
    bool damaged = false;  // what was there could not be used; begun anew
  };
  runtime::Task<StoreResult<Seen>> read_sightings(std::string pin, Time now, runtime::Trace trace);
  runtime::Task<StoreResult<void>> write_sightings(Sightings sightings, std::string pin,
                                                   runtime::Trace trace);
  std::filesystem::path sightings_file() const;

  bool remembers() const { return folder_ != nullptr; }

 private:
  struct Folder;  // path and lock; jobs share it
  runtime::Task<StoreResult<std::optional<std::string>>> read_file(std::string name,
                                                                   std::size_t limit,
                                                                   runtime::Trace trace);
  runtime::Task<StoreResult<void>> write_file(std::string name,
                                              std::shared_ptr<std::string const> bytes,
                                              runtime::Trace trace);

  std::filesystem::path path_;
  runtime::Workers& disk_;
  std::shared_ptr<Folder> folder_;  // null until opened, and where nothing is remembered
};

// The steps below block: they are for jobs of the disk worker and for programs before their loop.

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
