// SPDX-License-Identifier: Apache-2.0
#include "runtime/tables.h"

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <system_error>

#include "runtime/build_id.h"
#include "runtime/larger_tables.h"

// The first byte of the program's image and the one after its last; the linker defines them.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): its names
extern "C" char const __ehdr_start;
extern "C" char const _end;
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace canary::runtime {
namespace {

std::atomic<Tables*> the_tables{nullptr};

std::size_t aligned(std::size_t bytes) { return (bytes + 63) & ~std::size_t{63}; }

std::int64_t read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

std::array<unsigned char, 20> own_build_id() {
  std::array<unsigned char, 20> id{};
  auto const visit = [](dl_phdr_info* object, std::size_t, void* into) {
    auto const found = build_id_of(*object);
    if (!found.empty()) {
      std::memcpy(into, found.data(), found.size() < 20 ? found.size() : 20);
    }
    return 1;  // the program itself comes first
  };
  ::dl_iterate_phdr(visit, id.data());
  return id;
}

}  // namespace

std::int64_t now_ns() { return read_clock(CLOCK_MONOTONIC); }
std::int64_t coarse_now_ns() { return read_clock(CLOCK_MONOTONIC_COARSE); }

TextOffset text_offset(char const* text) {
  auto const start = reinterpret_cast<std::uintptr_t>(&__ehdr_start);
  auto const end = reinterpret_cast<std::uintptr_t>(&_end);
  auto const at = reinterpret_cast<std::uintptr_t>(text);
  return at > start && at < end ? static_cast<TextOffset>(at - start) : 0;
}

char const* text_at(TextOffset offset) {
  auto const size =
      reinterpret_cast<std::uintptr_t>(&_end) - reinterpret_cast<std::uintptr_t>(&__ehdr_start);
  return offset == 0 || offset >= size ? "" : &__ehdr_start + offset;
}

char const* image_start() { return &__ehdr_start; }

struct Tables::Layout {
  Layout(std::size_t run_count, std::size_t operation_count)
      : run_count(run_count), operation_count(operation_count) {}
  std::size_t run_count, operation_count;
  std::size_t loop = aligned(sizeof(TablesHeader));
  std::size_t scheduler = loop + aligned(sizeof(LoopRecord));
  std::size_t threads = scheduler + aligned(sizeof(SchedulerRecord));
  std::size_t runs = threads + aligned(sizeof(ThreadRecord) * kThreads);
  std::size_t operations = runs + aligned(sizeof(RunRecord) * run_count);
  std::size_t total = operations + aligned(sizeof(OperationRecord) * operation_count);
};

void Tables::place(std::byte* start, Layout const& layout) {
  header_ = reinterpret_cast<TablesHeader*>(start);
  loop_ = reinterpret_cast<LoopRecord*>(start + layout.loop);
  scheduler_ = reinterpret_cast<SchedulerRecord*>(start + layout.scheduler);
  threads_ = {reinterpret_cast<ThreadRecord*>(start + layout.threads), kThreads};
  runs_ = {reinterpret_cast<RunRecord*>(start + layout.runs), layout.run_count};
  operations_ = {reinterpret_cast<OperationRecord*>(start + layout.operations),
                 layout.operation_count};
}

Tables::Tables(TableSizes sizes) {
  Layout const layout{sizes.runs, sizes.operations};
  int memory = ::memfd_create("canaryd-tables", MFD_CLOEXEC);
  if (memory >= 0 && ::ftruncate(memory, static_cast<off_t>(layout.total)) != 0) {
    // RLIMIT_FSIZE is for files in memory, too. Without one the tables end with the process.
    ::close(memory);
    memory = -1;
  }
  int const kind = memory < 0 ? MAP_ANONYMOUS : 0;
  void* const block = ::mmap(nullptr, layout.total, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_POPULATE | kind, memory, 0);
  if (block == MAP_FAILED) {
    int const error = errno;
    if (memory >= 0) ::close(memory);
    throw std::system_error(error, std::generic_category(), "no memory for the loop's tables");
  }
  descriptor_ = memory;
  block_ = {static_cast<std::byte*>(block), layout.total};
  place(block_.data(), layout);
  new (loop_) LoopRecord;
  new (scheduler_) SchedulerRecord;
  std::uninitialized_default_construct(threads_.begin(), threads_.end());
  std::uninitialized_default_construct(runs_.begin(), runs_.end());
  std::uninitialized_default_construct(operations_.begin(), operations_.end());
  new (header_) TablesHeader{.header_bytes = sizeof(TablesHeader),
                             .loop_bytes = sizeof(LoopRecord),
                             .thread_bytes = sizeof(ThreadRecord),
                             .run_bytes = sizeof(RunRecord),
                             .operation_bytes = sizeof(OperationRecord),
                             .runs = sizes.runs,
                             .operations = sizes.operations,
                             .threads = kThreads,
                             .process = ::getpid(),
                             .started_monotonic_ns = now_ns(),
                             .started_wall_ns = read_clock(CLOCK_REALTIME),
                             .build_id = own_build_id()};
}

Tables::Tables(std::span<std::byte> block) : block_(block) {
  if (block.size() < sizeof(TablesHeader)) return;
  auto const& header = *reinterpret_cast<TablesHeader const*>(block.data());
  bool const same =
      header.magic == TablesHeader::kMagic && header.header_bytes == sizeof(TablesHeader) &&
      header.loop_bytes == sizeof(LoopRecord) && header.thread_bytes == sizeof(ThreadRecord) &&
      header.run_bytes == sizeof(RunRecord) && header.operation_bytes == sizeof(OperationRecord) &&
      header.threads == kThreads;
  if (!same) return;
  Layout const layout{header.runs, header.operations};
  if (layout.total > block.size()) return;
  place(block.data(), layout);
}

Operation operation_of_handler(Tables& tables) {
  Operation operation;
  std::uint32_t const record = tables.loop().handler.load(std::memory_order_relaxed);
  if (record != 0 && record <= tables.operations().size()) {
    tables.operations().data()[record - 1].read(operation);
  }
  return operation;
}

Tables* tables() { return the_tables.load(std::memory_order_acquire); }

Tables& make_tables(TableSizes sizes) {
  if (Tables* const existing = tables()) return *existing;
  auto made = std::make_unique<Tables>(sizes);
  Tables* expected = nullptr;
  if (the_tables.compare_exchange_strong(expected, made.get())) return *made.release();
  return *expected;
}

Tables& make_tables_at_least(TableSizes sizes) {
  Tables* const existing = tables();
  bool const enough = existing != nullptr && existing->runs().size() >= sizes.runs &&
                      existing->operations().size() >= sizes.operations;
  if (enough) return *existing;
  auto made = std::make_unique<Tables>(sizes);
  the_tables.store(made.get(), std::memory_order_release);
  return *made.release();
}

}  // namespace canary::runtime
