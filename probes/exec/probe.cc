// SPDX-License-Identifier: Apache-2.0
// One run of a program, and what it says.
// Thread: loop; the program is started on a file thread, its output read on a worker.
#include "probes/exec/probe.h"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "config/duration.h"
#include "probes/collector.h"
#include "probes/exec/declaration.h"
#include "probes/fetch/services.h"
#include "runtime/contract.h"

namespace canary::exec {
namespace {

using probes::Finding;
using probes::Reason;
using probes::Severity;
using runtime::Deadline;
using runtime::Task;
using runtime::Trace;

constexpr std::size_t kMostUnreaped = 16;
constexpr std::chrono::milliseconds kMargin{500};  // to say what happened, before the run's end

Finding could_not_tell(Spec const& spec, Reason reason, std::string message) {
  return {.check = std::string{kPlugin},
          .subject = spec.location(),
          .severity = Severity::unknown,
          .reason = reason,
          .message = std::move(message)};
}

// What is wrong with the file or its folder is the configuration's affair, what we lack is ours.
Reason reason_of(int error) {
  bool const ours = error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
  return ours ? Reason::internal : Reason::configuration;
}

// The time that the program gets, so that the run ends in its own.
Deadline until(Spec const& spec, Deadline run) {
  runtime::Clock::duration const left = run.left(), limit = spec.time_limit;
  auto const usable = std::max(left - spec.kill_after - kMargin, left / 2);
  return Deadline::after(std::min(limit, usable));
}

std::string first_line(std::string_view text) {
  return std::string{text.substr(0, text.find('\n'))};
}

// The process, or why there is none.
Task<std::optional<Process>> start(Spec const& spec, probes::ProbeContext const& context,
                                   Trace trace) {
  if (unreaped_processes() >= kMostUnreaped) {
    context.findings->add(
        could_not_tell(spec, Reason::internal,
                       std::to_string(kMostUnreaped) +
                           " programs of earlier runs do not end, not even by SIGKILL"));
    co_return std::nullopt;
  }
  // Shared, for a job's result has to be copied: who takes it last ends the process.
  using Spawned = std::shared_ptr<Result<Process, Process::Refusal>>;
  runtime::FileAsk ask{.name = "exec.start",
                       .file = spec.command.front(),
                       .key = "exec " + spec.command.front(),
                       .until = context.deadline};
  auto spawn = [command = Command{spec.command, spec.environment, spec.directory}] {
    return std::make_shared<Result<Process, Process::Refusal>>(Process::spawn(command));
  };
  auto const got = co_await context.http.files.run(trace, std::move(ask), std::move(spawn));
  if (!got) {
    context.findings->add(could_not_tell(spec, Reason::internal, sentence(got.error())));
    co_return std::nullopt;
  }
  Spawned const& spawned = got.value();
  if (!*spawned) {
    auto const& refusal = spawned->error();
    context.findings->add(could_not_tell(spec, reason_of(refusal.error), refusal.why));
    co_return std::nullopt;
  }
  co_return std::move(spawned->value());
}

}  // namespace

Finding judge(Spec const& spec, Ended const& ended, PluginOutput const& said) {
  if (ended.flooded) {
    return could_not_tell(
        spec, Reason::size_limit,
        "it wrote more than " + config::size_text(kDroppedOutput) + " and was ended");
  }
  if (ended.late) {
    std::string message =
        "it did not end within " + config::to_text(spec.time_limit) + " or the run's own time";
    if (!ended.status) message += ", and not by SIGKILL either";
    if (!said.message.empty()) message += "; it had said \"" + said.message + "\"";
    return could_not_tell(spec, Reason::timeout, std::move(message));
  }
  int const status = ended.status.value_or(0);
  if (WIFSIGNALED(status)) {
    return could_not_tell(spec, kCrashed,
                          "signal " + std::to_string(WTERMSIG(status)) + " ended it" +
                              (ended.err.empty() ? "" : ": " + first_line(ended.err)));
  }
  std::string message = said.message;
  if (message.empty()) message = first_line(ended.err);
  if (message.empty()) message = "it said nothing";
  int const code = WEXITSTATUS(status);
  Finding finding{.check = std::string{kPlugin},
                  .subject = spec.location(),
                  .message = std::move(message),
                  .evidence = "exit status " + std::to_string(code)};
  if (code > 3) {
    finding.severity = Severity::unknown;
    finding.reason = kCrashed;
    finding.message += "; its exit status " + std::to_string(code) + " is none of 0 to 3";
    finding.expected = "exit status 0 to 3";
    finding.received = finding.evidence;
  } else if (code > 0) {
    finding.severity = code == 1   ? Severity::warning
                       : code == 2 ? Severity::critical
                                   : Severity::unknown;
    finding.reason = kReported;
    finding.expected = "exit status 0";
    finding.received = finding.evidence;
  }
  return finding;
}

Task<void> probe_program(Spec spec, probes::ProbeContext context) {
  runtime::require_loop_thread();
  runtime::Frame const frame{context.trace, "exec", spec.location()};
  auto const trace = frame.trace();
  context.report.step = "starting the program";
  auto process = co_await start(spec, context, trace);
  if (!process) co_return;
  context.report.step = "waiting for the program's end";
  Limits const limits{.until = until(spec, context.deadline),
                      .kill_after = spec.kill_after,
                      .output = static_cast<std::size_t>(spec.max_output)};
  auto heard = co_await hear_out(std::move(*process), limits, trace);
  auto& measured = context.report.measurements;
  measured.bytes_received = heard.out.size() + heard.err.size();
  auto read = [text = heard.out] { return parse_output(text, kMostFigures); };
  auto const said = co_await context.cpu.run(trace, "exec.parse", std::move(read));
  for (auto const& figure : said.figures) measured.sample(kPerfdata, figure.label) = figure.value;
  context.findings->add(judge(spec, heard, said));
  context.report.complete = !heard.late;
}

}  // namespace canary::exec
