// SPDX-License-Identifier: Apache-2.0
// Lists of probes: what sources gave is read on a thread of its own, for it may be long and name
// files on a disk that does not answer, and taken over like a reload.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include "config/differences.h"
#include "config/touched_files.h"
#include "daemon/app/app.h"
#include "daemon/app/state_keeper.h"
#include "runtime/limits.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto kMoment = 50ms;

}  // namespace

// Of each source the last one counts.
void App::offer_lists(std::vector<FetchedListPointer> lists) {
  {
    std::lock_guard const lock{offers_mutex_};
    for (auto& list : lists) {
      std::erase_if(offers_, [&list](auto const& each) { return each->source == list->source; });
      offers_.push_back(std::move(list));
    }
  }
  lists_came_();
}

std::vector<FetchedListPointer> App::take_offers() {
  std::lock_guard const lock{offers_mutex_};
  return std::exchange(offers_, {});
}

std::vector<ListInForce> App::in_force(TakenLists const& lists) {
  std::vector<ListInForce> all;
  for (auto const& [source, taken] : lists) {
    all.push_back({.list = taken.list, .probes = taken.probes.size(), .error = taken.error});
  }
  return all;
}

void App::look_after_lists() {
  if (lists_reading_) {
    if (!lists_reading_->wait(runtime::Deadline::after(kMoment), stop_)) {
      auto const at = lists_reading_at_->look();
      if (lists_standing_.due(at)) {
        log_.warn("the reading of a list of probes stands still",
                  {{"step", at.what}, {"for", at.age}});
      }
      return;
    }
    auto ended = std::exchange(lists_reading_, std::nullopt);
    try {
      take_over_lists(ended->take());
    } catch (std::exception const& failed) {
      if (stop_.stop_requested()) return;
      log_.error("a list of probes could not be taken over; the sources are asked again",
                 {{"detail", runtime::explain(failed)}});
    }
  }
  auto offered = take_offers();
  if (!offered.empty()) read_lists(std::move(offered));
}

// It may outlive the app, but never the log: then the process ends at once.
void App::read_lists(std::vector<FetchedListPointer> offered) {
  lists_reading_at_ = std::make_shared<runtime::Stage>();
  ListsRead read{.base = base_,
                 .offered = std::move(offered),
                 .lists = *lists_,
                 .refused = {},
                 .whole = {},
                 .saved = {}};
  lists_reading_.emplace("lists", [read = std::move(read), known = config_, at = lists_reading_at_,
                                   log = &log_, came = lists_came_] {
    auto done = read_offered(read, *known, *log, *at);
    came();
    return done;
  });
  lists_came_();
}

App::ListsRead App::read_offered(ListsRead read, config::Config const& known, Log& log,
                                 runtime::Stage& at) {
  config::OnEachFile const tell{[&at](auto const& file) { at.enter("reading " + file.string()); },
                                [&at] { at.goes_on(); }};
  at.enter("reading lists of probes");
  read.refused = take_lists(*read.base, read.lists, read.offered);
  if (read.refused.size() == read.offered.size()) return read;  // nothing changes
  read.whole = merged(*read.base, read.lists);
  at.enter("reading " + saved_directory(known).string());
  read.saved = load_states_of_new(saved_directory(known), read.whole, known, log);
  return read;
}

void App::take_over_lists(ListsRead read) {
  if (read.base != base_) {  // a reload came between: they are read once more
    auto newer = take_offers();
    offer_lists(std::move(read.offered));
    offer_lists(std::move(newer));
    return;
  }
  steps_.enter("taking over lists of probes");
  refuse_lists(read.refused);
  if (read.refused.size() == read.offered.size()) return;
  auto const lists = std::make_shared<TakenLists const>(std::move(read.lists));
  auto const fresh = std::make_shared<config::Config const>(std::move(read.whole));
  std::vector<ListInForce> taken;
  for (auto const& each : in_force(*lists)) {
    bool const offered = std::ranges::find(read.offered, each.list) != read.offered.end();
    if (offered) taken.push_back(each);
  }
  ask_for_whole([&](Services::Decided decided) {
    return services_->take_lists(fit(*fresh), std::move(read.saved), taken, std::move(decided));
  });
  for (auto const& each : taken) {
    log_.info("a list of probes is taken over",
              {{"source", each.list->source}, {"probes", each.probes}});
  }
  for (auto const& line : config::differences(*config_, *fresh)) {
    log_.debug("a list of probes changed", {{"detail", line}});
  }
  lists_ = lists;
  config_ = fresh;
  show_config();
  tell_longest_lookup(*fresh);
}

void App::refuse_lists(std::vector<RefusedList> refused) {
  if (refused.empty()) return;
  loop_.post([this, refused = std::move(refused)] {
    for (auto const& each : refused) services_->refuse_list(each);
  });
}

}  // namespace canary::daemon
