// SPDX-License-Identifier: Apache-2.0
// Preloaded into the program as it is shipped, which knows nothing of it: makes chosen calls of
// chosen threads hang, compute, fail, come late or end their thread, and chosen allocations fail,
// on command from outside (shim_control.h; the file is named by CANARY_SHIM).
// Thread: any. Calls nothing that it wraps.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "tests/faults/shim_control.h"

namespace {

using canary::faults::Call;
using canary::faults::CallSlot;
using canary::faults::Misdeed;
using canary::faults::ShimControl;

ShimControl* control = nullptr;

bool ours() {
  return control != nullptr &&
         control->process.load(std::memory_order_acquire) == ::syscall(SYS_getpid);
}

bool begins(char const* name, char const* prefix) {
  while (*prefix != 0 && *prefix == *name) ++prefix, ++name;
  return *prefix == 0;
}

void own_name(char* into) {
  into[0] = 0;
  ::syscall(SYS_prctl, PR_GET_NAME, into, 0, 0, 0);
}

bool on_thread(CallSlot const& slot) {
  if (slot.thread[0] == 0) return true;
  char name[17] = {};
  own_name(name);
  return begins(name, slot.thread.data());
}

bool is_part(char const* part, char const* of) {
  for (; *of != 0; ++of) {
    if (begins(of, part)) return true;
  }
  return *part == 0;
}

void wait_in_futex(CallSlot& slot) {
  auto* const word = reinterpret_cast<int*>(&slot.misdeed);
  while (slot.misdeed.load() == Misdeed::hang) {
    ::syscall(SYS_futex, word, FUTEX_WAIT, static_cast<int>(Misdeed::hang), nullptr, nullptr, 0);
  }
}

void sleep_while(CallSlot& slot) {
  timespec const pause{.tv_sec = 0, .tv_nsec = 200'000'000};
  while (slot.misdeed.load() == Misdeed::sleep) ::syscall(SYS_nanosleep, &pause, nullptr);
}

void be_late(std::int64_t milliseconds) {
  timespec left{.tv_sec = milliseconds / 1'000, .tv_nsec = milliseconds % 1'000 * 1'000'000};
  while (::syscall(SYS_nanosleep, &left, &left) != 0) {
  }
}

// True where the call is to fail; errno says as what.
[[gnu::noinline]] bool misbehave(CallSlot& slot) {
  std::int64_t const hit = slot.hits.fetch_add(1) + 1;
  std::int64_t const skip = slot.skip.load(), limit = slot.limit.load();
  if (hit <= skip || (limit != 0 && hit > skip + limit)) return false;
  switch (slot.misdeed.load()) {
    case Misdeed::hang:
      wait_in_futex(slot);
      return false;
    case Misdeed::sleep:
      sleep_while(slot);
      return false;
    case Misdeed::spin:
      while (slot.misdeed.load() == Misdeed::spin) {
      }
      return false;
    case Misdeed::late:
      be_late(slot.argument.load());
      return false;
    case Misdeed::fail:
      errno = static_cast<int>(slot.argument.load());
      return true;
    case Misdeed::end:
      ::syscall(SYS_exit, 0);
      return false;
    case Misdeed::crash:
      ::raise(SIGSEGV);
      return false;
    case Misdeed::none:
    case Misdeed::ahead:
      return false;
  }
  return false;
}

CallSlot* armed(Call call) {
  if (control == nullptr) return nullptr;
  CallSlot& slot = control->calls[static_cast<std::size_t>(call)];
  if (slot.misdeed.load(std::memory_order_relaxed) == Misdeed::none) return nullptr;
  return ours() && on_thread(slot) ? &slot : nullptr;
}

bool fails(Call call) {
  CallSlot* const slot = armed(call);
  return slot != nullptr && misbehave(*slot);
}

bool fails_for(Call call, char const* path) {
  CallSlot* const slot = armed(call);
  if (slot == nullptr) return false;
  if (slot->path[0] != 0 && (path == nullptr || !is_part(slot->path.data(), path))) return false;
  return misbehave(*slot);
}

bool fails_for(Call call, int fd) {
  CallSlot* const slot = armed(call);
  if (slot == nullptr) return false;
  if (slot->path[0] == 0) return misbehave(*slot);
  char link[32], path[256] = {};
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ::syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  return fails_for(call, path);
}

bool allocation_fails() {
  if (control == nullptr) return false;
  auto& slot = control->allocations;
  if (slot.armed.load(std::memory_order_relaxed) == 0 || !ours()) return false;
  char name[19] = {','};
  own_name(name + 1);
  // One of the list begins the thread's name.
  bool listed = false;
  for (char const* at = slot.threads.data(); *at != 0 && !listed; ++at) {
    if (*at != ',') continue;
    char const* a = at + 1;
    char const* b = name + 1;
    while (*a != 0 && *a != ',' && *a == *b) ++a, ++b;
    listed = *a == ',' && a != at + 1;
  }
  if (!listed) return false;
  std::int64_t const number = slot.seen.fetch_add(1) + 1;
  std::int64_t const from = slot.from.load();
  if (from == 0 || number < from || number >= from + slot.count.load()) return false;
  slot.failed.fetch_add(1);
  errno = ENOMEM;
  return true;
}

// A thread misbehaves on the spot, whatever it is at.
void on_signal(int) {
  int const before = errno;
  if (CallSlot* const slot = armed(Call::signal)) misbehave(*slot);
  errno = before;
}

int own_signal() { return SIGRTMIN + 7; }

void take_signal() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(own_signal(), &action, nullptr);
  control->signal.store(own_signal());
}

