// SPDX-License-Identifier: Apache-2.0
#include "daemon/discovery/discovery.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "daemon/discovery/fetch_list.h"
#include "daemon/discovery/kept_lists.h"
#include "runtime/cancellation.h"
#include "runtime/contract.h"
#include "runtime/event.h"
#include "runtime/limits.h"

namespace canary::daemon {
namespace {

using runtime::Clock;
using runtime::Deadline;
using runtime::Task;
using runtime::Trace;
using namespace std::chrono_literals;

constexpr auto kAfterFailure = 60s;  // the next look, at the latest
constexpr auto kTakenWithin = 90s;   // an offered list, by another thread
constexpr auto kTouchEvery = 5min;   // the kept list's time

}  // namespace

struct Discovery::Source {
  Source(config::DiscoverySource with, runtime::Executor const& executor)
      : settings(std::move(with)), wake(executor), answered(executor) {}

  config::DiscoverySource settings;
  bool gone = false;           // a reload took it away
  bool changed = false;        // or told otherwise of it: what goes on is of no use
  ListInForce in_force;        // its list is nullptr before the first
  FetchedListPointer offered;  // nobody has said yet what becomes of it
  FetchedListPointer waits;    // the last that came: refused, until another list fits to it
  std::string answer;          // why the last one that was offered is refused
  SourceFacts facts;
  std::optional<Clock::time_point> touched;  // the kept list
  runtime::Event wake, answered;
};

Discovery::Discovery(Setup setup)
    : setup_(std::move(setup)),
      disk_(setup_.disk.in_order(setup_.directory.string())),
      tasks_(setup_.executor) {}

Discovery::~Discovery() { *alive_ = false; }

Discovery::Source* Discovery::find(std::string_view name) {
  auto const found = sources_.find(name);
  return found == sources_.end() ? nullptr : found->second.get();
}

void Discovery::configure(std::vector<config::DiscoverySource> const& sources,
                          std::vector<ListInForce> const& in_force) {
  runtime::require_loop_thread();
  auto before = std::exchange(sources_, {});
  order_.clear();
  for (auto const& settings : sources) {
    order_.push_back(settings.name);
    auto known = before.extract(settings.name);
    auto const source =
        known ? known.mapped() : std::make_shared<Source>(settings, setup_.executor);
    sources_.emplace(settings.name, source);
    source->facts.name = settings.name;
    source->facts.from = settings.from();
    source->facts.refresh = settings.refresh;
    bool const changed = source->settings != settings;
    source->settings = settings;
    if (changed) source->waits = nullptr;
    if (!known) tasks_.start(follow(source));
    if (changed) {
      source->changed = true;
      source->wake.notify();
      source->answered.notify();
    }
  }
  for (auto const& list : in_force) {
    auto* const source = find(list.list->source);
    if (source == nullptr) continue;
    source->in_force = list;
    source->facts.probes = list.probes;
    source->facts.listed = true;
    source->facts.taken = list.list->fetched;
    if (!source->facts.confirmed) source->facts.confirmed = list.list->confirmed;
    if (!list.error.empty()) conclude(*source, list.error);
  }
  for (auto const& [name, source] : before) {
    source->gone = true;
    source->wake.notify();
    source->answered.notify();
  }
  publish();
}

void Discovery::taken(ListInForce list) {
  runtime::require_loop_thread();
  auto* const source = find(list.list->source);
  if (source == nullptr) return;
  bool const awaited = source->offered == list.list;
  source->in_force = std::move(list);
  source->facts.probes = source->in_force.probes;
  source->facts.listed = true;
  source->facts.taken = source->in_force.list->fetched;
  source->facts.confirmed = source->in_force.list->confirmed;
  source->touched = Clock::now();
  keep(*source);
  // With another list it was right, after its own look had ended.
  if (std::exchange(source->waits, nullptr) == source->in_force.list) conclude(*source, {});
  if (awaited) {
    source->offered = nullptr;
    source->answer.clear();
    source->answered.notify();
  }
  publish();
}

void Discovery::refused(RefusedList list) {
  runtime::require_loop_thread();
  auto* const source = find(list.list->source);
  if (source == nullptr || source->offered != list.list) return;
  source->offered = nullptr;
  if (list.may_fit) source->waits = list.list;
  source->answer = std::move(list.why);
  source->answered.notify();
}

Task<void> Discovery::follow(SourcePointer source) {
  runtime::require_loop_thread();
  while (!source->gone) {
    source->changed = false;
    co_await look(source);
    if (source->gone) co_return;
    if (source->changed) continue;
    std::chrono::milliseconds wait = source->settings.refresh;
    if (!source->facts.successful) wait = std::min<std::chrono::milliseconds>(wait, kAfterFailure);
    co_await source->wake.wait_until({}, "discovery.refresh", Deadline::after(wait));
  }
}

// Nothing but the end of canaryd ends the watch of a source.
Task<void> Discovery::look(SourcePointer source) {
  std::string why;
  try {
    auto const deadline = Deadline::after(source->settings.timeout);
    runtime::RunTrace const row{"discovery:" + source->settings.name, deadline,
                                runtime::RunRecord::service};
    why = co_await outcome(source, deadline, row.trace());
  } catch (std::exception const& failed) {
    if (runtime::is_cancellation(std::current_exception())) throw;
    why = runtime::explain(failed);
  }
  if (source->gone || source->changed) co_return;
  conclude(*source, why);
  publish();
}

Task<std::string> Discovery::outcome(SourcePointer source, Deadline deadline, Trace trace) {
  auto const known = source->in_force.list;
  auto const seen = co_await fetch_list(source->settings, known, setup_.http, deadline, trace);
  if (!seen) co_return std::string{seen.error()};
  if (source->gone || source->changed) co_return std::string{};  // it concludes nothing
  source->waits = nullptr;
  auto list = seen.value();
  if (list && known && list->parts == known->parts) {  // under another ETag
    auto same = std::make_shared<FetchedList>(*list);
    same->fetched = known->fetched;
    source->in_force.list = std::move(same);
    keep(*source);
    list = nullptr;
  }
  if (!list) {
    confirm(*source);
    if (source->in_force.error.empty()) co_return std::string{};
    list = source->in_force.list;  // what was wrong with it may be right by now
  }
  co_return co_await offered(std::move(source), std::move(list), trace);
}

// Until the thread that reads it has answered.
Task<std::string> Discovery::offered(SourcePointer source, FetchedListPointer list, Trace trace) {
  auto dated = std::make_shared<FetchedList>(*list);
  if (list != source->in_force.list) dated->fetched = setup_.wall_clock();
  dated->confirmed = setup_.wall_clock();
  source->offered = dated;
  std::vector<FetchedListPointer> all;
  for (auto const& [name, other] : sources_) {
    if (other->waits) all.push_back(other->waits);
  }
  all.push_back(std::move(dated));
  setup_.offer(std::move(all));
  auto const limit = Deadline::after(kTakenWithin);
  while (source->offered && !source->gone && !source->changed && !limit.passed()) {
    co_await source->answered.wait_until(trace, "discovery.take", limit);
  }
  if (source->offered) {
    source->offered = nullptr;
    co_return "the list was not read in time; the log says what stands still";
  }
  co_return source->answer;
}

// Said once when it changes; what is as it was is no news.
void Discovery::conclude(Source& source, std::string const& why) {
  auto& facts = source.facts;
  bool const well = why.empty();
  bool const news = !facts.looked || facts.successful != well || facts.error.text() != why;
  if (well) {
    facts.failing_since.reset();
  } else if (facts.successful || !facts.looked) {
    facts.failing_since = setup_.wall_clock();
  }
  bool const again = well && facts.looked && !facts.successful;
  facts.looked = true;
  facts.successful = well;
  facts.error = why;
  if (!well && news) {
    setup_.log.warn(source.in_force.list ? "a list of probes cannot be had; the last good one stays"
                                         : "a list of probes cannot be had, and there is none yet",
                    {{"source", facts.name},
                     {"from", facts.from},
                     {"detail", facts.error},
                     {"probes", facts.probes}});
  } else if (again) {
    setup_.log.info("the list of probes is good again",
                    {{"source", facts.name}, {"from", facts.from}, {"probes", facts.probes}});
  }
}

void Discovery::confirm(Source& source) {
  source.facts.confirmed = setup_.wall_clock();
  if (source.touched && Clock::now() - *source.touched < kTouchEvery) return;
  source.touched = Clock::now();
  auto job = [directory = setup_.directory, name = source.settings.name] {
    return touch_list(directory, name);
  };
  disk_.then(setup_.executor, "discovery.touch", std::move(job),
             [this, alive = alive_](std::optional<std::string> const& failure) {
               if (*alive && failure) tell_of_disk(*failure);
             });
}

void Discovery::keep(Source& source) {
  auto job = [directory = setup_.directory, list = source.in_force.list] {
    return keep_list(directory, *list);
  };
  disk_.then(setup_.executor, "discovery.keep", std::move(job),
             [this, alive = alive_](std::optional<std::string> const& failure) {
               if (*alive) tell_of_disk(failure.value_or("the disk's thread ended"));
             });
}

void Discovery::tell_of_disk(std::string const& failure) {
  if (failure.empty() == !std::exchange(disk_fails_, !failure.empty())) return;
  if (disk_fails_) {
    setup_.log.warn("lists of probes are not kept over a restart", {{"detail", failure}});
  } else {
    setup_.log.info("lists of probes are kept over a restart again",
                    {{"directory", setup_.directory.string()}});
  }
}

void Discovery::publish() const {
  std::vector<SourceFacts> facts;
  facts.reserve(order_.size());
  for (auto const& name : order_) facts.push_back(sources_.find(name)->second->facts);
  setup_.publish(std::move(facts));
}

Task<void> Discovery::stop() {
  runtime::require_loop_thread();
  tasks_.request_stop();
  co_await tasks_.join({});
}

}  // namespace canary::daemon
