// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <map>
#include <string_view>

#include "daemon/dump/capture.h"
#include "daemon/dump/render.h"
#include "daemon/dump/text_lines.h"

namespace canary::dump {
namespace {

constexpr std::size_t kOperationsShown = 200;
constexpr std::size_t kFramesShown =
    64;  // of a native stack; the middle of deeper ones is left out

// Text of strangers on one line of a terminal.
std::string plain(std::string_view text) {
  std::string result{text};
  for (char& each : result) {
    if ((each >= 0 && each < ' ') || each == 0x7F) each = '?';
  }
  return result;
}

// Columns: pads to `column`, two blanks at least.
void to_column(std::string& line, std::size_t column) {
  line.append(line.size() + 2 > column ? 2 : column - line.size(), ' ');
}

class Text {
 public:
  explicit Text(DumpDocument const& document) : document_(document) {}

  std::string render() {
    head();
    culprit_stack();
    if (document_.has_executor) {
      runs();
      operations();
    } else if (!document_.emergency_text.empty()) {
      title("EMERGENCY TEXT, for the tables cannot be read");
      out_ += document_.emergency_text;
    }
    threads();
    if (document_.has_executor) {
      lag();
      longest();
    }
    other_stacks();
    // These die with the process.
    if (!is_post_mortem(document_)) {
      descriptors();
      memory();
    }
    lines("RECENT LOG", document_.log);
    if (!document_.versions.empty()) {
      title("VERSIONS");
      out_ += document_.versions;
      if (out_.back() != '\n') out_ += '\n';
    }
    lines("WHAT IS MISSING FROM THIS DUMP", document_.notes);
    return std::move(out_);
  }

 private:
  void title(std::string_view text) { (out_ += '\n').append(text) += '\n'; }
  void line(std::string_view text) { out_.append(text) += '\n'; }
  void field(std::string_view name, std::string const& value) {
    std::string text = "  " + std::string{name};
    text.append(name.size() < 10 ? 10 - name.size() : 1, ' ');
    line(text + value);
  }

  std::string handler_text(HandlerState const& handler) const {
    std::string text = handler.object_type + " " + handler.operation;
    std::string const place = place_text(handler.place);
    if (!place.empty()) text += "  " + place;
    if (!handler.place.function.empty()) text += "  " + handler.place.function;
    return text;
  }

  std::string thread_text(std::int32_t thread) const {
    std::string text = std::to_string(thread) + " " + plain(thread_name(document_, thread));
    for (auto const& each : document_.threads) {
      if (each.thread == thread) text += ", " + state_text(each);
    }
    return text;
  }

  static std::string state_text(ThreadSample const& thread) {
    static std::map<char, char const*> const kStates{
        {'R', "running"}, {'S', "sleeping"}, {'D', "in uninterruptible sleep"},
        {'T', "stopped"}, {'t', "traced"},   {'Z', "dead"},
        {'I', "idle"},    {'X', "dead"}};
    auto const found = kStates.find(thread.state);
    std::string text = found == kStates.end() ? std::string(1, thread.state) : found->second;
    if (thread.system_call >= 0) text += " in " + system_call_name(thread.system_call);
    if (!thread.wait_channel.empty()) text += " (kernel: " + plain(thread.wait_channel) + ")";
    return text;
  }

