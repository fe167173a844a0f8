// SPDX-License-Identifier: Apache-2.0
// What parts of canaryd promise each other, checked where it is relied on. A broken promise is a
// defect of canaryd: the process ends (SIGABRT) with the promise and the place, rather than go on
// with what must not happen. Never for what comes from outside: bytes end as a finding.
// Thread: any.
#pragma once

#include <source_location>

namespace canary::runtime {

// Writes "canaryd: broken promise: PROMISE, at FILE:LINE (FUNCTION)" and aborts. Allocates nothing.
[[noreturn]] void broken_promise(char const* promise, std::source_location const& where);

inline void require(bool holds, char const* promise,
                    std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]]
    broken_promise(promise, where);
}

// The loop runs, and the calling thread is another one: what "Thread: loop" forbids. What is built
// before run() and taken down after it is free of that.
bool off_the_loop();

// "Thread: loop" as a check, in unoptimised and in sanitizer builds.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CANARY_CHECKS_THREADS
#endif
#endif
#if !defined(__OPTIMIZE__) && !defined(CANARY_CHECKS_THREADS)
#define CANARY_CHECKS_THREADS
#endif
#ifdef CANARY_CHECKS_THREADS
inline void require_loop_thread(std::source_location where = std::source_location::current()) {
  require(!off_the_loop(), "called on the loop's thread only, while the loop runs", where);
}
#else
inline void require_loop_thread() {}
#endif

}  // namespace canary::runtime
