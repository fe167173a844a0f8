// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/reloads.h"

#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace canary::daemon {

std::string_view to_text(ReloadOutcome::Kind kind) {
  switch (kind) {
    case ReloadOutcome::Kind::accepted:
      return "accepted";
    case ReloadOutcome::Kind::refused:
      return "refused";
    case ReloadOutcome::Kind::failed:
      break;
  }
  return "failed";
}

std::uint64_t Reloads::ask() {
  std::uint64_t const number = [this] {
    std::lock_guard const lock{mutex_};
    return ++asked_;
  }();
  order_();
  return number;
}

std::uint64_t Reloads::begin() const {
  std::lock_guard const lock{mutex_};
  return asked_;
}

void Reloads::end(std::uint64_t number, ReloadOutcome outcome) {
  std::lock_guard const lock{mutex_};
  ended_ = number;
  outcome_ = std::move(outcome);
}

std::optional<ReloadOutcome> Reloads::outcome(std::uint64_t number) const {
  std::lock_guard const lock{mutex_};
  if (ended_ < number) return std::nullopt;
  return outcome_;
}

std::string Reloads::answer(std::uint64_t number) const {
  std::lock_guard const lock{mutex_};
  boost::json::object out{{"reload", number}, {"done", ended_ >= number}};
  if (ended_ >= number) {
    out["outcome"] = to_text(outcome_.kind);
    boost::json::array lines;
    for (auto const& line : outcome_.lines) lines.emplace_back(line);
    out["lines"] = std::move(lines);
  }
  return boost::json::serialize(out) + '\n';
}

}  // namespace canary::daemon
