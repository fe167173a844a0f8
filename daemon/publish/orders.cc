// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/orders.h"

#include <algorithm>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace canary::daemon {

void Orders::Ticket::end(OrderOutcome outcome) {
  outcome_ = std::move(outcome);
  ended_.store(true, std::memory_order_release);
}

OrderOutcome const* Orders::Ticket::outcome() const {
  return ended_.load(std::memory_order_acquire) ? &outcome_ : nullptr;
}

std::optional<std::uint64_t> Orders::give(Order order, std::size_t most) {
  auto const ticket = std::make_shared<Ticket>();
  std::uint64_t number = 0;
  {
    std::lock_guard const lock{mutex_};
    auto const ended = [](Given const& each) { return each.ticket->outcome() != nullptr; };
    auto const going =
        given_.size() - static_cast<std::size_t>(std::ranges::count_if(given_, ended));
    if (going >= most) return std::nullopt;
    if (given_.size() >= kKept) given_.erase(std::ranges::find_if(given_, ended));
    number = ++last_;
    given_.push_back({number, ticket});
  }
  hand_over_(std::move(order), ticket);
  return number;
}

std::shared_ptr<Orders::Ticket> Orders::find(std::uint64_t number) const {
  std::lock_guard const lock{mutex_};
  auto const found = std::ranges::find(given_, number, &Given::number);
  return found == given_.end() ? nullptr : found->ticket;
}

std::optional<bool> Orders::ended(std::uint64_t number) const {
  auto const ticket = find(number);
  auto const* const outcome = ticket ? ticket->outcome() : nullptr;
  if (outcome == nullptr) return std::nullopt;
  return outcome->carried_out;
}

std::optional<std::string> Orders::answer(std::uint64_t number, ShownAs as) const {
  auto const ticket = find(number);
  if (!ticket) return std::nullopt;
  auto const* const outcome = ticket->outcome();
  boost::json::object out{{"order", number}, {"done", outcome != nullptr}};
  if (outcome != nullptr) {
    out["carried_out"] = outcome->carried_out;
    out["exit"] = outcome->exit_code;
    out["text"] = outcome->show ? outcome->show(as) : outcome->text;
  }
  return boost::json::serialize(out) + '\n';
}

}  // namespace canary::daemon
