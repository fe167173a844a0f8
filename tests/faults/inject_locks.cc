// SPDX-License-Identifier: Apache-2.0
// Locks: deadlocks, and hangs of the loop while it holds what others may need.
#include <errno.h>
#include <link.h>
#include <linux/userfaultfd.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/post.hpp>

#include "daemon/log/log.h"
#include "daemon/results/store.h"
#include "tests/faults/inject.h"

namespace canary::faults {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Sleeps without the help of anything that could lock.
void sleep_until(Clock::time_point end) {
  while (Clock::now() < end) {
    timespec const nap{.tv_sec = 0, .tv_nsec = 500'000'000};
    ::nanosleep(&nap, nullptr);
  }
}

[[gnu::noinline]] void locks_twice(Hands const& hands) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  ::pthread_mutex_lock(&mutex);
  later(hands.span, [] { ::pthread_mutex_unlock(&mutex); });
  begins();
  ::pthread_mutex_lock(&mutex);
  ::pthread_mutex_unlock(&mutex);
}

struct Two {
  std::timed_mutex a, b;
  std::atomic<int> held{0};
};

[[gnu::noinline]] bool takes_b_then_a(Two& two, Clock::time_point end) {
  std::lock_guard const first{two.b};
  two.held.fetch_add(1);
  while (two.held.load() < 2) std::this_thread::yield();
  return two.a.try_lock_until(end);
}

// Both give up at the end, if there is one.
[[gnu::noinline]] void takes_a_then_b(Hands const& hands) {
  static Two two;
  auto const end = end_of(hands);
  never_waited_for(hands.parts.cpu.start(hands.parts.loop.executor(),
                                         [end] { return takes_b_then_a(two, end); }));
  std::lock_guard const first{two.a};
  two.held.fetch_add(1);
  while (two.held.load() < 2) std::this_thread::yield();
  begins();
  if (two.b.try_lock_until(end)) two.b.unlock();
}

[[gnu::noinline]] bool waits_for_the_loop(runtime::Executor const& executor,
                                          std::promise<void>& done) {
  std::promise<void> turn;
  auto const turned = turn.get_future();
  boost::asio::post(executor, [&turn] { turn.set_value(); });
  turned.wait();
  done.set_value();
  return true;
}

// The loop waits for a worker that waits for the loop.
[[gnu::noinline]] void waits_for_a_worker(Hands const& hands) {
  static std::promise<void> done;
  auto const result = done.get_future();
  auto const executor = hands.parts.loop.executor();
  never_waited_for(
      hands.parts.cpu.start(executor, [executor] { return waits_for_the_loop(executor, done); }));
  begins();
  result.wait_until(end_of(hands));
}

// The calling thread alone, on one processor, and only while nobody else wants it.
class LastInLine {
 public:
  LastInLine() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    ::sched_getparam(0, &parameter_);
    ::sched_setaffinity(0, sizeof one_, &one_);
    sched_param const idle{};
    ::sched_setscheduler(0, SCHED_IDLE, &idle);
  }
  ~LastInLine() {
    ::sched_setscheduler(0, SCHED_OTHER, &parameter_);
    ::sched_setaffinity(0, sizeof before_, &before_);
  }
  LastInLine(LastInLine const&) = delete;
  LastInLine& operator=(LastInLine const&) = delete;

  static cpu_set_t one() {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(::sched_getcpu(), &set);
    return set;
  }

 private:
  cpu_set_t before_{}, one_ = one();
  sched_param parameter_{};
};

void computes_until(Clock::time_point end) {
  while (Clock::now() < end) {
  }
}

// Has the lock, and would be done at once, had it a processor.
bool holds_it_starved(std::mutex& mutex, std::promise<void>& held, Clock::time_point end) {
  std::thread rival;
  {
    std::lock_guard const lock{mutex};
    rival = std::thread{[set = LastInLine::one(), end] {
      ::sched_setaffinity(0, sizeof set, &set);
      computes_until(end);
    }};
    LastInLine const last;
    held.set_value();
    computes_until(end);
  }
  rival.join();
  return true;
}

void waits_for_a_starved_holder(Hands const& hands) {
  static std::mutex mutex;
  static std::promise<void> held;
  auto const now_held = held.get_future();
  auto const end = end_of(hands);
  never_waited_for(hands.parts.cpu.start(hands.parts.loop.executor(),
                                         [end] { return holds_it_starved(mutex, held, end); }));
  now_held.wait();
  begins();
  std::lock_guard const lock{mutex};
}

int hangs_in_the_linker(dl_phdr_info*, std::size_t, void* hands) {
  begins();
  sleep_until(end_of(*static_cast<Hands const*>(hands)));
  return 1;
}

[[gnu::noinline]] void holds_the_linker(Hands const& hands) {
  ::dl_iterate_phdr(hangs_in_the_linker, const_cast<Hands*>(&hands));
}

[[gnu::noinline]] void holds_stdio(Hands const& hands) {
  ::flockfile(stdout);
  ::flockfile(stderr);
  begins();
  sleep_until(end_of(hands));
  ::funlockfile(stderr);
  ::funlockfile(stdout);
}

// What a reader of /metrics holds: the results that are being shown.
[[gnu::noinline]] void holds_the_metrics(Hands const& hands) {
  auto const reading = hands.parts.results.read();
  begins();
  sleep_until(end_of(hands));
}

