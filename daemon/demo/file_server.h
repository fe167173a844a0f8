// SPDX-License-Identifier: Apache-2.0
// An HTTP server of files, by libmicrohttpd: for the demo's child process only.
// Thread: the one that calls serve_files(), which blocks; answers are made on libmicrohttpd's.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace canary::daemon {

struct FileServerSettings {
  int listener = -1;  // listening, non-blocking; the server's from now on
  int lifeline = -1;  // read end of a pipe; its end of file ends the server
  std::filesystem::path root;
  std::string trickling{};  // files below this folder of `root` are sent one byte at a time
  std::chrono::milliseconds pace{1'000};  // between two bytes of those
};

// Answers GET and HEAD of the files below `root`; 404 for what is not there and for names that lead
// elsewhere, 405 for other methods. Returns when the lifeline's other end is closed; false where
// the server cannot start or wait (errno says why).
bool serve_files(FileServerSettings settings);

}  // namespace canary::daemon
