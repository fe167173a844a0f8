// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/dump_file.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "tests/support/read_file.h"

namespace canary::faults {
namespace {

namespace json = boost::json;

std::string text_of(json::object const& object, char const* key) {
  auto const* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{value->as_string()} : "";
}

json::array const& list_of(json::object const& object, char const* key) {
  static json::array const none;
  auto const* const value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->as_array() : none;
}

std::string line_of(json::object const& place) {
  auto const* const line = place.if_contains("line");
  if (line == nullptr || !line->is_number()) return "";
  return std::to_string(line->to_number<int>());
}

std::string file_name(std::string const& path) { return path.substr(path.rfind('/') + 1); }

// "computes_without_end" of "canary::faults::(anonymous namespace)::computes_without_end(...)".
bool names(std::string const& function, std::string const& name) {
  return function.find(name) != std::string::npos;
}

}  // namespace

std::optional<std::string> DumpFile::place_of(std::string const& name) const {
  for (auto const& stack : list_of(content, "stacks")) {
    for (auto const& each : list_of(stack.as_object(), "frames")) {
      auto const& frame = each.as_object();
      std::string const file = text_of(frame, "file"), line = line_of(frame);
      if (!names(text_of(frame, "function"), name) || file.empty() || line.empty()) continue;
      return name + " " + file_name(file) + ":" + line;
    }
  }
  for (auto const& run : list_of(content, "runs")) {
    for (auto const& each : list_of(run.as_object(), "rows")) {
      auto const& row = each.as_object();
      std::string const wait = text_of(row, "name");
      auto const* const place = row.if_contains("place");
      if (!wait.starts_with(name) || place == nullptr || !place->is_object()) continue;
      std::string const file = text_of(place->as_object(), "file");
      return wait + " " + file_name(file) + ":" + line_of(place->as_object());
    }
  }
  return std::nullopt;
}

std::optional<DumpFile> find_dump(std::filesystem::path const& folder, std::string const& subject) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  for (char const* const part : {"run", "state"}) {
    for (auto const& entry : std::filesystem::recursive_directory_iterator(
             folder / part, std::filesystem::directory_options::skip_permission_denied, failed)) {
      if (entry.path().extension() == ".json" &&
          entry.path().filename().string().starts_with("stall-")) {
        files.push_back(entry.path());
      }
    }
  }
  std::ranges::sort(files, {}, [](auto const& file) { return file.filename(); });
  for (auto const& file : files) {
    std::string const text = support::read_file(file);
    boost::system::error_code wrong;
    auto const value = json::parse(text, wrong);
    if (wrong || !value.is_object()) continue;  // still being written
    auto const& incidents = list_of(value.as_object(), "incidents");
    if (incidents.empty()) continue;
    auto const& first = incidents.front().as_object();
    if (text_of(first, "subject") != subject) continue;
    return DumpFile{
        .path = file.string(), .verdict = text_of(first, "verdict"), .content = value.as_object()};
  }
  return std::nullopt;
}

}  // namespace canary::faults
