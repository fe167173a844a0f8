// SPDX-License-Identifier: Apache-2.0
#include "runtime/tables.h"

#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <new>
#include <system_error>

// The first byte of the program's image; the linker defines it.
extern "C" char const __ehdr_start;
extern "C" char const _end;

namespace canary::runtime {
namespace {

std::atomic<Tables*> the_tables{nullptr};

std::size_t aligned(std::size_t bytes) { return (bytes + 63) & ~std::size_t{63}; }

}  // namespace

TextOffset text_offset(char const* text) {
  auto const start = reinterpret_cast<std::uintptr_t>(&__ehdr_start);
  auto const end = reinterpret_cast<std::uintptr_t>(&_end);
  auto const at = reinterpret_cast<std::uintptr_t>(text);
  return at > start && at < end ? static_cast<TextOffset>(at - start) : 0;
}

char const* text_at(TextOffset offset) { return offset == 0 ? "" : &__ehdr_start + offset; }

Tables::Tables(TableSizes sizes) {
  std::size_t const loop_bytes = aligned(sizeof(LoopRecord));
  std::size_t const run_bytes = aligned(sizeof(RunRecord) * sizes.runs);
  std::size_t const operation_bytes = aligned(sizeof(OperationRecord) * sizes.operations);
  bytes_ = loop_bytes + run_bytes + operation_bytes;
  int const memory = ::memfd_create("canaryd-tables", MFD_CLOEXEC);
  if (memory < 0 || ::ftruncate(memory, static_cast<off_t>(bytes_)) != 0) {
    throw std::system_error(errno, std::generic_category(), "no memory for the loop's tables");
  }
  void* const block = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  ::close(memory);
  if (block == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "no memory for the loop's tables");
  }
  auto* const bytes = static_cast<std::byte*>(block);
  loop_ = new (bytes) LoopRecord;
  auto* const runs = reinterpret_cast<RunRecord*>(bytes + loop_bytes);
  std::uninitialized_default_construct_n(runs, sizes.runs);
  runs_ = {runs, sizes.runs};
  auto* const operations = reinterpret_cast<OperationRecord*>(bytes + loop_bytes + run_bytes);
  std::uninitialized_default_construct_n(operations, sizes.operations);
  operations_ = {operations, sizes.operations};
}

Tables* tables() { return the_tables.load(std::memory_order_acquire); }

Tables& make_tables(TableSizes sizes) {
  if (Tables* const existing = tables()) return *existing;
  auto made = std::make_unique<Tables>(sizes);
  Tables* expected = nullptr;
  if (the_tables.compare_exchange_strong(expected, made.get())) return *made.release();
  return *expected;
}

}  // namespace canary::runtime
