// SPDX-License-Identifier: Apache-2.0
// The series of a page of metrics, read back from its text.
// Thread: any (pure).
// Source: Prometheus text exposition format 0.0.4, as daemon/publish/exposition.cc writes it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canary::push {

struct Sample {
  std::string_view series;  // name and labels as they stand in the page
  double value = 0;
};

// Of each line that is one. Views of `page`, which outlives them. What is no sample is left out:
// the page is our own.
std::vector<Sample> samples_in(std::string_view page);

using Label = std::pair<std::string, std::string>;
// The labels of a series, its name as `__name__`, with those of `more`, sorted by name; labels
// without a value are left out. Those of `more` win.
std::vector<Label> labels_of(std::string_view series, std::vector<Label> const& more);

}  // namespace canary::push
