// SPDX-License-Identifier: Apache-2.0
// What the tables tell, as text: runs with their stacks, pending operations, lag, long handlers.
#include <algorithm>

#include "daemon/dump/render/text_lines.h"
#include "daemon/dump/render/text_page.h"

namespace canary::dump {
namespace {

constexpr std::size_t kOperationsShown = 200;

void row(TextPage& page, RunState const& run, std::size_t at) {
  FrameState const& frame = run.frames[at];
  std::string text(2 + 2 * std::size_t{frame.depth}, ' ');
  text += "> " + frame.name;
  if (!frame.detail.empty()) text += " (" + plain(frame.detail) + ")";
  to_column(text, 56);
  text += span_text(frame.age_ns);
  to_column(text, 66);
  text += place_text(frame.place);
  bool const leaf = at + 1 == run.frames.size() || run.frames[at + 1].depth <= frame.depth;
  if (leaf && frame.wait && !frame.waited_for && !run.handler) {
    text += "  NOTHING PENDING WAKES IT";
  }
  page.line(text);
}

// Ten stretches of ten seconds a line: a glance tells since when it has been getting worse.
void lag_history(TextPage& page) {
  static constexpr std::size_t kPerLine = 10;
  auto const& history = page.document().executor.loop.lag_history;
  if (history.empty()) return;
  page.line("  the worst of each 10 s, the latest first; \"none\" where no beat came:");
  for (std::size_t at = 0; at < history.size(); at += kPerLine) {
    std::string text = at == 0 ? "    now" : "    " + span_text(history[at].ago_ns) + " ago";
    for (std::size_t i = at; i < std::min(at + kPerLine, history.size()); ++i) {
      to_column(text, 18 + 8 * (i - at));
      text += history[i].beats == 0 ? "none" : span_text(history[i].worst_ns);
    }
    page.line(text);
  }
}

}  // namespace

void put_runs(TextPage& page) {
  page.title("RUNS  " + std::to_string(page.document().executor.runs.size()));
  for (auto const& run : page.document().executor.runs) {
    std::string text = "  " + plain(run.name) + (run.service ? " (service)" : "") + "  running " +
                       span_text(run.age_ns);
    if (run.has_deadline) {
      text += run.deadline_in_ns < 0 ? ", past its deadline for " + span_text(-run.deadline_in_ns)
                                     : ", deadline in " + span_text(run.deadline_in_ns);
    }
    if (!run.service) {
      text += ", progress " + std::to_string(run.progress) + ", the last " +
              span_text(run.progress_age_ns) + " ago";
    }
    if (run.cancelling) text += ", CANCELLING for " + span_text(run.cancelling_for_ns);
    if (run.stalled) text += ", STALLED: it does not unwind";
    if (run.handler) text += ", ITS HANDLER RUNS NOW";
    if (run.moving) text += " (it moved while being read)";
    page.line(text);
    for (std::size_t i = 0; i < run.frames.size(); ++i) row(page, run, i);
    if (run.frames_lost > 0) {
      page.line("    and " + std::to_string(run.frames_lost) + " rows more than fit");
    }
  }
}

void put_operations(TextPage& page) {
  auto const& operations = page.document().executor.operations;
  page.title("PENDING OPERATIONS  " + std::to_string(operations.size()) + ", the oldest first");
  for (std::size_t i = 0; i < operations.size() && i < kOperationsShown; ++i) {
    auto const& operation = operations[i];
    std::string text = "  " + span_text(operation.age_ns);
    to_column(text, 12);
    text += operation.object_type + " " + operation.operation;
    if (operation.object_type.find("socket") != std::string::npos && operation.has_handle) {
      text += " fd " + std::to_string(operation.handle);
    }
    to_column(text, 50);
    text += place_text(operation.place);
    if (!operation.run_name.empty()) text += "  " + plain(operation.run_name);
    if (!operation.frame_name.empty()) text += " > … > " + operation.frame_name;
    page.line(text);
  }
  if (operations.size() > kOperationsShown) {
    page.line("  and " + std::to_string(operations.size() - kOperationsShown) + " more");
  }
  if (page.document().executor.loop.operations_lost > 0) {
    page.line("  " + std::to_string(page.document().executor.loop.operations_lost) +
              " were not recorded: the table was full");
  }
}

void put_lag(TextPage& page) {
  auto const& loop = page.document().executor.loop;
  page.title("LAG OF THE LOOP'S BEATS  " + std::to_string(loop.beats) + " beats");
  for (std::size_t i = 0; i < loop.lag.size(); ++i) {
    if (loop.lag[i] == 0) continue;
    bool const last = i + 1 == loop.lag.size();
    std::string text = last ? "  more" : "  up to " + span_text(1'000'000LL << i);
    to_column(text, 20);
    page.line(text + std::to_string(loop.lag[i]));
  }
  lag_history(page);
}

void put_longest(TextPage& page) {
  if (page.document().executor.loop.longest.empty()) return;
  page.title("LONGEST HANDLERS");
  for (auto const& handler : page.document().executor.loop.longest) {
    std::string text = "  " + span_text(handler.took_ns);
    to_column(text, 12);
    page.line(text + handler_text(handler));
  }
}

}  // namespace canary::dump
