// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/capture/emergency_text.h"

#include <atomic>

#include "daemon/text/fixed_text.h"
#include "daemon/text/source_path.h"

namespace canary::dump {
namespace {

using runtime::FrameRecord;
using runtime::LoopRecord;
using runtime::RunRecord;
using runtime::text_at;
using runtime::ThreadRecord;
using std::memory_order_acquire;
using std::memory_order_relaxed;

constexpr std::size_t kOperationsShown = 40;
constexpr std::size_t kRunsShown = 256;
constexpr std::size_t kPlaceColumn = 56;

template <std::size_t kBytes>
void put(FixedText& out, runtime::CopiedText<kBytes> const& text) {
  auto const bytes = text.bytes();
  out.plain(bytes.data());
}

void put_place(FixedText& out, runtime::TextOffset file, std::uint32_t line,
               runtime::TextOffset function) {
  if (file != 0) (out << source_path(text_at(file)) << ":").natural(line);
  if (function != 0) out << "  " << text_at(function);
}

void put_run_name(FixedText& out, runtime::Tables& tables, std::uint16_t run) {
  if (run < tables.runs().size()) put(out, tables.runs()[run].name);
}

void put_incident(FixedText& out, watchdog::Incident const& incident) {
  out << to_text(incident.subject) << " " << to_text(incident.level) << " for ";
  out.span(incident.age_ns) << ", verdict " << to_text(incident.verdict);
  if (incident.name[0] != '\0') (out << ", ").plain(incident.name.data());
  if (incident.system_call >= 0) (out << ", in system call ").number(incident.system_call);
  if (incident.thread != 0) (out << ", thread ").number(incident.thread);
  if (incident.file != 0) {
    out << "\n            " << text_at(incident.operation) << "  ";
    put_place(out, incident.file, incident.line, incident.function);
  }
  out << "\n";
}

void put_loop(FixedText& out, runtime::Tables& tables, std::int64_t now_ns) {
  LoopRecord const& loop = tables.loop();
  auto const since = loop.handler_since_ns.load(memory_order_acquire);
  out << "  handler   ";
  if (since == 0) {
    out << "none runs\n";
  } else {
    runtime::Operation const operation = runtime::operation_of_handler(tables);
    out << text_at(operation.object_type) << " " << text_at(operation.operation) << " for ";
    out.span(now_ns - since) << "  ";
    put_place(out, operation.file, operation.line, operation.function);
    if (operation.run != runtime::kNoRun) {
      out << "\n  its run   ";
      put_run_name(out, tables, operation.run);
    }
    out << "\n";
  }
  static constexpr char const* kStates[] = {"not started", "in run()", "left run()"};
  std::uint8_t const state = loop.state.load(memory_order_relaxed);
  (out << "  loop      " << (state < 3 ? kStates[state] : "?") << ", thread ")
      .number(loop.thread.load(memory_order_relaxed));
  (out << ", ").natural(loop.handlers.load(memory_order_relaxed)) << " handlers done, ";
  if (loop.beats.load(memory_order_relaxed) == 0) {
    out << "no beat yet\n";
  } else {
    out << "last beat ";
    out.span(now_ns - loop.beat_ns.load(memory_order_relaxed)) << " ago\n";
  }
}

// One line per wait (or row without children): "sigstore > tuf.timestamp > http.read  41.2 s  …".
void put_leaf(FixedText& out, RunRecord const& run, std::uint32_t used, std::uint8_t leaf,
              std::int64_t now_ns) {
  std::uint8_t chain[runtime::kFramesPerRun];
  std::size_t depth = 0;
  for (std::uint8_t at = leaf; at < runtime::kFramesPerRun && depth < runtime::kFramesPerRun;
       at = run.frames[at].parent.load(memory_order_relaxed)) {
    if ((used >> at & 1) == 0) break;
    chain[depth++] = at;
  }
  out << "  ";
  put(out, run.name);
  while (depth > 0) {
    FrameRecord const& row = run.frames[chain[--depth]];
    out << " > " << text_at(row.name.load(memory_order_relaxed));
    auto const detail = row.detail.bytes();
    if (detail[0] != '\0') (out << "(").plain(detail.data()) << ")";
  }
  FrameRecord const& row = run.frames[leaf];
  out.to_column(kPlaceColumn).span(now_ns - row.since_ns.load(memory_order_relaxed));
  out << "  ";
  put_place(out, row.file.load(memory_order_relaxed), row.line.load(memory_order_relaxed), 0);
  out << "\n";
}

void put_run(FixedText& out, RunRecord const& run, std::int64_t now_ns) {
  std::uint32_t const sequence = run.sequence.load(memory_order_acquire);
  std::uint32_t const used = run.used_frames.load(memory_order_relaxed);
  std::uint32_t parents = 0;
  for (std::uint8_t i = 0; i < runtime::kFramesPerRun; ++i) {
    if ((used >> i & 1) == 0) continue;
    std::uint8_t const parent = run.frames[i].parent.load(memory_order_relaxed);
    if (parent < runtime::kFramesPerRun) parents |= 1U << parent;
  }
  out << "  ";
  put(out, run.name);
  out << (run.state.load(memory_order_relaxed) == RunRecord::cancelling ? "  cancelling" : "");
  out << "  running ";
  out.span(now_ns - run.started_ns.load(memory_order_relaxed)) << ", last progress ";
  out.span(now_ns - run.progress_ns.load(memory_order_relaxed)) << " ago (";
  out.natural(run.progress.load(memory_order_relaxed)) << ")\n";
  for (std::uint8_t i = 0; i < runtime::kFramesPerRun; ++i) {
    if ((used >> i & 1) != 0 && (parents >> i & 1) == 0) {
      out << "  ";
      put_leaf(out, run, used, i, now_ns);
    }
  }
  std::atomic_thread_fence(memory_order_acquire);
  if ((sequence & 1) != 0 || run.sequence.load(memory_order_relaxed) != sequence) {
    out << "    (it moved while this was written)\n";
  }
}

void put_runs(FixedText& out, runtime::Tables& tables, EmergencyText const& about) {
  out << "\nRUNS\n";
  std::size_t shown = 0, running = 0;
  std::uint16_t const first =
      about.incidents.empty() ? runtime::kNoRun : about.incidents.front().run;
  if (first < tables.runs().size()) put_run(out, tables.runs()[first], about.now_ns);
  for (std::size_t i = 0; i < tables.runs().size(); ++i) {
    RunRecord const& run = tables.runs()[i];
    if (run.state.load(memory_order_acquire) == RunRecord::free) continue;
    ++running;
    if (i == first || ++shown > kRunsShown) continue;
    put_run(out, run, about.now_ns);
  }
  if (running == 0) out << "  none\n";
  if (shown > kRunsShown) (out << "  and ").natural(shown - kRunsShown) << " more\n";
}

void put_operations(FixedText& out, runtime::Tables& tables, std::int64_t now_ns) {
  // The oldest few, by insertion into a short sorted list.
  runtime::Operation oldest[kOperationsShown];
  std::size_t held = 0, pending = 0;
  for (auto const& record : tables.operations()) {
    runtime::Operation operation;
    if (record.read(operation) != runtime::OperationHead::pending) continue;
    ++pending;
    std::int64_t const since = operation.since_ns;
    if (held == kOperationsShown && since >= oldest[held - 1].since_ns) continue;
    std::size_t at = held < kOperationsShown ? held++ : held - 1;
    for (; at > 0 && oldest[at - 1].since_ns > since; --at) oldest[at] = oldest[at - 1];
    oldest[at] = operation;
  }
  (out << "\nPENDING OPERATIONS  ").natural(pending) << ", the oldest first\n";
  for (std::size_t i = 0; i < held; ++i) {
    runtime::Operation const& row = oldest[i];
    out << "  " << text_at(row.object_type) << " " << text_at(row.operation);
    out.to_column(34).span(now_ns - row.since_ns);
    out.to_column(kPlaceColumn - 10);
    put_place(out, row.file, row.line, 0);
    if (row.run != runtime::kNoRun) {
      out << "  ";
      put_run_name(out, tables, row.run);
    }
    out << "\n";
  }
}

void put_threads(FixedText& out, runtime::Tables& tables, std::int64_t now_ns) {
  out << "\nTHREADS\n";
  for (auto const& row : tables.threads()) {
    if (row.kind.load(memory_order_acquire) == ThreadRecord::unused) continue;
    (out << "  ").number(row.thread.load(memory_order_relaxed)) << "  ";
    put(out, row.name);
    std::int64_t const since = row.job_since_ns.load(memory_order_acquire);
    if (since != 0) {
      out << "  " << text_at(row.job.load(memory_order_relaxed)) << " for ";
      out.span(now_ns - since);
    } else {
      out << "  idle";
    }
    std::uint32_t const queued = row.queued.load(memory_order_relaxed);
    if (queued > 0) {
      (out << ", ").natural(queued) << " queued, the oldest for ";
      out.span(now_ns - row.oldest_queued_ns.load(memory_order_relaxed));
    }
    out << "\n";
  }
}

void put_lag(FixedText& out, LoopRecord const& loop) {
  out << "\nLAG OF BEATS (up to ms: count)\n ";
  for (std::size_t i = 0; i < runtime::kLagBuckets; ++i) {
    std::uint64_t const count = loop.lag[i].load(memory_order_relaxed);
    if (count == 0) continue;
    if (i + 1 == runtime::kLagBuckets) {
      out << " more: ";
    } else {
      (out << " ").natural(std::uint64_t{1} << i) << ": ";
    }
    out.natural(count);
  }
  out << "\n";
}

void put_head(FixedText& out, EmergencyText const& about) {
  out << "canaryd: ";
  if (about.reason == "ended") {
    out << "canaryd ended itself by a defect of its own; standard error has it\n";
  } else if (about.incidents.empty()) {
    out << "nothing is accused; dump on " << about.reason << "\n";
  } else {
    put_incident(out, about.incidents.front());
    for (std::size_t i = 1; i < about.incidents.size(); ++i) {
      out << "  and also  ";
      put_incident(out, about.incidents[i]);
    }
  }
}

}  // namespace

std::size_t render_emergency_text(runtime::Tables& tables, EmergencyText const& about,
                                  std::span<char> into) {
  FixedText out{into};
  put_head(out, about);
  put_loop(out, tables, about.now_ns);
  (out << "  process   ").number(tables.header().process) << ", up ";
  out.span(about.now_ns - tables.header().started_monotonic_ns) << ", at ";
  out.number(about.wall_ns / 1'000'000'000) << " s UTC since 1970, reason " << about.reason << "\n";
  out << "  emergency form: " << about.raw_name
      << " has native stacks; the dump helper replaces this file by the full text\n";
  put_runs(out, tables, about);
  put_operations(out, tables, about.now_ns);
  put_threads(out, tables, about.now_ns);
  put_lag(out, tables.loop());
  out << "\nVERSIONS\n  ";
  for (char const each : about.versions) {
    if (each == '\n') break;
    out.put(each);
  }
  out << "\n";
  return out.size();
}

}  // namespace canary::dump
