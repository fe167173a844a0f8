// SPDX-License-Identifier: Apache-2.0
// docs/dump-format.md says what the writer writes and the reader reads.
#include "daemon/dump/write/raw_format.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/dump/read/document.h"
#include "daemon/dump/write/section_writer.h"
#include "tests/support/read_file.h"

namespace canary::dump {
namespace {

std::string page() { return support::read_file("docs/dump-format.md"); }

std::vector<std::byte> bytes_of_the_example() {
  std::string const text = page();
  auto const begin = text.find("```hex\n") + 7;
  std::istringstream digits{text.substr(begin, text.find("```", begin) - begin)};
  std::vector<std::byte> bytes;
  for (std::string each; digits >> each;) {
    bytes.push_back(static_cast<std::byte>(std::stoi(each, nullptr, 16)));
  }
  return bytes;
}

TEST(RawFormat, IsWrittenAsThePagesExample) {
  std::array<std::byte, 256> memory{};
  SectionWriter out{memory};
  out.begin(SectionType::versions);
  out.text("canaryd 1");
  out.end();
  out.begin(SectionType::end);
  out.end();

  ASSERT_EQ(out.error(), 0);
  std::vector<std::byte> const written{memory.begin(), memory.begin() + out.size()};
  EXPECT_EQ(written, bytes_of_the_example());
}

TEST(RawFormat, ThePagesExampleIsRead) {
  auto const document = read_dump(bytes_of_the_example());

  EXPECT_EQ(document.versions, "canaryd 1");
  EXPECT_THAT(document.notes, testing::IsEmpty());
}

// As the reader calls it where it is cut short.
std::string name_of(SectionType type) {
  std::array<std::byte, 64> memory{};
  SectionWriter out{memory};
  out.begin(type);
  auto const document = read_dump({memory.data(), out.size()});
  std::string const note = document.notes.empty() ? "" : document.notes.front();
  auto const begin = note.find('"') + 1;
  std::string name = note.substr(begin, note.find('"', begin) - begin);
  for (char& each : name) each = each == ' ' ? '_' : each;
  return name;
}

TEST(RawFormat, EachTypeOfSectionStandsInThePage) {
  std::string const text = page();
  for (std::uint32_t type = 1; type <= static_cast<std::uint32_t>(SectionType::end); ++type) {
    std::string const row =
        "| " + std::to_string(type) + " | `" + name_of(static_cast<SectionType>(type)) + "` |";
    EXPECT_THAT(text, testing::HasSubstr(row));
  }
}

}  // namespace
}  // namespace canary::dump
