// SPDX-License-Identifier: Apache-2.0
// The files that raw dumps go to: reserved beforehand, so that neither a full disk nor a process
// without a free descriptor keeps one from being written.
// Thread: one at a time; async-signal-safe but for the constructor and the destructor.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace canary::dump {

class DumpFiles {
 public:
  // Creates the directory (0700) and reserves two files for dumps and one for a text. Throws for
  // nothing: trouble() says what is lacking.
  explicit DumpFiles(std::string directory);
  ~DumpFiles();
  DumpFiles(DumpFiles const&) = delete;
  DumpFiles& operator=(DumpFiles const&) = delete;
  std::string const& trouble() const { return trouble_; }
  std::string const& directory() const { return directory_; }

  // Before each dump. Since the last one the folder or a file in it may have been deleted or
  // replaced: what is lost is made anew, while there still is time to.
  void prepare();
  // The stem; with "-2" to "-9" behind it where there is a dump of that name, or what the helper
  // made of one.
  void free_name(std::string_view stem, std::span<char> name) const;
  // An empty file for the dump, not yet under its name; -1 where there is none.
  int open_raw();
  // Cuts it to `bytes`, names it "STEM.raw" and says where it is then. False where that place does
  // not lead to it; it is open until close_raw().
  bool name_raw(std::string_view stem, std::uint64_t bytes, std::span<char> path);
  void close_raw();
  // The text for people, likewise as "STEM.txt"; `path` stays empty where that failed.
  void place_text(std::string_view stem, std::string_view text, std::span<char> path);
  void reserve();
  // errno of what failed first since prepare(); 0: nothing.
  int error() const { return error_; }
  void note(int error);

 private:
  struct Spare {
    int descriptor = -1;
    std::array<char, 32> name{};
  };

  bool taken(char const* stem) const;
  void reserve(Spare& spare);
  bool give_name(Spare& spare, std::string_view stem, std::string_view extension,
                 std::span<char> path);

  std::string directory_, trouble_;
  int descriptor_ = -1;  // of the directory
  std::array<Spare, 2> spares_{};
  Spare text_spare_{};
  Spare* used_ = nullptr;
  int error_ = 0;
};

}  // namespace canary::dump
