// SPDX-License-Identifier: Apache-2.0
// What follows from a judgement: counts, lines, dumps, cancels, systemd, the end of the process.
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/sentinel.h"
#include "daemon/watchdog/tell/health.h"

namespace canary::watchdog {
namespace {

using runtime::RunRecord;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kEndAfter = 2 * kSecond;   // from dead to the end
constexpr std::int64_t kKillAfter = 5 * kSecond;  // from the signal to _exit
constexpr int kExitFailure = 1;

void count(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(memory_order_relaxed) + 1, memory_order_relaxed);
}

std::string_view text_of(ProbeText const& text) {
  std::size_t size = 0;
  while (size < text.size() && text.data()[size] != 0) ++size;
  return {text.data(), size};
}

// "steady_timer async_wait probes/fetch/client.cc:88"
void add_site(FixedText& text, Incident const& incident) {
  if (incident.operation != 0) text.add(runtime::text_at(incident.operation)).add(" ");
  if (incident.file != 0) {
    text.add(runtime::text_at(incident.file)).add(":").number(incident.line);
  } else {
    text.add(runtime::text_at(incident.function));
  }
}

void wake(int descriptor) {
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const ignored = ::write(descriptor, &one, sizeof one);
}

}  // namespace

void Sentinel::report(Incident const& judged) {
  Step const step = incidents_.report(judged, now_ns_);
  if (step.effects != 0) act(step);
}

void Sentinel::act(Step const& step) {
  Incident const& incident = step.incident;
  if ((step.effects & Effect::over) != 0) {
    if (step.from >= Level::stalled) {
      say(Line::Kind::over, incident, incident.age_ns, step.suppressed);
    }
    if (dying_ns_ != 0 && incident.subject == dying_.subject) dying_ns_ = 0;
    if (is_vital(incident.subject) && step.from >= Level::hung) note_hung(false);
    return;
  }
  if ((step.effects & Effect::count) != 0) {
    raised_ns_ = now_ns_;
    publish_incidents();  // before the dump, which takes time
    auto& levels = record_.stalls.data()[static_cast<std::size_t>(incident.subject)];
    for (auto level = static_cast<std::size_t>(step.from) + 1;
         level <= static_cast<std::size_t>(step.to); ++level) {
      count(levels.data()[level]);
    }
    if (step.from < Level::stalled && step.to >= Level::stalled) {
      count(record_.verdicts.data()[static_cast<std::size_t>(incident.verdict)]);
    }
  }
  if (is_vital(incident.subject) && step.to >= Level::hung) note_hung(true);
  if ((step.effects & Effect::log) != 0) say(Line::Kind::stall, incident, incident.age_ns);
  if ((step.effects & Effect::suppressed) != 0) {
    count(record_.dumps_suppressed);
    say(Line::Kind::suppressed, incident, 0, step.suppressed);
  }
  // What recovers comes before what takes time; the dump still sees the run, which unwinds later.
  if ((step.effects & Effect::dump) != 0) start_dump(&incident, to_text(step.to), 0);
  if ((step.effects & Effect::cancel_run) != 0) cancel_run(incident);
  if ((step.effects & Effect::mark_stalled) != 0) mark_stalled(incident);
  if ((step.effects & Effect::remember) != 0) remember(step);
  if ((step.effects & Effect::culprit) != 0) count_for_quarantine(incident);
  if ((step.effects & Effect::die) != 0 && dying_ns_ == 0) {
    dying_ns_ = now_ns_;
    dying_ = incident;
    say(Line::Kind::dying, incident, kEndAfter);
  }
}

void Sentinel::remember(Step const& step) {
  LastStall last;
  last.wall_ns = around_.wall_ns;
  last.incident = step.incident;
  ShortText<159> site;
  add_site(site, step.incident);
  copy_text(last.site, site.view());
  record_.last_stall.store(last);
  memory_.has_stall = 1;
  memory_.stall = last;
  memory_.last_incident = incidents_.last_id();
  publish_memory();
}

void Sentinel::count_for_quarantine(Incident const& incident) {
  runtime::Tables* const tables = runtime::tables();
  if (tables == nullptr || incident.run >= tables->runs().size()) return;
  RunRecord const& run = tables->runs().data()[incident.run];
  if (run.kind.load(memory_order_relaxed) != RunRecord::probe) return;
  bool const fresh = note_culprit(block_->culprits, text_of(incident.name), around_.wall_ns,
                                  settings_.quarantine_after, settings_.quarantine_window_ns);
  publish_memory();
  if (!fresh) return;
  publish_quarantine();
  say(Line::Kind::quarantined, incident, settings_.quarantine_window_ns,
      static_cast<std::uint64_t>(settings_.quarantine_after));
}

// Another thread writes it down.
void Sentinel::publish_memory() {
  block_->memory.store(memory_);
  block_->changes.store(block_->changes.load(memory_order_relaxed) + 1, memory_order_release);
  wake(setup_.memory);
}

