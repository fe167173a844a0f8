// SPDX-License-Identifier: Apache-2.0
// Reloads that somebody asked for and waits for, and what became of them.
// Thread: any.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canary::daemon {

struct ReloadOutcome {
  // `failed`: nobody can say whether it is good, or it could not be taken over.
  enum class Kind : std::uint8_t { accepted, refused, failed } kind = Kind::failed;
  std::vector<std::string> lines;  // what changed, every problem, or why it failed

  bool accepted() const { return kind == Kind::accepted; }
};
std::string_view to_text(ReloadOutcome::Kind kind);  // "accepted"

class Reloads {
 public:
  // `order` makes a reload happen soon; called on the thread that asks, it waits for nothing.
  explicit Reloads(std::function<void()> order) : order_(std::move(order)) {}

  // The number by which answer() tells of it.
  std::uint64_t ask();
  // A reload begins that serves all who have asked by now; the number of the last of them.
  std::uint64_t begin() const;
  void end(std::uint64_t number, ReloadOutcome outcome);

  // What became of it; nothing where it has not ended.
  std::optional<ReloadOutcome> outcome(std::uint64_t number) const;
  // JSON: `{"reload": 3, "done": true, "outcome": "refused", "lines": [...]}`, of the last
  // one that ended where several have since.
  std::string answer(std::uint64_t number) const;

 private:
  std::function<void()> order_;
  mutable std::mutex mutex_;  // held for moments only
  std::uint64_t asked_ = 0, ended_ = 0;
  ReloadOutcome outcome_;  // of ended_
};

}  // namespace canary::daemon
