// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/black_box.h"

#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "daemon/dump/render/text_lines.h"
#include "daemon/text/fixed_text.h"

namespace canary::dump {
namespace {

using std::memory_order_relaxed;

constexpr std::size_t kLongestText = 512;
constexpr std::size_t kNamesShown = 16;
constexpr std::string_view kUnknownText = "?";

// The text from there on, where it ends within `room` and is printable; else "?". Any byte of the
// program's may be there, also those between its constants, which AddressSanitizer keeps from use.
[[gnu::no_sanitize_address]] std::string printable_text(char const* at, std::size_t room) {
  std::string text;
  for (std::size_t i = 0; i < room; ++i) {
    char const each = at[i];
    if (each == '\0') return text;
    if ((each >= 0 && each < ' ') || each == 0x7F) break;
    text.push_back(each);
  }
  return std::string{kUnknownText};
}

// A literal of this program at an offset that is not trusted: inside of what is never written,
// ended, and printable.
std::string own_literal(runtime::TextOffset offset) {
  if (offset == 0) return {};
  struct Search {
    std::uintptr_t at;
    std::string text;
  } search{reinterpret_cast<std::uintptr_t>(runtime::image_start()) + offset,
           std::string{kUnknownText}};
  auto const visit = [](dl_phdr_info* object, std::size_t, void* context) {
    auto& wanted = *static_cast<Search*>(context);
    for (int i = 0; i < object->dlpi_phnum; ++i) {
      auto const& segment = object->dlpi_phdr[i];
      if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
      if ((segment.p_flags & PF_R) == 0) continue;
      std::uintptr_t const start = object->dlpi_addr + segment.p_vaddr;
      if (wanted.at < start || wanted.at >= start + segment.p_filesz) continue;
      // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in the image
      auto const* const text = reinterpret_cast<char const*>(wanted.at);
      std::size_t const room = std::min(start + segment.p_filesz - wanted.at, kLongestText);
      wanted.text = printable_text(text, room);
    }
    return 1;  // the program itself comes first
  };
  ::dl_iterate_phdr(visit, &search);
  return search.text;
}

// When the process was last seen at work, by its own clock.
std::int64_t last_sign_of_life(runtime::Tables& tables, std::int64_t now_ns) {
  std::int64_t last = tables.header().started_monotonic_ns;
  auto const seen = [&](std::int64_t at) {
    if (at > last && at <= now_ns) last = at;
  };
  for (auto const& row : tables.threads()) {
    if (row.kind.load(memory_order_relaxed) != runtime::ThreadRecord::watchdog) continue;
    seen(row.job_since_ns.load(memory_order_relaxed));  // its last tick
  }
  seen(tables.loop().beat_ns.load(memory_order_relaxed));
  seen(tables.scheduler().last_pass_ns.load(memory_order_relaxed));
  return last < 0 || last > now_ns ? now_ns : last;
}

std::string site_text(HandlerState const& handler) {
  std::string text = handler.object_type + " " + handler.operation;
  std::string const place = place_text(handler.place);
  if (!place.empty()) text += " " + place;
  return text;
}

void note_words(BlackBox& box, runtime::Tables& tables) {
  auto& words = box.words;
  auto const& loop = box.executor.loop;
  words.known = true;
  words.in_run = tables.loop().state.load(memory_order_relaxed) != runtime::LoopRecord::left_run;
  words.process = box.executor.process;
  words.ended_wall_ns = box.ended_wall_ns;
  words.handler_ns = loop.running ? std::max<std::int64_t>(1, loop.handler.took_ns) : 0;
  words.beat_age_ns = loop.beats == 0 ? -1 : loop.beat_age_ns;
  for (auto const& run : box.executor.runs) {
    if (loop.running && run.index == loop.run) copy_text(words.run, run.name);
    if (run.service) continue;
    ++words.runs;
    box.going_on.push_back(run.name);
  }
  if (loop.running && !box.texts.empty()) {
    copy_text(words.site, site_text(loop.handler));
  }
}

}  // namespace

BlackBox read_black_box(HandedOver& handed_over, std::int64_t now_ns, std::int64_t wall_ns) {
  BlackBox box;
  box.wrote_ns = now_ns;
  box.found = !handed_over.tables.empty();
  box.trouble = handed_over.trouble;
  if (!box.found) return box;
  runtime::Tables tables{handed_over.tables.bytes()};
  if (!tables.ok()) {
    box.trouble = "its tables are those of another version of canaryd, or damaged";
    return box;
  }
  box.ended_ns = last_sign_of_life(tables, now_ns);
  box.ended_wall_ns = wall_ns - (now_ns - box.ended_ns);
  bool const same_build = runtime::tables() != nullptr &&
                          tables.header().build_id == runtime::tables()->header().build_id;
  if (!same_build) {
    box.trouble = "another build of canaryd wrote its tables: functions and files have no names";
  }
  auto const text = [&](runtime::TextOffset offset) -> std::string {
    if (offset == 0) return {};
    if (!same_build) return std::string{kUnknownText};
    auto const [known, fresh] = box.texts.try_emplace(offset);
    if (fresh) known->second = own_literal(offset);
    return known->second;
  };
  box.executor = read_executor(tables, text, box.ended_ns);
  note_words(box, tables);
  return box;
}

std::string names_of_runs(BlackBox const& box) {
  std::string text;
  for (std::size_t i = 0; i < box.going_on.size(); ++i) {
    if (i == kNamesShown) {
      return text + " and " + std::to_string(box.going_on.size() - i) + " more";
    }
    (text += i == 0 ? "" : ", ") += box.going_on[i];
  }
  return text;
}

std::string last_act(BlackBox const& box) {
  auto const& loop = box.executor.loop;
  if (loop.beats == 0 && !loop.running) return "had not begun to turn";
  std::string text;
  if (loop.running) {
    text = "ran " + (box.texts.empty() ? "a handler" : site_text(loop.handler)) + " for " +
           span_text(loop.handler.took_ns);
    if (box.words.run[0] != '\0') text += ", of " + std::string{box.words.run.data()};
  } else {
    text = "waited";
  }
  if (loop.beats > 0) text += "; its last beat came " + span_text(loop.beat_age_ns) + " before";
  return text;
}

}  // namespace canary::dump
