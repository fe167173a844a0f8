// SPDX-License-Identifier: Apache-2.0
#include <iterator>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "config/harmless.h"
#include "daemon/dump/capture/capture.h"
#include "daemon/dump/render/render.h"
#include "daemon/dump/render/text_lines.h"
#include "daemon/text/source_path.h"
#include "daemon/text/system_calls.h"

namespace canary::dump {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongest = 4096;

double seconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

// A dump may be of another process, and any file may claim to be one.
std::string harmless(std::string_view text) { return make_harmless(text, kLongest); }

json::value text_or_null(std::string const& text) {
  if (text.empty()) return nullptr;
  return json::value(harmless(text));
}

json::value number_or_null(std::int64_t value) {
  if (value < 0) return nullptr;
  return value;
}

json::value place_json(Place const& place) {
  if (place.file.empty()) return nullptr;
  return json::object{
      {"file", place.file}, {"line", place.line}, {"function", text_or_null(place.function)}};
}

json::object handler_json(HandlerState const& handler) {
  return {{"object", handler.object_type},
          {"operation", handler.operation},
          {"place", place_json(handler.place)},
          {"seconds", seconds(handler.took_ns)}};
}

json::object incident_json(watchdog::Incident const& incident, TextOf const& text) {
  std::string const file = text(incident.file);
  Place const place{.file = std::string{source_path(file)},
                    .function = text(incident.function),
                    .line = incident.line};
  return {{"id", incident.id},
          {"subject", to_text(incident.subject)},
          {"name", text_or_null(incident.name.data())},
          {"level", to_text(incident.level)},
          {"verdict", to_text(incident.verdict)},
          {"accuses", accuses(incident.verdict)},
          {"thread", incident.thread == 0 ? json::value(nullptr) : json::value(incident.thread)},
          {"system_call", incident.system_call < 0
                              ? json::value(nullptr)
                              : json::value(system_call_text(incident.system_call))},
          {"age_seconds", seconds(incident.age_ns)},
          {"operation", text_or_null(text(incident.operation))},
          {"place", place_json(place)}};
}

json::object stack_json(DumpDocument const& document, NativeStack const& stack) {
  json::array frames;
  for (auto const& frame : stack.frames) {
    frames.push_back(json::object{
        {"address", hex_text(frame.address)},
        {"function", text_or_null(frame.function)},
        {"inlined", frame.inlined},
        {"module", text_or_null(frame.module)},
        {"offset", hex_text(frame.offset)},
        {"file", text_or_null(frame.file)},
        {"line", frame.file.empty() ? json::value(nullptr) : json::value(frame.line)}});
  }
  static constexpr char const* kSources[] = {"none", "signal", "proc", "unsupported"};
  return {
      {"thread", stack.raw.thread},
      {"name", text_or_null(thread_name(document, stack.raw.thread))},
      {"culprit", stack.raw.culprit != 0},
      {"source", stack.raw.source < std::size(kSources) ? kSources[stack.raw.source] : "unknown"},
      {"taken_seconds", seconds(stack.raw.taken_ns - document.about.decided_ns)},
      {"waited_seconds", seconds(stack.raw.waited_ns)},
      {"complete", stack.complete},
      {"note", text_or_null(stack.note)},
      {"frames", std::move(frames)}};
}

json::object run_json(RunState const& run) {
  json::array rows;
  for (std::size_t i = 0; i < run.frames.size(); ++i) {
    auto const& frame = run.frames[i];
    rows.push_back(json::object{{"name", frame.name},
                                {"detail", text_or_null(frame.detail)},
                                {"depth", frame.depth},
                                {"wait", frame.wait},
                                {"operation_pending", frame.waited_for},
                                {"age_seconds", seconds(frame.age_ns)},
                                {"place", place_json(frame.place)},
                                {"chain", harmless(chain_text(run, i))}});
  }
  return {{"name", harmless(run.name)},
          {"kind", run.service ? "service" : "probe"},
          {"generation", run.generation},
          {"age_seconds", seconds(run.age_ns)},
          {"deadline_in_seconds",
           run.has_deadline ? json::value(seconds(run.deadline_in_ns)) : json::value(nullptr)},
          {"progress", run.progress},
          {"progress_age_seconds", seconds(run.progress_age_ns)},
          {"cancelling_seconds",
           run.cancelling ? json::value(seconds(run.cancelling_for_ns)) : json::value(nullptr)},
          {"stalled", run.stalled},
          {"handler_runs", run.handler},
          {"moving", run.moving},
          {"rows_lost", run.frames_lost},
          {"rows", std::move(rows)}};
}

json::object loop_json(LoopState const& loop) {
  json::array lag;
  for (std::size_t i = 0; i < loop.lag.size(); ++i) {
    bool const last = i + 1 == loop.lag.size();
    lag.push_back(json::object{
        {"up_to_seconds", last ? json::value(nullptr) : json::value(seconds(1'000'000LL << i))},
        {"beats", loop.lag[i]}});
  }
  json::array history;
  for (auto const& each : loop.lag_history) {
    bool const any = each.beats > 0;
    history.push_back(
        json::object{{"ended_seconds_ago", seconds(each.ago_ns)},
                     {"beats", each.beats},
                     {"worst_seconds", any ? json::value(seconds(each.worst_ns)) : nullptr}});
  }
  json::array longest;
  for (auto const& handler : loop.longest) longest.push_back(handler_json(handler));
  return {{"state", loop.state},
          {"thread", loop.thread},
          {"handlers", loop.handlers},
          {"handler", loop.running ? json::value(handler_json(loop.handler)) : nullptr},
          {"beats", loop.beats},
          {"beat_age_seconds", seconds(loop.beat_age_ns)},
          {"beat_due_in_seconds", seconds(loop.beat_due_in_ns)},
          {"operations_not_recorded", loop.operations_lost},
          {"lag", std::move(lag)},
          {"lag_sum_seconds", static_cast<double>(loop.lag_sum_ns) / 1e9},
          {"lag_history", std::move(history)},
          {"longest_handlers", std::move(longest)}};
}

json::array operations_json(ExecutorState const& executor) {
  json::array operations;
  for (auto const& operation : executor.operations) {
    operations.push_back(json::object{
        {"object", operation.object_type},
        {"operation", operation.operation},
        {"address", hex_text(operation.object)},
        {"handle", operation.has_handle ? json::value(operation.handle) : json::value(nullptr)},
        {"age_seconds", seconds(operation.age_ns)},
        {"place", place_json(operation.place)},
        {"run", text_or_null(operation.run_name)},
        {"row", text_or_null(operation.frame_name)}});
  }
  return operations;
}

json::array threads_json(DumpDocument const& document) {
  json::array threads;
  for (auto const& thread : document.threads) {
    json::object each{
        {"thread", thread.thread},
        {"name", text_or_null(thread.name)},
        {"state", std::string(1, thread.state)},
        {"wait_channel", text_or_null(thread.wait_channel)},
        {"system_call", thread.system_call < 0 ? json::value(nullptr)
                                               : json::value(system_call_text(thread.system_call))},
        {"cpu_seconds", thread.cpu_seconds},
        {"run_delay_seconds", thread.run_delay_seconds}};
    for (auto const& row : document.executor.threads) {
      if (row.thread != thread.thread) continue;
      each["kind"] = row.kind;
      each["job"] = row.busy ? json::value(row.job) : json::value(nullptr);
      each["job_seconds"] = row.busy ? json::value(seconds(row.job_age_ns)) : json::value(nullptr);
      each["jobs_done"] = row.jobs;
      each["queued"] = row.queued;
      each["oldest_queued_seconds"] = seconds(row.oldest_queued_age_ns);
    }
    threads.push_back(std::move(each));
  }
  return threads;
}

json::array descriptors_json(DumpDocument const& document) {
  json::array descriptors;
  for (auto const& each : document.descriptors) {
    descriptors.push_back(json::object{{"descriptor", each.descriptor},
                                       {"target", text_or_null(each.target)},
                                       {"local", text_or_null(each.local)},
                                       {"peer", text_or_null(each.peer)},
                                       {"state", text_or_null(each.state)},
                                       {"in_bytes", number_or_null(each.in)},
                                       {"out_bytes", number_or_null(each.out)}});
  }
  return descriptors;
}

json::array strings(std::vector<std::string> const& texts) {
  json::array result;
  for (auto const& each : texts) result.emplace_back(harmless(each));
  return result;
}

}  // namespace

