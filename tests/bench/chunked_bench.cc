// SPDX-License-Identifier: Apache-2.0
// Chunked bodies taken apart by ChunkDecoder and by Boost.Beast's parser: how fast, and whether
// they take what clients take. Run: build/release/chunked_bench [ODD_ANSWERS_TSV]
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "probes/fetch/chunked.h"

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr int kRounds = 5;
constexpr std::size_t kBody = std::size_t{256} << 20U;
constexpr std::size_t kRead = std::size_t{64} << 10U;  // as much as comes from a socket at once
constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

enum class End { open, done, malformed };

struct Taken {
  std::uint64_t bytes = 0;
  std::uint32_t last = 0;  // so that the bytes are not left out as unused
  void add(char const* data, std::size_t size) {
    bytes += size;
    if (size > 0) last = static_cast<unsigned char>(data[size - 1]);
  }
};

class Ours {
 public:
  End put(std::string_view input, Taken& taken) {
    while (!input.empty()) {
      auto const step = decoder_.next(input);
      taken.add(step.data.data(), step.data.size());
      input.remove_prefix(step.consumed);
      if (step.state == canary::fetch::ChunkDecoder::State::malformed) return End::malformed;
      if (step.state == canary::fetch::ChunkDecoder::State::done) return End::done;
    }
    return End::open;
  }

 private:
  canary::fetch::ChunkDecoder decoder_;
};

// Its parser wants a head first, and what it does not take of an input again with the next one.
class Beasts : http::basic_parser<false> {
 public:
  Beasts() {
    body_limit(boost::none);
    eager(true);
    beast::error_code error;
    put(boost::asio::buffer(kHead.data(), kHead.size()), error);
  }
  End put(std::string_view input, Taken& taken) {
    taken_ = &taken;
    std::string joined;
    if (!left_.empty()) {
      joined = left_.append(input);
      input = joined;
      left_.clear();
    }
    while (!input.empty() && !is_done()) {
      beast::error_code error;
      auto const used = basic_parser::put(boost::asio::buffer(input.data(), input.size()), error);
      input.remove_prefix(used);
      if (error == http::error::need_more) break;
      if (error) return End::malformed;
    }
    left_ = input;
    return is_done() ? End::done : End::open;
  }

 private:
  using basic_parser::put;
  void on_request_impl(http::verb, beast::string_view, beast::string_view, int,
                       beast::error_code&) override {}
  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
  void on_field_impl(http::field, beast::string_view, beast::string_view,
                     beast::error_code&) override {}
  void on_header_impl(beast::error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, beast::error_code&) override {}
  std::size_t on_body_impl(beast::string_view, beast::error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body,
                                 beast::error_code&) override {
    taken_->add(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(beast::error_code&) override {}

  Taken* taken_ = nullptr;
  std::string left_;
};

std::string chunked(std::size_t chunk) {
  std::string text;
  std::string const data(chunk, 'x');
  std::ostringstream size;
  size << std::hex << chunk;
  for (std::size_t sent = 0; sent < kBody; sent += chunk) {
    text.append(size.str()).append("\r\n").append(data).append("\r\n");
  }
  return text + "0\r\n\r\n";
}

template <class Decoder>
double seconds(std::string const& text) {
  double best = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    Decoder decoder;
    Taken taken;
    auto const begun = std::chrono::steady_clock::now();
    End end = End::open;
    for (std::size_t at = 0; at < text.size() && end == End::open; at += kRead) {
      end = decoder.put(std::string_view{text}.substr(at, kRead), taken);
    }
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begun;
    if (end != End::done || taken.bytes < kBody) std::printf("a body was not taken whole\n");
    best = std::min(best, took.count());
  }
  return best;
}

std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      result += text[i];
    } else if (char const c = text[++i]; c == 'x') {
      result += static_cast<char>(std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16));
      i += 2;
    } else {
      result += c == 'r' ? '\r' : c == 'n' ? '\n' : c == 's' ? ' ' : c == 't' ? '\t' : c;
    }
  }
  return result;
}

template <class Decoder>
char const* takes(std::string_view body) {
  Decoder decoder;
  Taken taken;
  return decoder.put(body, taken) == End::done && taken.bytes == 11 ? "y" : "-";
}

// Columns: name, three clients, the answer; their order is said in its first lines.
void compare(char const* file) {
  std::ifstream in{file};
  std::printf("\n%-28s clients  ours  Beast\n", "chunks that clients differ about");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("chunk_")) continue;
    std::istringstream columns{line};
    std::string name, a, b, c, answer;
    columns >> name >> a >> b >> c >> answer;
    std::string const whole = unescaped(answer);
    std::string_view const body = std::string_view{whole}.substr(whole.find("\r\n\r\n") + 4);
    std::string const ours = takes<Ours>(body), beasts = takes<Beasts>(body);
    if (ours == beasts) continue;
    std::printf("%-32s %s %s %s    %s     %s\n", name.c_str(), a.c_str(), b.c_str(), c.c_str(),
                ours.c_str(), beasts.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::printf("%zu MiB in memory, the best of %d, seconds\n%-20s%8s%8s%8s\n", kBody >> 20U, kRounds,
              "chunks of", "ours", "Beast", "ratio");
  for (std::size_t const chunk : {std::size_t{128}, std::size_t{4096}, std::size_t{32'768}}) {
    std::string const text = chunked(chunk);
    double const ours = seconds<Ours>(text), beasts = seconds<Beasts>(text);
    std::printf("%-20zu%8.4f%8.4f%8.2f\n", chunk, ours, beasts, ours / beasts);
  }
  compare(argc > 1 ? argv[1] : "tests/fetch/odd_answers.tsv");
  return 0;
}
