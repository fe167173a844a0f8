// SPDX-License-Identifier: Apache-2.0
// /api/v1/history, /api/v1/incidents, /api/v1/runs and /api/v1/versions: their parameters, and what
// the history says. Thread: any but the loop's; waits kHistoryPatience at most.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "config/result.h"
#include "daemon/history/recorder.h"
#include "daemon/publish/routes.h"

namespace canary::daemon {

// For the database's thread. Whoever asks hears then that the disk does not answer.
inline constexpr std::chrono::milliseconds kHistoryPatience{2'000};

// The query that the parameters ask for: since (`usual` before), until (now),
// probe, limit (1000, up to 10000). The error says what is wrong with one.
Result<history::Query, std::string> history_query(HttpRequest const& request, SysTime now,
                                                  std::chrono::hours usual);

bool is_history(std::string_view path);  // what stands behind /api/v1/
// Parameters: probe, since (24h before), until (now), limit (1000, up to 10000); of runs also
// `by` (hour, day), without which it needs a probe; of the history also versions=yes. 400 says what
// is wrong with one.
HttpAnswer history_answer(history::Recorder& history, std::string_view path,
                          HttpRequest const& request, SysTime now);

}  // namespace canary::daemon
