// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/tell/sentence.h"

#include "daemon/watchdog/tell/health.h"
#include "runtime/tables.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

void write_incident(Sentence& sentence, Incident const& worst, std::size_t others) {
  // Whole seconds, so that the sentence changes once a second.
  sentence.add(to_text(worst.subject)).add(" ").add(to_text(worst.level)).add(": ");
  sentence.add(to_text(worst.verdict)).add(" for ").number(worst.age_ns / kSecond).add(" s");
  if (worst.name.data()[0] != 0) sentence.add(", ").add(worst.name);
  if (worst.file != 0) sentence.add(", ");
  if (worst.file != 0) add_site(sentence, worst);
  if (others > 0) sentence.add("; ").number(others).add(" more");
}

void write_step(Sentence& sentence, std::string_view step) {
  if (!step.empty()) sentence.add(": ").add(step);
}

void write_phase(Sentence& sentence, Record const& record, PhaseView const& view) {
  using Phase = PhaseView::Phase;
  if (view.phase == Phase::running) {
    sentence.add(view.words.empty() ? std::string_view{"monitoring"} : view.words);
    std::uint32_t const quarantined = record.quarantined_count.load(std::memory_order_relaxed);
    if (quarantined > 0) sentence.add("; probes in quarantine: ").number(quarantined);
    return;
  }
  sentence.add(view.phase == Phase::starting    ? "starting"
               : view.phase == Phase::reloading ? "reloading"
                                                : "stopping");
  write_step(sentence, view.step);
  if (view.phase == Phase::stopping && view.runs > 0) {
    sentence.add("; runs that unwind: ").number(view.runs);
  }
}

}  // namespace

void add_site(FixedText& text, Incident const& incident) {
  if (incident.operation != 0) text.add(runtime::text_at(incident.operation)).add(" ");
  if (incident.file != 0) {
    text.add(runtime::text_at(incident.file)).add(":").number(incident.line);
  } else {
    text.add(runtime::text_at(incident.function));
  }
}

void write_sentence(Sentence& sentence, Incidents const& incidents, Record const& record,
                    PhaseView const& phase, std::int64_t now_ns) {
  Incident const* worst = nullptr;
  std::size_t open = 0;
  for (std::size_t i = 0; i < kIncidents; ++i) {
    if (!incidents.is_open(i) || incidents.at(i).level < Level::stalled) continue;
    ++open;
    Incident const& incident = incidents.at(i);
    bool const loop_first = worst != nullptr && worst->subject == Subject::loop;
    if (worst == nullptr || (!loop_first && incident.level > worst->level)) worst = &incident;
  }
  if (worst != nullptr) {
    write_incident(sentence, *worst, open - 1);
  } else if (record.executor_stands() && runtime::tables() != nullptr) {
    sentence.add(why_it_stands(record, *runtime::tables(), now_ns).view());
  } else {
    write_phase(sentence, record, phase);
  }
}

}  // namespace canary::watchdog
