// SPDX-License-Identifier: Apache-2.0
// What a probe trusts, in memory from run to run, so that a state directory that stands still keeps
// nobody from probing nor from noticing a rollback. It is written down behind the runs, in their
// order, the newest of each file only, several together.
// Thread: loop; files are touched on the state directory's threads, on one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/tuf/store_folder.h"
#include "probes/tuf/verified_signatures.h"
#include "runtime/event.h"
#include "runtime/known_file.h"
#include "runtime/task.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

namespace canary::tuf {

class KnownRoles;

class TrustMemory : public std::enable_shared_from_this<TrustMemory> {
 public:
  using Bytes = std::shared_ptr<std::string const>;

  // A file as it is meant to be.
  struct File {
    Bytes bytes;             // null: there is none
    std::string identity{};  // as it was read or written; empty: it is not on the disk so
    bool unread = false;     // what an earlier process left there was never seen
  };
  struct Threads {
    runtime::Workers& disk;  // the state directory's: one folder has one at a time
    runtime::Workers& cpu;   // destroys what is large
  };
  // A state thread that is in one job for so long stands still: nobody waits for it.
  static constexpr std::chrono::seconds kStands{1};

  // Empty `folder`: there is no disk, and all is in memory alone. The threads outlive it.
  TrustMemory(std::filesystem::path folder, Threads threads, runtime::Executor executor);
  ~TrustMemory();
  TrustMemory(TrustMemory const&) = delete;
  TrustMemory& operator=(TrustMemory const&) = delete;

  std::filesystem::path const& folder() const;
  bool stands_still() const;

  // Opens and locks the folder for a run, and looks which files are not as they were read or
  // written: those are no longer known, and read again. nullopt where that did not come by `until`.
  // While the returned hold lives, this process has the folder.
  using Hold = std::shared_ptr<StoreFolder>;
  runtime::Task<std::optional<StoreResult<Hold>>> open(runtime::Deadline until,
                                                       runtime::Trace trace);
  // Gives the hold back, off the loop.
  void release(Hold hold);

  // nullptr: nothing is known of the file.
  File const* find(std::string const& name) const;
  // What was read of a file that is not known; what was remembered while that was not possible
  // stays, where `stays`, and is written down.
  void learned(std::string const& name, File file, bool stays);
  // To be remembered, and written down where `on_disk`; null bytes: removed. `keep`: in memory,
  // too, once it is written.
  struct How {
    bool on_disk = true;
    bool keep = true;
  };
  void put(std::string const& name, Bytes bytes, How how);

  // True when all is written down, or was refused; false where `until` passed.
  runtime::Task<bool> settled(runtime::Deadline until, runtime::Trace trace);
  // What the disk refused since the last call; tried again when it is put again.
  std::vector<StoreFault> take_faults();
  // Is something not written down that should be, or not known that should be?
  bool behind() const { return !pending_.empty() || blind(); }
  bool blind() const;
  std::vector<std::string> unwritten() const;  // files that the disk is still to get
  // From now on nothing of it is written down; what a thread is writing already comes before any
  // later job there.
  void abandon();

  // What is done to the folder, in order.
  runtime::JobQueue& disk() { return in_order_; }

  // The runs' own: the pinned root as it was read last, from where, and since when the disk is
  // behind, by the runs' clock.
  struct Pinned {
    std::string bytes;
    std::optional<StoreFault> fault{};
    bool missing = false;
  };
  runtime::KnownFile<Pinned const> pinned;
  std::filesystem::path pinned_path;
  std::optional<std::chrono::sys_seconds> behind_since;
  std::shared_ptr<VerifiedSignatures> const verified = std::make_shared<VerifiedSignatures>();
  // A run takes it and gives it back; null: taken, or to be read.
  std::shared_ptr<KnownRoles> roles;

 private:
  struct Change {
    std::uint64_t number;
    std::string name;
    Bytes bytes;  // null: to be removed
    bool keep;
  };
  struct Outcome {
    std::uint64_t number;
    std::optional<StoreFault> fault;
    std::string identity;
  };
  struct Disk;  // what jobs share: path, and the folder that a run holds
  void write_pending();
  void written(std::vector<Outcome> const& outcomes);
  void discard(Bytes bytes);

  std::shared_ptr<Disk> disk_;
  Threads threads_;
  runtime::JobQueue in_order_;
  runtime::Executor executor_;
  std::map<std::string, File> files_;
  std::list<Change> pending_;  // in the order in which the disk is to get them
  std::uint64_t last_number_ = 0;
  bool writing_ = false, abandoned_ = false;
  std::vector<StoreFault> faults_;
  runtime::Event changed_;
};

}  // namespace canary::tuf
