// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <new>
#include <stdexcept>

#include "tests/faults/shim.h"

namespace canary::faults {
namespace {

CallSlot& slot_of(ShimControl& control, Call call) {
  return control.calls[static_cast<std::size_t>(call)];
}

}  // namespace

Shim::Shim(std::filesystem::path const& file) : file_(file) {
  int const fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0 || ::ftruncate(fd, sizeof(ShimControl)) != 0) throw std::runtime_error("no shim file");
  void* const memory =
      ::mmap(nullptr, sizeof(ShimControl), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (memory == MAP_FAILED) throw std::runtime_error("the shim's file cannot be mapped");
  control_ = new (memory) ShimControl;
}

Shim::~Shim() { ::munmap(control_, sizeof(ShimControl)); }

std::vector<std::string> Shim::environment() const {
  return {std::string{"LD_PRELOAD="} + CANARY_FAULT_SHIM, "CANARY_SHIM=" + file_.string()};
}

void Shim::set(Call call, How how) {
  CallSlot& slot = slot_of(*control_, call);
  slot.misdeed = Misdeed::none;
  set_text(slot.thread, how.thread);
  set_text(slot.path, how.path);
  slot.argument = how.argument;
  slot.skip = how.skip;
  slot.limit = how.limit;
  slot.hits = 0;
  slot.misdeed = how.misdeed;
}

void Shim::signal(int thread) {
  int const number = control_->signal;
  if (number == 0) throw std::runtime_error("the shim is not loaded");
  if (::syscall(SYS_tgkill, control_->process.load(), thread, number) != 0) {
    throw std::runtime_error("there is no such thread");
  }
}

// Whoever waits goes on.
void Shim::clear(Call call) {
  CallSlot& slot = slot_of(*control_, call);
  slot.misdeed = Misdeed::none;
  ::syscall(SYS_futex, &slot.misdeed, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void Shim::clear_all() {
  for (std::size_t i = 0; i < kCalls; ++i) clear(static_cast<Call>(i));
  disarm_allocations();
}

std::int64_t Shim::hits(Call call) const { return slot_of(*control_, call).hits; }

void Shim::arm_allocations(std::string_view threads, std::int64_t from, std::int64_t count) {
  auto& slot = control_->allocations;
  slot.armed = 0;
  set_text(slot.threads, threads);
  slot.from = from;
  slot.count = count;
  slot.seen = 0;
  slot.failed = 0;
  slot.armed = 1;
}

}  // namespace canary::faults
