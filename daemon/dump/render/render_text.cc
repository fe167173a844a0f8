// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string_view>

#include "daemon/dump/render/render.h"
#include "daemon/dump/render/text_lines.h"
#include "daemon/dump/render/text_page.h"

namespace canary::dump {
namespace {

void also(TextPage& page, watchdog::Incident const& incident) {
  std::string text{to_text(incident.subject)};
  if (incident.name[0] != '\0') text += " " + plain(incident.name.data());
  page.field("also", text + " " + std::string{to_text(incident.level)} + " for " +
                         span_text(incident.age_ns) + ": " +
                         std::string{to_text(incident.verdict)});
}

// The accused run's (or the running handler's) deepest row.
void where(TextPage& page) {
  auto const accused = page.document().incidents.empty() ? page.document().executor.loop.run
                                                         : page.document().incidents.front().run;
  for (auto const& run : page.document().executor.runs) {
    if (run.index != accused) continue;
    if (run.frames.empty()) {
      page.field("run", plain(run.name) + ", in no function that names itself");
      return;
    }
    std::size_t deepest = 0;
    for (std::size_t i = 0; i < run.frames.size(); ++i) {
      if (run.frames[i].depth >= run.frames[deepest].depth) deepest = i;
    }
    page.field("run", plain(chain_text(run, deepest)) + "  " +
                          span_text(run.frames[deepest].age_ns) + "  " +
                          place_text(run.frames[deepest].place));
  }
}

void head(TextPage& page) {
  page.line("canaryd: " + plain(headline(page.document())));
  if (auto const* frame = culprit_frame(page.document())) {
    page.field("at", frame->file + ":" + std::to_string(frame->line) + "  " +
                         short_function(frame->function));
  }
  if (!page.document().incidents.empty()) {
    auto const& incident = page.document().incidents.front();
    if (incident.thread != 0) page.field("thread", page.thread_text(incident.thread));
  }
  auto const& executor = page.document().executor;
  if (page.document().has_executor) {
    where(page);
    page.field("handler", executor.loop.running
                              ? "runs for " + span_text(executor.loop.handler.took_ns) + ": " +
                                    handler_text(executor.loop.handler)
                              : "none runs");
    std::string loop =
        executor.loop.state + ", thread " + std::to_string(executor.loop.thread) + ", " +
        std::to_string(executor.loop.handlers) + " handlers done, " +
        (executor.loop.beats == 0 ? "no beat yet"
                                  : "beat " + span_text(executor.loop.beat_age_ns) + " ago");
    if (executor.loop.beats > 0 && executor.loop.beat_due_in_ns < 0) {
      loop += ", the next overdue for " + span_text(-executor.loop.beat_due_in_ns);
    }
    page.field("loop", loop);
    page.field("scheduler", executor.scheduled
                                ? (executor.next_due_in_ns < 0
                                       ? "overdue for " + span_text(-executor.next_due_in_ns)
                                       : "next run due in " + span_text(executor.next_due_in_ns)) +
                                      ", last looked " + span_text(executor.last_pass_age_ns) +
                                      " ago"
                                : "nothing is scheduled");
  }
  std::string process = std::to_string(page.document().about.process);
  if (page.document().has_executor) process += ", up " + span_text(executor.up_ns);
  if (is_post_mortem(page.document())) {
    process += ", ended about " + utc_text(page.document().about.wall_ns) +
               "; written by the process after it, from the tables it left";
  } else {
    process += ", dumped at " + utc_text(page.document().about.wall_ns) + " on " +
               plain(page.document().about.reason.data()) + ", number " +
               std::to_string(page.document().about.number);
  }
  page.field("process", process);
  for (std::size_t i = 1; i < page.document().incidents.size(); ++i)
    also(page, page.document().incidents[i]);
  if (!page.document().notes.empty()) {
    page.field("note", page.document().notes.front() + "; see the end of this text");
  }
}

std::string job_text(ThreadState const& row) {
  std::string text = row.busy ? ", does " + row.job + " for " + span_text(row.job_age_ns) : "";
  if (row.queued > 0) {
    text += ", " + std::to_string(row.queued) + " jobs queued, the oldest for " +
            span_text(row.oldest_queued_age_ns);
  }
  return text;
}

void threads(TextPage& page) {
  page.title("THREADS");
  for (auto const& thread : page.document().threads) {
    std::string text = "  " + std::to_string(thread.thread) + "  " + plain(thread.name);
    to_column(text, 28);
    std::array<char, 64> cpu{};
    std::snprintf(cpu.data(), cpu.size(), "cpu %.2f s, waited %.2f s for one", thread.cpu_seconds,
                  thread.run_delay_seconds);
    text += state_text(thread) + ", " + cpu.data();
    for (auto const& row : page.document().executor.threads) {
      if (row.thread == thread.thread) text += job_text(row);
    }
    page.line(text);
  }
  if (!is_post_mortem(page.document())) return;
  for (auto const& row : page.document().executor.threads) {
    std::string text = "  " + std::to_string(row.thread) + "  " + plain(row.name);
    to_column(text, 28);
    page.line(text + std::to_string(row.jobs) + " jobs done" + job_text(row));
  }
}

void descriptors(TextPage& page) {
  page.title("DESCRIPTORS  " + std::to_string(page.document().descriptor_count));
  for (auto const& each : page.document().descriptors) {
    std::string text = "  " + std::to_string(each.descriptor);
    to_column(text, 8);
    text += plain(each.target);
    if (!each.local.empty()) text += "  " + plain(each.local);
    if (!each.peer.empty()) text += " -> " + plain(each.peer);
    if (!each.state.empty()) text += "  " + each.state;
    if (each.in >= 0) text += "  in " + std::to_string(each.in);
    if (each.out >= 0) text += "  out " + std::to_string(each.out);
    page.line(text);
  }
}

void memory(TextPage& page) {
  page.title("MEMORY  " + size_text(page.document().memory.resident_bytes) + " resident of " +
             size_text(page.document().memory.size_bytes) + " mapped");
  for (auto const& [name, text] : {std::pair{"cpu", &page.document().memory.pressure_cpu},
                                   std::pair{"memory", &page.document().memory.pressure_memory},
                                   std::pair{"io", &page.document().memory.pressure_io}}) {
    auto const first = text->substr(0, text->find('\n'));
    if (!first.empty()) page.line(std::string{"  pressure of "} + name + "  " + first);
  }
}

void lines(TextPage& page, std::string_view name, std::vector<std::string> const& texts) {
  if (texts.empty()) return;
  page.title(name);
  for (auto const& each : texts) page.line("  " + plain(each));
}

}  // namespace

std::string render_text(DumpDocument const& document) {
  TextPage page{document};
  head(page);
  put_culprit_stack(page);
  if (document.has_executor) {
    put_runs(page);
    put_operations(page);
  } else if (!document.emergency_text.empty()) {
    page.title("EMERGENCY TEXT, for the tables cannot be read");
    page.text(document.emergency_text);
  }
  threads(page);
  if (document.has_executor) {
    put_lag(page);
    put_longest(page);
  }
  put_other_stacks(page);
  // These die with the process.
  if (!is_post_mortem(document)) {
    descriptors(page);
    memory(page);
  }
  lines(page, "RECENT LOG", document.log);
  if (!document.versions.empty()) {
    page.title("VERSIONS");
    page.text(document.versions);
    if (!page.at_line_start()) page.line({});
  }
  lines(page, "WHAT IS MISSING FROM THIS DUMP", document.notes);
  return page.take();
}

}  // namespace canary::dump
