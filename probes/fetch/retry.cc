// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/retry.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "config/fnv.h"

namespace canary::fetch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLongest{10LL * 365 * 86'400};

template <class T>
std::optional<T> whole_number(std::string_view text) {
  T value{};
  auto const end = text.data() + text.size();
  auto const [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || text.empty() || text.front() == '-') {
    return std::nullopt;
  }
  return value;
}

std::uint64_t hash_of(std::string_view text, std::uint64_t salt) {
  std::uint64_t const hash = fnv1a(text, kFnvBasis ^ (salt * 0x9E3779B97F4A7C15ULL));
  return hash ^ (hash >> 32);
}

}  // namespace

bool may_pass(int status) {
  // Not implemented, HTTP version, a server configured in a circle, and who has to log in first.
  constexpr std::array kStay{501, 505, 506, 508, 510, 511};
  if (status >= 500) return std::ranges::find(kStay, status) == kStay.end();
  return status == 408 || status == 425 || status == 429;
}

bool is_worth_retrying(Fault const& fault) {
  if (fault.definite) return false;
  switch (fault.kind) {
    case FaultKind::dns:
    case FaultKind::connect:
    case FaultKind::reset:
    case FaultKind::timeout:
    case FaultKind::interrupted:
    case FaultKind::exhausted:
    case FaultKind::truncated:
      return true;
    case FaultKind::proxy:
      return fault.status == 0 || may_pass(fault.status);
    case FaultKind::status:
      return may_pass(fault.status);
    case FaultKind::tls_expired:
    case FaultKind::tls_not_yet_valid:
    case FaultKind::tls_wrong_host:
    case FaultKind::tls_untrusted:
    case FaultKind::tls_handshake:
    case FaultKind::tls_costly:
    case FaultKind::settings:
    case FaultKind::forbidden:
    case FaultKind::too_slow:
    case FaultKind::file:
    case FaultKind::disk:
    case FaultKind::redirect_loop:
    case FaultKind::redirect_refused:
    case FaultKind::too_large:
    case FaultKind::wrong_length:
    case FaultKind::encoded:
    case FaultKind::malformed:
    case FaultKind::rejected:
      return false;
  }
  return false;
}

milliseconds backoff(config::HttpSettings const& settings, std::uint32_t attempt,
                     std::string_view seed) {
  auto const shift = std::min<std::uint32_t>(attempt > 0 ? attempt - 1 : 0, 20);
  auto const full =
      std::min<milliseconds>(settings.backoff_first * (1LL << shift), settings.backoff_limit);
  auto const less = static_cast<std::int64_t>(hash_of(seed, attempt) % 1'000);
  return full - full * less / 2'000;
}

std::optional<seconds> retry_after(std::string_view value, std::chrono::sys_seconds now) {
  if (!value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; })) {
    auto const count = whole_number<std::int64_t>(value);
    return count ? std::min(seconds{*count}, kLongest) : kLongest;
  }
  auto const date = parse_http_date(value);
  if (!date) return std::nullopt;
  return std::clamp(*date - now, seconds{0}, kLongest);
}

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
  // Sun, 06 Nov 1994 08:49:37 GMT
  constexpr std::string_view kShape = "aaa, 00 aaa 0000 00:00:00 GMT";
  if (text.size() != kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    bool const digit = text[i] >= '0' && text[i] <= '9';
    bool const fits = kShape[i] == '0' ? digit : kShape[i] == 'a' ? !digit : text[i] == kShape[i];
    if (!fits) return std::nullopt;
  }
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto const month = std::ranges::find(kMonths, text.substr(8, 3));
  if (month == kMonths.end()) return std::nullopt;
  auto const at = [text](std::size_t begin, std::size_t size) {
    return *whole_number<unsigned>(text.substr(begin, size));
  };
  std::chrono::year_month_day const day{
      std::chrono::year{static_cast<int>(at(12, 4))},
      std::chrono::month{static_cast<unsigned>(month - kMonths.begin()) + 1},
      std::chrono::day{at(5, 2)}};
  if (!day.ok() || at(17, 2) > 23 || at(20, 2) > 59 || at(23, 2) > 60) return std::nullopt;
  return std::chrono::sys_days{day} + std::chrono::hours{at(17, 2)} +
         std::chrono::minutes{at(20, 2)} + seconds{at(23, 2)};
}

std::optional<ContentRange> parse_content_range(std::string_view value) {
  constexpr std::string_view kUnit = "bytes ";
  if (!value.starts_with(kUnit)) return std::nullopt;
  value.remove_prefix(kUnit.size());
  auto const dash = value.find('-');
  auto const slash = value.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) {
    return std::nullopt;
  }
  auto const first = whole_number<std::uint64_t>(value.substr(0, dash));
  auto const last = whole_number<std::uint64_t>(value.substr(dash + 1, slash - dash - 1));
  auto const total_text = value.substr(slash + 1);
  auto const total = whole_number<std::uint64_t>(total_text);
  if (!first || !last || *last < *first || (!total && total_text != "*")) return std::nullopt;
  if (total && *last >= *total) return std::nullopt;
  return ContentRange{*first, *last, total};
}

std::optional<std::string> validator(std::string_view etag, std::string_view last_modified,
                                     std::string_view date) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') return std::string{etag};
  auto const modified = parse_http_date(last_modified);
  auto const sent = parse_http_date(date);
  if (etag.empty() && modified && sent && *sent - *modified >= seconds{60}) {
    return std::string{last_modified};
  }
  return std::nullopt;
}

}  // namespace canary::fetch
