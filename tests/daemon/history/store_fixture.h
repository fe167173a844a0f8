// SPDX-License-Identifier: Apache-2.0
// A history on disk, and what is written into it.
#pragma once

#include <algorithm>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/history/store.h"
#include "tests/support/temporary_folder.h"

namespace canary::history {

using namespace std::chrono_literals;
using probes::Severity;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

inline constexpr Time kNoon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 24} + 12h};

inline Words words(std::string subject, Severity severity = Severity::critical,
                   std::string reason = "expired") {
  return {.check = "expiry",
          .subject = std::move(subject),
          .reason = std::move(reason),
          .message = "expired at noon",
          .evidence = "tuf 5.4.4",
          .url = "https://host/timestamp.json",
          .severity = severity};
}
inline RunEntry run(Time ended, Severity severity = Severity::ok, std::string probe = "demo") {
  RunEntry entry{.probe = std::move(probe),
                 .url = "https://host/",
                 .ended = ended,
                 .duration = 250ms,
                 .severity = severity,
                 .telling = std::nullopt};
  if (severity != Severity::ok) entry.telling = words("timestamp", severity);
  return entry;
}
inline ChangeEntry change(Time at, ChangeEntry::Kind kind, Words finding) {
  return {.probe = "demo", .at = at, .kind = kind, .finding = std::move(finding)};
}
inline Query all() { return {.probe = "", .since = kNoon - 24h * 900, .until = kNoon + 24h * 900}; }

class StoreTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "state" / "history.db"; }
  Store& store() { return *store_; }
  void write(std::vector<Entry> const& batch) {
    auto const written = store().write(batch);
    ASSERT_TRUE(written) << written.error().text;
  }
  void restart() { store_.emplace(file(), bounds_); }
  std::vector<Incident> incidents() { return store().incidents(all()).value().entries; }

  support::TemporaryFolder folder_;
  Bounds bounds_;
  std::optional<Store> store_{std::in_place, file(), bounds_};
};

}  // namespace canary::history
