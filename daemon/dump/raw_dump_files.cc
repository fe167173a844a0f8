// SPDX-License-Identifier: Apache-2.0
// Where raw dumps go: files reserved beforehand, so that neither a full disk nor a process without
// a free descriptor keeps one from being written.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "daemon/dump/fixed_text.h"
#include "daemon/dump/raw_dump.h"
#include "daemon/dump/raw_dump_memory.h"
#include "runtime/tables.h"

namespace canary::dump {
namespace {

constexpr std::size_t kBesideTables = 1024 * 1024;  // stacks, /proc, log
constexpr std::size_t kTextReserve = 64 * 1024;

void copy_text(std::span<char> into, std::string_view text) {
  std::size_t const size = text.size() < into.size() ? text.size() : into.size() - 1;
  for (std::size_t i = 0; i < size; ++i) into[i] = text[i];
  into[size] = '\0';
}

bool exists(int directory, char const* name) { return ::faccessat(directory, name, F_OK, 0) == 0; }

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

void RawDump::reserve(Spare& spare) {
  if (spare.descriptor >= 0 || descriptors_->directory < 0) return;
  int const file = ::openat(descriptors_->directory, spare.name.data(),
                            O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    if (result_.error == 0) result_.error = errno;
    return;
  }
  auto* const tables = runtime::tables();
  std::size_t const size = &spare == &text_spare_
                               ? kTextReserve
                               : kBesideTables + (tables == nullptr ? 0 : tables->block().size());
  // A file whose room is not certain is still better than none.
  if (::fallocate(file, 0, 0, static_cast<off_t>(size)) != 0 && result_.error == 0) {
    result_.error = errno;
  }
  spare.descriptor = file;
}

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

// "stall-000012-loop", "stall-000012-loop-hung", "dump-000013-SIGUSR1"; "-2" where there is one.
void RawDump::name_file(DumpRequest const& request) {
  for (unsigned copy = 1; copy < 10; ++copy) {
    stem_ = {};
    FixedText stem{{stem_.data(), stem_.size() - 1}};
    if (request.episodes.empty()) {
      (stem << "dump-").natural(request.number, 6) << "-" << request.reason;
    } else {
      auto const& episode = request.episodes.front();
      (stem << "stall-").natural(request.number, 6) << "-" << to_text(episode.subject);
      if (episode.level > watchdog::Level::stalled) stem << "-" << to_text(episode.level);
    }
    if (copy > 1) (stem << "-").natural(copy);
    ShortText<128> raw;
    raw << stem_.data() << ".raw";
    if (!exists(descriptors_->directory, raw.c_str())) return;
  }
}

void RawDump::choose_file() {
  for (auto& spare : spares_) {
    reserve(spare);
    if (spare.descriptor < 0) continue;
    used_ = &spare;
    file_ = spare.descriptor;
    return;
  }
  used_ = nullptr;
  file_ = memory_;
  if (memory_ >= 0) [[maybe_unused]]
    auto const emptied = ::ftruncate(memory_, 0);
}

void RawDump::place_text() {
  reserve(text_spare_);
  if (text_spare_.descriptor < 0) return;
  std::size_t done = 0;
  while (done < text_size_) {
    ssize_t const written = ::pwrite(text_spare_.descriptor, buffers_->text.data() + done,
                                     text_size_ - done, static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      if (result_.error == 0) result_.error = written < 0 ? errno : EIO;
      break;
    }
    done += static_cast<std::size_t>(written);
  }
  [[maybe_unused]] auto const cut = ::ftruncate(text_spare_.descriptor, static_cast<off_t>(done));
  ShortText<128> name;
  name << stem_.data() << ".txt";
  bool const named = ::renameat(descriptors_->directory, text_spare_.name.data(),
                                descriptors_->directory, name.c_str()) == 0;
  ShortText<256> path;
  path << place_.directory.c_str() << "/" << (named ? name.c_str() : text_spare_.name.data());
  copy_text(result_.text_path, path.view());
  if (!named) return;
  ::close(text_spare_.descriptor);
  text_spare_.descriptor = -1;
}

DumpResult RawDump::finish() {
  if (!open_) return result_;
  writer_.begin(SectionType::end);
  writer_.end();
  open_ = false;
  result_.bytes = writer_.size();
  result_.written = file_ >= 0 && writer_.error() == 0;
  if (writer_.error() != 0) result_.error = writer_.error();
  ShortText<256> path;
  if (used_ == nullptr) {
    (path << "/proc/").number(::getpid());
    (path << "/fd/").number(memory_);
  } else {
    [[maybe_unused]] auto const cut = ::ftruncate(file_, static_cast<off_t>(result_.bytes));
    ShortText<128> name;
    name << stem_.data() << ".raw";
    bool const named = ::renameat(descriptors_->directory, used_->name.data(),
                                  descriptors_->directory, name.c_str()) == 0;
    path << place_.directory.c_str() << "/" << (named ? name.c_str() : used_->name.data());
    if (named) {
      ::close(used_->descriptor);
      used_->descriptor = -1;
    }
  }
  copy_text(result_.path, path.view());
  DumpResult const result = result_;
  for (auto& spare : spares_) reserve(spare);
  reserve(text_spare_);
  return result;
}

}  // namespace canary::dump
