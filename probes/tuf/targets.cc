// SPDX-License-Identifier: Apache-2.0
// Where targets are, and their way through the hashes.
// Thread: loop; HashConsumer on the cpu workers.
#include "probes/tuf/targets.h"

#include <algorithm>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "probes/fetch/client.h"
#include "probes/tuf/bounded_work.h"
#include "probes/tuf/client_requests.h"
#include "probes/tuf/declaration.h"
#include "probes/tuf/role_name.h"
#include "probes/tuf/target_file.h"
#include "runtime/contract.h"

namespace canary::tuf {
namespace {

// Where a target may be looked for: a list of hashes is untrusted.
constexpr std::size_t kMostPlaces = 6;
// What one next() may take: other probes wait for the same workers.
constexpr std::size_t kPlannedAtOnce = 256;
constexpr std::chrono::milliseconds kPlanningAtOnce{20};

class HashConsumer final : public fetch::BodyConsumer {
 public:
  HashConsumer(std::string path, TargetFile file, std::shared_ptr<TrustedMetadata const> owner)
      : path_(std::move(path)), file_(file), owner_(std::move(owner)), digest_(path_, file_) {}

  bool take(std::string_view piece) override { return keep(digest_.update(piece)); }
  void restart() override {
    digest_ = TargetDigest(path_, file_);
    rejection_.reset();
  }
  // Once everything was taken.
  bool finish() { return keep(digest_.finish()); }
  std::optional<Rejection> const& rejection() const { return rejection_; }

 private:
  bool keep(Result<void> const& result) {
    if (!result) rejection_ = result.error();
    return result.has_value();
  }

  std::string path_;
  TargetFile file_;
  std::shared_ptr<TrustedMetadata const> owner_;
  TargetDigest digest_;
  std::optional<Rejection> rejection_;
};

// Counts on the way to another sink.
class CountingSink final : public fetch::BodySink {
 public:
  CountingSink(fetch::BodySink& inner, ByteCounter* counter) : inner_(inner), counter_(counter) {}

  runtime::Task<std::span<char>> room(runtime::Trace trace) override { return inner_.room(trace); }
  bool commit(std::size_t size) override {
    count(static_cast<std::int64_t>(size));
    return inner_.commit(size);
  }
  runtime::Task<void> restart(runtime::Trace trace) override {
    count(-counted_);
    return inner_.restart(trace);
  }
  runtime::Task<bool> finish(runtime::Trace trace) override { return inner_.finish(trace); }

 private:
  void count(std::int64_t bytes) {
    counted_ += bytes;
    if (counter_ != nullptr) counter_->add(bytes);
  }

  fetch::BodySink& inner_;
  ByteCounter* counter_;
  std::int64_t counted_ = 0;
};

RefreshFailure failure_of(std::string path, fetch::Fault const& fault, config::Url const& url) {
  FetchFault why = fetch_fault(fault, url);
  if (why.kind == FetchFault::Kind::missing) why.reason = kTargetMissing;
  return {std::move(path), std::move(why)};
}

// One place. The outer value is nullopt where the target definitely isn't there.
runtime::Task<fetch::Result<std::shared_ptr<HashConsumer>>> download(TargetRequest const& request,
                                                                     config::Url url,
                                                                     fetch::Client& client,
                                                                     runtime::Workers& cpu,
                                                                     runtime::Trace trace) {
  auto hash = std::make_shared<HashConsumer>(request.path, request.file, request.owner);
  std::vector<fetch::PipelinedSink::Stage> stages{{cpu, hash}};
  for (auto const& stage : request.stages) stages.push_back(stage);
  fetch::PipelinedSink pipeline{co_await runtime::asio::this_coro::executor, std::move(stages)};
  CountingSink sink{pipeline, request.counter};
  fetch::Request get{std::move(url), request.file.length, request.file.length};
  auto answer = co_await client.download(std::move(get), sink, request.deadline, trace);
  if (answer) co_return hash;
  // Only then have the consumers ended and may be asked.
  bool const by_hash =
      answer.error().kind == fetch::FaultKind::rejected && hash->rejection().has_value();
  if (by_hash) co_return hash;
  co_return std::move(answer).error();
}

// Without "." and "..", never above the base: a file outside of it is none of the repository's.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> segments;
  while (true) {
    std::size_t const slash = path.find('/');
    std::string_view const segment = path.substr(0, slash);
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (segment != ".") {
      segments.push_back(segment);
    }
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  std::string clean;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (i > 0) clean += '/';
    clean += segments[i];
  }
  return clean;
}

// `base` with another path and query; its own query stays, behind that of `request`.
config::Url with_request(config::Url const& base, std::string const& request) {
  std::string_view const text = base.unredacted();
  std::size_t const path = std::min(text.find_first_of("/?", text.find("://") + 3), text.size());
  std::string whole = std::string(text.substr(0, path)) + request;
  if (std::size_t const query = text.find('?'); query != std::string_view::npos) {
    whole += request.find('?') == std::string::npos ? '?' : '&';
    whole += text.substr(query + 1);
  }
  auto url = config::Url::parse(whole);
  return url ? std::move(url).value() : base.child(request);  // longer than a URL may be
}

}  // namespace

RequestFolder request_folder(config::Url const& base) {
  std::string_view const scheme = base.scheme() == config::Scheme::https  ? "https"
                                  : base.scheme() == config::Scheme::http ? "http"
                                                                          : "file";
  std::string_view path = base.target();
  path = path.substr(0, path.find('?'));
  while (path.ends_with('/')) path.remove_suffix(1);
  return {scheme, path};
}

