// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/capture/capture.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/sanitizer.h"

namespace canary::dump {
namespace {

// A thread that works until the test ends.
class Busy {
 public:
  template <class Work>
  explicit Busy(Work work)
      : thread_([this, work] {
          CaptureStack const stack;
          id_.store(::gettid());
          while (!stop_.load(std::memory_order_relaxed)) work();
        }) {
    while (id_.load() == 0) std::this_thread::yield();
  }
  ~Busy() {
    stop_.store(true);
    thread_.join();
  }
  Busy(Busy const&) = delete;
  Busy& operator=(Busy const&) = delete;
  std::int32_t id() const { return id_.load(); }

 private:
  std::atomic<std::int32_t> id_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// A thread that waits in the kernel for a byte.
class Asleep {
 public:
  explicit Asleep(bool signals_blocked)
      : thread_([this, signals_blocked] {
          CaptureStack const stack;
          if (signals_blocked) {
            sigset_t all;
            ::sigfillset(&all);
            ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
          }
          id_.store(::gettid());
          char byte = 0;
          while (::read(ends_[0], &byte, 1) < 0 && errno == EINTR) {
          }
        }) {
    while (id_.load() == 0) std::this_thread::yield();
    // Until it is in the read: its system call can be told only then.
    for (Capture::Source source = Capture::none; signals_blocked && source == Capture::none;) {
      Capture const* const capture = capture_thread(id_.load());
      source = capture->source;
      give_back(capture);
    }
  }
  ~Asleep() {
    [[maybe_unused]] auto const written = ::write(ends_[1], "x", 1);
    thread_.join();
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Asleep(Asleep const&) = delete;
  Asleep& operator=(Asleep const&) = delete;
  std::int32_t id() const { return id_.load(); }

 private:
  struct Pipe {
    Pipe(int* ends) {
      if (::pipe(ends) != 0) std::abort();
    }
  };
  int ends_[2] = {-1, -1};
  Pipe pipe_{ends_};
  std::atomic<std::int32_t> id_{0};
  std::thread thread_;
};

class CaptureThread : public ::testing::Test {
 protected:
  CaptureThread() { install_capture(); }
  void SetUp() override {
    if (!kCopiesStacks) GTEST_SKIP() << "stacks are copied on x86-64 alone";
  }
};

TEST(CaptureElsewhere, IsUnsupportedAtOnceAndOfNothing) {
  if (kCopiesStacks) GTEST_SKIP() << "stacks are copied here";
  install_capture();

  Capture const* const capture = capture_thread(::gettid());

  ASSERT_NE(capture, nullptr);
  EXPECT_EQ(capture->source, Capture::unsupported);
  EXPECT_EQ(capture->thread, ::gettid());
  EXPECT_EQ(capture->known, 0U);
  EXPECT_EQ(capture->stack_bytes, 0U);
  give_back(capture);
  EXPECT_EQ(captures_answered(), 0U);
}

TEST_F(CaptureThread, CopiesRegistersAndStackOfAThreadThatSleeps) {
  Asleep const victim{false};

  Capture const* const capture = capture_thread(victim.id());

  ASSERT_NE(capture, nullptr);
  EXPECT_EQ(capture->source, Capture::handler);
  EXPECT_EQ(capture->thread, victim.id());
  EXPECT_NE(capture->registers[kRegisterCode], 0U);
  std::uint64_t const top = capture->registers[kRegisterStack];
  EXPECT_LE(capture->stack_start, top);
  EXPECT_GT(capture->stack_start + capture->stack_bytes, top);
  give_back(capture);
}

TEST_F(CaptureThread, ReadsStackAndCodePointerOfASleeperThatBlocksSignals) {
  Asleep const victim{true};

  Capture const* const capture = capture_thread(victim.id());

  ASSERT_NE(capture, nullptr);
  EXPECT_EQ(capture->source, Capture::system_call);
  EXPECT_EQ(capture->known, (1U << kRegisterStack) | (1U << kRegisterCode));
  EXPECT_GT(capture->stack_bytes, 64U);
  give_back(capture);
}

TEST_F(CaptureThread, SaysSoWhereNothingCanBeHad) {
  Capture const* const capture = capture_thread(1);  // no thread of this process

  ASSERT_NE(capture, nullptr);
  EXPECT_EQ(capture->source, Capture::none);
  give_back(capture);
}

TEST_F(CaptureThread, GivesNothingOnlyWhileAllRecordsAreHeld) {
  std::vector<Capture const*> held;
  while (Capture const* const capture = capture_thread(1)) held.push_back(capture);

  EXPECT_GE(held.size(), 4U);
  for (auto const* each : held) give_back(each);
  Capture const* const again = capture_thread(1);
  EXPECT_NE(again, nullptr);
  give_back(again);
}

// A thread that takes no signal until it is released, and does not block any: it waits, in the
// kernel, for a child that shares its memory.
class Deaf {
 public:
  Deaf() {
    if (::pipe(ends_) != 0) std::abort();
    thread_ = std::thread{[this] {
      CaptureStack const stack;
      id_.store(::gettid());
      pid_t const child = ::vfork();
      if (child == 0) {
        char byte = 0;
        [[maybe_unused]] auto const got = ::read(ends_[0], &byte, 1);
        ::_exit(0);
      }
      ::waitpid(child, nullptr, 0);
    }};
    while (id_.load() == 0) std::this_thread::yield();
  }
  ~Deaf() {
    [[maybe_unused]] auto const written = ::write(ends_[1], "x", 1);
    thread_.join();
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Deaf(Deaf const&) = delete;
  Deaf& operator=(Deaf const&) = delete;
  std::int32_t id() const { return id_.load(); }

 private:
  int ends_[2] = {-1, -1};
  std::atomic<std::int32_t> id_{0};
  std::thread thread_;
};

// Each signal that nobody takes holds a record: asked again and again, the thread would hold all.
TEST_F(CaptureThread, DoesNotAskAThreadAgainThatHasNotAnsweredYet) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer delays signals";
  Deaf const victim;
  while (true) {  // until it is deaf
    Capture const* const first = capture_thread(victim.id(), 2'000'000);
    ASSERT_NE(first, nullptr);
    Capture::Source const source = first->source;
    give_back(first);
    if (source != Capture::handler) break;
  }
  for (int again = 0; again < 20; ++again) {
    Capture const* const capture = capture_thread(victim.id(), 2'000'000);
    ASSERT_NE(capture, nullptr) << "after " << again << " more requests";
    EXPECT_NE(capture->source, Capture::handler);
    give_back(capture);
  }
}

TEST_F(CaptureThread, KeepsErrnoOfTheThread) {
  std::atomic<bool> kept{true};
  Busy const victim{[&kept] {
    errno = 4242;
    for (int i = 0; i < 1'000; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
    if (errno != 4242) kept.store(false);
  }};

  for (int i = 0; i < 1'000; ++i) give_back(capture_thread(victim.id()));

  EXPECT_TRUE(kept.load());
}

TEST_F(CaptureThread, SurvivesThreadsThatEndMeanwhile) {
  for (int i = 0; i < 200; ++i) {
    std::atomic<std::int32_t> id{0};
    std::thread short_lived{[&id] {
      CaptureStack const stack;
      id.store(::gettid());
    }};
    while (id.load() == 0) std::this_thread::yield();
    Capture const* const capture = capture_thread(id.load());
    ASSERT_NE(capture, nullptr);
    give_back(capture);
    short_lived.join();
  }
}

void throw_from(int depth) {
  if (depth == 0) throw std::runtime_error("storm");
  throw_from(depth - 1);
}

// Captures of one thread in a storm; CANARY_CAPTURES=1000000 is the long form.
int captures() {
  char const* const wanted = std::getenv("CANARY_CAPTURES");
  return wanted == nullptr ? 2'000 : std::atoi(wanted);
}

template <class Work>
void storm(Work work) {
  Busy const victim{work};
  int answered = 0;
  std::int64_t slowest_ns = 0;
  int const wanted = captures();
  for (int i = 0; i < wanted; ++i) {
    Capture const* const capture = capture_thread(victim.id());
    ASSERT_NE(capture, nullptr);
    answered += capture->source == Capture::handler ? 1 : 0;
    slowest_ns = std::max(slowest_ns, capture->waited_ns);
    give_back(capture);
  }
  if (std::getenv("CANARY_CAPTURES") == nullptr) return;
  std::printf("%d captures, %d of them by the thread's own handler, the slowest after %.1f ms\n",
              wanted, answered, static_cast<double>(slowest_ns) / 1e6);
  // A machine that is busy may let one or another wait too long.
  EXPECT_GT(answered, wanted * 9 / 10);
}

TEST_F(CaptureThread, WithstandsAStormOfThrows) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer delays signals";
  storm([] {
    for (int i = 0; i < 20; ++i) {
      try {
        throw_from(i);
      } catch (std::exception const&) {
        continue;
      }
    }
  });
}

TEST_F(CaptureThread, WithstandsAStormOfAllocations) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer delays signals";
  storm([] {
    std::vector<void*> held;
    for (std::size_t i = 1; i < 200; ++i) held.push_back(std::malloc(i * 37 % 5'000 + 1));
    for (void* const each : held) std::free(each);
  });
}

TEST_F(CaptureThread, WithstandsAStormOfLoadedLibraries) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer delays signals";
  storm([] {
    if (void* const handle = ::dlopen("libresolv.so.2", RTLD_NOW)) ::dlclose(handle);
  });
}

TEST_F(CaptureThread, WithstandsOtherSignals) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer delays signals";
  struct sigaction action{};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR2, &action, nullptr);
  storm([] {
    for (int i = 0; i < 50; ++i) ::syscall(SYS_tgkill, ::getpid(), ::gettid(), SIGUSR2);
  });
}

TEST_F(CaptureThread, ServesSeveralRequestersAtOnce) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer delays signals";
  Busy const victim{[] { std::atomic_signal_fence(std::memory_order_seq_cst); }};
  std::vector<std::thread> requesters;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 3; ++i) {
    requesters.emplace_back([&] {
      for (int n = 0; n < 500; ++n) {
        Capture const* const capture = capture_thread(victim.id());
        if (capture == nullptr) continue;
        if (capture->thread != victim.id()) ++wrong;
        give_back(capture);
      }
    });
  }
  for (auto& each : requesters) each.join();
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace canary::dump
