// SPDX-License-Identifier: Apache-2.0
// One process owns a state directory and its runtime directory: it holds a lock on the folders
// themselves (flock(2)), which the kernel takes away with the process and no file's removal can.
// Thread: control, at start; look_at_owner() any. Both may block on the file system.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/result.h"
#include "daemon/app/places.h"

namespace canary::daemon {

// What the owner of a folder wrote into kOwnerFile there.
struct Owner {
  std::int32_t process = 0;  // 0: not known
  std::filesystem::path state, runtime;
};
inline constexpr char kOwnerFile[] = "canaryd.owner";

// The owner of `folder`, as somebody else sees it.
struct Ownership {
  enum class Kind : std::uint8_t { nobody, somebody, unknown } kind = Kind::unknown;
  Owner owner;      // what is written there; of `nobody` it is what was left behind
  std::string why;  // it is unknown: "cannot open /x: Permission denied"
};
Ownership look_at_owner(std::filesystem::path const& folder);

class StateLock {
 public:
  // Makes both folders where they are missing, locks them, and writes down who owns them. Waits up
  // to a second for an owner that ends. Refused, with a sentence that names the folder and the
  // process, where somebody else owns one of them; nothing in them was touched then.
  static Result<StateLock, std::string> take(Places const& places);

  StateLock(StateLock&& other) noexcept;
  StateLock& operator=(StateLock&&) = delete;
  ~StateLock();  // gives the folders back

  // What could not be had, a sentence each: a folder cannot be made, or its file system locks none.
  // A second canaryd would not be noticed there.
  std::vector<std::string> const& troubles() const { return troubles_; }

 private:
  explicit StateLock(Places const& places);
  // Empty, or why it is refused.
  std::string lock(std::filesystem::path const& folder);
  void write_owner(std::filesystem::path const& folder);

  Owner own_;
  std::vector<int> held_;  // descriptors of locked folders
  std::vector<std::string> troubles_;
};

}  // namespace canary::daemon
