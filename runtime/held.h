// SPDX-License-Identifier: Apache-2.0
// Time in which the loop did not turn, whatever the cause: a handler that ran for long, a process
// that was stopped, starved or traced, a machine that slept. What a probe saw meanwhile says
// nothing of its repository: servers closed connections, and deadlines passed, while nobody looked.
// Thread: loop.
#pragma once

#include <chrono>
#include <cstdint>

namespace canary::runtime {

// Shorter stretches are no absence.
inline constexpr std::chrono::nanoseconds kLeastAbsence = std::chrono::seconds{1};

// In all since the process began: stretches of kLeastAbsence or more, of which the newest may still
// be waiting for its beat to arrive.
std::chrono::nanoseconds loop_held();

// How long the machine slept in all since it booted (CLOCK_BOOTTIME beyond CLOCK_MONOTONIC).
std::chrono::nanoseconds machine_slept();

// For the beat: one that was due at `due_ns` arrived at `now_ns` (monotonic).
void note_beat(std::int64_t due_ns, std::int64_t now_ns);

}  // namespace canary::runtime
