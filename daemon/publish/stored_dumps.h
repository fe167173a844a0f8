// SPDX-License-Identifier: Apache-2.0
// The readable dumps on disk, for pages. A disk that stands still costs whoever asks his patience,
// and one thread at the most.
// Thread: any but the loop's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/results/snapshot.h"
#include "runtime/aside.h"

namespace canary::daemon {

struct StoredDump {
  std::string name;  // of its files, without extension: "stall-000001-loop-hung"
  SysTime written{};
  std::string headline;  // its first line
};

class StoredDumps {
 public:
  // `folder`: where the dump helper writes; it may not be there yet.
  explicit StoredDumps(std::filesystem::path folder) : folder_(std::move(folder)) {}

  static constexpr std::size_t kMostListed = 50;
  static constexpr std::size_t kMostBytes = std::size_t{4} << 20;  // of one that is read

  // The newest first, kMostListed of them. Nothing where the disk does not answer within
  // `patience`.
  std::optional<std::vector<StoredDump>> list(std::chrono::milliseconds patience);

  struct File {
    bool found = false;  // and not longer than kMostBytes
    std::string content;
  };
  // `file`: with its extension. Likewise.
  std::optional<File> read(std::string const& file, std::chrono::milliseconds patience);

  // Could it be the name of a dump's file, and of nothing outside of the folder?
  static bool is_name(std::string_view name);

 private:
  // What `work` gives on a thread of its own, which owns all that it touches. One at a time.
  template <class T>
  std::optional<T> aside(std::function<T()> work, std::chrono::milliseconds patience);

  std::filesystem::path const folder_;
  std::mutex mutex_;
  std::condition_variable free_;
  bool busy_ = false;                         // somebody waits for `call_`
  std::shared_ptr<runtime::AsideCall> call_;  // the last one; it may stand still
};

}  // namespace canary::daemon
