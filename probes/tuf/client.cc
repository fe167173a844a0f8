// SPDX-License-Identifier: Apache-2.0
// The client's three commands.
// Thread: loop; init_client() any.
#include "probes/tuf/client.h"

#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "probes/fetch/client.h"
#include "probes/tuf/client_target.h"
#include "probes/tuf/refresh.h"
#include "probes/tuf/role_name.h"
#include "probes/tuf/store.h"
#include "probes/tuf/targets.h"
#include "runtime/contract.h"

namespace canary::tuf {
namespace {

using runtime::Task;
using runtime::Trace;

// What every command with a server needs; lives in its coroutine's frame.
class Session {
 public:
  Session(ClientSettings const& settings, ClientWorld world, runtime::Executor executor)
      : world_(world),
        client_(std::move(executor), settings.http, world.services),
        store_(settings.metadata_folder, world.disk),
        refresh_(
            {.metadata_url = settings.metadata_url, .reference = settings.reference, .policy = {}},
            client_, store_, world.services.cpu),
        folder_(settings.metadata_folder) {}

  Task<ClientResult<void>> refresh(Trace trace);
  Task<ClientResult<void>> download(config::Url base, std::filesystem::path folder,
                                    std::string name, Trace trace);

 private:
  // A client that can't remember is open to a rollback: that is a failure, after the workflow's.
  ClientResult<void> concluded(RefreshResult<void> const& result) const {
    if (!result) return sentence(result.error());
    if (!refresh_.store_faults().empty()) return sentence(refresh_.store_faults().front());
    return outcome::success();
  }
  Task<bool> is_there(std::filesystem::path file, std::string name, TargetFile listed, Trace trace);

  ClientWorld world_;
  fetch::Client client_;
  LocalStore store_;
  Refresh refresh_;
  std::filesystem::path folder_;
};

Task<ClientResult<void>> Session::refresh(Trace trace) {
  runtime::require_loop_thread();
  auto const opened = co_await store_.open(trace);
  if (!opened) co_return sentence(opened.error());
  auto root = co_await store_.read("root", Limits{}.root, trace);
  if (!root) co_return sentence(root.error());
  if (!root.value()) {
    co_return "no trusted root in " + folder_.string() + ": run `tuf-client --metadata-dir " +
        folder_.string() + " init ROOT.json` first";
  }
  auto const begun = co_await refresh_.begin(std::move(*root.value()), trace);
  if (!begun) co_return "the trusted root in " + folder_.string() + ": " + sentence(begun.error());
  auto const updated = co_await refresh_.update_all(trace);
  co_return concluded(updated);
}

Task<bool> Session::is_there(std::filesystem::path file, std::string name, TargetFile listed,
                             Trace trace) {
  // The job may outlive this coroutine: it keeps what `listed` refers to.
  auto job = [file = std::move(file), name = std::move(name), listed, owner = refresh_.shared()] {
    return is_same_target(file, name, listed);
  };
  co_return co_await world_.disk.run(trace, "client.compare", std::move(job));
}

Task<ClientResult<void>> Session::download(config::Url base, std::filesystem::path folder,
                                           std::string name, Trace trace) {
  runtime::require_loop_thread();
  auto const found = co_await refresh_.find(name, trace);
  if (!found) co_return sentence(found.error());
  if (!refresh_.store_faults().empty()) co_return sentence(refresh_.store_faults().front());
  TargetFile const listed = found.value().file;
  std::filesystem::path const file = target_file_name(folder, name);
  if (co_await is_there(file, name, listed, trace)) co_return outcome::success();

  auto open = [folder] { return TargetWriter::open(folder); };
  auto opened = co_await world_.disk.run(trace, "client.open", std::move(open));
  if (!opened) co_return sentence(opened.error());
  std::shared_ptr<TargetWriter> const writer = std::move(opened).value();
  TargetRequest request{
      .base = std::move(base), .path = name, .file = listed, .owner = refresh_.shared()};
  request.stages.push_back({world_.disk, writer});
  auto const fetched =
      co_await fetch_target(std::move(request), client_, world_.services.cpu, trace);
  if (!fetched && fetched.error().fault() != nullptr && fetched.error().fault()->by_consumer &&
      writer->fault()) {
    co_return sentence(*writer->fault());
  }
  if (!fetched) co_return sentence(fetched.error());
  auto publish = [writer, file] { return writer->publish(file); };
  auto const published = co_await world_.disk.run(trace, "client.publish", std::move(publish));
  if (!published) co_return sentence(published.error());
  co_return outcome::success();
}

}  // namespace

ClientResult<void> init_client(std::filesystem::path const& metadata_folder,
                               std::filesystem::path const& root_file, Time reference) {
  auto const bytes = read_whole_file(root_file, Limits{}.root);
  if (!bytes) return sentence(bytes.error());
  if (!bytes.value()) return "there is no " + root_file.string();
  auto const trusted = TrustedMetadata::create(*bytes.value(), reference, {});
  if (!trusted) return root_file.string() + ": " + sentence(trusted.error());
  std::error_code error;
  std::filesystem::create_directories(metadata_folder, error);
  if (error) return sentence(StoreFault{metadata_folder, "create", error.value()});
  auto const written = replace_file(metadata_folder / metadata_file("root"), *bytes.value());
  if (!written) return sentence(written.error());
  return outcome::success();
}

Task<ClientResult<void>> refresh_client(ClientSettings settings, ClientWorld world, Trace trace) {
  runtime::Frame const frame{trace, "client.refresh"};
  Session session{settings, world, co_await runtime::asio::this_coro::executor};
  co_return co_await session.refresh(frame.trace());
}

Task<ClientResult<void>> download_client(ClientSettings settings, DownloadSettings download,
                                         ClientWorld world, Trace trace) {
  runtime::Frame const frame{trace, "client.download"};
  Session session{settings, world, co_await runtime::asio::this_coro::executor};
  auto done = co_await session.refresh(frame.trace());
  for (std::string const& name : download.names) {
    if (!done) break;
    done = co_await session.download(download.targets_url, download.folder, name, frame.trace());
  }
  co_return done;
}

}  // namespace canary::tuf
