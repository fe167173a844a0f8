// SPDX-License-Identifier: Apache-2.0
#include "daemon/discovery/fetch_list.h"

#include <glob.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "config/read_file.h"
#include "probes/fetch/client.h"
#include "probes/tuf/digest.h"
#include "runtime/contract.h"

namespace canary::daemon {
namespace {

using runtime::Deadline;
using runtime::Task;
using runtime::Trace;
using Parts = std::vector<config::ListPart>;

constexpr int kNotModified = 304;
constexpr std::size_t kLongestEtag = 256;

// One that can be kept as it is, and sent again.
std::string etag_of(fetch::Response const& answer) {
  auto const given = answer.header("etag").value_or("");
  bool const plain = std::ranges::all_of(given, [](char c) { return c > ' ' && c < 0x7f; });
  return plain && given.size() <= kLongestEtag ? std::string{given} : std::string{};
}

FetchedListPointer made(config::DiscoverySource const& source, Parts parts, std::string etag) {
  auto list = std::make_shared<FetchedList>();
  list->source = source.name;
  list->address = address_of(source);
  list->etag = std::move(etag);
  list->parts = std::move(parts);
  return list;
}

Task<ListLook> ask(config::DiscoverySource source, FetchedListPointer known, fetch::Services& http,
                   Deadline deadline, Trace trace) {
  fetch::Request request{.url = *source.url, .max_bytes = config::kMaxListBytes};
  request.wanted = {{200, 200}};
  if (known && !known->etag.empty() && known->address == address_of(source)) {
    source.http.headers["If-None-Match"] = known->etag;
    request.wanted.push_back({kNotModified, kNotModified});
  }
  std::string const place = source.url->text();
  fetch::Client client{co_await runtime::asio::this_coro::executor, source.http, http};
  auto answer = co_await client.get(std::move(request), deadline, trace);
  if (!answer) co_return std::string{answer.error().message};
  if (answer.value().status == kNotModified) co_return FetchedListPointer{};
  std::string etag = etag_of(answer.value());
  Parts parts;
  parts.push_back({.place = place, .text = std::move(answer.value().body)});
  bool const same = known && known->address == address_of(source) && known->parts == parts;
  if (same && known->etag == etag) co_return FetchedListPointer{};
  co_return made(source, std::move(parts), std::move(etag));
}

// What the pattern matches, in order of name. On a file thread.
Result<Parts, std::string> read_files(std::string const& pattern) {
  glob_t matches{};
  int const status = ::glob(pattern.c_str(), 0, nullptr, &matches);
  std::set<std::string> found;
  for (std::size_t i = 0; status == 0 && i < matches.gl_pathc; ++i) {
    found.emplace(matches.gl_pathv[i]);
  }
  ::globfree(&matches);
  if (found.empty()) return std::string{"no file can be read as "} + pattern;
  Parts parts;
  std::size_t left = config::kMaxListBytes;
  for (auto const& file : found) {
    auto bytes = config::read_file(file, left);
    if (!bytes) return std::string{bytes.error().text};
    left -= bytes.value().size();
    parts.push_back({.place = file, .text = std::move(bytes).value()});
  }
  return parts;
}

Task<ListLook> read(config::DiscoverySource source, FetchedListPointer known,
                    runtime::FileThreads& files, Deadline deadline, Trace trace) {
  runtime::FileAsk wanted{.name = "discovery.file", .file = *source.file, .until = deadline};
  auto work = [pattern = source.file->string()] { return read_files(pattern); };
  auto seen = co_await files.run(trace, std::move(wanted), std::move(work));
  if (!seen) co_return runtime::sentence(seen.error());
  auto parts = std::move(seen).value();
  if (!parts) co_return std::string{parts.error()};
  bool const same = known && known->address == address_of(source);
  if (same && known->parts == parts.value()) co_return FetchedListPointer{};
  co_return made(source, std::move(parts).value(), {});
}

}  // namespace

std::string address_of(config::DiscoverySource const& source) {
  return tuf::sha256_hex(source.url ? source.url->unredacted() : source.from());
}

Task<ListLook> fetch_list(config::DiscoverySource source, FetchedListPointer known,
                          fetch::Services& http, Deadline deadline, Trace trace) {
  runtime::require_loop_thread();
  if (source.url) {
    co_return co_await ask(std::move(source), std::move(known), http, deadline, trace);
  }
  co_return co_await read(std::move(source), std::move(known), http.files, deadline, trace);
}

}  // namespace canary::daemon
