// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/render/text_page.h"

#include <map>

#include "daemon/dump/render/text_lines.h"
#include "daemon/text/system_calls.h"

namespace canary::dump {

void TextPage::field(std::string_view name, std::string const& value) {
  std::string text = "  " + std::string{name};
  text.append(name.size() < 10 ? 10 - name.size() : 1, ' ');
  line(text + value);
}

std::string TextPage::thread_text(std::int32_t thread) const {
  std::string text = std::to_string(thread) + " " + plain(thread_name(document_, thread));
  for (auto const& each : document_.threads) {
    if (each.thread == thread) text += ", " + state_text(each);
  }
  return text;
}

std::string plain(std::string_view text) {
  std::string result{text};
  for (char& each : result) {
    if ((each >= 0 && each < ' ') || each == 0x7F) each = '?';
  }
  return result;
}

void to_column(std::string& line, std::size_t column) {
  line.append(line.size() + 2 > column ? 2 : column - line.size(), ' ');
}

std::string handler_text(HandlerState const& handler) {
  std::string text = handler.object_type + " " + handler.operation;
  std::string const place = place_text(handler.place);
  if (!place.empty()) text += "  " + place;
  if (!handler.place.function.empty()) text += "  " + handler.place.function;
  return text;
}

std::string state_text(ThreadSample const& thread) {
  static std::map<char, char const*> const kStates{
      {'R', "running"}, {'S', "sleeping"}, {'D', "in uninterruptible sleep"},
      {'T', "stopped"}, {'t', "traced"},   {'Z', "dead"},
      {'I', "idle"},    {'X', "dead"}};
  auto const found = kStates.find(thread.state);
  std::string text = found == kStates.end() ? std::string(1, thread.state) : found->second;
  if (thread.system_call >= 0) text += " in " + system_call_text(thread.system_call);
  if (!thread.wait_channel.empty()) text += " (kernel: " + plain(thread.wait_channel) + ")";
  return text;
}

}  // namespace canary::dump
