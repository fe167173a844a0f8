// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/tell/emergency_page.h"

#include "daemon/metrics/table.h"
#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/sample/pending_kinds.h"
#include "daemon/watchdog/sample/tables_view.h"
#include "daemon/watchdog/tell/health.h"
#include "daemon/watchdog/tell/page_text.h"

namespace canary::watchdog {
namespace {

using metrics::Metric;
using metrics::metric;
using std::memory_order_acquire;
using std::memory_order_relaxed;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kQuarantinedShown = 32;
constexpr std::size_t kDescribed = 16;  // incidents, for people; the series have them all

static_assert(kTickBuckets == runtime::kLagBuckets);
using Buckets = std::array<std::atomic<std::uint64_t>, kTickBuckets>;

std::string_view text_of(ProbeText const& text) {
  std::size_t size = 0;
  while (size < text.size() && text.data()[size] != 0) ++size;
  return {text.data(), size};
}

// One page while it is written.
class Page {
 public:
  Page(EmergencyView const& view, EmergencyTexts& texts)
      : view_(view), record_(view.record), text_({texts.page.data(), texts.page.size()}) {}

  std::size_t write() {
    head();
    text_.lines(view_.preamble);
    executor();
    handler();
    pending();
    probes();
    subjects();
    stalls();
    watchdog();
    lag();
    return text_.size();
  }

 private:
  void counter(Metric const& metric, std::atomic<std::uint64_t> const& value) {
    text_.family(metric).series().value(value.load(memory_order_relaxed));
  }
  // The wall clock's instant of a monotonic one.
  void instant(std::int64_t monotonic_ns) {
    text_.series().seconds(view_.wall_ns - (view_.now_ns - monotonic_ns));
  }
  void histogram(Metric const& metric, Buckets const& buckets, std::int64_t sum_ns);
  template <class Use>
  void each_incident(Use use) {
    for (runtime::Published<Incident> const& place : record_.incidents) {
      Incident incident;
      if (place.known() && place.load(incident) && incident.level != Level::fine) use(incident);
    }
  }

  void head();
  void executor();
  void handler();
  void pending();
  void probes();
  void subjects();
  void stalls();
  void watchdog();
  void lag();

