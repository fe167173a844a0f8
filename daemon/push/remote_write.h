// SPDX-License-Identifier: Apache-2.0
// Sends the metrics to a receiver of Prometheus' remote write 1.0, for places that nothing can
// scrape. The page is made, read and compressed on a worker; requests go out on the loop, one at a
// time. What cannot be sent waits within a bound.
// Thread: loop, but counts().
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/log/log.h"
#include "daemon/push/counts.h"
#include "daemon/push/delivery.h"
#include "daemon/push/queue.h"
#include "probes/fetch/services.h"
#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "runtime/workers.h"

namespace canary::push {

class RemoteWrite {
 public:
  struct Setup {
    config::RemoteWriteSettings settings;  // with a url
    runtime::Executor executor;
    fetch::Services& http;                   // outlives it
    daemon::Log& log;                        // likewise
    std::function<std::string()> page;       // the metrics as text. Thread: a worker of http.cpu
    std::function<SampleTime()> wall_clock;  // likewise
  };
  explicit RemoteWrite(Setup setup);

  // Takes a sample of all series every interval. Never returns.
  runtime::Task<void> collect();
  // Sends what was collected. Never returns.
  runtime::Task<void> send();
  // Once both have ended: makes all series stale and sends what waits, until `deadline`; gives the
  // samples that are left behind.
  runtime::Task<std::size_t> finish(runtime::Deadline deadline);

  // Thread: any.
  Counts counts() const;

 private:
  struct Collected {
    std::string page;
    std::vector<Batch> batches;
  };
  // `last`: there are no more series.
  runtime::Task<void> collect_once(bool last, runtime::Deadline until);
  // One attempt for the message that is out.
  runtime::Task<Outcome> attempt(runtime::Deadline deadline);
  void take_over(Collected collected);
  void tell(Outcome outcome, std::string const& trouble);
  void publish_counts();

  Setup setup_;
  std::vector<Label> own_;  // labels of every series
  runtime::JobQueue worker_;
  std::shared_ptr<std::string const> before_;  // the last page
  Queue queue_;
  std::string refused_ends_;  // series that were to end by messages that were refused
  runtime::Event filled_;
  std::uint32_t attempts_ = 0;     // for the message that is out
  Outcome told_ = Outcome::taken;  // in the log

  std::atomic<std::uint64_t> sent_{0}, overflow_{0}, refused_{0}, failed_{0};
  std::atomic<std::size_t> waiting_{0}, bytes_{0};
  std::atomic<std::int64_t> oldest_ms_{0};  // 0: nothing waits
};

}  // namespace canary::push
