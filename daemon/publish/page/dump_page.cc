// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/dump_page.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "config/harmless.h"
#include "config/url.h"
#include "daemon/publish/page/humane.h"
#include "daemon/publish/page/render.h"
#include "daemon/publish/page/templates.h"

namespace canary::daemon::page {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongest = 600;  // of one text
constexpr std::size_t kMostFrames = 64, kMostStacks = 40, kMostRuns = 200, kMostLines = 100;

// A file of that name may hold anything: what is not there, or is of another type, is left out.
json::value const* field(json::value const& in, std::string_view name) {
  auto const* const object = in.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

std::string text_of(json::value const* value) {
  if (value == nullptr || value->is_null()) return {};
  if (auto const* const text = value->if_string()) return make_harmless(*text, kLongest);
  if (auto const* const number = value->if_int64()) return std::to_string(*number);
  return {};
}
std::string text_of(json::value const& in, std::string_view name) {
  return text_of(field(in, name));
}

bool is_true(json::value const& in, std::string_view name) {
  auto const* const value = field(in, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// "12 s" of a field in seconds; "" where it has none.
std::string span_of(json::value const& in, std::string_view name) {
  auto const* const value = field(in, name);
  if (value == nullptr || !value->is_number()) return {};
  double const seconds = std::clamp(value->to_number<double>(), 0.0, 1e9);
  return span(std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1e3)});
}

json::array const& list_of(json::value const& in, std::string_view name) {
  static json::array const kNone;
  auto const* const value = field(in, name);
  auto const* const list = value == nullptr ? nullptr : value->if_array();
  return list == nullptr ? kNone : *list;
}

// "probes/tuf/refresh.cc:30"; "" where there is none.
std::string place_of(json::value const& frame) {
  std::string const file = text_of(frame, "file");
  return file.empty() ? "" : file + ":" + text_of(frame, "line");
}

// Of canaryd itself: such sources are named relative to its root.
bool is_ours(json::value const& frame) {
  constexpr std::array<std::string_view, 5> kFolders{"config/", "daemon/", "probes/", "runtime/",
                                                     "tests/"};
  std::string const file = text_of(frame, "file");
  return std::ranges::any_of(kFolders, [&](auto folder) { return file.starts_with(folder); });
}

std::string base_name(std::string const& path) { return path.substr(path.rfind('/') + 1); }

void add_frame(Fields& into, json::value const& frame, std::size_t number) {
  std::string function = text_of(frame, "function"), place = place_of(frame);
  if (function.empty()) function = text_of(frame, "address");
  if (place.empty()) place = base_name(text_of(frame, "module"));
  into.text("number", std::to_string(number))
      .text("function", std::move(function))
      .text("place", std::move(place))
      .flag("inlined", is_true(frame, "inlined"));
}

// Frames of ours one by one; those of libraries between them as one group, folded.
void add_frames(Fields& stack, json::array const& frames, std::string const& accused) {
  stack.list("groups");
  Fields* folded = nullptr;
  std::size_t in_fold = 0;
  bool told = false;
  for (std::size_t i = 0; i < std::min(frames.size(), kMostFrames); ++i) {
    auto const& frame = frames[i];
    if (!is_ours(frame)) {
      if (folded == nullptr) {
        folded = &stack.entry("groups");
        folded->flag("ours", false);
        in_fold = 0;
      }
      add_frame(folded->entry("frames"), frame, i);
      folded->text("folded", count(++in_fold, "frame") + " of libraries");
      continue;
    }
    folded = nullptr;
    Fields& own = stack.entry("groups");
    bool const is_it = !told && !accused.empty() && place_of(frame) == accused;
    told = told || is_it;
    own.flag("ours", true).flag("accused", is_it);
    add_frame(own, frame, i);
  }
  stack.text("left_out", frames.size() > kMostFrames
                             ? count(frames.size() - kMostFrames, "frame") + " are left out"
                             : "");
}

void add_stacks(Fields& page, json::value const& dump, std::string const& accused) {
  page.list("stacks");
  bool others = false;
  auto const& stacks = list_of(dump, "stacks");
  for (std::size_t i = 0; i < std::min(stacks.size(), kMostStacks); ++i) {
    auto const& each = stacks[i];
    bool const culprit = is_true(each, "culprit");
    others = others || !culprit;
    Fields& stack = page.entry("stacks");
    stack.text("title", text_of(each, "name") + " (thread " + text_of(each, "thread") + ")")
        .text("note", text_of(each, "note"))
        .flag("culprit", culprit);
    add_frames(stack, list_of(each, "frames"), culprit ? accused : "");
  }
  page.flag("others", others);
}

void add_incidents(Fields& page, json::value const& dump) {
  page.list("incidents");
  for (auto const& each : list_of(dump, "incidents")) {
    std::string who = text_of(each, "subject");
    if (auto const name = text_of(each, "name"); !name.empty() && name != who) who += " " + name;
    page.entry("incidents")
        .text("who", std::move(who))
        .text("level", text_of(each, "level"))
        .text("verdict", text_of(each, "verdict"))
        .text("system_call", text_of(each, "system_call"))
        .text("age", span_of(each, "age_seconds"));
  }
}

void add_runs(Fields& page, json::value const& dump) {
  page.list("runs");
  auto const& runs = list_of(dump, "runs");
  for (std::size_t i = 0; i < std::min(runs.size(), kMostRuns); ++i) {
    auto const& each = runs[i];
    Fields& run = page.entry("runs");
    run.text("name", text_of(each, "name"))
        .text("kind", text_of(each, "kind"))
        .text("age", span_of(each, "age_seconds"))
        .flag("stalled", is_true(each, "stalled"));
    run.list("rows");
    for (auto const& row : list_of(each, "rows")) {
      auto const* const place = field(row, "place");
      run.entry("rows")
          .text("row", text_of(row, "name"))
          .text("detail", text_of(row, "detail"))
          .text("row_age", span_of(row, "age_seconds"))
          .text("place", place == nullptr ? "" : place_of(*place))
          .flag("lost", is_true(row, "wait") && !is_true(row, "operation_pending"));
    }
  }
}

std::string lines_of(json::value const& dump, std::string_view name) {
  std::string text;
  auto const& lines = list_of(dump, name);
  std::size_t const from = lines.size() - std::min(lines.size(), kMostLines);
  for (std::size_t i = from; i < lines.size(); ++i) text += text_of(&lines[i]) + "\n";
  return text;
}

}  // namespace

std::optional<std::string> dump_page(std::string const& name, std::string_view text) {
  boost::system::error_code failed;
  json::value const dump = json::parse(text, failed);
  if (failed || !dump.is_object()) return std::nullopt;
  auto const* const culprit = field(dump, "culprit");
  std::string const accused = culprit == nullptr ? "" : place_of(*culprit);
  std::string const file = "/hangs/" + config::percent_encode(name);
  Fields page;
  page.flag("still", true)
      .text("name", name)
      .text("headline", text_of(dump, "headline"))
      .text("reason", text_of(dump, "reason"))
      .text("time", text_of(dump, "time"))
      .text("process", text_of(dump, "process"))
      .text("build_id", text_of(dump, "build_id"))
      .text("accused_place", accused)
      .text("accused_function", culprit == nullptr ? "" : text_of(*culprit, "function"))
      .text("text_href", file + ".txt")
      .text("json_href", file + ".json")
      .text("log", lines_of(dump, "log"))
      .text("notes", lines_of(dump, "notes"));
  add_incidents(page, dump);
  add_runs(page, dump);
  add_stacks(page, dump, accused);
  return render_page("canaryd: " + name, templates::kDump, page);
}

}  // namespace canary::daemon::page