  EmergencyView const& view_;
  Record const& record_;
  PageText text_;
};

void Page::histogram(Metric const& metric, Buckets const& buckets, std::int64_t sum_ns) {
  text_.family(metric);
  std::uint64_t sum = 0;
  std::int64_t bound_ms = 1;
  for (std::size_t i = 0; i < buckets.size(); ++i, bound_ms *= 2) {
    sum += buckets.data()[i].load(memory_order_relaxed);
    ShortText<24> bound;
    if (i + 1 < buckets.size()) {
      auto const ms = static_cast<std::uint64_t>(bound_ms);
      bound.number(ms / 1'000).add(".");
      bound.number(ms / 100 % 10).number(ms / 10 % 10).number(ms % 10);
    } else {
      bound.add("+Inf");
    }
    text_.series("_bucket").bucket(bound.view()).value(sum);
  }
  text_.series("_sum").seconds(sum_ns);
  text_.series("_count").value(sum);
}

// What somebody reads who looks at it by hand.
void Page::head() {
  text_.comment().add("canaryd's emergency page: its HTTP server has not answered for ");
  text_.tenths(view_.silent_ns).add(".").end();
  text_.comment().add("The watchdog wrote it. Results of probes are missing here.").end();
  std::size_t described = 0;
  each_incident([&](Incident const& incident) {
    if (incident.level < Level::stalled || described == kDescribed) return;
    ++described;
    text_.comment().add(to_text(incident.subject)).add(" ").add(to_text(incident.level));
    text_.add(": ").add(to_text(incident.verdict)).add(" for ").tenths(incident.age_ns);
    if (std::string_view const name = text_of(incident.name); !name.empty()) {
      text_.add(", ").add(name);
    }
    if (incident.operation != 0) text_.add(", ").add(runtime::text_at(incident.operation));
    if (incident.file != 0) {
      text_.add(", ").add(runtime::text_at(incident.file)).add(":").number(incident.line);
    }
    text_.end();
  });
  text_.family(metric("canaryd_emergency_page"));
  text_.series().value(1);
  text_.family(metric("canaryd_emergency_answers_total"));
  for (std::size_t i = 0; i < kEmergencyPaths; ++i) {
    text_.series()
        .label(to_text(static_cast<EmergencyPath>(i)))
        .value(record_.emergency_answers.data()[i].load(memory_order_relaxed));
  }
  text_.family(metric("canaryd_time_seconds"));
  text_.series().seconds(view_.wall_ns);
}

void Page::executor() {
  runtime::LoopRecord const& loop = view_.tables.loop();
  text_.family(metric("canaryd_executor_stalled"));
  text_.series().value(record_.executor_stands() ? 1 : 0);
  text_.family(metric("canaryd_watchdog_stalled"));
  text_.series().value(record_.watchdog_stalled.load(memory_order_relaxed));
  text_.family(metric("canaryd_executor_stalls_total"));
  for (std::size_t i = 1; i < kVerdicts; ++i) {
    text_.series()
        .label(to_text(static_cast<Verdict>(i)))
        .value(record_.verdicts.data()[i].load(memory_order_relaxed));
  }
  if (std::int64_t const beat = loop.beat_ns.load(memory_order_relaxed); beat != 0) {
    text_.family(metric("canaryd_executor_last_heartbeat_timestamp_seconds"));
    instant(beat);
  }
  counter(metric("canaryd_executor_handlers_total"), loop.handlers);
  std::int64_t longest = 0;
  for (runtime::HandlerRecord const& each : loop.longest) {
    std::int64_t const took = each.nanoseconds.load(memory_order_relaxed);
    if (took > longest) longest = took;
  }
  text_.family(metric("canaryd_executor_longest_handler_seconds"));
  text_.series().seconds(longest);
}

// Since when, and which, while it holds the loop.
void Page::handler() {
  std::int64_t const since = view_.tables.loop().handler_since_ns.load(memory_order_acquire);
  if (since == 0) return;
  text_.family(metric("canaryd_executor_current_handler_start_timestamp_seconds"));
  instant(since);
  if (!record_.executor_stalled()) return;
  Place const place = handler_place(view_.tables);
  ShortText<160> source;
  if (place.file != 0) {
    source.add(runtime::text_at(place.file)).add(":").number(place.line);
  } else {
    source.add(runtime::text_at(place.function));
  }
  text_.family(metric("canaryd_executor_current_handler_info"));
  text_.series()
      .label(runtime::text_at(place.operation))
      .label(source.view())
      .label(text_of(place.name))
      .value(1);
}

void Page::pending() {
  PendingKinds const kinds = pending_kinds(view_.tables);
  if (kinds.count == 0) return;
  text_.family(metric("canaryd_executor_pending_operations"));
  for (std::size_t i = 0; i < kinds.count; ++i) {
    PendingKind const& kind = kinds.kinds.data()[i];
    text_.series().label(kind.name).value(kind.number);
  }
}

// Only those of whom there is something to tell: the others' names are the scheduler's.
void Page::probes() {
  std::array<ProbeText, kIncidents> told;
  std::size_t count = 0;
  each_incident([&](Incident const& incident) {
    if (incident.subject != Subject::run || incident.level < Level::stalled) return;
    for (std::size_t i = 0; i < count; ++i) {
      if (text_of(told.data()[i]) == text_of(incident.name)) return;
    }
    if (count < told.size()) told.data()[count++] = incident.name;
  });
  if (count > 0) {
    text_.family(metric("canaryd_probe_stalled"));
    for (std::size_t i = 0; i < count; ++i) {
      text_.series().label(text_of(told.data()[i])).value(1);
    }
  }
  std::uint32_t const quarantined = record_.quarantined_count.load(memory_order_acquire);
  if (quarantined == 0) return;
  text_.family(metric("canaryd_probe_quarantined"));
  std::size_t shown = 0;  // the page has room for so many
  record_.each_quarantined([&](ProbeText const& name) {
    text_.series().label(text_of(name)).value(1);
    return ++shown < kQuarantinedShown;
  });
}

void Page::subjects() {
  std::array<bool, kSubjects> stalled{};
  each_incident([&](Incident const& incident) {
    if (incident.level < Level::stalled) return;
    stalled.data()[static_cast<std::size_t>(incident.subject)] = true;
  });
  text_.family(metric("canaryd_subject_stalled"));
  for (std::size_t subject = 0; subject < kSubjects; ++subject) {
    auto const each = static_cast<Subject>(subject);
    if (!is_part(each)) continue;
    bool const stands = record_.standing.data()[subject].load(memory_order_relaxed) != 0;
    text_.series().label(to_text(each)).value(stands || stalled.data()[subject] ? 1 : 0);
  }
}

void Page::stalls() {
  text_.family(metric("canaryd_stalls_total"));
  for (std::size_t subject = 0; subject < kSubjects; ++subject) {
    for (std::size_t level = 1; level < kLevels; ++level) {
      text_.series()
          .label(to_text(static_cast<Subject>(subject)))
          .label(to_text(static_cast<Level>(level)))
          .value(record_.stalls.data()[subject].data()[level].load(memory_order_relaxed));
    }
  }
  LastStall last;
  bool known = record_.last_stall.known() && record_.last_stall.load(last);
  if (!known && record_.previous.has_stall) {
    last = record_.previous.stall;
    known = true;
  }
  if (!known) return;
  text_.family(metric("canaryd_last_stall_timestamp_seconds"));
  text_.series()
      .label(to_text(last.incident.subject))
      .label(to_text(last.incident.verdict))
      .seconds(last.wall_ns);
}

void Page::watchdog() {
  counter(metric("canaryd_watchdog_dumps_total"), record_.dumps_written);
  counter(metric("canaryd_watchdog_dumps_suppressed_total"), record_.dumps_suppressed);
  counter(metric("canaryd_watchdog_dumps_failed_total"), record_.dumps_failed);
  text_.family(metric("canaryd_dump_helper_up"));
  text_.series().value(record_.dump_helper_up.load(memory_order_relaxed));
  counter(metric("canaryd_dump_helper_restarts_total"), record_.dump_helper_restarts);
  counter(metric("canaryd_watchdog_runs_cancelled_total"), record_.runs_cancelled);
  counter(metric("canaryd_watchdog_lines_dropped_total"), record_.lines_dropped);
  text_.family(metric("canaryd_watchdog_disturbances_total"));
  for (std::size_t i = 0; i < kDisturbances; ++i) {
    text_.series()
        .label(to_text(static_cast<Disturbance>(i)))
        .value(record_.disturbances.data()[i].load(memory_order_relaxed));
  }
  counter(metric("canaryd_watchdog_ticks_total"), record_.ticks);
  if (std::int64_t const tick = record_.tick_ns.load(memory_order_relaxed); tick != 0) {
    text_.family(metric("canaryd_watchdog_last_tick_timestamp_seconds"));
    instant(tick);
  }
  histogram(metric("canaryd_watchdog_lateness_seconds"), record_.lateness,
            static_cast<std::int64_t>(record_.lateness_sum_ns.load(memory_order_relaxed)));
}

void Page::lag() {
  runtime::LoopRecord const& loop = view_.tables.loop();
  histogram(metric("canaryd_executor_heartbeat_lag_seconds"), loop.lag,
            static_cast<std::int64_t>(loop.lag_sum_ns.load(memory_order_relaxed)));
}

// Whole seconds, as /-/healthy says it otherwise.
void write_reason(EmergencyView const& view, EmergencyTexts& texts) {
  HealthText reason = why_it_stands(view.record, view.tables, view.now_ns);
  if (!reason.view().empty()) reason.add(", and ");
  reason.add("the HTTP server has not answered for ");
  reason.number(static_cast<std::uint64_t>(view.silent_ns / kSecond)).add(" s");
  copy_text(texts.reason, reason.view());
  copy_text(texts.not_live, why_not_live(view.record, view.now_ns).view());
}

}  // namespace

void write_emergency_texts(EmergencyView const& view, EmergencyTexts& texts) {
  texts.written_ns = view.now_ns;
  Page page{view, texts};
  texts.page_size = static_cast<std::uint32_t>(page.write());
  write_reason(view, texts);
}

}  // namespace canary::watchdog