std::vector<TargetPlace> target_places(config::Url const& base, std::string_view path,
                                       TargetFile const& file, bool consistent) {
  bool const on_disk = base.scheme() == config::Scheme::file;
  std::vector<std::string_view> hashes;
  for (std::string_view const hash : {file.hashes.sha256, file.hashes.sha512}) {
    if (consistent && !hash.empty()) hashes.push_back(hash);
  }
  // Whatever else is listed gives the file its name, too, even where we can't compute it.
  std::span<json::Member const> const listed = consistent && file.hashes.listed()
                                                   ? file.hashes.all->object()
                                                   : std::span<json::Member const>{};
  for (json::Member const& hash : listed) {
    if (hashes.size() == kMostPlaces) break;
    if (hash.name == "sha256" || hash.name == "sha512") continue;
    hashes.push_back(hash.value.string());
  }
  if (hashes.empty()) hashes.emplace_back();
  std::vector<TargetPlace> places;
  auto const on_disk_as = [&](std::string_view name, std::string_view hash) {
    std::string const file_path = target_file_path(without_dots(name), hash);
    places.push_back({base.child(config::percent_encode(file_path, true))});
  };
  std::string_view const folder = request_folder(base).path;
  for (std::string_view const hash : hashes) {
    if (on_disk) {
      on_disk_as(path, hash);
    } else {
      places.push_back({with_request(base, target_request(folder, {path, hash}))});
    }
  }
  bool const in_folder = path.find('/') != std::string_view::npos;
  if (in_folder && consistent && !file.hashes.sha256.empty()) {
    std::string const name = std::string(file.hashes.sha256).append(".").append(path);
    if (on_disk) {
      on_disk_as(name, {});
    } else {
      places.push_back({with_request(base, target_request(folder, {name}))});
    }
    places.back().hash_before_folder = true;
  }
  // A server of this folder decodes what is asked for.
  std::optional<std::string> const decoded = unquote_role(path);
  if (on_disk && decoded && *decoded != path && decoded->find('\0') == std::string::npos) {
    for (std::string_view const hash : hashes) on_disk_as(*decoded, hash);
  }
  return places;
}

config::Url default_targets_url(config::Url const& metadata_url) {
  std::string const& text = metadata_url.unredacted();
  std::size_t const query = std::min(text.find('?'), text.size());
  std::string folder = text.substr(0, query);
  while (folder.ends_with('/')) folder.pop_back();
  std::size_t const authority = folder.find("://") + 3;
  std::size_t const slash = folder.rfind('/');
  if (slash != std::string::npos && slash >= authority) folder.resize(slash);
  auto url = config::Url::parse(folder + "/targets" + text.substr(query));
  return url ? std::move(url).value() : metadata_url.child("targets");
}

runtime::Task<RefreshResult<TargetPlace>> fetch_target(TargetRequest request, fetch::Client& client,
                                                       runtime::Workers& cpu,
                                                       runtime::Trace trace) {
  runtime::require_loop_thread();
  runtime::Frame const frame{trace, "tuf.target", request.path};
  bool const consistent = request.owner->root().consistent_snapshot;
  auto places = target_places(request.base, request.path, request.file, consistent);
  std::optional<RefreshFailure> missing;  // at the first place, which is the specification's
  for (TargetPlace& place : places) {
    auto answer = co_await download(request, place.url, client, cpu, frame.trace());
    if (!answer && answer.error().absent()) {
      if (!missing) missing = failure_of(request.path, answer.error(), place.url);
      continue;
    }
    if (!answer) co_return failure_of(request.path, answer.error(), place.url);
    std::shared_ptr<HashConsumer> const hash = std::move(answer).value();
    if (!hash->rejection() && hash->finish()) co_return std::move(place);
    co_return RefreshFailure{request.path, *hash->rejection()};
  }
  co_return std::move(*missing);
}

TargetPlan::TargetPlan(std::shared_ptr<TrustedMetadata const> trusted,
                       std::vector<std::string> roles)
    : trusted_(std::move(trusted)), roles_(std::move(roles)) {
  for (std::string const& role : roles_) {
    for (Targets::Entry const& entry : trusted_->targets(role)->entries) {
      ++entries_;
      bytes_ += entry.file.length;
    }
  }
}

std::vector<PlannedTarget> TargetPlan::next() {
  std::vector<PlannedTarget> planned;
  auto const until = thread_cpu_time() + kPlanningAtOnce;
  while (!done() && planned.size() < kPlannedAtOnce && thread_cpu_time() < until) {
    std::string const& role = roles_[role_];
    auto const& entries = trusted_->targets(role)->entries;
    if (entry_ == entries.size()) {
      ++role_;
      entry_ = 0;
      continue;
    }
    Targets::Entry const& entry = entries[entry_++];
    ++looked_at_;
    if (leads_here(role, entry.path)) planned.push_back({role, entry.path, entry.file});
  }
  return planned;
}

bool TargetPlan::leads_here(std::string_view role, std::string_view path) {
  if (role == "targets") return true;  // asked first, always
  TargetSearch search{*trusted_, std::string(path)};
  SearchStep const step = search.next();
  if (auto const* found = std::get_if<FoundTarget>(&step)) {
    if (found->role == role) return true;
    ++shadowed_;
  } else if (std::holds_alternative<NeedRole>(step)) {
    ++unresolved_;
  } else if (std::get<NoTarget>(step).why.rule == Rule::budget) {
    if (given_up_++ == 0) first_given_up_ = path;
  } else {
    if (unreachable_++ == 0) first_unreachable_ = path;
  }
  return false;
}

}  // namespace canary::tuf
