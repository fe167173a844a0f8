// SPDX-License-Identifier: Apache-2.0
// What dumps do at the start and the end, when they still may allocate.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "daemon/dump/capture/raw_dump.h"
#include "daemon/dump/capture/raw_dump_memory.h"
#include "daemon/dump/write/dump_files.h"
#include "daemon/dump/write/memory_dumps.h"
#include "daemon/text/fixed_text.h"
#include "runtime/tables.h"

namespace canary::dump {
namespace {

// A process that died while it wrote a dump has left it under the spare's name.
void rescue(int directory, char const* name) {
  int const file = ::openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return;
  std::uint64_t magic = 0;
  bool const begun = ::read(file, &magic, sizeof magic) == sizeof magic && magic == kFileMagic;
  ::close(file);
  if (!begun) return;
  ShortText<96> kept;
  (kept << "unfinished-").natural(static_cast<std::uint64_t>(runtime::now_ns())) << ".raw";
  ::renameat(directory, name, directory, kept.c_str());
}

}  // namespace

DumpFiles::DumpFiles(std::string directory) : directory_(std::move(directory)) {
  for (std::size_t i = 0; i < spares_.size(); ++i) {
    FixedText name{spares_[i].name};
    (name << ".spare-").natural(i) << ".raw";
  }
  FixedText{text_spare_.name} << ".spare.txt";
  auto const failed = [this](std::string const& what, int error, std::string const& then) {
    trouble_ = what + directory_ + ": " + std::generic_category().message(error) + then;
  };
  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    failed("cannot make the directory of dumps ", errno, "; dumps are kept in memory");
    return;
  }
  descriptor_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0) {
    failed("cannot open the directory of dumps ", errno, "; dumps are kept in memory");
    return;
  }
  if (char* const real = ::realpath(directory_.c_str(), nullptr)) {
    directory_ = real;
    std::free(real);
  }
  for (auto const& spare : spares_) rescue(descriptor_, spare.name.data());
  reserve();
  if (error_ != 0) {
    failed("cannot reserve room for dumps in ", error_, "; dumps may be cut short");
  }
}

DumpFiles::~DumpFiles() {
  for (Spare* const spare : {&spares_[0], &spares_[1], &text_spare_}) {
    if (spare->descriptor < 0) continue;
    ::unlinkat(descriptor_, spare->name.data(), 0);
    ::close(spare->descriptor);
  }
  if (descriptor_ >= 0) ::close(descriptor_);
}

MemoryDumps::MemoryDumps(std::string directory)
    : ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), files_(std::move(directory)) {
  for (Place& place : places_) place.file = ::memfd_create("canaryd-dump", MFD_CLOEXEC);
}

MemoryDumps::~MemoryDumps() {
  for (Place const& place : places_) {
    if (place.file >= 0) ::close(place.file);
  }
  if (ready_ >= 0) ::close(ready_);
}

RawDump::RawDump(DumpPlace place)
    : place_(std::move(place)),
      process_(std::make_unique<Process>()),
      buffers_(std::make_unique<Buffers>()) {
  if (place_.directory.empty()) return;
  if (place_.on_disk) {
    memory_dumps_ = std::make_shared<MemoryDumps>(place_.directory);
    return;
  }
  memory_ = ::memfd_create("canaryd-dump", MFD_CLOEXEC);
  files_.emplace(place_.directory);
}

RawDump::~RawDump() {
  if (open_) finish();
  if (memory_ >= 0) ::close(memory_);
}

std::string const& RawDump::trouble() const {
  static std::string const none;
  if (memory_dumps_) return memory_dumps_->trouble();
  return files_ ? files_->trouble() : none;
}

}  // namespace canary::dump
