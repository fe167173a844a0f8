// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/watchdog.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/act/memory_writer.h"
#include "daemon/watchdog/own_thread.h"
#include "daemon/watchdog/sentinel.h"
#include "daemon/watchdog/settings.h"
#include "daemon/watchdog/start_anew.h"
#include "daemon/watchdog/tell/counters.h"
#include "daemon/watchdog/tell/emergency_server.h"
#include "runtime/crash.h"

namespace canary::watchdog {
namespace {

constexpr std::size_t kStack = 256 * 1024;
constexpr char kMemoryFile[] = "watchdog-memory";

std::int64_t wall_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string boot_id() {
  std::ifstream file{"/proc/sys/kernel/random/boot_id"};
  std::string id;
  file >> id;
  return id;
}

// What others tell, what the watchdog tells, and the watchdog itself: memory of its own, which
// never is paged out where that is allowed.
struct Shared {
  Inputs inputs;
  Record record;
  WatchdogLines lines;
  EmergencyBoard emergency;
};

void* watch(void* self) {
  enter_own_thread("watchdog");
  static_cast<Sentinel*>(self)->run();
  return nullptr;
}

void* answer(void* self) {
  enter_own_thread("emergency");
  static_cast<EmergencyServer*>(self)->run();
  return nullptr;
}

// Whom dump_before_crash() asks; null: there is no watchdog.
constinit std::atomic<Shared*> watched{nullptr};
constinit std::atomic<int> watched_wake{-1};

// Of a process that ends by a defect: the watchdog dumps it, seconds at most, and the listeners are
// closed.
void dump_before_crash(char const*) {
  Shared* const shared = watched.load(std::memory_order_acquire);
  if (shared == nullptr) return;
  std::uint32_t none = 0;
  if (!shared->inputs.ending.compare_exchange_strong(none, 1)) return;
  watchdog::wake(watched_wake.load(std::memory_order_acquire));
  constexpr int kRounds = 500;
  timespec const pause{.tv_sec = 0, .tv_nsec = 10'000'000};
  for (int i = 0; i < kRounds && shared->inputs.ending.load(std::memory_order_acquire) != 2; ++i) {
    ::nanosleep(&pause, nullptr);
  }
  shared->inputs.listeners.close();
}

}  // namespace

struct Watchdog::Impl {
  explicit Impl(Options const& options) {
    if (wake < 0 || cancel < 0 || line < 0 || emergency_wake < 0 || nothing < 0) {
      throw std::system_error(errno, std::generic_category(), "no descriptors for the watchdog");
    }
    shared->lines.set_wake_descriptor(line);
    shared->inputs.settings.store(settings_of(options.settings));
    note_on_dead(options.settings);
    bool const early = options.memory_directory.empty();
    if (early) {
      fill(*early_block, begin_memory({}, wall_ns(), ::getpid(), boot_id()));
    } else {
      read_memory(options);
    }

    Setup setup;
    setup.dumper = options.dumper;
    setup.notify = notify_address(std::getenv("NOTIFY_SOCKET"), std::getenv("WATCHDOG_USEC"),
                                  std::getenv("WATCHDOG_PID"), ::getpid());
    setup.arguments = anew.arguments();
    setup.environment = anew.environment();
    setup.niceness = ::getpriority(PRIO_PROCESS, 0);
    setup.process = ::getpid();
    setup.processors = static_cast<int>(std::thread::hardware_concurrency());
    setup.wake = wake;
    setup.cancel = cancel;
    setup.memory = early ? -1 : memory->wake();
    setup.emergency = &shared->emergency;
    setup.emergency_wake = emergency_wake;
    setup.stack_low = reinterpret_cast<std::uintptr_t>(stack.get());
    setup.stack_high = setup.stack_low + stack.size();
    setup.job = runtime::text_offset("watch");
    ::pthread_sigmask(SIG_SETMASK, nullptr, &setup.signals);
    sentinel =
        new (sentinel_pages.get()) Sentinel{setup, shared->inputs, shared->record, shared->lines,
                                            early ? *early_block : memory->block()};
    emergency = new (emergency_pages.get()) EmergencyServer{
        shared->emergency,
        shared->record,
        emergency_wake,
        {.low = reinterpret_cast<std::uintptr_t>(emergency_stack.get()),
         .high = reinterpret_cast<std::uintptr_t>(emergency_stack.get()) + emergency_stack.size()}};
    emergency_thread = start_thread(emergency_stack, &answer, emergency);
    try {
      thread = start_thread(stack, &watch, sentinel);
    } catch (std::system_error const&) {
      end_emergency();
      throw;
    }
    watched_wake.store(wake);
    watched.store(shared, std::memory_order_release);
    runtime::set_crash_handler(&dump_before_crash);
  }