  void head() {
    line("canaryd: " + plain(headline(document_)));
    if (auto const* frame = culprit_frame(document_)) {
      field("at", frame->file + ":" + std::to_string(frame->line) + "  " +
                      short_function(frame->function));
    }
    if (!document_.episodes.empty()) {
      auto const& episode = document_.episodes.front();
      if (episode.thread != 0) field("thread", thread_text(episode.thread));
    }
    auto const& executor = document_.executor;
    if (document_.has_executor) {
      where();
      field("handler", executor.loop.running
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
      field("loop", loop);
      field("scheduler", executor.scheduled
                             ? (executor.next_due_in_ns < 0
                                    ? "overdue for " + span_text(-executor.next_due_in_ns)
                                    : "next run due in " + span_text(executor.next_due_in_ns)) +
                                   ", last looked " + span_text(executor.last_pass_age_ns) + " ago"
                             : "nothing is scheduled");
    }
    std::string process = std::to_string(document_.about.process);
    if (document_.has_executor) process += ", up " + span_text(executor.up_ns);
    if (is_post_mortem(document_)) {
      process += ", ended about " + utc_text(document_.about.wall_ns) +
                 "; written by the process after it, from the tables it left";
    } else {
      process += ", dumped at " + utc_text(document_.about.wall_ns) + " on " +
                 plain(document_.about.reason.data()) + ", number " +
                 std::to_string(document_.about.number);
    }
    field("process", process);
    for (std::size_t i = 1; i < document_.episodes.size(); ++i) also(document_.episodes[i]);
    if (!document_.notes.empty()) {
      field("note", document_.notes.front() + "; see the end of this text");
    }
  }

  void also(watchdog::Episode const& episode) {
    std::string text{to_text(episode.subject)};
    if (episode.name[0] != '\0') text += " " + plain(episode.name.data());
    field("also", text + " " + std::string{to_text(episode.level)} + " for " +
                      span_text(episode.age_ns) + ": " + std::string{to_text(episode.verdict)});
  }

  // The accused run's (or the running handler's) deepest row.
  void where() {
    auto const accused =
        document_.episodes.empty() ? document_.executor.loop.run : document_.episodes.front().run;
    for (auto const& run : document_.executor.runs) {
      if (run.index != accused) continue;
      if (run.frames.empty()) {
        field("run", plain(run.name) + ", in no function that names itself");
        return;
      }
      std::size_t deepest = 0;
      for (std::size_t i = 0; i < run.frames.size(); ++i) {
        if (run.frames[i].depth >= run.frames[deepest].depth) deepest = i;
      }
      field("run", plain(chain_text(run, deepest)) + "  " + span_text(run.frames[deepest].age_ns) +
                       "  " + place_text(run.frames[deepest].place));
    }
  }

  // Deep recursion: the first and the last frames tell the story.
  void frames(NativeStack const& stack, std::size_t from = 0) {
    std::size_t const count = stack.frames.size();
    for (std::size_t i = from; i < count; ++i) {
      if (count > kFramesShown && i == kFramesShown / 2) {
        std::size_t const left_out = count - kFramesShown;
        line("       … " + std::to_string(left_out) + " frames left out …");
        i += left_out;
      }
      auto const& frame = stack.frames[i];
      std::array<char, 16> number{};
      std::snprintf(number.data(), number.size(), "  %4zu  ", i);
      std::string text = number.data();
      text += frame.function.empty() ? hex_text(frame.address) : short_function(frame.function);
      if (frame.inlined) text += "  [inlined]";
      to_column(text, 56);
      if (!frame.file.empty()) {
        text += frame.file + ":" + std::to_string(frame.line);
      } else if (!frame.module.empty()) {
        text += frame.module + "+" + hex_text(frame.offset);
      }
      line(text);
    }
  }

  static std::string source_text(NativeStack const& stack) {
    switch (static_cast<Capture::Source>(stack.raw.source)) {
      case Capture::handler:
        return "copied by the thread itself, " + std::to_string(stack.raw.waited_ns / 1000) +
               " µs after it was asked";
      case Capture::system_call:
        return "from /proc: it did not answer the signal";
      case Capture::none:
        break;
    }
    return "it did not answer the signal and was not asleep";
  }

  void stack_title(char const* title_text, NativeStack const& stack) {
    title(std::string{title_text} + "  thread " + thread_text(stack.raw.thread));
    std::string text = "  (" + source_text(stack);
    if (!stack.note.empty()) text += "; " + stack.note;
    line(text + ")");
  }

  void culprit_stack() {
    NativeStack const* before = nullptr;
    std::size_t sample = 0;
    for (auto const& stack : document_.stacks) {
      if (stack.raw.culprit == 0) continue;
      ++sample;
      if (before == nullptr) {
        stack_title("NATIVE STACK", stack);
        frames(stack);
      } else {
        later_sample(*before, stack, sample);
      }
      before = &stack;
    }
  }

  // Only the frames above those that both samples share.
  void later_sample(NativeStack const& before, NativeStack const& stack, std::size_t sample) {
    std::size_t shared = 0;
    while (shared < stack.frames.size() && shared < before.frames.size() &&
           stack.frames[stack.frames.size() - 1 - shared].address ==
               before.frames[before.frames.size() - 1 - shared].address) {
      ++shared;
    }
    std::string const name = "  sample " + std::to_string(sample) + ", " +
                             span_text(stack.raw.taken_ns - before.raw.taken_ns) + " later: ";
    std::size_t const own = stack.frames.size() - shared;
    if (own == 0 && before.frames.size() == shared) {
      line(name + "the same");
      return;
    }
    line(name + "above the " + std::to_string(shared) + " outermost frames");
    NativeStack top;
    top.frames.assign(stack.frames.begin(),
                      stack.frames.begin() + static_cast<std::ptrdiff_t>(own));
    frames(top);
  }

  void other_stacks() {
    for (auto const& stack : document_.stacks) {
      if (stack.raw.culprit != 0) continue;
      stack_title("STACK", stack);
      frames(stack);
    }
  }

  void runs() {
    title("RUNS  " + std::to_string(document_.executor.runs.size()));
    for (auto const& run : document_.executor.runs) {
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
      line(text);
      for (std::size_t i = 0; i < run.frames.size(); ++i) row(run, i);
      if (run.frames_lost > 0) {
        line("    and " + std::to_string(run.frames_lost) + " rows more than fit");
      }
    }
  }

  void row(RunState const& run, std::size_t at) {
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
    line(text);
  }

  void operations() {
    auto const& operations = document_.executor.operations;
    title("PENDING OPERATIONS  " + std::to_string(operations.size()) + ", the oldest first");
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
      line(text);
    }
    if (operations.size() > kOperationsShown) {
      line("  and " + std::to_string(operations.size() - kOperationsShown) + " more");
    }
    if (document_.executor.loop.operations_lost > 0) {
      line("  " + std::to_string(document_.executor.loop.operations_lost) +
           " were not recorded: the table was full");
    }
  }

