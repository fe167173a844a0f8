// SPDX-License-Identifier: Apache-2.0
#include "daemon/history/rows.h"

#include <optional>

namespace canary::history {

probes::Severity severity_of(std::int64_t number) {
  return number >= 0 && number <= 3 ? static_cast<probes::Severity>(number)
                                    : probes::Severity::unknown;
}

std::string text_at(Row const& row, int column) {
  return HarmlessText<1024>{row.text(column)}.text();
}

Words words_at(Row const& row, int first) {
  auto const text = [&](int place) { return text_at(row, first + place); };
  return {.check = text(0),
          .subject = text(1),
          .reason = text(2),
          .message = text(4),
          .evidence = text(5),
          .url = text(6),
          .severity = severity_of(row.integer(first + 3))};
}

RunEntry run_entry_at(Row const& row) {
  RunEntry run{.probe = text_at(row, 4),
               .url = text_at(row, 5),
               .ended = time_of(row.integer(0)),
               .duration = milliseconds{row.integer(1)},
               .severity = severity_of(row.integer(2)),
               .telling = std::nullopt};
  if (!row.is_null(3)) {
    run.telling.emplace();
    run.telling->reason = text_at(row, 3);
    run.telling->severity = run.severity;
  }
  return run;
}

VersionEntry version_at(Row const& row) {
  return {.probe = text_at(row, 0),
          .thing = text_at(row, 1),
          .at = time_of(row.integer(2)),
          .version = row.integer(3),
          .was = row.integer(4)};
}

}  // namespace canary::history
