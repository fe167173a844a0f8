// SPDX-License-Identifier: Apache-2.0
#include "daemon/demo/file_server.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "config/descriptor.h"

namespace canary::daemon {
namespace {

constexpr unsigned kMaxConnections = 256;
constexpr unsigned kIdleSeconds = 60;  // a connection without traffic ends after it

struct DestroyResponse {
  void operator()(MHD_Response* response) const { ::MHD_destroy_response(response); }
};
using Response = std::unique_ptr<MHD_Response, DestroyResponse>;
struct StopDaemon {
  void operator()(MHD_Daemon* daemon) const { ::MHD_stop_daemon(daemon); }
};

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

// "/healthy/metadata/timestamp.json" as a relative path; nullopt where it could lead elsewhere.
std::optional<std::filesystem::path> relative_path(std::string_view path) {
  if (!path.starts_with('/') || path.ends_with('/')) return std::nullopt;
  std::filesystem::path result;
  while (!path.empty()) {
    path.remove_prefix(1);
    auto const segment = path.substr(0, path.find('/'));
    if (segment.empty() || segment.starts_with('.') || !std::ranges::all_of(segment, is_name)) {
      return std::nullopt;
    }
    result /= segment;
    path.remove_prefix(segment.size());
  }
  return result;
}

bool below(std::filesystem::path const& path, std::string const& folder) {
  return !folder.empty() && path.begin() != path.end() && *path.begin() == folder;
}

// False where the lifeline ends before.
bool wait_out(int lifeline, std::chrono::milliseconds time) {
  pollfd polled{lifeline, POLLIN, 0};
  return ::poll(&polled, 1, static_cast<int>(time.count())) <= 0;
}

// A body that is sent one byte at a time.
struct Trickle {
  std::string bytes;
  int lifeline;
  std::chrono::milliseconds pace;
};

// libmicrohttpd has a thread for each connection: one that waits holds up nobody.
ssize_t next_byte(void* of, std::uint64_t position, char* to, std::size_t) {
  auto const& trickle = *static_cast<Trickle const*>(of);
  if (!wait_out(trickle.lifeline, trickle.pace)) return MHD_CONTENT_READER_END_WITH_ERROR;
  *to = trickle.bytes[position];
  return 1;
}

void drop(void* of) { delete static_cast<Trickle*>(of); }

Response trickling(int file, std::size_t size, FileServerSettings const& settings) {
  auto trickle =
      std::make_unique<Trickle>(Trickle{std::string(size, '\0'), settings.lifeline, settings.pace});
  if (::pread(file, trickle->bytes.data(), size, 0) != static_cast<ssize_t>(size)) return nullptr;
  Response response{::MHD_create_response_from_callback(size, 1, &next_byte, trickle.get(), &drop)};
  if (response) [[maybe_unused]]
    auto* const owned_by_the_response = trickle.release();
  return response;
}

// nullptr where there is no such file.
Response file_response(std::string_view url, FileServerSettings const& settings) {
  auto const path = relative_path(url);
  if (!path) return nullptr;
  Descriptor file{::open((settings.root / *path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  struct stat status{};
  if (!file.open() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return nullptr;
  auto const size = static_cast<std::size_t>(status.st_size);
  bool const slowly = size > 0 && below(*path, settings.trickling);
  Response response = slowly ? trickling(file.get(), size, settings)
                             : Response{::MHD_create_response_from_fd64(size, file.get())};
  if (!slowly && response) file.release();
  if (!response) return nullptr;
  bool const json = path->extension() == ".json";
  ::MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE,
                            json ? "application/json" : "application/octet-stream");
  return response;
}

// `text` is static.
Response text_response(char const* text) {
  Response response{::MHD_create_response_from_buffer(std::strlen(text), const_cast<char*>(text),
                                                      MHD_RESPMEM_PERSISTENT)};
  if (response) {
    ::MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
  }
  return response;
}

MHD_Result answer_to(MHD_Connection* connection, char const* url,
                     FileServerSettings const& settings) {
  unsigned status = MHD_HTTP_OK;
  Response response = file_response(url, settings);
  if (!response) {
    status = MHD_HTTP_NOT_FOUND;
    response = text_response("Not Found\n");
  }
  return response ? ::MHD_queue_response(connection, status, response.get()) : MHD_NO;
}

MHD_Result refuse(MHD_Connection* connection) {
  Response const response = text_response("Method Not Allowed\n");
  if (!response) return MHD_NO;
  ::MHD_add_response_header(response.get(), MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  return ::MHD_queue_response(connection, MHD_HTTP_METHOD_NOT_ALLOWED, response.get());
}

// Called for a request's head, for each part of its body, and at its end. An answer to the head
// alone ends the connection.
MHD_Result on_request(void* of, MHD_Connection* connection, char const* url, char const* method,
                      char const*, char const*, std::size_t* body, void** request) noexcept {
  static char known;
  std::string_view const verb = method;
  if (verb != MHD_HTTP_METHOD_GET && verb != MHD_HTTP_METHOD_HEAD) return refuse(connection);
  bool const ended = *request != nullptr && *body == 0;
  *request = &known;
  *body = 0;
  if (!ended) return MHD_YES;
  try {
    return answer_to(connection, url, *static_cast<FileServerSettings const*>(of));
  } catch (std::exception const&) {  // no memory: libmicrohttpd ends the connection
    return MHD_NO;
  }
}

// None of the demo's names needs percent-encoding: what has it is no such name.
std::size_t left_as_it_is(void*, MHD_Connection*, char* text) { return std::strlen(text); }

}  // namespace

bool serve_files(FileServerSettings settings) {
  std::unique_ptr<MHD_Daemon, StopDaemon> const daemon{::MHD_start_daemon(
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC,
      0, nullptr, nullptr, &on_request, &settings, MHD_OPTION_LISTEN_SOCKET, settings.listener,
      MHD_OPTION_CONNECTION_LIMIT, kMaxConnections, MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,
      MHD_OPTION_UNESCAPE_CALLBACK, &left_as_it_is, nullptr, MHD_OPTION_END)};
  if (!daemon) return false;
  pollfd polled{settings.lifeline, POLLIN, 0};
  while (true) {
    if (::poll(&polled, 1, -1) < 0 && errno != EINTR) return false;
    char ignored[64];
    ssize_t const got = ::read(settings.lifeline, ignored, sizeof ignored);
    bool const again = got < 0 && (errno == EINTR || errno == EAGAIN);
    if (got == 0 || (got < 0 && !again)) return true;
  }
}

}  // namespace canary::daemon