  // What the last start left behind, and the block of this one.
  void read_memory(Options const& options) {
    memory.emplace(options.memory_directory / kMemoryFile, options.dump_writer);
    std::string const boot = boot_id();
    std::int64_t const now = wall_ns();
    shared->record.previous = previous_run(memory->found().memory, now, boot, options.crash);
    fill(memory->block(), begin_memory(memory->found(), now, ::getpid(), boot));
    memory->begin();
    shared->record.culprits = &memory->block().culprits;
  }

  void adopt(Options const& options) {
    shared->inputs.settings.store(settings_of(options.settings));
    note_on_dead(options.settings);
    read_memory(options);
    shared->inputs.adopted = {
        .block = &memory->block(), .memory = memory->wake(), .dumper = options.dumper};
    shared->inputs.adopt.store(1, std::memory_order_release);
    watchdog::wake(wake);
    // It comes with the next tick; a watchdog that stands still is missed by the loop, later.
    constexpr int kRounds = 1'000;
    timespec const pause{.tv_sec = 0, .tv_nsec = 1'000'000};
    for (int i = 0; i < kRounds && shared->inputs.adopt.load(std::memory_order_acquire) != 2; ++i) {
      ::nanosleep(&pause, nullptr);
    }
  }

  // The threads end before their memory does.
  ~Impl() {
    end();
    shared->~Shared();
    for (int const descriptor : {wake, cancel, line, emergency_wake, nothing}) ::close(descriptor);
  }

  void end() {
    if (ended) return;
    ended = true;
    watched.store(nullptr);
    shared->inputs.end.store(true, std::memory_order_release);
    watchdog::wake(wake);
    ::pthread_join(thread, nullptr);
    sentinel->~Sentinel();
    end_emergency();
    if (memory) memory->end();
  }

  void end_emergency() {
    emergency->end();
    watchdog::wake(emergency_wake);
    ::pthread_join(emergency_thread, nullptr);
    emergency->~EmergencyServer();
  }

  void note_on_dead(config::WatchdogSettings const& settings) {
    only_reports.store(settings.on_dead == config::WatchdogSettings::OnDead::report);
  }

  // Systemd hears of it at once, not with the next tick.
  void tell(std::atomic<std::uint32_t>& phase) const {
    phase.fetch_add(1);
    watchdog::wake(wake);
  }

  int const wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int const cancel = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int const line = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int const emergency_wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int const nothing = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);  // for sockets that are taken
  Pages shared_pages{sizeof(Shared)};
  Pages sentinel_pages{sizeof(Sentinel)};
  Pages stack{kStack};
  Pages emergency_pages{sizeof(EmergencyServer)};
  Pages emergency_stack{kStack};
  Shared* const shared = new (shared_pages.get()) Shared;
  Sentinel* sentinel = nullptr;
  EmergencyServer* emergency = nullptr;
  StartAnew anew;
  MappedBlock const early_block;  // until there is the one that is kept
  std::optional<MemoryWriter> memory;
  pthread_t thread{}, emergency_thread{};
  std::atomic<bool> only_reports{false};
  bool ended = false;
};

Watchdog::Watchdog(Options const& options) : impl_(std::make_unique<Impl>(options)) {}
Watchdog::~Watchdog() = default;
void Watchdog::end() { impl_->end(); }
void Watchdog::adopt(Options const& options) { impl_->adopt(options); }

Record const& Watchdog::record() const { return impl_->shared->record; }
WatchdogLines& Watchdog::lines() { return impl_->shared->lines; }
std::string const& Watchdog::trouble() const {
  static std::string const none;
  return impl_->memory ? impl_->memory->trouble() : none;
}
int Watchdog::cancel_descriptor() const { return impl_->cancel; }

void Watchdog::progressed(std::string_view step) {
  std::array<char, 128> text;
  copy_text(text, step);
  impl_->shared->inputs.step.store(text);
  impl_->shared->inputs.progress.fetch_add(1);
  watchdog::wake(impl_->wake);
}
void Watchdog::goes_on() {
  impl_->shared->inputs.progress.fetch_add(1);
  watchdog::wake(impl_->wake);
}
void Watchdog::ready() { impl_->tell(impl_->shared->inputs.ready); }
void Watchdog::reloading() { impl_->tell(impl_->shared->inputs.reloading); }
void Watchdog::reloaded() { impl_->tell(impl_->shared->inputs.reloaded); }

