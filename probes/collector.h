// SPDX-License-Identifier: Apache-2.0
// Takes the findings of a run as they are made, whatever kind of probe makes them: known oddities
// are marked as accepted, equal findings of many subjects become one. What a finding costs does not
// depend on how many there are.
// Thread: none (one run's).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "config/probe_spec.h"
#include "probes/report.h"

namespace canary::probes {

class Collector {
 public:
  // Both references outlive the collector. `now` is the run's.
  Collector(Report& report, std::vector<config::AcceptSpec> const& accept,
            std::chrono::sys_seconds now);
  // What was grouped is summed up, even where the run is cut short.
  ~Collector();
  Collector(Collector const&) = delete;
  Collector& operator=(Collector const&) = delete;

  // Into the report at once, or into its group. `times`: so many that are alike, of which only this
  // one is known.
  void add(Finding finding, std::uint64_t times = 1);
  // The run went to its end: notes the entries of `accept` that nothing was meant by.
  void complete();

  // More findings that are not ok and differ in their subjects only become one, which names the
  // first subjects and their number. Of targets more stand singly: each is somebody's download.
  static constexpr std::size_t kSubjectsNamed = 20;
  static constexpr std::size_t kTargetsNamed = 100;
  // Beyond so many kinds of messages, those of one check, severity and reason are alike: whoever
  // writes a repository can think of any number.
  static constexpr std::size_t kMostGroups = 256;

 private:
  struct Entry {
    config::AcceptSpec const* spec = nullptr;
    bool met = false;
  };
  // Check, severity, reason, the message without what is the subject's own, why it is accepted.
  using Likeness = std::tuple<std::string, Severity, Reason, std::string, std::string>;
  struct Group {
    std::uint64_t size = 0;
    std::vector<std::size_t> places;  // in the report; of the first ones
    bool same_message = true;
  };
  void mark(Finding& finding);
  Finding sum_up(Group const& group) const;

  Report& report_;
  std::chrono::sys_seconds now_;
  std::multimap<std::pair<std::string, std::string>, Entry> entries_;  // by check and reason
  std::map<Likeness, Group> groups_;
};

}  // namespace canary::probes