// Memory whose pages come once the span is over.
class MissingPage {
 public:
  explicit MissingPage(std::chrono::milliseconds span) {
    descriptor_ = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
    uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
    memory_ = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uffdio_register range{};
    range.range = {.start = reinterpret_cast<std::uintptr_t>(memory_), .len = kBytes};
    range.mode = UFFDIO_REGISTER_MODE_MISSING;
    if (descriptor_ < 0 || ::ioctl(descriptor_, UFFDIO_API, &api) != 0 ||
        ::ioctl(descriptor_, UFFDIO_REGISTER, &range) != 0) {
      throw std::runtime_error("userfaultfd cannot be had");
    }
    later(span, [descriptor = descriptor_, start = range.range.start] {
      uffdio_zeropage page{.range = {.start = start, .len = kBytes}, .mode = 0, .zeropage = 0};
      ::ioctl(descriptor, UFFDIO_ZEROPAGE, &page);
    });
  }
  std::string_view text() const { return {static_cast<char const*>(memory_), kBytes / 8}; }

 private:
  static constexpr std::size_t kBytes = 4096;
  int descriptor_ = -1;
  void* memory_ = nullptr;
};

[[gnu::noinline]] void touches_a_missing_page(Hands const& hands) {
  MissingPage const page{hands.span};
  begins();
  // Volatile: a value that nobody uses would never be read.
  [[maybe_unused]] char const seen = *static_cast<char const volatile*>(page.text().data());
}

// In the middle of a line, with its place in the ring taken.
[[gnu::noinline]] void holds_the_logger(Hands const& hands) {
  MissingPage const page{hands.span};
  begins();
  hands.parts.log.info("a line that does not end", {{"text", page.text()}});
}

// --- malloc's lock -------------------------------------------------------------------------------

constexpr int kFreeze = 9;  // SIGRTMIN + 9
std::atomic<int> frozen{0};
std::atomic<bool> go_on{false};

// On the loop's thread, wherever it is: stays there until told to go on.
void stays_inside_malloc(int) {
  int const saved = errno;
  frozen.store(1);
  while (!go_on.load()) {
    timespec const nap{.tv_sec = 0, .tv_nsec = 2'000'000};
    ::nanosleep(&nap, nullptr);
  }
  frozen.store(0);
  errno = saved;
}

// Is the arena locked? Frees a chunk of it on a thread that may hang over that, which is there
// already: starting one needs the allocator.
class Tester {
 public:
  Tester() {
    std::thread{[state = state_] {
      for (void* chunk = nullptr;; chunk = nullptr) {
        while ((chunk = state->chunk.load()) == nullptr) std::this_thread::sleep_for(200us);
        if (chunk == state) return;
        std::free(chunk);
        state->chunk.store(nullptr);
      }
    }}.detach();
  }
  ~Tester() {
    void* none = nullptr;
    state_->chunk.compare_exchange_strong(none, state_);
  }
  bool arena_is_locked(void* chunk) {
    state_->chunk.store(chunk);
    for (int i = 0; i < 50 && state_->chunk.load() != nullptr; ++i) {
      timespec const nap{.tv_sec = 0, .tv_nsec = 1'000'000};
      ::nanosleep(&nap, nullptr);
    }
    return state_->chunk.load() != nullptr;
  }

 private:
  struct State {
    std::atomic<void*> chunk{nullptr};
  };
  State* const state_ = new State;  // the thread's as well, which may outlive us
};

// Stops `thread` again and again until it holds the lock, and keeps it there for the span.
void freeze_inside_malloc(pthread_t thread, std::vector<void*> const& chunks,
                          std::chrono::milliseconds span) {
  Tester tester;
  for (void* const chunk : chunks) {
    go_on.store(false);
    ::pthread_kill(thread, SIGRTMIN + kFreeze);
    while (frozen.load() == 0) std::this_thread::yield();
    if (tester.arena_is_locked(chunk)) {
      begins();
      sleep_until(Clock::now() + (span == 0ms ? 24h : span));
      go_on.store(true);
      return;
    }
    go_on.store(true);
    while (frozen.load() == 1) std::this_thread::yield();
  }
}

// Of the calling thread's arena: chunks that no thread's own cache takes, and many free ones for
// trimming to visit.
struct Heap {
  std::vector<void*> chunks, filling;
};
Heap make_heap() {
  Heap heap;
  for (int i = 0; i < 200; ++i) heap.chunks.push_back(std::malloc(3'000));
  for (int i = 0; i < 40'000; ++i) heap.filling.push_back(std::malloc(1'200));
  for (std::size_t i = 0; i < heap.filling.size(); i += 2) std::free(heap.filling[i]);
  return heap;
}

[[gnu::noinline]] void holds_the_arena(Heap const& heap, std::chrono::milliseconds span) {
  struct sigaction action{};
  action.sa_handler = stays_inside_malloc;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGRTMIN + kFreeze, &action, nullptr);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + kFreeze);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  static std::atomic<bool> over;
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread freezer{[thread = ::pthread_self(), &heap, span] {
    freeze_inside_malloc(thread, heap.chunks, span);
    over.store(true);
  }};
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  while (!over.load()) ::malloc_trim(0);
  freezer.join();
  for (std::size_t i = 1; i < heap.filling.size(); i += 2) std::free(heap.filling[i]);
}

void holds_its_arena(Hands const& hands) { holds_the_arena(make_heap(), hands.span); }

}  // namespace

void add_lock_faults(std::map<std::string, Fault>& faults) {
  faults["self-lock"] = locks_twice;
  faults["ab-ba"] = takes_a_then_b;
  faults["loop-and-pool"] = waits_for_a_worker;
  faults["lock-of-a-starved"] = waits_for_a_starved_holder;
  faults["hold-linker"] = holds_the_linker;
  faults["hold-stdio"] = holds_stdio;
  faults["hold-metrics"] = holds_the_metrics;
  faults["hold-logger"] = holds_the_logger;
  faults["hold-malloc"] = holds_its_arena;
  faults["page-fault"] = touches_a_missing_page;
}

}  // namespace canary::faults