  void threads() {
    title("THREADS");
    for (auto const& thread : document_.threads) {
      std::string text = "  " + std::to_string(thread.thread) + "  " + plain(thread.name);
      to_column(text, 28);
      std::array<char, 64> cpu{};
      std::snprintf(cpu.data(), cpu.size(), "cpu %.2f s, waited %.2f s for one", thread.cpu_seconds,
                    thread.run_delay_seconds);
      text += state_text(thread) + ", " + cpu.data();
      for (auto const& row : document_.executor.threads) {
        if (row.thread == thread.thread) text += job_text(row);
      }
      line(text);
    }
    if (!is_post_mortem(document_)) return;
    for (auto const& row : document_.executor.threads) {
      std::string text = "  " + std::to_string(row.thread) + "  " + plain(row.name);
      to_column(text, 28);
      line(text + std::to_string(row.jobs) + " jobs done" + job_text(row));
    }
  }

  static std::string job_text(ThreadState const& row) {
    std::string text = row.busy ? ", does " + row.job + " for " + span_text(row.job_age_ns) : "";
    if (row.queued > 0) {
      text += ", " + std::to_string(row.queued) + " jobs queued, the oldest for " +
              span_text(row.oldest_queued_age_ns);
    }
    return text;
  }

  void lag() {
    auto const& loop = document_.executor.loop;
    title("LAG OF THE LOOP'S BEATS  " + std::to_string(loop.beats) + " beats");
    for (std::size_t i = 0; i < loop.lag.size(); ++i) {
      if (loop.lag[i] == 0) continue;
      bool const last = i + 1 == loop.lag.size();
      std::string text = last ? "  more" : "  up to " + span_text(1'000'000LL << i);
      to_column(text, 20);
      line(text + std::to_string(loop.lag[i]));
    }
    lag_history();
  }

  // Ten stretches of ten seconds a line: a glance tells since when it has been getting worse.
  void lag_history() {
    static constexpr std::size_t kPerLine = 10;
    auto const& history = document_.executor.loop.lag_history;
    if (history.empty()) return;
    line("  the worst of each 10 s, the latest first; \"none\" where no beat came:");
    for (std::size_t at = 0; at < history.size(); at += kPerLine) {
      std::string text = at == 0 ? "    now" : "    " + span_text(history[at].ago_ns) + " ago";
      for (std::size_t i = at; i < std::min(at + kPerLine, history.size()); ++i) {
        to_column(text, 18 + 8 * (i - at));
        text += history[i].beats == 0 ? "none" : span_text(history[i].worst_ns);
      }
      line(text);
    }
  }

  void longest() {
    if (document_.executor.loop.longest.empty()) return;
    title("LONGEST HANDLERS");
    for (auto const& handler : document_.executor.loop.longest) {
      std::string text = "  " + span_text(handler.took_ns);
      to_column(text, 12);
      line(text + handler_text(handler));
    }
  }

  void descriptors() {
    title("DESCRIPTORS  " + std::to_string(document_.descriptor_count));
    for (auto const& each : document_.descriptors) {
      std::string text = "  " + std::to_string(each.descriptor);
      to_column(text, 8);
      text += plain(each.target);
      if (!each.local.empty()) text += "  " + plain(each.local);
      if (!each.peer.empty()) text += " -> " + plain(each.peer);
      if (!each.state.empty()) text += "  " + each.state;
      if (each.in >= 0) text += "  in " + std::to_string(each.in);
      if (each.out >= 0) text += "  out " + std::to_string(each.out);
      line(text);
    }
  }

  void memory() {
    title("MEMORY  " + size_text(document_.memory.resident_bytes) + " resident of " +
          size_text(document_.memory.size_bytes) + " mapped");
    for (auto const& [name, text] : {std::pair{"cpu", &document_.memory.pressure_cpu},
                                     std::pair{"memory", &document_.memory.pressure_memory},
                                     std::pair{"io", &document_.memory.pressure_io}}) {
      auto const first = text->substr(0, text->find('\n'));
      if (!first.empty()) line(std::string{"  pressure of "} + name + "  " + first);
    }
  }

  void lines(std::string_view name, std::vector<std::string> const& texts) {
    if (texts.empty()) return;
    title(name);
    for (auto const& each : texts) line("  " + plain(each));
  }

  DumpDocument const& document_;
  std::string out_;
};

}  // namespace

std::string render_text(DumpDocument const& document) { return Text{document}.render(); }

}  // namespace canary::dump