void Watchdog::stopping(std::chrono::milliseconds limit) {
  impl_->shared->inputs.stop_limit_ns.store(runtime::now_ns() + nanoseconds(limit),
                                            std::memory_order_release);
  watchdog::wake(impl_->wake);
}

void Watchdog::describe(std::string_view sentence) {
  std::array<char, 128> text;
  copy_text(text, sentence);
  impl_->shared->inputs.sentence.store(text);
}

void Watchdog::set_settings(config::WatchdogSettings const& settings) {
  impl_->shared->inputs.settings.store(settings_of(settings));
  impl_->note_on_dead(settings);
}

void Watchdog::set_resolve_limit(std::chrono::milliseconds limit) {
  impl_->shared->inputs.resolve_ns.store(nanoseconds(limit), std::memory_order_relaxed);
}

void Watchdog::dump_helper(bool up, std::uint64_t restarts) {
  auto& record = impl_->shared->record;
  record.dump_helper_up.store(up ? 1 : 0, std::memory_order_relaxed);
  record.dump_helper_restarts.store(restarts, std::memory_order_relaxed);
}

void Watchdog::stands_still(bool still) {
  impl_->shared->record.watchdog_stalled.store(still ? 1 : 0, std::memory_order_release);
}

bool Watchdog::only_reports() const { return impl_->only_reports.load(); }

void Watchdog::close_listeners() { impl_->shared->inputs.listeners.close(); }

SelfChannels& Watchdog::asking() { return impl_->shared->inputs.asking; }

Answering& Watchdog::answering() { return impl_->shared->inputs.answering; }

void Watchdog::answer_for_server_on(std::span<int const> sockets, std::string_view preamble,
                                    std::size_t inherited) {
  PreambleText text;
  // Half a line would spoil the page.
  auto const fits = preamble.substr(0, text.size() - 1);
  copy_text(text, fits.substr(0, fits.rfind('\n') + 1));
  impl_->shared->inputs.preamble.store(text);
  impl_->shared->inputs.listeners.hold(sockets, inherited);
  std::vector<int> handed_on;
  for (int const socket : sockets.first(inherited)) {
    int const copy = ::fcntl(socket, F_DUPFD_CLOEXEC, HandedOn::kAbove);
    if (copy >= 0) handed_on.push_back(copy);
  }
  if (!handed_on.empty()) impl_->anew.announce(handed_on.size());
  impl_->shared->inputs.handed_on.keep(handed_on);
  std::vector<int> copies;
  for (int const socket : sockets) {
    int const copy = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0) ::fcntl(copy, F_SETFL, ::fcntl(copy, F_GETFL) | O_NONBLOCK);
    copies.push_back(copy);
  }
  impl_->shared->inputs.listeners.hold(copies, inherited);
  std::size_t const taken = impl_->emergency->listen_on(copies);
  impl_->shared->inputs.takeover.hold(sockets, copies, impl_->nothing);
  for (std::size_t i = taken; i < copies.size(); ++i) ::close(copies[i]);
}

void Watchdog::guard_listeners(std::size_t first) { impl_->shared->emergency.set_guarded(first); }

void Watchdog::leave_server_alone() {
  impl_->shared->inputs.takeover.leave_alone();
  impl_->shared->inputs.listeners.forget();
  impl_->emergency->withdraw();
  watchdog::wake(impl_->emergency_wake);
}

std::uint64_t Watchdog::request_dump() {
  std::uint64_t const request = impl_->shared->record.dumps_asked.fetch_add(1) + 1;
  watchdog::wake(impl_->wake);
  return request;
}

bool Watchdog::quarantined(std::string_view probe) const {
  Record const& record = impl_->shared->record;
  if (record.quarantined_count.load(std::memory_order_acquire) == 0) return false;
  bool found = false;
  record.each_quarantined([&](ProbeText const& name) {
    found = probe == std::string_view{name.data()};
    return !found;
  });
  return found;
}

void Watchdog::lift_quarantine() { impl_->shared->inputs.lift_quarantine.fetch_add(1); }

}  // namespace canary::watchdog
