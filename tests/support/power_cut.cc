// SPDX-License-Identifier: Apache-2.0
#include "tests/support/power_cut.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <ranges>
#include <utility>

#include "tests/support/power_cut_journal.h"

namespace canary::support {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPage = 4096;

struct Record : ChangeHeader {
  std::uint64_t place = 0;  // in the journal
  std::string path, other, bytes;
};

// The last one may be half: the program was killed while it wrote it, and before the change.
std::vector<Record> records(fs::path const& journal) {
  std::ifstream file{journal, std::ios::binary};
  std::string const all{std::istreambuf_iterator<char>{file}, {}};
  std::vector<Record> found;
  for (std::size_t at = 0; at + sizeof(ChangeHeader) <= all.size();) {
    Record record;
    record.place = at;
    std::memcpy(static_cast<ChangeHeader*>(&record), all.data() + at, sizeof(ChangeHeader));
    at += sizeof(ChangeHeader);
    auto const take = [&](std::uint32_t length) {
      std::string text = at <= all.size() ? all.substr(at, length) : std::string{};
      at += length;
      return text;
    };
    record.path = take(record.path_length);
    record.other = take(record.other_length);
    record.bytes = take(record.bytes_length);
    if (at <= all.size()) found.push_back(std::move(record));
  }
  return found;
}

enum class Fate : unsigned char { lost, kept, in_pages };

class Contents {
 public:
  Contents(fs::path aside, std::minstd_rand& random) : aside_(std::move(aside)), random_(random) {}

  void take_back(Record const& record) {
    auto [known, fresh] = fates_.try_emplace(record.inode, Fate::lost);
    if (fresh) known->second = static_cast<Fate>(random_() % 3);
    if (known->second == Fate::kept) return;
    int const file = ::open((aside_ / std::to_string(record.inode)).c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    if (known->second == Fate::lost) {
      put(file, record.offset, record.bytes);
      if (::ftruncate(file, static_cast<off_t>(record.size)) != 0) std::abort();
    } else if (record.change == Change::content) {
      lose_pages(file, record);
    }
    ::close(file);
  }

 private:
  static void put(int file, std::uint64_t offset, std::string const& bytes) {
    auto const written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written != static_cast<ssize_t>(bytes.size())) std::abort();
  }

  // A page is lost or kept with all its changes. Where there was none, it has zeros.
  void lose_pages(int file, Record const& record) {
    std::string before = record.bytes;
    before.resize(record.length, '\0');
    for (std::uint64_t at = 0; at < record.length;) {
      std::uint64_t const page = (record.offset + at) / kPage;
      std::uint64_t const end = std::min(record.length, (page + 1) * kPage - record.offset);
      auto [known, fresh] = pages_.try_emplace({record.inode, page}, false);
      if (fresh) known->second = random_() % 2 == 0;
      if (known->second) put(file, record.offset + at, before.substr(at, end - at));
      at = end;
    }
  }

  fs::path aside_;
  std::minstd_rand& random_;
  std::map<std::uint64_t, Fate> fates_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, bool> pages_;
};

void take_back_name(Record const& record, fs::path const& aside) {
  std::error_code ignored;
  auto const kept = aside / std::to_string(record.inode);
  if (record.change == Change::created) {
    fs::remove_all(record.path, ignored);
  } else if (record.change == Change::removed) {
    if (fs::exists(kept)) fs::create_hard_link(kept, record.path, ignored);
    if (!fs::exists(kept)) fs::create_directory(record.path, ignored);
  } else if (!fs::exists(record.path)) {  // else it was not renamed yet
    fs::rename(record.other, record.path, ignored);
    if (record.inode != 0) fs::create_hard_link(kept, record.other, ignored);
  }
}

bool of_content(Record const& record) {
  return record.change == Change::content || record.change == Change::cut;
}

bool of_names(Record const& record) {
  return record.change == Change::created || record.change == Change::removed ||
         record.change == Change::renamed;
}

std::string folder_of(Record const& record) { return fs::path{record.path}.parent_path(); }

}  // namespace

PowerCut::PowerCut(fs::path folder, fs::path aside, Syncs syncs)
    : folder_(std::move(folder)), aside_(std::move(aside)), syncs_(syncs) {
  fs::create_directories(aside_);
}

std::vector<std::string> PowerCut::around(std::vector<std::string> const& command) const {
  auto const set = [](char const* name, std::string const& value) {
    return std::string{name} + "=" + value;
  };
  std::vector<std::string> words{"/usr/bin/env", set("LD_PRELOAD", POWER_CUT_PRELOAD),
                                 set(kPowerFolder, folder_), set(kPowerAside, aside_)};
  if (syncs_ == Syncs::do_nothing) words.push_back(set(kPowerNoSync, "1"));
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

void PowerCut::happen(std::minstd_rand& random) const {
  auto const changes = records(aside_ / "journal");
  std::map<std::uint64_t, std::uint64_t> content_kept;  // inode: all before that place
  std::map<std::string, std::uint64_t> names_kept;
  // Of two that synced at once, either may have begun first.
  auto const up_to = [](std::uint64_t& place, Record const& record) {
    place = std::max(place, record.offset);
  };
  for (Record const& record : changes) {
    if (record.change == Change::content_kept) up_to(content_kept[record.inode], record);
    if (record.change == Change::names_kept) up_to(names_kept[record.path], record);
  }
  std::map<std::string, std::vector<std::uint64_t>> open_names;  // places, by folder
  for (Record const& record : changes | std::views::filter(of_names)) {
    auto const folder = folder_of(record);
    if (record.place >= names_kept[folder]) open_names[folder].push_back(record.place);
  }
  for (auto const& [folder, places] : open_names) {
    auto const more = random() % (places.size() + 1);
    names_kept[folder] = more == places.size() ? places.back() + 1 : places[more];
  }
  Contents contents{aside_, random};
  for (Record const& record : changes | std::views::reverse | std::views::filter(of_content)) {
    if (record.place >= content_kept[record.inode]) contents.take_back(record);
  }
  for (Record const& record : changes | std::views::reverse | std::views::filter(of_names)) {
    if (record.place >= names_kept[folder_of(record)]) take_back_name(record, aside_);
  }
  // Of SQLite, in memory as far as the disk is concerned.
  std::vector<fs::path> shared;
  for (auto const& entry : fs::recursive_directory_iterator(folder_)) {
    if (entry.path().native().ends_with("-shm")) shared.push_back(entry.path());
  }
  for (auto const& path : shared) fs::remove(path);
  fs::remove_all(aside_);
  fs::create_directories(aside_);
}

}  // namespace canary::support