void Sentinel::publish_quarantine() {
  std::uint32_t held = 0;
  std::size_t const count = block_->culprits.count.load(memory_order_relaxed);
  for (std::size_t i = 0; i < count; ++i) {
    Culprit each;
    if (block_->culprits.places.data()[i].load(each) && each.quarantined != 0) ++held;
  }
  record_.quarantined_count.store(held, memory_order_release);
}

void Sentinel::cancel_run(Incident const& incident) {
  runtime::Tables* const tables = runtime::tables();
  if (tables == nullptr || incident.run >= tables->runs().size()) return;
  RunRecord& run = tables->runs().data()[incident.run];
  if (run.generation.load(memory_order_acquire) != incident.generation) return;
  if (run.state.load(memory_order_relaxed) != RunRecord::running) return;
  run.ask_cancel.store(incident.generation, memory_order_release);
  wake(setup_.cancel);
  count(record_.runs_cancelled);
  say(Line::Kind::cancelled, incident, incident.age_ns);
}

void Sentinel::mark_stalled(Incident const& incident) {
  runtime::Tables* const tables = runtime::tables();
  if (tables == nullptr || incident.run >= tables->runs().size()) return;
  RunRecord& run = tables->runs().data()[incident.run];
  if (run.generation.load(memory_order_acquire) != incident.generation) return;
  run.stalled.store(incident.generation, memory_order_release);
  say(Line::Kind::not_unwound, incident, incident.age_ns);
}

void Sentinel::publish_incidents() {
  std::uint32_t current = 0;
  Level executor = Level::fine;
  vital_hung_ = false;
  for (std::size_t i = 0; i < kIncidents; ++i) {
    if (incidents_.is_open(i)) {
      Incident const& incident = incidents_.at(i);
      record_.incidents.data()[i].store(incident);
      shown_.data()[i] = true;
      ++current;
      if (incident.subject == Subject::loop) executor = incident.level;
      if (is_vital(incident.subject) && incident.level >= Level::hung) vital_hung_ = true;
    } else if (shown_.data()[i]) {
      record_.incidents.data()[i].store(Incident{});
      shown_.data()[i] = false;
    }
  }
  record_.current_incidents.store(current, memory_order_relaxed);
  record_.incidents_lost.store(incidents_.lost(), memory_order_relaxed);
  record_.executor_level.store(static_cast<std::uint8_t>(executor), memory_order_release);
}

void Sentinel::say(Line::Kind kind, Incident const& incident, std::int64_t nanoseconds,
                   std::uint64_t number) {
  Line line;
  line.kind = kind;
  line.incident = incident;
  line.nanoseconds = nanoseconds;
  line.count = number;
  push(line);
}

void Sentinel::push(Line const& line) {
  Line timed = line;
  timed.wall_ns = around_.wall_ns;
  if (lines_.push(timed)) {
    wake(lines_.wake_descriptor());
  } else {
    count(record_.lines_dropped);
  }
}

void Sentinel::end_if_due() {
  std::int64_t const limit = inputs_.stop_limit_ns.load(memory_order_acquire);
  if (limit != 0 && for_all_.age(limit, now_ns_, bound_of(kSecond)) > 0) {
    if (!stop_dumped_) {
      stop_dumped_ = true;
      Incident about;
      about.subject = Subject::loop;
      about.level = Level::dead;
      about.since_ns = limit;
      copy_text(about.name, "stop");
      say(Line::Kind::dying, about);
      note_hung(true);
      start_dump(nullptr, "stop", record_.dumps_asked.load(memory_order_relaxed) + 1);
    } else if (for_all_.age(limit, now_ns_, bound_of(kSecond)) > kSecond) {
      give_up();
    }
  }
  if (dying_ns_ == 0 || settings_.on_dead == OnDead::report || dump_open_) return;
  if (for_all_.age(dying_ns_, now_ns_, bound_of(kEndAfter)) >= kEndAfter) end_process();
}

void Sentinel::end_process() {
  if (killed_ns_ != 0) {
    // The signal did not end us. A thread in uninterruptible sleep keeps even this from ending.
    if (now_ns_ - killed_ns_ >= kKillAfter) give_up();
    return;
  }
  killed_ns_ = now_ns_;
  memory_.last_incident = incidents_.last_id();
  publish_memory();
  keep_alive_time();
  inputs_.listeners.close();
  if (settings_.on_dead == OnDead::exec) exec_anew();
  // The first process of a PID namespace takes no signal from within, and has the same status.
  if (setup_.process == 1) ::_exit(128 + SIGABRT);
  // To the stuck thread, so that a core's current thread is the culprit. One that ended takes no
  // signal, not even main, which stays as a zombie: then to whoever does.
  bool const there = dying_.thread != 0 && dying_.verdict != Verdict::ended;
  if (!there || ::syscall(SYS_tgkill, setup_.process, dying_.thread, SIGABRT) != 0) {
    ::syscall(SYS_kill, setup_.process, SIGABRT);
  }
}

void Sentinel::give_up() {
  inputs_.listeners.close();
  ::_exit(kExitFailure);
}

