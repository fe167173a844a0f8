// SPDX-License-Identifier: Apache-2.0
// Dumps: of what stalls, on request, and of a process that is about to end itself.
#include "daemon/watchdog/sentinel.h"

namespace canary::watchdog {
namespace {

using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;

constexpr std::int64_t kSampleEvery = 100'000'000;  // of a thread that computes
constexpr int kMoreSamples = 4;                     // beside the first
constexpr std::int64_t kRequestEvery = 1'000'000'000;

void count(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(memory_order_relaxed) + 1, memory_order_relaxed);
}

}  // namespace

// `about`: nullptr where it was asked for.
void Sentinel::start_dump(Incident const* about, std::string_view reason, std::uint64_t request) {
  Dumper const& dumper = setup_.dumper;
  if (dumper.start == nullptr) return;
  if (dump_open_) finish_dump();
  std::size_t held = 0;
  dump_about_ = about == nullptr ? Incident{} : *about;
  if (about != nullptr) dump_incidents_.data()[held++] = *about;
  for (std::size_t i = 0; i < kIncidents && held < kIncidents; ++i) {
    if (!incidents_.is_open(i) || (about != nullptr && incidents_.at(i).id == about->id)) continue;
    dump_incidents_.data()[held++] = incidents_.at(i);
  }
  DumpOrder const order{.number = about == nullptr ? request : about->id,
                        .reason = reason,
                        .incidents = {dump_incidents_.data(), held},
                        .decided_ns = runtime::now_ns()};
  bool const copied = dumper.start(dumper.self, order);
  dump_open_ = true;
  dump_request_ = request;
  // One stack of a thread that computes misleads; one that waits stays where it is.
  bool const computes = about != nullptr && about->thread != 0 && dumper.sample != nullptr &&
                        (about->verdict == Verdict::cpu_loop || about->verdict == Verdict::flood);
  if (!computes || !copied) {
    finish_dump();
    return;
  }
  samples_left_ = kMoreSamples;
  sampled_thread_ = about->thread;
  next_sample_ns_ = runtime::now_ns() + kSampleEvery;
}

void Sentinel::go_on_with_dump() {
  if (!dump_open_ || now_ns_ < next_sample_ns_) return;
  setup_.dumper.sample(setup_.dumper.self, sampled_thread_);
  next_sample_ns_ = now_ns_ + kSampleEvery;
  if (--samples_left_ == 0) finish_dump();
}

void Sentinel::finish_dump() {
  DumpOutcome outcome;
  outcome.request = dump_request_;
  outcome.wall_ns = around_.wall_ns;
  int const error = setup_.dumper.finish(setup_.dumper.self, outcome.path);
  bool const written = error == 0;
  dump_open_ = false;
  outcome.fate = written ? DumpFate::written : DumpFate::failed;
  count(written ? record_.dumps_written : record_.dumps_failed);
  record_.last_dump.store(outcome);
  if (dump_request_ != 0) record_.last_asked_dump.store(outcome);
  Line line;
  line.kind = written ? Line::Kind::dumped : Line::Kind::dump_failed;
  line.incident = dump_about_;
  line.path = outcome.path;
  line.count = static_cast<std::uint64_t>(error);
  push(line);
}

void Sentinel::tell_of_unreadable(std::uint64_t dumps) {
  if (dumps == 0) return;
  auto& failed = record_.dumps_failed;
  failed.store(failed.load(memory_order_relaxed) + dumps, memory_order_relaxed);
  Line line;
  line.kind = Line::Kind::dump_unreadable;
  line.count = dumps;
  push(line);
}

// As often as once a second; who asks in between gets the next one.
void Sentinel::dump_on_request() {
  std::uint64_t const asked = record_.dumps_asked.load(memory_order_acquire);
  if (asked == dump_served_ || dump_open_) return;
  if (requested_dump_ns_ != 0 && now_ns_ - requested_dump_ns_ < kRequestEvery) return;
  requested_dump_ns_ = now_ns_;
  dump_served_ = asked;
  if (setup_.dumper.start == nullptr) {
    DumpOutcome outcome;
    outcome.request = asked;
    outcome.fate = DumpFate::failed;
    outcome.wall_ns = around_.wall_ns;
    count(record_.dumps_failed);
    record_.last_asked_dump.store(outcome);
    return;
  }
  start_dump(nullptr, "request", asked);
}

// A thread found a defect of canaryd's and ends the process: its stack is among the others'. The
// next start calls that aborted.
void Sentinel::dump_before_the_end() {
  if (inputs_.ending.load(memory_order_acquire) != 1) return;
  note_hung(true);
  if (setup_.dumper.start != nullptr) {
    start_dump(nullptr, "ended", record_.dumps_asked.load(memory_order_relaxed) + 1);
  }
  inputs_.ending.store(2, memory_order_release);
}

}  // namespace canary::watchdog
