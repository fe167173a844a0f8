// SPDX-License-Identifier: Apache-2.0
// What RawDump does at its start, when it still may allocate.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "daemon/dump/fixed_text.h"
#include "daemon/dump/raw_dump.h"
#include "daemon/dump/raw_dump_memory.h"
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

RawDump::RawDump(DumpPlace place)
    : place_(std::move(place)),
      descriptors_(std::make_unique<Descriptors>()),
      buffers_(std::make_unique<Buffers>()) {
  for (std::size_t i = 0; i < spares_.size(); ++i) {
    FixedText name{spares_[i].name};
    (name << ".spare-").natural(i) << ".raw";
  }
  FixedText{text_spare_.name} << ".spare.txt";
  if (place_.directory.empty()) return;
  memory_ = ::memfd_create("canaryd-dump", MFD_CLOEXEC);
  if (::mkdir(place_.directory.c_str(), 0700) != 0 && errno != EEXIST) {
    trouble_ = "cannot make the directory of dumps " + place_.directory + ": " +
               std::generic_category().message(errno) + "; dumps are kept in memory";
    return;
  }
  int const directory = ::open(place_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) {
    trouble_ = "cannot open the directory of dumps " + place_.directory + ": " +
               std::generic_category().message(errno) + "; dumps are kept in memory";
    return;
  }
  descriptors_->directory = directory;
  if (char* const real = ::realpath(place_.directory.c_str(), nullptr)) {
    place_.directory = real;
    std::free(real);
  }
  for (auto const& spare : spares_) rescue(directory, spare.name.data());
  result_.error = 0;
  for (auto& spare : spares_) reserve(spare);
  reserve(text_spare_);
  if (result_.error != 0) {
    trouble_ = "cannot reserve room for dumps in " + place_.directory + ": " +
               std::generic_category().message(result_.error) + "; dumps may be cut short";
  }
}

RawDump::~RawDump() {
  if (open_) finish();
  for (Spare* const spare : {&spares_[0], &spares_[1], &text_spare_}) {
    if (spare->descriptor < 0) continue;
    ::unlinkat(descriptors_->directory, spare->name.data(), 0);
    ::close(spare->descriptor);
  }
  if (descriptors_->directory >= 0) ::close(descriptors_->directory);
  if (memory_ >= 0) ::close(memory_);
}

}  // namespace canary::dump
