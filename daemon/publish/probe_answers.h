// SPDX-License-Identifier: Apache-2.0
// Probes as targets of Prometheus, by the conventions of exporters that probe:
//   /sd                     the enabled probes, for http_sd_configs
//   /probe?target=NAME      how one fares: a run of its own, or one that has just been.
//   `debug=true`
//                           shows the run
// Thread: any.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "daemon/publish/routes.h"

namespace canary::daemon {

HttpAnswer discovery(Sources const& sources, HttpRequest const& request);

// Of its last run; or what is wrong with the question (400), or that there is no result (503).
HttpAnswer probe_answer(Sources const& sources, HttpRequest const& request);
// `sources` outlives what is given. Where the last run is too old: the run that goes on, or one
// that is ordered here. Nothing where probe_answer() will do.
std::optional<Later> probe_later(Sources const& sources, HttpRequest const& request);

// A run that began so long ago at most will do: a probe is not run more often for whoever asks.
std::chrono::milliseconds recent_enough(std::chrono::milliseconds interval);
// How long whoever asks waits: what X-Prometheus-Scrape-Timeout-Seconds leaves, or `usual` where it
// says nothing that is a time; of both at most two minutes.
std::chrono::milliseconds patience_of(std::string_view scrape_timeout,
                                      std::chrono::milliseconds usual);

}  // namespace canary::daemon
