// SPDX-License-Identifier: Apache-2.0
// Lists of probes, as the loop has to do with them.
#include <utility>

#include "daemon/app/places.h"
#include "daemon/app/services.h"
#include "runtime/contract.h"

namespace canary::daemon {

using runtime::Task;

void Services::discover(std::function<void(std::vector<FetchedListPointer>)> offer) {
  discovery_.emplace(Discovery::Setup{
      .executor = executor_,
      .http = http_,
      .disk = disk_,
      .log = log_,
      .directory = places_.lists(),
      .wall_clock = wall_now,
      .offer = std::move(offer),
      .publish = [this](std::vector<SourceFacts> facts) { results_.sources(std::move(facts)); }});
}

Task<void> Services::take_lists(config::Config config, SavedStates saved,
                                std::vector<ListInForce> lists, Decided decided) {
  return see_through(take_lists_now(std::move(config), std::move(saved), std::move(lists)),
                     std::move(decided));
}

Task<void> Services::take_lists_now(config::Config config, SavedStates saved,
                                    std::vector<ListInForce> lists) {
  co_await apply(std::make_shared<config::Config const>(std::move(config)), std::move(saved),
                 Change::lists);
  for (auto& list : lists) {
    history_.note(history::EventEntry{.kind = "list",
                                      .subject = list.list->source,
                                      .detail = std::to_string(list.probes) + " probes",
                                      .at = wall_now()});
    discovery_->taken(std::move(list));
  }
}

void Services::refuse_list(RefusedList list) {
  runtime::require_loop_thread();
  discovery_->refused(std::move(list));
}

}  // namespace canary::daemon
