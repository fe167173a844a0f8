// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/helper/unwind.h"

#include <fcntl.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <elfutils/libdwfl.h>

#include "daemon/dump/capture/capture.h"
#include "daemon/dump/helper/symbols.h"

namespace canary::dump {
namespace {

constexpr std::size_t kMostFrames = 4'096;

// A thread's first function: a stack that does not end here is cut.
bool is_outermost(NativeFrame const& frame) {
  static constexpr std::string_view kNames[] = {"_start", "__clone3",      "clone3",      "__clone",
                                                "clone",  "__GI___clone3", "start_thread"};
  return std::ranges::find(kNames, std::string_view{frame.function}) != std::end(kNames);
}

// This process's own copy of the kernel's code in every process, as a file.
int vdso_file() {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): that is what the kernel gives
  auto const* const start = reinterpret_cast<char const*>(::getauxval(AT_SYSINFO_EHDR));
  if (start == nullptr) return -1;
  auto const& header = *reinterpret_cast<ElfW(Ehdr) const*>(start);
  std::size_t const size = header.e_shoff + std::size_t{header.e_shentsize} * header.e_shnum;
  int const file = ::memfd_create("vdso", MFD_CLOEXEC);
  if (file < 0) return -1;
  if (::write(file, start, size) == static_cast<ssize_t>(size)) return file;
  ::close(file);
  return -1;
}

// What is held comes first: under its name there may be another file by now. libdwfl asks without
// saying for whom; there is one helper and one thread.
HeldFiles const* held_files = nullptr;

int find_file(Dwfl_Module* module, void** user, char const* name, Dwarf_Addr base, char** file,
              Elf** elf) {
  int const held = held_files == nullptr || name == nullptr ? -1 : held_files->open(name);
  if (held < 0) return dwfl_linux_proc_find_elf(module, user, name, base, file, elf);
  *file = ::strdup(name);
  return held;
}

}  // namespace

struct AddressSpace::Impl {
  Dwfl* dwfl = nullptr;
  std::int32_t process = 0;
  NativeStack const* stack = nullptr;  // the one being unwound
  bool live = false;
  std::array<std::uint64_t, kRegisters> registers{};
  std::uint32_t known_registers = 0;
  bool stepped = false;  // out of a jump: the first code address is a return address
  std::string trouble;
  std::vector<Dwarf_Addr> codes;
  std::map<Dwarf_Addr, std::vector<NativeFrame>> known;

  bool read(Dwarf_Addr address, Dwarf_Word* into) const {
    auto const& raw = stack->raw;
    // In this order nothing wraps: a register may hold anything, -8 included.
    if (address >= raw.stack_start && stack->bytes.size() >= 8 &&
        address - raw.stack_start <= stack->bytes.size() - 8) {
      std::memcpy(into, stack->bytes.data() + (address - raw.stack_start), 8);
      return true;
    }
    if (!live) return false;
    iovec const local{into, 8};
    iovec const remote{reinterpret_cast<void*>(address), 8};  // NOLINT(performance-no-int-to-ptr)
    return ::process_vm_readv(process, &local, 1, &remote, 1, 0) == 8;
  }

  // A sleeping thread's own word has no frame pointer: the first place that looks like a saved one
  // with a return address after it. What the kernel's callers (libc) save is restored by their own
  // frame information, so this matters only to code that was compiled with frame pointers.
  bool guess_frame_pointer() {
    auto const& raw = stack->raw;
    if ((raw.known >> kRegisterFrame & 1) != 0) return false;
    Dwarf_Addr const end = raw.stack_start + stack->bytes.size();
    for (Dwarf_Addr at = (registers[kRegisterStack] + 15) & ~Dwarf_Addr{15}; at + 16 <= end;
         at += 16) {
      Dwarf_Word saved = 0, caller = 0;
      if (!read(at, &saved) || !read(at + 8, &caller)) return false;
      if (saved <= at || saved >= end || saved % 16 != 0) continue;
      Dwfl_Module* const module = dwfl_addrmodule(dwfl, caller);
      if (module == nullptr || dwfl_module_addrname(module, caller) == nullptr) continue;
      registers[kRegisterFrame] = at;
      return true;
    }
    return false;
  }

  void step_out_of_stub() {
    stepped = false;
    Dwarf_Addr const code = registers[kRegisterCode];
    Dwarf_Word caller = 0;
    if (!is_linkage_stub(dwfl, code) || !read(registers[kRegisterStack], &caller)) return;
    codes.push_back(code);
    registers[kRegisterCode] = caller;
    registers[kRegisterStack] += 8;
    stepped = true;
  }

  bool set_registers(Dwfl_Thread* thread) const {
    for (unsigned i = 0; i < kRegisters; ++i) {
      if ((known_registers >> i & 1) == 0) continue;
      Dwarf_Word const value = registers[i];
      if (!dwfl_thread_state_registers(thread, static_cast<int>(i), 1, &value)) return false;
    }
    return true;
  }
};

