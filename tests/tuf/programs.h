// SPDX-License-Identifier: Apache-2.0
// Other programs that tests ask: python-tuf.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>

namespace canary::tuf {

struct Ran {
  int status = -1;
  std::string output;  // of both streams
};

inline Ran run(std::string const& command) {
  Ran ran;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ran;
  char buffer[4096];
  while (std::size_t const size = std::fread(buffer, 1, sizeof buffer, pipe)) {
    ran.output.append(buffer, size);
  }
  int const status = ::pclose(pipe);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

inline std::string shell_quote(std::string const& text) {
  std::string quoted = "'";
  for (char const c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// The interpreter of an environment with python-tuf, made where it is missing; empty where it can't
// be had, and the reason is on stdout.
inline std::string python_tuf() {
  if (!std::filesystem::exists("tests/tuf/python_tuf_env.sh")) {
    std::cout << "not in the project's folder\n";
    return {};
  }
  Ran const made = run("tests/tuf/python_tuf_env.sh build/python-tuf");
  if (made.status == 0) return "build/python-tuf/bin/python";
  std::cout << "no python-tuf: " << made.output;
  return {};
}

}  // namespace canary::tuf
