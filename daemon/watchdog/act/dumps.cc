// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/act/dumps.h"

#include "daemon/watchdog/tell/counters.h"
#include "runtime/tables.h"

namespace canary::watchdog {
namespace {

using std::memory_order_acquire;
using std::memory_order_relaxed;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSampleEvery = 100'000'000;  // of a thread that computes
constexpr int kMoreSamples = 4;                     // beside the first
constexpr std::int64_t kRequestEvery = kSecond;

}  // namespace

void Dumps::of_incident(Incident const& about, Incidents const& all) {
  start(&about, all, to_text(about.level), 0);
}

void Dumps::of_process(std::string_view reason, Incidents const& all) {
  start(nullptr, all, reason, record_.dumps_asked.load(memory_order_relaxed) + 1);
}

// `about`: nullptr where it is of no incident.
void Dumps::start(Incident const* about, Incidents const& all, std::string_view reason,
                  std::uint64_t request) {
  if (dumper_.start == nullptr) return;
  if (open_) finish();
  std::size_t held = 0;
  about_ = about == nullptr ? Incident{} : *about;
  if (about != nullptr) incidents_.data()[held++] = *about;
  for (std::size_t i = 0; i < kIncidents && held < kIncidents; ++i) {
    if (!all.is_open(i) || (about != nullptr && all.at(i).id == about->id)) continue;
    incidents_.data()[held++] = all.at(i);
  }
  DumpOrder const order{.number = about == nullptr ? request : about->id,
                        .reason = reason,
                        .incidents = {incidents_.data(), held},
                        .decided_ns = runtime::now_ns()};
  bool const copied = dumper_.start(dumper_.self, order);
  open_ = true;
  request_ = request;
  // One stack of a thread that computes misleads; one that waits stays where it is.
  bool const computes = about != nullptr && about->thread != 0 && dumper_.sample != nullptr &&
                        (about->verdict == Verdict::cpu_loop || about->verdict == Verdict::flood);
  if (!computes || !copied) {
    finish();
    return;
  }
  samples_left_ = kMoreSamples;
  thread_ = about->thread;
  next_ns_ = runtime::now_ns() + kSampleEvery;
}

void Dumps::go_on(std::int64_t now_ns) {
  if (!open_ || now_ns < next_ns_) return;
  dumper_.sample(dumper_.self, thread_);
  next_ns_ = now_ns + kSampleEvery;
  if (--samples_left_ == 0) finish();
}

void Dumps::finish() {
  DumpOutcome outcome;
  outcome.request = request_;
  outcome.wall_ns = wall_ns_;
  int const error = dumper_.finish(dumper_.self, outcome.path);
  bool const written = error == 0;
  open_ = false;
  outcome.fate = written ? DumpFate::written : DumpFate::failed;
  add_to(written ? record_.dumps_written : record_.dumps_failed);
  record_.last_dump.store(outcome);
  if (request_ != 0) record_.last_asked_dump.store(outcome);
  Line line;
  line.kind = written ? Line::Kind::dumped : Line::Kind::dump_failed;
  line.incident = about_;
  line.path = outcome.path;
  line.count = static_cast<std::uint64_t>(error);
  lines_.push(line);
}

void Dumps::poll(std::int64_t now_ns) {
  if (dumper_.poll == nullptr || now_ns - polled_ns_ < kSecond) return;
  polled_ns_ = now_ns;
  std::uint64_t const unreadable = dumper_.poll(dumper_.self);
  if (unreadable == 0) return;
  add_to(record_.dumps_failed, unreadable);
  Line line;
  line.kind = Line::Kind::dump_unreadable;
  line.count = unreadable;
  lines_.push(line);
}

void Dumps::on_request(Incidents const& all, std::int64_t now_ns) {
  std::uint64_t const asked = record_.dumps_asked.load(memory_order_acquire);
  if (asked == served_ || open_) return;
  if (requested_ns_ != 0 && now_ns - requested_ns_ < kRequestEvery) return;
  requested_ns_ = now_ns;
  served_ = asked;
  if (dumper_.start != nullptr) {
    start(nullptr, all, "request", asked);
    return;
  }
  DumpOutcome outcome;
  outcome.request = asked;
  outcome.fate = DumpFate::failed;
  outcome.wall_ns = wall_ns_;
  add_to(record_.dumps_failed);
  record_.last_asked_dump.store(outcome);
}

}  // namespace canary::watchdog
