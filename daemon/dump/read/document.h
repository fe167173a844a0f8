// SPDX-License-Identifier: Apache-2.0
// A dump as plain values: what a raw dump says, and what unwinding and symbols added to it.
// Thread: none (values).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "daemon/dump/read/executor_state.h"
#include "daemon/dump/write/raw_format.h"
#include "daemon/watchdog/judge/verdict.h"

namespace canary::dump {

struct NativeFrame {
  std::uint64_t address = 0;
  bool inlined = false;      // into the frame after it
  std::string function;      // empty where it has no symbol
  std::string module;        // file of the program or library
  std::uint64_t offset = 0;  // of the address in the module
  std::string file;
  std::uint32_t line = 0;
};

struct NativeStack {
  StackSection raw;
  std::vector<std::byte> bytes;
  std::vector<NativeFrame> frames;  // the innermost first
  bool complete = false;            // down to the thread's first function
  std::string note;                 // what could not be had, and why
};

struct ThreadSample {
  std::int32_t thread = 0;
  std::string name;
  char state = '?';  // R running, S sleeping, D uninterruptible, T stopped, t traced
  std::string wait_channel;
  std::int64_t system_call = -1;  // -1: none
  bool on_cpu = false;            // the kernel calls it "running"
  double cpu_seconds = 0, run_delay_seconds = 0;
};

struct DescriptorSample {
  std::int32_t descriptor = 0;
  std::string target, local, peer, state;
  std::int64_t in = -1, out = -1;  // bytes queued; -1: does not apply
};

struct MemorySample {
  std::uint64_t size_bytes = 0, resident_bytes = 0;
  std::string pressure_cpu, pressure_memory, pressure_io;  // the kernel's lines
};

struct DumpDocument {
  AboutSection about;
  std::vector<watchdog::Incident> incidents;
  TextOf text;  // static texts, also those of `incidents`
  bool has_executor = false;
  ExecutorState executor;
  std::vector<NativeStack> stacks;  // the culprit's first, as many as there are samples
  std::vector<ThreadSample> threads;
  std::vector<DescriptorSample> descriptors;
  std::uint32_t descriptor_count = 0;
  MemorySample memory;
  std::vector<std::string> log;
  std::string versions, maps, emergency_text;
  std::vector<std::string> notes;  // what is missing or damaged
};

// Never fails: a dump that is cut short or damaged gives what it has, and `notes` say what not.
DumpDocument read_dump(std::span<std::byte const> raw);

// The stalled thread's name as the dump knows it; empty where it does not.
std::string thread_name(DumpDocument const& document, std::int32_t thread);

}  // namespace canary::dump
