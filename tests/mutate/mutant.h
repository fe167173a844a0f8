// SPDX-License-Identifier: Apache-2.0
// One build with many mutations, of which at most one is on: the number in CANARY_MUTANT. Included
// by the copies of sources that mutate.py makes; the program itself never sees it.
// Thread: any; takes no lock, allocates nothing, calls nothing of the kernel once it is set up.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace canary::mutate {

struct Switch {
  static constexpr int kMost = 1 << 16;
  int on = 0;               // the mutation that is on; 0: none
  char* reached = nullptr;  // a byte for each mutation whose place was run; shared with children

  Switch() {
    if (char const* const number = std::getenv("CANARY_MUTANT")) on = std::atoi(number);
    char const* const file = std::getenv("CANARY_MUTANTS_REACHED");
    if (file == nullptr) return;
    int const fd = ::open(file, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void* const memory = ::mmap(nullptr, kMost, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (memory != MAP_FAILED) reached = static_cast<char*>(memory);
  }
};

// Before every other object with an initialiser, so that those may hold mutations.
[[gnu::init_priority(101)]] inline Switch the_switch;

// Is this mutation on? Notes that its place was reached.
inline bool mutant(int number) {
  if (the_switch.reached != nullptr) the_switch.reached[number] = 1;
  return the_switch.on == number;
}

}  // namespace canary::mutate

// A mutation may compare what the line did not: that is no error of the copy.
#pragma clang diagnostic ignored "-Weverything"

#define CANARY_MUTANT(number) (::canary::mutate::mutant(number))