AddressSpace::AddressSpace(std::string maps, std::int32_t process, std::uint64_t vdso,
                           HeldFiles const& held)
    : maps_(std::move(maps)), impl_(std::make_unique<Impl>()) {
  static char* no_path = nullptr;
  static Dwfl_Callbacks const callbacks{.find_elf = find_file,
                                        .find_debuginfo = dwfl_standard_find_debuginfo,
                                        .section_address = dwfl_offline_section_address,
                                        .debuginfo_path = &no_path};
  static Dwfl_Thread_Callbacks const threads{
      .next_thread = [](Dwfl*, void* arg, void** thread_arg) -> pid_t {
        if (*thread_arg != nullptr) return 0;
        *thread_arg = arg;
        return static_cast<Impl*>(arg)->process;
      },
      .get_thread = nullptr,
      .memory_read = [](Dwfl*, Dwarf_Addr address, Dwarf_Word* into, void* arg) -> bool {
        return static_cast<Impl*>(arg)->read(address, into);
      },
      .set_initial_registers = [](Dwfl_Thread* thread, void* arg) -> bool {
        return static_cast<Impl*>(arg)->set_registers(thread);
      },
      .detach = nullptr,
      .thread_detach = nullptr};
  held_files = &held;
  impl_->process = process;
  impl_->dwfl = dwfl_begin(&callbacks);
  if (impl_->dwfl == nullptr) {
    impl_->trouble = std::string{"libdwfl: "} + dwfl_errmsg(-1);
    return;
  }
  std::FILE* const file = ::fmemopen(maps_.data(), maps_.size(), "r");
  bool const reported = file != nullptr && dwfl_linux_proc_maps_report(impl_->dwfl, file) == 0;
  if (file != nullptr) std::fclose(file);
  // The maps' report leaves out the kernel's own code, and with it every caller of clock_gettime.
  if (int const image = vdso == 0 ? -1 : vdso_file(); image >= 0) {
    if (dwfl_report_elf(impl_->dwfl, "[vdso]", "[vdso]", image, vdso, false) == nullptr) {
      ::close(image);
    }
  }
  dwfl_report_end(impl_->dwfl, nullptr, nullptr);
  if (!reported) {
    impl_->trouble = std::string{"the mappings cannot be read: "} + dwfl_errmsg(-1);
  } else if (!dwfl_attach_state(impl_->dwfl, nullptr, process, &threads, impl_.get())) {
    impl_->trouble = std::string{"libdwfl cannot unwind: "} + dwfl_errmsg(-1);
  }
}

AddressSpace::~AddressSpace() {
  if (impl_->dwfl != nullptr) dwfl_end(impl_->dwfl);
}

void AddressSpace::unwind(NativeStack& stack, bool live) {
  stack.frames.clear();
  if (stack.raw.source == Capture::unsupported) return;
  if (!impl_->trouble.empty()) {
    stack.note = impl_->trouble;
    return;
  }
  if ((stack.raw.known >> kRegisterCode & 1) == 0) {
    stack.note = "its registers could not be had";
    return;
  }
  impl_->stack = &stack;
  impl_->live = live;
  impl_->codes.clear();
  impl_->registers = stack.raw.registers;
  impl_->known_registers = stack.raw.known;
  bool const guessed = impl_->guess_frame_pointer();
  if (guessed) impl_->known_registers |= 1U << kRegisterFrame;
  impl_->step_out_of_stub();
  auto const each = [](Dwfl_Frame* frame, void* arg) -> int {
    auto& impl = *static_cast<Impl*>(arg);
    Dwarf_Addr code = 0;
    bool activation = false;
    if (!dwfl_frame_pc(frame, &code, &activation)) return DWARF_CB_ABORT;
    activation = activation && !std::exchange(impl.stepped, false);
    // A return address may already belong to the next line, or to the next function.
    impl.codes.push_back(activation ? code : code - 1);
    return impl.codes.size() < kMostFrames ? DWARF_CB_OK : DWARF_CB_ABORT;
  };
  int const ended = dwfl_getthread_frames(impl_->dwfl, impl_->process, each, impl_.get());
  std::string const why = ended == 0 ? "" : dwfl_errmsg(-1);
  if (impl_->codes.empty()) impl_->codes.push_back(stack.raw.registers[kRegisterCode]);
  for (Dwarf_Addr const code : impl_->codes) {
    auto const [found, added] = impl_->known.try_emplace(code);
    if (added) found->second = symbols_at(impl_->dwfl, code);
    stack.frames.insert(stack.frames.end(), found->second.begin(), found->second.end());
  }
  // Without the C library's own symbols its first function has no name; its frame information
  // ends there all the same.
  NativeFrame const& last = stack.frames.back();
  stack.complete = is_outermost(last) || (ended == 0 && last.function.empty() &&
                                          last.module.find("/libc.so") != std::string::npos);
  if (guessed) stack.note = "its frame pointer is a guess";
  if (stack.complete) return;
  stack.note = "the outermost callers are missing";
  if (stack.bytes.size() >= kStackBytes && !live) {
    stack.note += ": the stack is deeper than the " + std::to_string(kStackBytes / 1024) +
                  " KiB that were copied";
  } else if (!why.empty() && why != "no error") {
    stack.note += ": " + why;
  }
}

}  // namespace canary::dump
