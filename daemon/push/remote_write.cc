// SPDX-License-Identifier: Apache-2.0
#include "daemon/push/remote_write.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <utility>

#include "probes/fetch/client.h"
#include "runtime/contract.h"

namespace canary::push {
namespace {

using runtime::Deadline;
using runtime::Task;

constexpr std::uint64_t kMostAnswer = std::uint64_t{64} * 1024;  // a sentence, from a server

std::string machine_name() {
  std::array<char, 256> name{};
  bool const known = ::gethostname(name.data(), name.size() - 1) == 0 && name.front() != '\0';
  return known ? name.data() : "localhost";
}

std::vector<Label> labels_from(config::RemoteWriteSettings const& settings) {
  return {{"instance", settings.instance ? *settings.instance : machine_name()},
          {"job", settings.job}};
}

// What makes a request one of remote write; redirects and retries are our own business.
config::HttpSettings http_settings(config::HttpSettings http) {
  http.max_attempts = 1;
  http.headers["Content-Type"] = "application/x-protobuf";
  http.headers["Content-Encoding"] = "snappy";
  http.headers["X-Prometheus-Remote-Write-Version"] = "0.1.0";
  return http;
}

// The answer's own words, in one line.
std::string first_line(std::string const& body) { return body.substr(0, body.find('\n')); }

}  // namespace

RemoteWrite::RemoteWrite(Setup setup)
    : setup_(std::move(setup)),
      own_(labels_from(setup_.settings)),
      worker_(setup_.http.cpu.in_order("remote_write")),
      before_(std::make_shared<std::string const>()),
      queue_(static_cast<std::size_t>(setup_.settings.queue)),
      filled_(setup_.executor) {
  setup_.settings.http = http_settings(std::move(setup_.settings.http));
}

Task<void> RemoteWrite::collect() {
  runtime::require_loop_thread();
  auto due = runtime::Clock::now();
  while (true) {
    co_await collect_once(false, Deadline::never());
    // Behind by more than one, it goes on from now: a sample says how things are, not were.
    due = std::max(due + setup_.settings.interval, runtime::Clock::now());
    co_await runtime::sleep_until({}, "remote_write.interval", Deadline::at(due));
  }
}

Task<void> RemoteWrite::collect_once(bool last, Deadline until) {
  auto make = [page = setup_.page, clock = setup_.wall_clock, before = before_, own = own_,
               last]() -> std::optional<Collected> {
    try {
      Collected collected;
      // Prometheus makes it of what it scrapes, and the alerts count it.
      if (!last) collected.page = page() + "up 1\n";
      collected.batches = write_requests(collected.page, *before, own, clock());
      return collected;
    } catch (std::bad_alloc const&) {
      return std::nullopt;  // the next one may find memory
    }
  };
  auto job = worker_.start(setup_.executor, std::move(make), "remote_write");
  bool const done = co_await job.done_by(until, {}, "remote_write.collect");
  if (!done) co_return;
  std::optional<Collected> collected;
  try {
    collected = job.take();
  } catch (runtime::JobLost const&) {  // its thread ended; there is another by the next time
    co_return;
  }
  if (collected) take_over(std::move(*collected));
}

void RemoteWrite::take_over(Collected collected) {
  std::size_t dropped = 0;
  for (Batch& batch : collected.batches) dropped += queue_.put(std::move(batch));
  // What was to end by a message that is lost ends by the next one.
  before_ = std::make_shared<std::string const>(
      std::move(collected.page) + queue_.take_lost_ends() + std::exchange(refused_ends_, {}));
  overflow_.fetch_add(dropped, std::memory_order_relaxed);
  publish_counts();
  filled_.notify();
}

Task<void> RemoteWrite::send() {
  runtime::require_loop_thread();
  while (true) {
    while (queue_.empty()) {
      co_await filled_.wait_until({}, "remote_write.queue", Deadline::never());
    }
    auto const outcome = co_await attempt(Deadline::after(setup_.settings.timeout));
    if (outcome != Outcome::later) continue;
    auto const wait = backoff(attempts_, own_.front().second);
    co_await runtime::sleep_until({}, "remote_write.backoff", Deadline::after(wait));
  }
}

Task<Outcome> RemoteWrite::attempt(Deadline deadline) {
  Batch const& batch = *queue_.out();
  ++attempts_;
  fetch::Request request{.url = *setup_.settings.url,
                         .max_bytes = kMostAnswer,
                         .method = "POST",
                         .body = batch.body,
                         .any_status = true,
                         .follow_redirects = false};
  // One for each request: what it keeps alive is not used again for what is no idempotent method.
  fetch::Client client{setup_.executor, setup_.settings.http, setup_.http};
  auto const answer = co_await client.get(std::move(request), deadline, {});
  int const status = answer ? answer.value().status : answer.error().status;
  auto const outcome = outcome_of(status, attempts_);
  auto& count = outcome == Outcome::taken ? sent_ : refused_;
  if (outcome != Outcome::later) count.fetch_add(batch.samples, std::memory_order_relaxed);
  if (outcome != Outcome::taken) failed_.fetch_add(1, std::memory_order_relaxed);
  tell(outcome, answer ? "the receiver answers " + std::to_string(status) + ": " +
                             first_line(answer.value().body)
                       : std::string{answer.error().message});
  if (outcome == Outcome::refused) refused_ends_ += batch.ended;
  if (outcome == Outcome::later) {
    queue_.put_back();
  } else {
    queue_.done();
    attempts_ = 0;
  }
  publish_counts();
  co_return outcome;
}

Task<std::size_t> RemoteWrite::finish(Deadline deadline) {
  runtime::require_loop_thread();
  queue_.put_back();  // a request may have been cut off; to send it again changes nothing
  co_await collect_once(true, deadline);
  while (!queue_.empty() && !deadline.passed()) {
    auto const outcome = co_await attempt(deadline.within(setup_.settings.timeout));
    if (outcome == Outcome::later) break;
  }
  co_return queue_.samples();
}

// Once when it changes.
void RemoteWrite::tell(Outcome outcome, std::string const& trouble) {
  if (outcome == std::exchange(told_, outcome)) return;
  auto const url = setup_.settings.url->text();
  if (outcome == Outcome::taken) {
    setup_.log.info("metrics are sent again", {{"url", url}});
  } else {
    setup_.log.warn(outcome == Outcome::later ? "metrics cannot be sent; they wait"
                                              : "metrics are refused, and dropped",
                    {{"url", url}, {"detail", trouble}});
  }
}

void RemoteWrite::publish_counts() {
  waiting_.store(queue_.samples(), std::memory_order_relaxed);
  bytes_.store(queue_.bytes(), std::memory_order_relaxed);
  auto const oldest = queue_.oldest();
  oldest_ms_.store(oldest ? oldest->time_since_epoch().count() : 0, std::memory_order_relaxed);
}

Counts RemoteWrite::counts() const {
  Counts counts{.sent = sent_.load(std::memory_order_relaxed),
                .overflow = overflow_.load(std::memory_order_relaxed),
                .refused = refused_.load(std::memory_order_relaxed),
                .failed = failed_.load(std::memory_order_relaxed),
                .waiting = waiting_.load(std::memory_order_relaxed),
                .bytes = bytes_.load(std::memory_order_relaxed),
                .oldest = std::nullopt};
  auto const oldest = oldest_ms_.load(std::memory_order_relaxed);
  if (oldest != 0) counts.oldest = SampleTime{std::chrono::milliseconds{oldest}};
  return counts;
}

}  // namespace canary::push
