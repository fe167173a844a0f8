// SPDX-License-Identifier: Apache-2.0
// Was this built with a sanitizer? For tests of what one cannot run, or runs slowly.
#pragma once

#ifndef __has_feature  // GCC 12 has none
#define __has_feature(name) 0
#endif

namespace canary::support {

#if __has_feature(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

// Hands signals over at calls that it knows only, and whenever it comes to one.
#if __has_feature(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

// Asks through a pipe whether an object may be read, and takes "no descriptor" for "no".
#if __has_feature(undefined_behavior_sanitizer)
inline constexpr bool kUndefinedBehaviorSanitizer = true;
#else
inline constexpr bool kUndefinedBehaviorSanitizer = false;
#endif

inline constexpr bool kSanitizer = kAddressSanitizer || kThreadSanitizer;

}  // namespace canary::support
