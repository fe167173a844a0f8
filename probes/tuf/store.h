// SPDX-License-Identifier: Apache-2.0
// The metadata a client trusts, on disk: original bytes, one file per role.
// Thread: loop; every file is touched on the state directory's thread.
// Source: TUF 1.0.34 §5.0, §5.3.8, §5.4.5, §5.5.7, §5.6.6.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "probes/tuf/sightings.h"
#include "probes/tuf/store_folder.h"
#include "runtime/task.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

namespace canary::tuf {

class KnownRoles;

// The file of RoleStore::write_roles(): no role's file ends so.
inline constexpr std::string_view kRolesFile = "roles.known";

// What is trusted by role: `<role>.json`, role names percent-encoded, and what belongs to it.
class RoleStore {
 public:
  using Bytes = std::shared_ptr<std::string const>;

  virtual ~RoleStore() = default;
  RoleStore(RoleStore const&) = delete;
  RoleStore& operator=(RoleStore const&) = delete;

  // The stored bytes; nullopt where there are none. Faults: EFBIG above `limit` bytes.
  runtime::Task<StoreResult<std::optional<std::string>>> read(std::string const& role,
                                                              std::size_t limit,
                                                              runtime::Trace trace);
  runtime::Task<StoreResult<void>> write(std::string const& role, Bytes bytes,
                                         runtime::Trace trace);
  runtime::Task<StoreResult<void>> write(std::string const& role, std::string bytes,
                                         runtime::Trace trace) {
    return write(role, std::make_shared<std::string const>(std::move(bytes)), trace);
  }
  // Removes a role's file; it is no fault where there is none.
  runtime::Task<StoreResult<void>> forget(std::string const& role, runtime::Trace trace);

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

  // What is known of the delegated roles that not every run visits, kept beside them in
  // `roles.known`. Nothing is known where there is no such file, or one of another pin.
  struct Roles {
    std::shared_ptr<KnownRoles> known;  // never null
    bool damaged = false;               // as of Seen
  };
  runtime::Task<StoreResult<Roles>> read_roles(std::string pin, runtime::Trace trace);
  // `text` is that of KnownRoles.
  runtime::Task<StoreResult<void>> write_roles(Bytes text, runtime::Trace trace);
  std::filesystem::path roles_file() const;

 protected:
  // `parsers` outlive the store: they read and write the text of sightings.
  RoleStore(std::filesystem::path folder, runtime::Workers& parsers)
      : path_(std::move(folder)), parsers_(parsers) {}
  std::filesystem::path const& path() const { return path_; }

  virtual runtime::Task<StoreResult<std::optional<std::string>>> read_file(
      std::string name, std::size_t limit, runtime::Trace trace) = 0;
  virtual runtime::Task<StoreResult<void>> write_file(std::string name, Bytes bytes,
                                                      runtime::Trace trace) = 0;
  virtual runtime::Task<StoreResult<void>> remove_file(std::string name, runtime::Trace trace) = 0;

 private:
  std::filesystem::path path_;
  runtime::Workers& parsers_;
};

// A plain client's: what it was told to store is on the disk. One process at a time has the folder:
// open() takes a lock that is kept until the store and its last job are gone.
class LocalStore final : public RoleStore {
 public:
  // An empty `folder` remembers nothing: reads find nothing and writes succeed. `disk` outlives
  // the store.
  LocalStore(std::filesystem::path folder, runtime::Workers& disk);

  // See StoreFolder::open(). After a fault the store behaves like one without a folder.
  runtime::Task<StoreResult<void>> open(runtime::Trace trace);
  bool remembers() const { return folder_ != nullptr; }

 private:
  runtime::Task<StoreResult<std::optional<std::string>>> read_file(std::string name,
                                                                   std::size_t limit,
                                                                   runtime::Trace trace) override;
  runtime::Task<StoreResult<void>> write_file(std::string name, Bytes bytes,
                                              runtime::Trace trace) override;
  runtime::Task<StoreResult<void>> remove_file(std::string name, runtime::Trace trace) override;

  runtime::Workers& disk_;
  std::shared_ptr<StoreFolder> folder_;  // null until opened, and where nothing is remembered
};

}  // namespace canary::tuf
