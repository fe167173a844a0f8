// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/act/memory_writer.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "runtime/thread_row.h"

namespace canary::watchdog {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartWaits = 1s;
constexpr int kRoundMs = 1'000;

}  // namespace

MappedBlock::MappedBlock() {
  int memory = ::memfd_create("canaryd-memory", MFD_CLOEXEC);
  if (memory >= 0 && ::ftruncate(memory, sizeof(MemoryBlock)) != 0) {
    ::close(memory);
    memory = -1;
  }
  void* const block = ::mmap(nullptr, sizeof(MemoryBlock), PROT_READ | PROT_WRITE,
                             MAP_SHARED | (memory < 0 ? MAP_ANONYMOUS : 0), memory, 0);
  int const error = errno;
  if (memory >= 0) ::close(memory);  // the mapping keeps it
  if (block == MAP_FAILED) {
    throw std::system_error(error, std::generic_category(), "no memory for the watchdog's");
  }
  block_ = static_cast<MemoryBlock*>(block);
}

MappedBlock::~MappedBlock() { ::munmap(block_, sizeof(MemoryBlock)); }

struct MemoryWriter::State {
  State(std::filesystem::path path, DumpWriter writer)
      : file(std::move(path)), dumps(std::move(writer)) {
    if (wake < 0) throw std::system_error(errno, std::generic_category(), "memory: eventfd");
  }
  ~State() { ::close(wake); }
  State(State const&) = delete;
  State& operator=(State const&) = delete;

  void open(runtime::ThreadRow& row);
  void write(runtime::ThreadRow& row);
  void write_dumps(runtime::ThreadRow& row);
  void wait();
  void run();

  std::filesystem::path const file;
  DumpWriter const dumps;
  int const wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  MappedBlock const block;
  std::atomic<bool> begun{false}, stop{false};

  std::mutex mutex;  // held for moments
  std::condition_variable changed;
  bool opened = false, ended = false;
  StoredMemory found;
  std::string trouble;

  // The thread's own.
  MemoryFile out;
  std::uint64_t written = 0;
  std::int64_t alive_ns = 0;
};

void MemoryWriter::State::open(runtime::ThreadRow& row) {
  row.begin("memory.open", file.string());
  StoredMemory stored = load_memory(file);
  std::string why = out.open(file);
  row.end();
  std::lock_guard const lock{mutex};
  found = std::move(stored);
  trouble = std::move(why);
  opened = true;
  changed.notify_all();
}

// What fails is tried again with the next change, or in a second.
void MemoryWriter::State::write(runtime::ThreadRow& row) {
  if (!begun.load(std::memory_order_acquire)) return;
  std::uint64_t const changes = block->changes.load(std::memory_order_acquire);
  std::int64_t const alive = block->alive_wall_ns.load(std::memory_order_relaxed);
  if (changes == written && alive == alive_ns) return;
  row.begin("memory.write", file.string());
  bool good = true;
  if (changes != written) {
    StoredMemory stored = copy_of(*block);
    good = out.write(stored);
    if (good) written = changes;
  }
  if (good && alive != alive_ns && out.write_alive(alive)) alive_ns = alive;
  row.end();
}

void MemoryWriter::State::write_dumps(runtime::ThreadRow& row) {
  pollfd ready{.fd = dumps.ready, .events = POLLIN, .revents = 0};
  if (dumps.ready < 0 || ::poll(&ready, 1, 0) <= 0) return;
  row.begin("dump.write", "");
  dumps.write(dumps.self.get());
  row.end();
}

void MemoryWriter::State::wait() {
  pollfd woken[] = {{.fd = wake, .events = POLLIN, .revents = 0},
                    {.fd = dumps.ready, .events = POLLIN, .revents = 0}};
  if (::poll(woken, std::size(woken), kRoundMs) <= 0 || woken[0].revents == 0) return;
  std::uint64_t count = 0;
  [[maybe_unused]] auto const ignored = ::read(wake, &count, sizeof count);
}

void MemoryWriter::State::run() {
  runtime::ThreadRow row{runtime::ThreadRecord::files, "memory"};
  open(row);
  while (true) {
    row.beat();
    bool const last = stop.load(std::memory_order_acquire);
    write_dumps(row);
    write(row);
    if (last) break;
    wait();
  }
  out.close();
  row.leave();
  std::lock_guard const lock{mutex};
  ended = true;
  changed.notify_all();
}

MemoryWriter::MemoryWriter(std::filesystem::path file, DumpWriter dumps)
    : state_(std::make_shared<State>(std::move(file), std::move(dumps))) {
  std::thread{[state = state_] { state->run(); }}.detach();
  std::unique_lock lock{state_->mutex};
  if (state_->changed.wait_for(lock, kStartWaits, [this] { return state_->opened; })) {
    found_ = std::move(state_->found);
    trouble_ = state_->trouble;
  } else {
    trouble_ = state_->file.string() + ": its disk does not answer; what was known before is not";
  }
}

MemoryWriter::~MemoryWriter() { end(); }

MemoryBlock& MemoryWriter::block() { return *state_->block; }

int MemoryWriter::wake() const { return state_->wake; }

void MemoryWriter::begin() { state_->begun.store(true, std::memory_order_release); }

void MemoryWriter::end(std::chrono::milliseconds limit) {
  if (state_->stop.exchange(true)) return;
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const ignored = ::write(state_->wake, &one, sizeof one);
  std::unique_lock lock{state_->mutex};
  state_->changed.wait_for(lock, limit, [this] { return state_->ended; });
}

}  // namespace canary::watchdog
