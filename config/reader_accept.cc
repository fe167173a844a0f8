// SPDX-License-Identifier: Apache-2.0
// Reading of `accept`: which findings are known, why, and until when.
// Thread: any but the loop's.
#include <algorithm>
#include <set>
#include <utility>

#include "config/duration.h"
#include "config/finding_words.h"
#include "config/nearest.h"
#include "config/reader.h"

namespace canary::config {
namespace {

constexpr std::size_t kMostEntries = 100;
constexpr std::size_t kLongestPattern = 300;  // bytes
constexpr std::size_t kLongestWords = 200;
constexpr std::string_view kExpectedFinding =
    "check/subject/reason such as signatures/root/signature";

// "signatures/root/signature"; the subject may be empty and may hold `/`.
bool split(std::string_view text, AcceptSpec& entry) {
  auto const first = text.find('/');
  auto const last = text.rfind('/');
  if (first == std::string_view::npos || first == last) return false;
  entry.check = text.substr(0, first);
  entry.subject = text.substr(first + 1, last - first - 1);
  entry.reason = text.substr(last + 1);
  return true;
}

// The common words and those of every kind.
template <std::size_t N>
std::vector<std::string> words_of(std::array<std::string_view, N> const& common, Kinds const& kinds,
                                  std::vector<std::string_view> Kind::* own) {
  std::set<std::string> words(common.begin(), common.end());
  for (Kind const& kind : kinds) words.insert((kind.*own).begin(), (kind.*own).end());
  return {words.begin(), words.end()};
}

bool is_word(yaml::Cursor const& at, std::string_view what, std::string const& word,
             std::vector<std::string> const& known) {
  if (is_one_of(known, word)) return true;
  std::string message = "expected the name of a ";
  message.append(what).append(", got \"").append(word).append("\"");
  if (word.find('*') != std::string::npos) message += "; * stands for a subject only";
  at.fail(std::move(message), did_you_mean(word, known));
  return false;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

void Reader::accept(Field field, std::vector<AcceptSpec>& value) {
  auto const at = fields_->find(field.name);
  auto const list =
      at ? at->list("a list of {finding: check/subject/reason, because: TEXT, until: DATE}")
         : std::nullopt;
  if (!list) return;
  if (list->size() > kMostEntries) {
    at->fail("expected at most " + std::to_string(kMostEntries) + " entries, got " +
             std::to_string(list->size()));
    return;
  }
  std::set<std::string> seen;
  for (auto const& element : *list) {
    inside(element, [&] {
      auto entry = acceptance(element);
      if (!entry) return;
      if (!seen.insert(entry->finding()).second) {
        element.fail("the same finding twice: " + entry->finding());
        return;
      }
      std::erase_if(value, [&](auto const& old) { return old.finding() == entry->finding(); });
      value.push_back(*std::move(entry));
    });
  }
}

bool Reader::read_finding(yaml::Cursor const& at, AcceptSpec& entry) const {
  auto const text = at.text(kExpectedFinding);
  if (!text) return false;
  bool const odd = text->size() > kLongestPattern || std::ranges::any_of(*text, is_control);
  if (odd || !split(*text, entry)) {
    at.fail("expected " + std::string(kExpectedFinding) + ", got " + at.got());
    return false;
  }
  auto const checks = words_of(kCommonChecks, *options_.kinds, &Kind::checks);
  auto const reasons = words_of(kCommonReasons, *options_.kinds, &Kind::reasons);
  bool const known = is_word(at, "check", entry.check, checks);
  if (!is_word(at, "reason", entry.reason, reasons) || !known) return false;
  if (is_one_of(kUnacceptableChecks, entry.check)) {
    at.fail(
        "what kept canaryd from looking, or is its own affair, is never accepted, got " + at.got(),
        "enabled: false pauses the probe");
    return false;
  }
  return true;
}

std::optional<AcceptSpec> Reader::acceptance(yaml::Cursor const& at) {
  AcceptSpec entry;
  auto worst = static_cast<std::size_t>(entry.worst);
  choice({"severity"}, worst, {"warning", "unknown", "critical"});
  entry.worst = static_cast<AcceptSpec::Worst>(worst);
  auto const finding = fields_->find("finding");
  auto const because = fields_->find("because");
  auto const until = fields_->find("until");
  if (!finding || !because || !until) {
    std::string const missing = !finding   ? "finding, check/subject/reason"
                                : !because ? "because, what is known of it"
                                           : "until, a date such as 2027-03-31";
    at.fail("field missing: expected " + missing);
    return std::nullopt;
  }
  bool good = read_finding(*finding, entry);
  auto const words = because->text("what is known of it");
  if (words && (words->empty() || words->size() > kLongestWords ||
                std::ranges::any_of(*words, is_control))) {
    because->fail("expected 1 to " + std::to_string(kLongestWords) +
                  " bytes without control characters, got " + because->got());
    good = false;
  }
  auto const date = until->text("a date such as 2027-03-31");
  if (!words || !date) return std::nullopt;
  entry.because = *words;
  auto const end = *date == "now" ? Result<std::chrono::sys_seconds, std::string>(
                                        std::string("expected a date such as 2027-03-31, got now"))
                                  : parse_time(*date, {});
  if (!end) {
    until->fail(end.error());
    return std::nullopt;
  }
  entry.until = end.value();
  if (good && entry.worst == AcceptSpec::Worst::critical &&
      is_one_of(kTamperingWords, entry.reason)) {
    finding->fail("a critical finding of the reason " + entry.reason +
                  " is proof of tampering or damage and never accepted: expected severity warning "
                  "or unknown");
    good = false;
  }
  if (!good) return std::nullopt;
  return entry;
}

void Reader::threshold(Field field, ExpiryThreshold& value) {
  constexpr std::string_view kFitted = "up to ";
  constexpr milliseconds kLongest = std::chrono::days{3'653};
  auto const at = fields_->find(field.name);
  auto text = at ? at->text("a duration such as 7d, or \"up to 7d\"") : std::nullopt;
  if (!text) return;
  bool const fitted = text->starts_with(kFitted);
  if (fitted) text->erase(0, kFitted.size());
  auto const parsed = parse_duration(*text);
  if (!parsed) {
    at->fail(parsed.error());
    return;
  }
  auto const span = std::chrono::floor<seconds>(parsed.value());
  if (parsed.value() > kLongest) {
    at->fail("expected 0s to " + to_text(kLongest) + ", got " + *text);
  } else if (span != parsed.value()) {
    at->fail("expected whole seconds, got " + to_text(parsed.value()));
  } else {
    value = fitted ? ExpiryThreshold::up_to(span) : ExpiryThreshold{span};
  }
}

}  // namespace canary::config
