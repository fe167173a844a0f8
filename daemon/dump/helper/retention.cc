// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/helper/retention.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>
#include <vector>

namespace canary::dump {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostFolded = 1024 * 1024;  // bytes of folded.log; then it starts anew
constexpr char const* kExtensions[] = {".raw", ".txt", ".json"};

struct Kept {
  DumpSummary summary;
  std::uintmax_t bytes = 0;
  bool there = false;
};

std::string one_line(std::string text) {
  for (char& each : text) {
    if (each == '\n' || each == '\t') each = ' ';
  }
  return text;
}

// Lines of "stem\tsignature\tline", the oldest first.
std::vector<Kept> read_index(fs::path const& directory) {
  std::vector<Kept> kept;
  std::ifstream file{directory / ".index"};
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields{line};
    Kept each;
    std::getline(fields, each.summary.stem, '\t');
    std::getline(fields, each.summary.signature, '\t');
    std::getline(fields, each.summary.line);
    if (!each.summary.stem.empty()) kept.push_back(std::move(each));
  }
  return kept;
}

void write_index(fs::path const& directory, std::vector<Kept> const& kept) {
  fs::path const temporary = directory / ".index.new";
  {
    std::ofstream file{temporary, std::ios::trunc};
    for (auto const& each : kept) {
      if (!each.there) continue;
      file << each.summary.stem << '\t' << each.summary.signature << '\t' << each.summary.line
           << '\n';
    }
    if (!file.flush()) return;
  }
  std::error_code error;
  fs::rename(temporary, directory / ".index", error);
}

void measure(fs::path const& directory, Kept& each) {
  for (char const* const extension : kExtensions) {
    std::error_code error;
    auto const bytes = fs::file_size(directory / (each.summary.stem + extension), error);
    if (error) continue;
    each.there = true;
    each.bytes += bytes;
  }
}

// Dumps that no index knows (an earlier program's, a lost index) are the oldest.
void add_unknown(fs::path const& directory, std::vector<Kept>& kept) {
  std::map<fs::file_time_type, std::string> found;
  std::error_code error;
  for (auto const& entry : fs::directory_iterator(directory, error)) {
    std::string const name = entry.path().filename().string();
    std::string const extension = entry.path().extension().string();
    if (name.starts_with(".") || std::ranges::find(kExtensions, extension) == std::end(kExtensions))
      continue;
    std::string const stem = entry.path().stem().string();
    bool const known =
        std::ranges::any_of(kept, [&](Kept const& each) { return each.summary.stem == stem; }) ||
        std::ranges::any_of(found, [&](auto const& each) { return each.second == stem; });
    std::error_code no_time;
    if (!known) found[fs::last_write_time(entry.path(), no_time)] = stem;
  }
  std::vector<Kept> all;
  all.reserve(found.size() + kept.size());
  for (auto const& [time, stem] : found) {
    all.push_back({.summary = {.stem = stem, .signature = stem, .line = stem}});
  }
  std::ranges::move(kept, std::back_inserter(all));
  kept = std::move(all);
}

void fold(fs::path const& directory, Kept& each) {
  for (char const* const extension : kExtensions) {
    std::error_code error;
    fs::remove(directory / (each.summary.stem + extension), error);
  }
  each.there = false;
  std::error_code error;
  fs::path const log = directory / "folded.log";
  if (auto const size = fs::file_size(log, error); !error && size > kMostFolded) {
    fs::rename(log, directory / "folded.log.1", error);
  }
  std::ofstream{log, std::ios::app} << each.summary.line << '\n';
}

}  // namespace

std::uint32_t retain(std::string const& name, Retention const& limits, DumpSummary const& added) {
  fs::path const directory{name};
  std::vector<Kept> kept = read_index(directory);
  std::erase_if(kept, [&](Kept const& each) { return each.summary.stem == added.stem; });
  kept.push_back({.summary = {.stem = added.stem,
                              .signature = one_line(added.signature),
                              .line = one_line(added.line)}});
  add_unknown(directory, kept);
  for (auto& each : kept) measure(directory, each);
  std::erase_if(kept, [](Kept const& each) { return !each.there; });

  std::uint32_t removed = 0;
  // Of one signature the first stays, for how it began, and the latest.
  auto const same = [&](Kept const& each) {
    return each.there && each.summary.signature == one_line(added.signature);
  };
  while (std::ranges::count_if(kept, same) > std::max<std::ptrdiff_t>(2, limits.keep_same)) {
    auto const first = std::ranges::find_if(kept, same);
    fold(directory, *std::find_if(first + 1, kept.end(), same));
    ++removed;
  }
  for (;;) {
    std::uintmax_t bytes = 0;
    std::uint32_t count = 0;
    for (auto const& each : kept) {
      if (!each.there) continue;
      bytes += each.bytes;
      ++count;
    }
    if (count <= 1 || (count <= limits.keep && bytes <= limits.keep_bytes)) break;
    fold(directory, *std::ranges::find_if(kept, &Kept::there));
    ++removed;
  }
  write_index(directory, kept);
  return removed;
}

}  // namespace canary::dump