// Returns only when it failed.
void Sentinel::exec_anew() {
  if (setup_.arguments == nullptr) return;
  sigset_t ours;
  ::pthread_sigmask(SIG_SETMASK, &setup_.signals, &ours);
  // It is this thread's that the new program would have.
  ::syscall(SYS_setpriority, PRIO_PROCESS, 0, setup_.niceness);
  ::execve("/proc/self/exe", setup_.arguments, setup_.environment);
  ::pthread_sigmask(SIG_SETMASK, &ours, nullptr);
}

void Sentinel::feed_systemd() {
  if (!notifier_.enabled()) return;
  runtime::Tables* const tables = runtime::tables();
  std::uint64_t const beats =
      tables == nullptr ? 0 : tables->loop().beats.load(memory_order_relaxed);
  // While stopping, the loop's beat ends before the daemon does: the stop has its own limit.
  // What is nobody's fault ends no process: until it is judged hung, it is fed.
  auto const seen = static_cast<Verdict>(record_.executor_verdict.load(memory_order_relaxed));
  bool const nobodys_fault = seen != Verdict::none && seen != Verdict::unknown && !accuses(seen);
  bool const beating = stopping_ || ((beats != beats_pinged_ || nobodys_fault) && !vital_hung_);
  Sentence status;
  write_status(status);
  Notifier::Now const now{.now_ns = now_ns_,
                          .progress = progress(),
                          .beating = beating && dying_ns_ == 0,
                          .status = &status};
  if (notifier_.tick(now)) {
    beats_pinged_ = beats;
    count(record_.notify_pings);
  }
  record_.notify_failures.store(notifier_.failures(), memory_order_relaxed);
}

// Steps of main, and runs that ended since the stop: one that hangs is no progress.
std::uint64_t Sentinel::progress() {
  if (stopping_) {
    if (live_runs_ < draining_) drained_ += draining_ - live_runs_;
    draining_ = live_runs_;
  }
  return inputs_.progress.load(memory_order_acquire) + drained_;
}

// For the next start: what ends this process from now on, it ends a loop that hangs.
void Sentinel::note_hung(bool hung) {
  std::uint32_t const noted = hung ? 1 : 0;
  if (memory_.hung == noted) return;
  memory_.hung = noted;
  publish_memory();
}

void Sentinel::write_step(Sentence& sentence) const {
  std::array<char, 128> step;
  if (!inputs_.step.known() || !inputs_.step.load(step)) return;
  step.back() = 0;
  sentence.add(": ").add(step);
}

void Sentinel::write_status(Sentence& sentence) const {
  Incident const* worst = nullptr;
  std::size_t open = 0;
  for (std::size_t i = 0; i < kIncidents; ++i) {
    if (!incidents_.is_open(i) || incidents_.at(i).level < Level::stalled) continue;
    ++open;
    Incident const& incident = incidents_.at(i);
    bool const loop_first = worst != nullptr && worst->subject == Subject::loop;
    if (worst == nullptr || (!loop_first && incident.level > worst->level)) worst = &incident;
  }
  if (worst != nullptr) {
    // Whole seconds, so that the sentence changes once a second.
    sentence.add(to_text(worst->subject)).add(" ").add(to_text(worst->level)).add(": ");
    sentence.add(to_text(worst->verdict)).add(" for ");
    sentence.number(static_cast<std::uint64_t>(worst->age_ns / kSecond)).add(" s");
    if (!text_of(worst->name).empty()) sentence.add(", ").add(worst->name);
    if (worst->file != 0) sentence.add(", ");
    if (worst->file != 0) add_site(sentence, *worst);
    if (open > 1) sentence.add("; ").number(open - 1).add(" more");
    return;
  }
  if (record_.executor_stands() && runtime::tables() != nullptr) {
    sentence.add(why_it_stands(record_, *runtime::tables(), now_ns_).view());
    return;
  }
  if (stopping_) {
    sentence.add("stopping");
    write_step(sentence);
    if (live_runs_ > 0) sentence.add("; runs that unwind: ").number(live_runs_);
    return;
  }
  if (ready_ == 0 || reloading_ != reloaded_) {
    sentence.add(ready_ == 0 ? "starting" : "reloading");
    write_step(sentence);
    return;
  }
  std::array<char, 128> told;
  if (inputs_.sentence.known() && inputs_.sentence.load(told)) {
    told.back() = 0;
    sentence.add(told);
  } else {
    sentence.add("monitoring");
  }
  std::uint32_t const quarantined = record_.quarantined_count.load(memory_order_relaxed);
  if (quarantined > 0) sentence.add("; probes in quarantine: ").number(quarantined);
}

// A process whose loop hangs watches nothing: the time of a stall counts as blind.
void Sentinel::keep_alive_time() {
  if (now_ns_ - alive_ns_ < kSecond || record_.executor_stands()) return;
  alive_ns_ = now_ns_;
  memory_.alive_wall_ns = around_.wall_ns;
  block_->alive_wall_ns.store(around_.wall_ns, memory_order_relaxed);
}

}  // namespace canary::watchdog
