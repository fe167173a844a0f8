// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/file_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include <boost/asio/this_coro.hpp>

#include "probes/fetch/body.h"
#include "runtime/contract.h"
#include "runtime/task_group.h"

namespace canary::fetch {
namespace {

using runtime::FileAsk;
using runtime::FileThreads;
using runtime::Task;
using runtime::Trace;

constexpr std::size_t kPieceBytes = 256 * 1024;

// An open file, closed by whoever uses it last, on whichever thread that is.
class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  ~OpenFile() { ::close(fd_); }
  OpenFile(OpenFile const&) = delete;
  OpenFile& operator=(OpenFile const&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

struct Opened {
  std::shared_ptr<OpenFile> file;
  std::uint64_t size = 0;
  int error = 0;
  bool regular = true;
  std::chrono::sys_seconds modified{};
};

struct Piece {
  std::unique_ptr<char[]> memory;
  std::size_t size = 0;
  int error = 0;
};

Opened open_file(std::filesystem::path const& path) {
  // Not blocking: opening a named pipe would wait for a writer.
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return {.file = nullptr, .error = errno};
  auto file = std::make_shared<OpenFile>(fd);
  struct ::stat status{};
  if (::fstat(fd, &status) != 0) return {.file = nullptr, .error = errno};
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return {.file = file,
          .size = static_cast<std::uint64_t>(status.st_size),
          .regular = S_ISREG(status.st_mode),
          .modified = std::chrono::sys_seconds{std::chrono::seconds{status.st_mtim.tv_sec}}};
}

Piece read_piece(OpenFile const& file, Piece piece) {
  if (!piece.memory) piece.memory = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  piece.size = 0;
  while (piece.size < kPieceBytes) {
    auto const size = ::read(file.fd(), piece.memory.get() + piece.size, kPieceBytes - piece.size);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) piece.error = errno;
    if (size <= 0) break;
    piece.size += static_cast<std::size_t>(size);
  }
  return piece;
}

std::string reason(int error) { return std::generic_category().message(error); }

// Nothing where the file can be read.
std::optional<Fault> refusal(Transfer const& transfer, Opened const& opened) {
  std::string const path = transfer.url.path().string();
  if (opened.error == ENOENT || opened.error == ENOTDIR) {
    return transfer.fault(FaultKind::status, "there is no file " + path, 404);
  }
  if (opened.error != 0) {
    return transfer.fault(FaultKind::file, path + " cannot be read: " + reason(opened.error));
  }
  if (!opened.regular) {
    return transfer.fault(FaultKind::file, path + " is no regular file");
  }
  return check_length(transfer, opened.size);
}

Task<std::optional<Fault>> copy(Transfer& transfer, std::string_view bytes, Trace trace) {
  transfer.bytes += bytes.size();
  if (auto fault = check_received(transfer, bytes.size())) co_return fault;
  while (!bytes.empty()) {
    auto const room = co_await transfer.sink.room(trace);
    auto const size = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), size);
    if (room.empty() || !transfer.sink.commit(size)) {
      co_return transfer.fault(
          FaultKind::rejected,
          "the file was refused after " + std::to_string(transfer.received) + " bytes");
    }
    transfer.received += size;
    bytes.remove_prefix(size);
  }
  co_return std::nullopt;
}

Task<std::optional<Fault>> read_all(Transfer& transfer, FileThreads& threads, Trace trace) {
  transfer.clock.enter(Phase::queue);
  auto const path = transfer.url.path();
  FileAsk const ask{
      .name = "file.open", .file = path, .key = trace.run_name(), .until = transfer.deadline};
  auto open = [path] { return open_file(path); };
  auto const got = co_await threads.run(trace, ask, std::move(open));
  if (!got) co_return transfer.fault(FaultKind::disk, sentence(got.error()));
  Opened const& opened = got.value();
  if (auto fault = refusal(transfer, opened)) co_return fault;
  transfer.last_modified = opened.modified;
  transfer.clock.enter(Phase::body);
  auto const executor = co_await boost::asio::this_coro::executor;
  FileAsk reading = ask;
  reading.name = "file.read";
  auto const start = [&](Piece used) {
    auto const shared = std::make_shared<Piece>(std::move(used));
    return threads.start(executor, reading, [file = opened.file, shared] {
      return read_piece(*file, std::move(*shared));
    });
  };
  auto job = start(Piece{});
  Piece spare;
  while (true) {
    auto read = co_await threads.wait(trace, reading, std::move(job));
    if (!read) co_return transfer.fault(FaultKind::disk, sentence(read.error()));
    Piece piece = std::move(read).value();
    if (piece.error != 0) {
      co_return transfer.fault(FaultKind::file, transfer.url.path().string() +
                                                    " cannot be read: " + reason(piece.error));
    }
    bool const last = piece.size < kPieceBytes;
    std::optional<decltype(job)> next;
    if (!last) next = start(std::move(spare));
    std::string_view const bytes{piece.memory.get(), piece.size};
    trace.progress(bytes.size());
    if (auto fault = co_await copy(transfer, bytes, trace)) co_return fault;
    if (!next) break;
    job = std::move(*next);
    spare = std::move(piece);
  }
  if (transfer.received < opened.size) {
    co_return transfer.fault(FaultKind::truncated,
                             transfer.url.path().string() + " became shorter while it was read");
  }
  co_return std::nullopt;
}

}  // namespace

Task<Result<Response>> read_file(Transfer& transfer, FileThreads& threads, Trace trace) {
  runtime::require_loop_thread();
  auto reading = read_all(transfer, threads, trace);
  auto const outcome = co_await runtime::within(transfer.deadline, std::move(reading), trace);
  if (!outcome) {
    co_return transfer.fault(FaultKind::timeout,
                             "the file was not read before the deadline of the run");
  }
  if (*outcome) co_return **outcome;
  Response response{.status = 200,
                    .body = {},
                    .length = transfer.received,
                    .headers = {},
                    .final_url = transfer.url,
                    .peer = {},
                    .last_modified = transfer.last_modified,
                    .attempts = transfer.attempts,
                    .times = {}};
  co_return response;
}

}  // namespace canary::fetch
