// SPDX-License-Identifier: Apache-2.0
// Samples as the messages of Prometheus' remote write 1.0: protocol buffers, compressed by snappy.
// Thread: any (pure).
// Source: prometheus.io/docs/concepts/remote_write_spec, version 1.0.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/push/counts.h"
#include "daemon/push/samples.h"

namespace canary::push {

// A message, ready to be sent.
struct Batch {
  std::string body;         // compressed
  std::size_t samples = 0;  // in it
  SampleTime at{};          // of all of them
  std::string ended = {};   // the series that it ends, as a page has them
};

// As many as one message has at most.
inline constexpr std::size_t kMostSamples = 5'000;

// The series of `page` at this time, each with the labels `own`; and for those of the page before
// that are not in it any more the marker that makes them stale.
std::vector<Batch> write_requests(std::string_view page, std::string_view before,
                                  std::vector<Label> const& own, SampleTime at);

}  // namespace canary::push
