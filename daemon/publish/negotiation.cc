// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/negotiation.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <new>
#include <vector>

namespace canary::daemon {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr int kThousandths = 1'000;     // of a weight
constexpr std::size_t kMostParts = 64;  // of one header: further ones are not looked at

std::string_view trimmed(std::string_view text) {
  auto const first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (parts.size() < kMostParts) {
    auto const end = text.find(separator);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

// "0.75" is 750; what is no weight counts as not wanted.
int weight(std::string_view text) {
  if (text == "1" || text == "1." || text == "1.0" || text == "1.00" || text == "1.000") {
    return kThousandths;
  }
  if (!text.starts_with('0') || text.size() > 5 || (text.size() > 1 && text[1] != '.')) return 0;
  int value = 0, place = kThousandths / 10;
  for (char const digit : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (digit < '0' || digit > '9') return 0;
    value += place * (digit - '0');
    place /= 10;
  }
  return value;
}

struct Wish {
  std::string_view what, version;
  int weight = kThousandths;
};

std::vector<Wish> wishes(std::string_view header) {
  std::vector<Wish> all;
  for (auto const part : split(header, ',')) {
    auto const fields = split(part, ';');
    Wish wish{.what = fields.front(), .version = {}};
    for (auto const field : fields) {
      auto const equals = field.find('=');
      if (equals == std::string_view::npos) continue;
      auto const name = trimmed(field.substr(0, equals));
      auto const value = trimmed(field.substr(equals + 1));
      if (same_word(name, "q")) wish.weight = weight(value);
      if (same_word(name, "version")) wish.version = value;
    }
    if (!wish.what.empty()) all.push_back(wish);
  }
  return all;
}

struct EndDeflate {
  void operator()(z_stream* stream) const { ::deflateEnd(stream); }
};

// What follows "# HELP " or "# TYPE ", for OpenMetrics.
void append_head(std::string& out, std::string_view kind, std::string_view line, bool counter) {
  constexpr std::string_view kTotal = "_total";
  auto const blank = std::min(line.find(' '), line.size());
  std::string_view name = line.substr(0, blank), rest = line.substr(blank);
  bool const total = counter && name.ends_with(kTotal);
  if (total) name.remove_suffix(kTotal.size());
  out.append(kind).append(name);
  if (kind == "# TYPE ") {
    bool const unknown = rest == " untyped" || (counter && !total);
    out.append(unknown ? " unknown" : rest);
  } else {
    for (char const c : rest) {
      if (c == '"') out += '\\';
      out += c;
    }
  }
  out += '\n';
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  int named = -1, star = 0;
  for (auto const& wish : wishes(accept_encoding)) {
    if (same_word(wish.what, "gzip") || same_word(wish.what, "x-gzip")) {
      named = std::max(named, wish.weight);
    }
    if (wish.what == "*") star = wish.weight;
  }
  return named >= 0 ? named > 0 : star > 0;
}

std::string_view wanted_openmetrics(std::string_view accept) {
  constexpr std::array<std::string_view, 2> kVersions{"1.0.0", "0.0.1"};
  int best = 0, text = 0;
  std::string_view version;
  for (auto const& wish : wishes(accept)) {
    if (same_word(wish.what, "text/plain")) text = std::max(text, wish.weight);
    if (!same_word(wish.what, "application/openmetrics-text")) continue;
    auto const* const known = std::ranges::find(kVersions, wish.version);
    bool const any = wish.version.empty();
    if ((!any && known == kVersions.end()) || wish.weight <= best) continue;
    best = wish.weight;
    version = any ? kVersions.front() : *known;
  }
  return best > text ? version : std::string_view{};
}

std::optional<std::string> gzip(std::string_view text) {
  constexpr int kGzipWindow = 15 + 16;
  constexpr int kMemory = 8;
  constexpr std::size_t kPiece = std::size_t{64} << 10;
  if (text.size() < kShortestGzip || text.size() > kLongestGzip) return std::nullopt;
  try {
    z_stream stream{};
    if (::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemory,
                       Z_DEFAULT_STRATEGY) != Z_OK) {
      return std::nullopt;
    }
    std::unique_ptr<z_stream, EndDeflate> const ending{&stream};
    std::string out;
    out.reserve(text.size() / 8 + kPiece);
    // zlib only reads from it; its type is older than const.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    std::array<Bytef, kPiece> piece;
    int state = Z_OK;
    while (state == Z_OK) {
      stream.next_out = piece.data();
      stream.avail_out = static_cast<uInt>(piece.size());
      state = ::deflate(&stream, Z_FINISH);
      out.append(reinterpret_cast<char const*>(piece.data()), piece.size() - stream.avail_out);
    }
    if (state != Z_STREAM_END) return std::nullopt;
    return out;
  } catch (std::bad_alloc const&) {
    return std::nullopt;
  }
}

std::string to_openmetrics(std::string_view page) {
  constexpr std::string_view kHelp = "# HELP ", kType = "# TYPE ", kCounter = " counter";
  std::string out;
  out.reserve(page.size() + 64);
  std::string_view help;  // of a family whose type comes on the next line
  while (!page.empty()) {
    auto const end = std::min(page.find('\n'), page.size());
    std::string_view const line = page.substr(0, end);
    page.remove_prefix(std::min(end + 1, page.size()));
    if (line.starts_with(kHelp)) {
      help = line.substr(kHelp.size());
    } else if (line.starts_with(kType)) {
      bool const counter = line.ends_with(kCounter);
      append_head(out, kType, line.substr(kType.size()), counter);
      if (!help.empty()) append_head(out, kHelp, help, counter);
      help = {};
    } else if (!line.empty() && !line.starts_with('#')) {
      out.append(line).append("\n");
    }
  }
  return out.append("# EOF\n");
}

}  // namespace canary::daemon
