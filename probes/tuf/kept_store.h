// SPDX-License-Identifier: Apache-2.0
// What a probe trusts, for one run: kept in the probe's memory and written down behind it. A state
// directory that does not answer holds a run up for a bounded time, and is told.
// Thread: loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/report.h"
#include "probes/tuf/store.h"
#include "probes/tuf/trust_memory.h"
#include "runtime/deadline.h"
#include "runtime/task.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

namespace canary::tuf {

class KeptStore final : public RoleStore {
 public:
  // Null `memory`: nothing is remembered, reads find nothing and writes succeed. `cpu` outlives the
  // store; `deadline` is the run's.
  KeptStore(std::shared_ptr<TrustMemory> memory, runtime::Workers& cpu, runtime::Deadline deadline);
  ~KeptStore() override;

  // Takes the folder for the run. Where it is refused, or does not answer in time, the run goes on
  // by what is in memory.
  runtime::Task<StoreResult<void>> open(runtime::Trace trace);
  // Waits, for a bounded time, until what the run trusts is on the disk. What is to be said of
  // that.
  runtime::Task<std::vector<probes::Finding>> settle(Time now, runtime::Trace trace);

 private:
  enum class Disk : std::uint8_t { not_asked, answers, refuses, silent };
  runtime::Task<StoreResult<std::optional<std::string>>> read_file(std::string name,
                                                                   std::size_t limit,
                                                                   runtime::Trace trace) override;
  runtime::Task<StoreResult<void>> write_file(std::string name, Bytes bytes,
                                              runtime::Trace trace) override;
  runtime::Task<StoreResult<void>> remove_file(std::string name, runtime::Trace trace) override;

  struct Fetched {
    StoreResult<std::optional<std::string>> bytes;
    std::string identity;
  };
  runtime::Task<std::optional<Fetched>> fetch(std::string name, std::size_t limit,
                                              runtime::Trace trace);
  runtime::Task<StoreResult<std::optional<std::string>>> copy(std::string name, std::size_t limit,
                                                              runtime::Trace trace);
  runtime::Task<bool> same(Bytes a, Bytes b, runtime::Trace trace);
  runtime::Task<bool> newer(std::string name, Bytes ours, Bytes theirs, runtime::Trace trace);
  void put(std::string const& name, Bytes bytes);
  runtime::Deadline patience() const;

  std::shared_ptr<TrustMemory> memory_;
  runtime::Workers& cpu_;
  runtime::Deadline deadline_;
  Disk disk_ = Disk::not_asked;
  TrustMemory::Hold hold_;
};

}  // namespace canary::tuf