[[gnu::constructor]] void map_control() {
  char const* const file = std::getenv("CANARY_SHIM");
  if (file == nullptr) return;
  auto const fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0));
  if (fd < 0) return;
  void* const memory =
      ::mmap(nullptr, sizeof(ShimControl), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::syscall(SYS_close, fd);
  if (memory == MAP_FAILED) return;
  control = static_cast<ShimControl*>(memory);
  take_signal();
}

template <class Function>
Function* next(Function*& known, char const* name) {
  if (known == nullptr) known = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
  return known;
}

}  // namespace

#define NEXT(name)                         \
  static decltype(&::name) real = nullptr; \
  next(real, #name)

extern "C" {

// glibc's own, so that none is looked up inside an allocation.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) { return allocation_fails() ? nullptr : __libc_malloc(size); }
void* calloc(std::size_t count, std::size_t size) {
  return allocation_fails() ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  return size != 0 && allocation_fails() ? nullptr : __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return allocation_fails() ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** into, std::size_t alignment, std::size_t size) {
  if (allocation_fails()) return ENOMEM;
  *into = __libc_memalign(alignment, size);
  return *into == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  if (CallSlot* const slot = armed(Call::free_memory)) misbehave(*slot);
  __libc_free(memory);
}

int epoll_wait(int epoll, epoll_event* events, int most, int limit) {
  NEXT(epoll_wait);
  return fails(Call::epoll_wait) ? -1 : real(epoll, events, most, limit);
}
int epoll_ctl(int epoll, int what, int fd, epoll_event* event) {
  NEXT(epoll_ctl);
  return fails(Call::epoll_ctl) ? -1 : real(epoll, what, fd, event);
}
int timerfd_settime(int fd, int flags, itimerspec const* fresh, itimerspec* old) {
  NEXT(timerfd_settime);
  return fails(Call::timerfd_settime) ? -1 : real(fd, flags, fresh, old);
}
ssize_t recv(int fd, void* bytes, std::size_t size, int flags) {
  NEXT(recv);
  return fails(Call::recv) ? -1 : real(fd, bytes, size, flags);
}
ssize_t send(int fd, void const* bytes, std::size_t size, int flags) {
  NEXT(send);
  return fails(Call::send) ? -1 : real(fd, bytes, size, flags);
}
ssize_t sendmsg(int fd, msghdr const* message, int flags) {
  NEXT(sendmsg);
  return fails(Call::sendmsg) ? -1 : real(fd, message, flags);
}
ssize_t recvmsg(int fd, msghdr* message, int flags) {
  NEXT(recvmsg);
  return fails(Call::recvmsg) ? -1 : real(fd, message, flags);
}
int connect(int fd, sockaddr const* address, socklen_t size) {
  NEXT(connect);
  return fails(Call::connect) ? -1 : real(fd, address, size);
}
int socket(int domain, int type, int protocol) noexcept {
  NEXT(socket);
  return fails(Call::socket) ? -1 : real(domain, type, protocol);
}
int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  NEXT(accept4);
  return fails(Call::accept) ? -1 : real(fd, address, size, flags);
}
int open(char const* path, int flags, ...) {
  std::va_list rest;
  va_start(rest, flags);
  auto const mode = va_arg(rest, mode_t);
  va_end(rest);
  NEXT(open);
  return fails_for(Call::open, path) ? -1 : real(path, flags, mode);
}
int open64(char const* path, int flags, ...) {
  std::va_list rest;
  va_start(rest, flags);
  auto const mode = va_arg(rest, mode_t);
  va_end(rest);
  NEXT(open64);
  return fails_for(Call::open, path) ? -1 : real(path, flags, mode);
}
ssize_t read(int fd, void* bytes, std::size_t size) {
  NEXT(read);
  return fails_for(Call::read, fd) ? -1 : real(fd, bytes, size);
}
ssize_t write(int fd, void const* bytes, std::size_t size) {
  NEXT(write);
  return fails_for(Call::write, fd) ? -1 : real(fd, bytes, size);
}
ssize_t pwrite(int fd, void const* bytes, std::size_t size, off_t at) {
  NEXT(pwrite);
  return fails_for(Call::pwrite, fd) ? -1 : real(fd, bytes, size, at);
}
ssize_t pwrite64(int fd, void const* bytes, std::size_t size, off64_t at) {
  NEXT(pwrite64);
  return fails_for(Call::pwrite, fd) ? -1 : real(fd, bytes, size, at);
}
int fsync(int fd) {
  NEXT(fsync);
  return fails_for(Call::fsync, fd) ? -1 : real(fd);
}
int rename(char const* from, char const* to) noexcept {
  NEXT(rename);
  return fails_for(Call::rename, to) ? -1 : real(from, to);
}
int unlink(char const* path) noexcept {
  NEXT(unlink);
  return fails_for(Call::unlink, path) ? -1 : real(path);
}
int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  NEXT(pthread_mutex_lock);
  return fails(Call::mutex_lock) ? EDEADLK : real(mutex);
}
// Nobody blocks the shim's signal.
int pthread_sigmask(int how, sigset_t const* set, sigset_t* before) noexcept {
  NEXT(pthread_sigmask);
  if (set == nullptr || how == SIG_UNBLOCK || control == nullptr) return real(how, set, before);
  sigset_t without = *set;
  sigdelset(&without, own_signal());
  return real(how, &without, before);
}
int poll(pollfd* list, nfds_t count, int limit) {
  NEXT(poll);
  return fails(Call::poll) ? -1 : real(list, count, limit);
}
int ppoll(pollfd* list, nfds_t count, timespec const* limit, sigset_t const* signals) {
  NEXT(ppoll);
  return fails(Call::ppoll) ? -1 : real(list, count, limit, signals);
}
int sigtimedwait(sigset_t const* signals, siginfo_t* info, timespec const* limit) {
  NEXT(sigtimedwait);
  return fails(Call::sigtimedwait) ? -1 : real(signals, info, limit);
}
ssize_t getrandom(void* bytes, std::size_t size, unsigned flags) {
  static ssize_t (*real)(void*, std::size_t, unsigned) = nullptr;
  next(real, "getrandom");
  return fails(Call::getrandom) ? -1 : real(bytes, size, flags);
}
int dl_iterate_phdr(int (*visit)(struct dl_phdr_info*, std::size_t, void*), void* data) {
  static int (*real)(int (*)(struct dl_phdr_info*, std::size_t, void*), void*) = nullptr;
  next(real, "dl_iterate_phdr");
  if (CallSlot* const slot = armed(Call::linker)) misbehave(*slot);
  return real(visit, data);
}
unsigned char* SHA256(unsigned char const* bytes, std::size_t size, unsigned char* digest) {
  static unsigned char* (*real)(unsigned char const*, std::size_t, unsigned char*) = nullptr;
  next(real, "SHA256");
  return fails(Call::digest) ? nullptr : real(bytes, size, digest);
}
int SSL_do_handshake(void* ssl) {
  static int (*real)(void*) = nullptr;
  next(real, "SSL_do_handshake");
  return fails(Call::handshake) ? -1 : real(ssl);
}
int SSL_connect(void* ssl) {
  static int (*real)(void*) = nullptr;
  next(real, "SSL_connect");
  return fails(Call::handshake) ? -1 : real(ssl);
}
int MHD_queue_response(void* connection, unsigned status, void* response) {
  static int (*real)(void*, unsigned, void*) = nullptr;
  next(real, "MHD_queue_response");
  return fails(Call::queue_answer) ? 0 : real(connection, status, response);
}
int clock_gettime(clockid_t clock, timespec* now) noexcept {
  long const result = ::syscall(SYS_clock_gettime, clock, now);
  if (CallSlot* const slot = armed(Call::clock)) {
    if (slot->misdeed.load() == Misdeed::ahead) {
      if (slot->skip.load() == clock || slot->skip.load() < 0) now->tv_sec += slot->argument.load();
    } else {
      misbehave(*slot);
    }
  }
  return static_cast<int>(result);
}

}  // extern "C"
