// SPDX-License-Identifier: Apache-2.0
// The answers that tests script.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "tests/support/hostile_server.h"

namespace canary::support {
namespace {

std::string head_of(int status, std::size_t length, Headers const& headers) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " As Scripted\r\n";
  for (auto const& [name, value] : headers) head += name + ": " + value + "\r\n";
  return head + "Content-Length: " + std::to_string(length) + "\r\n\r\n";
}

}  // namespace

Script respond(int status, std::string body, Headers headers) {
  return [=](Peer& peer, ServedRequest const&) {
    peer.send(head_of(status, body.size(), headers) + body);
  };
}

Script respond(std::string body) { return respond(200, std::move(body)); }

Script redirect_to(std::string location, int status) {
  return respond(status, "moved", {{"Location", std::move(location)}});
}

Script raw(std::string bytes) {
  return [=](Peer& peer, ServedRequest const&) {
    peer.send(bytes);
    peer.close();
  };
}

Script raw_then_reset(std::string bytes) {
  return [=](Peer& peer, ServedRequest const&) {
    peer.send(bytes);
    // A reset makes the client's kernel drop what it has not read: give it a moment.
    if (!bytes.empty()) peer.wait_for_end(std::chrono::milliseconds{50});
    peer.reset();
  };
}

Script raw_then_silence(std::string bytes) {
  return [=](Peer& peer, ServedRequest const&) {
    peer.send(bytes);
    peer.wait_for_end();
    peer.close();
  };
}

Script trickle(std::string head, std::string body, std::chrono::milliseconds pause) {
  return [=](Peer& peer, ServedRequest const&) {
    bool open = peer.send(head);
    for (std::size_t i = 0; open && i < body.size(); ++i) {
      open = peer.send(std::string_view{body}.substr(i, 1)) && !peer.wait_for_end(pause);
    }
    peer.close();
  };
}

Script endless(std::string head) {
  return [=](Peer& peer, ServedRequest const&) {
    std::string const more(16 * 1024, 'x');
    bool open = peer.send(head);
    while (open) open = peer.send(more);
    peer.close();
  };
}

Script chunked(std::vector<std::string> pieces) {
  return [=](Peer& peer, ServedRequest const&) {
    std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (auto const& piece : pieces) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
      text += size + piece + "\r\n";
    }
    peer.send(text + "0\r\nX-Trailer: yes\r\n\r\n");
  };
}

Script ranged(std::string body, std::string etag) {
  return [=](Peer& peer, ServedRequest const& request) {
    auto const range = request.headers.find("range");
    auto const condition = request.headers.find("if-range");
    bool const fits = condition == request.headers.end() || condition->second == etag;
    if (range == request.headers.end() || !fits) {
      peer.send(head_of(200, body.size(), {{"ETag", etag}}) + body);
      return;
    }
    auto const from = std::stoul(range->second.substr(std::strlen("bytes=")));
    std::string const shown = "bytes " + std::to_string(from) + "-" +
                              std::to_string(body.size() - 1) + "/" + std::to_string(body.size());
    peer.send(head_of(206, body.size() - from, {{"ETag", etag}, {"Content-Range", shown}}) +
              body.substr(from));
  };
}

Script in_turn(std::vector<Script> scripts) {
  auto const next = std::make_shared<std::atomic<std::size_t>>(0);
  return [=](Peer& peer, ServedRequest const& request) {
    scripts[std::min(next->fetch_add(1), scripts.size() - 1)](peer, request);
  };
}

}  // namespace canary::support