std::string render_json(DumpDocument const& document) {
  json::array incidents, stacks, runs;
  for (auto const& each : document.incidents)
    incidents.push_back(incident_json(each, document.text));
  for (auto const& each : document.stacks) stacks.push_back(stack_json(document, each));
  for (auto const& each : document.executor.runs) runs.push_back(run_json(each));
  auto const* culprit = culprit_frame(document);
  json::object root{
      {"headline", harmless(headline(document))},
      {"number", document.about.number},
      {"reason", text_or_null(document.about.reason.data())},
      {"time", utc_text(document.about.wall_ns)},
      {"process", document.about.process},
      {"program", text_or_null(document.about.program.data())},
      {"build_id", text_or_null(document.executor.build_id)},
      {"culprit", culprit == nullptr ? json::value(nullptr)
                                     : json::value(json::object{{"function", culprit->function},
                                                                {"file", culprit->file},
                                                                {"line", culprit->line}})},
      {"incidents", std::move(incidents)},
      {"loop", document.has_executor ? json::value(loop_json(document.executor.loop)) : nullptr},
      {"next_run_due_in_seconds", document.executor.scheduled
                                      ? json::value(seconds(document.executor.next_due_in_ns))
                                      : json::value(nullptr)},
      {"stacks", std::move(stacks)},
      {"runs", std::move(runs)},
      {"operations", operations_json(document.executor)},
      {"threads", threads_json(document)},
      {"descriptor_count", document.descriptor_count},
      {"descriptors", descriptors_json(document)},
      {"memory", json::object{{"size_bytes", document.memory.size_bytes},
                              {"resident_bytes", document.memory.resident_bytes},
                              {"pressure_cpu", text_or_null(document.memory.pressure_cpu)},
                              {"pressure_memory", text_or_null(document.memory.pressure_memory)},
                              {"pressure_io", text_or_null(document.memory.pressure_io)}}},
      {"log", strings(document.log)},
      {"versions", text_or_null(document.versions)},
      {"notes", strings(document.notes)}};
  return json::serialize(root) + "\n";
}

}  // namespace canary::dump
