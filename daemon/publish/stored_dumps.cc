// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/stored_dumps.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <system_error>

#include "config/harmless.h"
#include "runtime/deadline.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestHeadline = 300;
constexpr std::string_view kBefore = "canaryd: ";  // in the first line of each

std::string headline_of(fs::path const& file) {
  std::ifstream in{file, std::ios::binary};
  std::string line(kLongestHeadline, '\0');
  in.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(in.gcount()));
  line.resize(std::min(line.size(), line.find('\n')));
  if (line.starts_with(kBefore)) line.erase(0, kBefore.size());
  return make_harmless(line, kLongestHeadline);
}

std::vector<StoredDump> list_folder(fs::path const& folder) {
  std::vector<StoredDump> found;
  std::error_code failed;
  for (fs::directory_iterator each{folder, failed}, end; !failed && each != end;
       each.increment(failed)) {
    auto const& path = each->path();
    struct stat about{};
    bool const shown = path.extension() == ".txt" && StoredDumps::is_name(path.stem().string());
    if (!shown || ::stat(path.c_str(), &about) != 0) continue;
    std::chrono::nanoseconds const written = std::chrono::seconds{about.st_mtim.tv_sec} +
                                             std::chrono::nanoseconds{about.st_mtim.tv_nsec};
    found.push_back({.name = path.stem().string(),
                     .written = SysTime{std::chrono::floor<std::chrono::milliseconds>(written)},
                     .headline = {}});
  }
  std::ranges::sort(found, [](StoredDump const& one, StoredDump const& other) {
    return std::pair{one.written, one.name} > std::pair{other.written, other.name};
  });
  if (found.size() > StoredDumps::kMostListed) found.resize(StoredDumps::kMostListed);
  for (auto& each : found) each.headline = headline_of(folder / (each.name + ".txt"));
  return found;
}

StoredDumps::File read_file(fs::path const& path) {
  std::ifstream in{path, std::ios::binary};
  StoredDumps::File file;
  std::string piece(64 << 10, '\0');
  while (in && file.content.size() <= StoredDumps::kMostBytes) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    file.content.append(piece, 0, static_cast<std::size_t>(in.gcount()));
  }
  file.found = in.eof() && file.content.size() <= StoredDumps::kMostBytes;
  return file;
}

}  // namespace

bool StoredDumps::is_name(std::string_view name) {
  return !name.empty() && name.size() <= 200 && name.front() != '.' &&
         std::ranges::all_of(name, [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
         });
}

template <class T>
std::optional<T> StoredDumps::aside(std::function<T()> work, std::chrono::milliseconds patience) {
  auto const deadline = runtime::Deadline::after(patience);
  auto const result = std::make_shared<std::optional<T>>();
  std::shared_ptr<runtime::AsideCall> call;
  {
    std::unique_lock lock{mutex_};
    if (!free_.wait_for(lock, patience, [this] { return !busy_; })) return std::nullopt;
    if (call_ && !call_->ended()) return std::nullopt;
    try {
      call_ = runtime::AsideCall::start(
          "dump files", [result, work = std::move(work)] { result->emplace(work()); });
    } catch (std::system_error const&) {
      return std::nullopt;  // no thread for it
    }
    call = call_;
    busy_ = true;
  }
  bool const ended = call->wait(deadline, {});
  {
    std::lock_guard const lock{mutex_};
    busy_ = false;
  }
  free_.notify_one();
  // Whatever it threw for want of memory, there is nothing to show.
  return ended ? std::move(*result) : std::nullopt;
}

std::optional<std::vector<StoredDump>> StoredDumps::list(std::chrono::milliseconds patience) {
  return aside<std::vector<StoredDump>>([folder = folder_] { return list_folder(folder); },
                                        patience);
}

std::optional<StoredDumps::File> StoredDumps::read(std::string const& file,
                                                   std::chrono::milliseconds patience) {
  if (!is_name(file)) return File{};
  return aside<File>([path = folder_ / file] { return read_file(path); }, patience);
}

}  // namespace canary::daemon
