// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/read/document.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>

#include "daemon/dump/write/checksum.h"

namespace canary::dump {
namespace {

using Bytes = std::span<std::byte const>;
constexpr std::size_t kMostTables = 256 * 1024 * 1024;  // more is damage

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

char const* name_of(SectionType type) {
  switch (type) {
    case SectionType::about:
      return "about";
    case SectionType::incidents:
      return "incidents";
    case SectionType::tables:
      return "tables";
    case SectionType::texts:
      return "texts";
    case SectionType::emergency_text:
      return "emergency text";
    case SectionType::stack:
      return "stack";
    case SectionType::maps:
      return "maps";
    case SectionType::threads:
      return "threads";
    case SectionType::descriptors:
      return "descriptors";
    case SectionType::memory:
      return "memory";
    case SectionType::log:
      return "log";
    case SectionType::versions:
      return "versions";
    case SectionType::end:
      return "end";
  }
  return "unknown";
}

template <class Value>
Value value_at(Bytes bytes) {
  Value value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (;;) {
    auto const end = text.find(by);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

template <class Number>
Number number(std::string_view text, Number otherwise = 0) {
  Number value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

template <class Each>
void for_each_item(Bytes bytes, Each each) {
  while (bytes.size() >= sizeof(ItemHeader)) {
    auto const header = value_at<ItemHeader>(bytes);
    bytes = bytes.subspan(sizeof header);
    if (header.length > bytes.size()) return;  // cut short
    each(header, as_text(bytes.first(header.length)));
    bytes = bytes.subspan(header.length);
  }
}

// "PID (NAME) S …"; the name may hold anything.
void read_stat(ThreadSample& into, std::string_view text, double ticks) {
  auto const open = text.find('(');
  auto const close = text.rfind(')');
  if (open == text.npos || close == text.npos || close < open || close + 2 >= text.size()) return;
  into.name = text.substr(open + 1, close - open - 1);
  auto const fields = split(text.substr(close + 2), ' ');
  into.state = fields[0].empty() ? '?' : fields[0][0];
  if (fields.size() > 12) {
    into.cpu_seconds = (number<double>(fields[11]) + number<double>(fields[12])) / ticks;
  }
}

class Reader {
 public:
  explicit Reader(Bytes raw) : rest_(raw) {}

  DumpDocument read() {
    if (rest_.size() < sizeof kFileMagic || value_at<std::uint64_t>(rest_) != kFileMagic) {
      note("this is no raw dump of canaryd: it does not begin with its magic");
      finish();
      return std::move(result_);
    }
    std::size_t at = sizeof kFileMagic;
    while (at + sizeof(SectionHeader) <= rest_.size()) {
      auto const header = value_at<SectionHeader>(rest_.subspan(at));
      if (header.magic != kSectionMagic) break;
      at += sizeof header;
      Bytes content = rest_.subspan(at);
      if (header.complete == 1 && header.length <= content.size()) {
        content = content.first(header.length);
        check(header, content);
        section(header.type, content);
        at += (header.length + 7) / 8 * 8;
        continue;
      }
      note(std::string{"the section \""} + name_of(header.type) + "\" is cut short");
      section(header.type, content);
      break;
    }
    finish();
    return std::move(result_);
  }

 private:
  void note(std::string text) { result_.notes.push_back(std::move(text)); }

  void check(SectionHeader const& header, Bytes content) {
    if (crc32c(0, content.data(), content.size()) == header.checksum) return;
    note(std::string{"the section \""} + name_of(header.type) +
         "\" is damaged (its checksum differs)");
  }

  void section(SectionType type, Bytes content) {
    switch (type) {
      case SectionType::about:
        result_.about = value_at<AboutSection>(content);
        return;
      case SectionType::incidents:
        for (; content.size() >= sizeof(watchdog::Incident);
             content = content.subspan(sizeof(watchdog::Incident))) {
          result_.incidents.push_back(value_at<watchdog::Incident>(content));
          result_.incidents.back().name.back() = '\0';
        }
        return;
      case SectionType::tables:
        tables_ = content;
        return;
      case SectionType::texts:
        for_each_item(content, [&](ItemHeader const& item, std::string_view text) {
          (*texts_)[item.tag] = text;
        });
        return;
      case SectionType::emergency_text:
        result_.emergency_text = as_text(content);
        return;
      case SectionType::stack:
        stack(content);
        return;
      case SectionType::maps:
        result_.maps = as_text(content);
        return;
      case SectionType::threads:
        for_each_item(content,
                      [&](ItemHeader const& item, std::string_view text) { thread(item, text); });
        return;
      case SectionType::descriptors:
        for_each_item(content, [&](ItemHeader const& item, std::string_view text) {
          descriptor(item, text);
        });
        return;
      case SectionType::memory:
        for_each_item(content,
                      [&](ItemHeader const& item, std::string_view text) { memory(item, text); });
        return;
      case SectionType::log:
        for (auto const line : split(as_text(content), '\n')) {
          if (!line.empty()) result_.log.emplace_back(line);
        }
        return;
      case SectionType::versions:
        result_.versions = as_text(content);
        return;
      case SectionType::end:
        ended_ = true;
        return;
    }
  }

  void stack(Bytes content) {
    if (content.size() < sizeof(StackSection)) return;
    NativeStack stack;
    stack.raw = value_at<StackSection>(content);
    content = content.subspan(sizeof(StackSection));
    content = content.first(std::min<std::size_t>(content.size(), stack.raw.stack_bytes));
    stack.bytes.assign(content.begin(), content.end());
    result_.stacks.push_back(std::move(stack));
  }

  void thread(ItemHeader const& item, std::string_view text) {
    auto const id = static_cast<std::int32_t>(item.tag);
    if (result_.threads.empty() || result_.threads.back().thread != id) {
      result_.threads.push_back({.thread = id});
    }
    ThreadSample& sample = result_.threads.back();
    switch (static_cast<ThreadItem>(item.kind)) {
      case ThreadItem::stat:
        read_stat(sample, text, std::max(1, result_.about.clock_ticks));
        return;
      case ThreadItem::wchan:
        if (text != "0") sample.wait_channel = text;
        return;
      case ThreadItem::syscall:
        sample.on_cpu = text.starts_with("running");
        if (!sample.on_cpu) sample.system_call = number<std::int64_t>(text, -1);
        return;
      case ThreadItem::schedstat: {
        auto const fields = split(text, ' ');
        if (fields.size() > 1) sample.run_delay_seconds = number<double>(fields[1]) / 1e9;
        return;
      }
      case ThreadItem::status:
        return;
    }
  }

  void descriptor(ItemHeader const& item, std::string_view text) {
    if (item.kind == 2) {
      result_.descriptor_count = item.tag;
      return;
    }
    auto const fields = split(text, '\t');
    auto const field = [&](std::size_t i) {
      return i < fields.size() ? std::string{fields[i]} : std::string{};
    };
    result_.descriptors.push_back({.descriptor = static_cast<std::int32_t>(item.tag),
                                   .target = field(0),
                                   .local = field(1),
                                   .peer = field(2),
                                   .state = field(3),
                                   .in = number<std::int64_t>(field(4), -1),
                                   .out = number<std::int64_t>(field(5), -1)});
  }

  void memory(ItemHeader const& item, std::string_view text) {
    auto& memory = result_.memory;
    switch (static_cast<MemoryItem>(item.kind)) {
      case MemoryItem::statm: {
        auto const fields = split(text, ' ');
        auto const page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        memory.size_bytes = number<std::uint64_t>(fields[0]) * page;
        if (fields.size() > 1) memory.resident_bytes = number<std::uint64_t>(fields[1]) * page;
        return;
      }
      case MemoryItem::pressure_cpu:
        memory.pressure_cpu = text;
        return;
      case MemoryItem::pressure_memory:
        memory.pressure_memory = text;
        return;
      case MemoryItem::pressure_io:
        memory.pressure_io = text;
        return;
    }
  }

  void finish() {
    result_.text = [texts = texts_](runtime::TextOffset offset) -> std::string {
      if (offset == 0) return {};
      auto const found = texts->find(offset);
      return found == texts->end() ? "?" : found->second;
    };
    if (!ended_) note("the dump does not reach its end: it was cut short while being written");
    std::vector<NativeStack> stacks;
    for (std::uint32_t const culprit : {1U, 0U}) {
      for (auto& each : result_.stacks) {
        if (each.raw.culprit == culprit) stacks.push_back(std::move(each));
      }
    }
    result_.stacks = std::move(stacks);
    if (tables_.empty()) return;
    // Where the block is cut short, the records that are missing are free ones.
    auto const header = value_at<runtime::TablesHeader>(tables_);
    std::size_t const wanted = std::size_t{header.runs} * header.run_bytes +
                               std::size_t{header.operations} * header.operation_bytes +
                               std::size_t{header.threads} * header.thread_bytes + 64 * 1024;
    std::size_t const size = std::max(tables_.size(), wanted < kMostTables ? wanted : 0);
    // Aligned as the records want it.
    std::vector<std::uint64_t> copy(size / 8 + 16);
    void* start = copy.data();
    std::size_t room = copy.size() * 8;
    start = std::align(64, size, start, room);
    if (start == nullptr) return;
    std::memcpy(start, tables_.data(), tables_.size());
    runtime::Tables tables{std::span{static_cast<std::byte*>(start), size}};
    if (!tables.ok()) {
      note(
          "the tables are of another version of canaryd, or cut short; the emergency text has "
          "them");
      return;
    }
    if (header.build_id != result_.about.build_id) {
      note("functions and files have no names here: another build of canaryd wrote the tables");
    }
    result_.has_executor = true;
    result_.executor = read_executor(tables, result_.text, result_.about.monotonic_ns);
  }

  Bytes rest_;
  Bytes tables_;
  bool ended_ = false;
  std::shared_ptr<std::map<runtime::TextOffset, std::string>> texts_ =
      std::make_shared<std::map<runtime::TextOffset, std::string>>();
  DumpDocument result_;
};

}  // namespace

DumpDocument read_dump(Bytes raw) { return Reader{raw}.read(); }

std::string thread_name(DumpDocument const& document, std::int32_t thread) {
  for (auto const& each : document.threads) {
    if (each.thread == thread) return each.name;
  }
  for (auto const& each : document.executor.threads) {
    if (each.thread == thread) return each.name;
  }
  return {};
}

}  // namespace canary::dump
