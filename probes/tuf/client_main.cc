// SPDX-License-Identifier: Apache-2.0
// `tuf-client`: the command line of client.h. Exit status 0 on success, 1 on any failure.
// Thread: main; a second one waits for signals.
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/duration.h"
#include "config/harmless.h"
#include "probes/tuf/client.h"
#include "runtime/aside.h"
#include "runtime/block_on.h"
#include "runtime/limits.h"
#include "runtime/loop.h"
#include "runtime/refusal.h"
#include "runtime/signals.h"
#include "runtime/trace.h"
#include "runtime/where.h"
#include "runtime/workers.h"

namespace {

using namespace canary;

constexpr char const* kAbout =
    R"(A plain client of The Update Framework (TUF): keeps the metadata that it trusts
in a folder and downloads targets that this metadata vouches for.

Options stand before the command:
  tuf-client --metadata-dir DIR init ROOT
  tuf-client --metadata-dir DIR --metadata-url URL refresh
  tuf-client --metadata-dir DIR --metadata-url URL --target-base-url URL
             --target-dir DIR --target-name NAME [--target-name NAME ...] download)";

constexpr char const* kFooter =
    R"(URLs are http, https or file. Proxies come from HTTP_PROXY, HTTPS_PROXY and
NO_PROXY, certificate authorities from SSL_CERT_FILE or the system.
A target is stored as one file, its path percent-encoded: dir/a becomes dir%2Fa.
Exit status: 0 success; 1 anything else, with the reason on standard error.)";

constexpr std::size_t kLongestSentence = 4'096;
constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::milliseconds kUnwinds{1'000};

struct Arguments {
  std::string metadata_dir, metadata_url, target_base_url, target_dir, root;
  std::vector<std::string> target_names;
  std::string stall_timeout = "60s";
};

// Of a server or a file there may be anything in it.
int fail(std::string const& why) {
  std::cerr << "tuf-client: " << make_harmless(why, kLongestSentence) << "\n";
  return 1;
}

tuf::ClientResult<config::Url> url_of(std::string const& option, std::string const& text) {
  if (text.empty()) return "this command needs " + option + " URL, before the command";
  auto url = config::Url::parse(text);
  if (!url) return option + ": " + url.error();  // the text itself may hold a password
  return std::move(url).value();
}

tuf::ClientResult<tuf::DownloadSettings> download_settings(Arguments const& arguments) {
  auto base = url_of("--target-base-url", arguments.target_base_url);
  if (!base) return base.error();
  if (arguments.target_dir.empty()) return "download needs --target-dir DIR, before the command";
  if (arguments.target_names.empty()) {
    return "download needs --target-name NAME, before the command";
  }
  return tuf::DownloadSettings{std::move(base).value(), arguments.target_dir,
                               arguments.target_names};
}

// What a command that asks a server runs on. Its threads may stand still in a file.
struct World {
  runtime::Loop loop;
  runtime::Workers disk{"disk", 1};
  runtime::Workers cpu{"cpu", 1};
  runtime::FileThreads files;
  fetch::Services services{cpu, files};
  tuf::ClientWorld client{services, disk};
};

constexpr char kRun[] = "tuf-client";  // in the tables

using Done = tuf::ClientResult<void>;

// What `world` names outlives it.
runtime::Task<Done> ask_server(tuf::ClientSettings settings,
                               std::optional<tuf::DownloadSettings> what, tuf::ClientWorld world) {
  runtime::RunTrace const row{kRun, runtime::Deadline::never()};
  auto work = what ? tuf::download_client(std::move(settings), std::move(*what), world, row.trace())
                   : tuf::refresh_client(std::move(settings), world, row.trace());
  co_return co_await std::move(work);
}

// Waits for as long as it moves. False where it stands still for `limit`, or was interrupted;
// `stood` is then where.
bool wait_while_it_moves(runtime::Aside<Done>& work, std::chrono::milliseconds limit,
                         std::stop_token const& stop, std::string& stood) {
  std::uint64_t moves = 0;
  auto moved = runtime::Clock::now();
  while (!work.wait(runtime::Deadline::after(kLook), stop)) {
    if (auto where = runtime::where_it_stands(kRun); !where.empty()) stood = std::move(where);
    if (stop.stop_requested()) return false;
    auto const now = runtime::Clock::now();
    if (auto const all = runtime::moves_of(kRun); all != moves) {
      moves = all;
      moved = now;
    }
    if (now - moved >= limit) return false;
  }
  return true;
}

// Ends the process: something stands still, and uses what an orderly end would destroy.
[[noreturn]] void leave(bool interrupted, std::chrono::milliseconds limit,
                        std::string const& stood) {
  fail((interrupted ? "interrupted" : "nothing moved for " + config::to_text(limit)) +
       (stood.empty() ? "" : "; it stood in " + stood));
  ::_exit(1);
}

// Runs a command that asks a server: refresh, or download where `what` says so.
int with_server(tuf::ClientSettings settings, std::optional<tuf::DownloadSettings> what,
                std::chrono::milliseconds limit) {
  runtime::StopOnSignal const stop{1};
  std::stop_source cut;  // requested once it was seen where it stands
  auto world = std::make_shared<World>();
  world->loop.start();
  runtime::Aside<Done> work{
      "client", [world, settings = std::move(settings), what = std::move(what),
                 token = cut.get_token()]() mutable {
        auto asked = ask_server(std::move(settings), std::move(what), world->client);
        return runtime::block_on(world->loop, std::move(asked), runtime::Deadline::never(), token);
      }};
  std::string stood;
  if (!wait_while_it_moves(work, limit, stop.token(), stood)) {
    bool const interrupted = stop.token().stop_requested();
    // For what it wrote half: temporary files go as it unwinds.
    cut.request_stop();
    work.wait(runtime::Deadline::after(kUnwinds));
    leave(interrupted, limit, stood);
  }
  auto const done = work.take();
  int const code = done ? 0 : fail(done.error());
  runtime::Aside<bool> end{"client", [last = std::move(world)]() mutable {
                             last.reset();
                             return true;
                           }};
  end.wait(runtime::Deadline::after(kUnwinds));
  return code;
}

// Reads and writes files alone.
int initialise(std::string const& folder, std::string const& root,
               std::chrono::milliseconds limit) {
  runtime::StopOnSignal const stop{1};
  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  runtime::Aside<Done> work{"client",
                            [folder, root, now] { return tuf::init_client(folder, root, now); }};
  if (!work.wait(runtime::Deadline::after(limit), stop.token())) {
    leave(stop.token().stop_requested(), limit, "reading " + root + " or writing to " + folder);
  }
  auto const done = work.take();
  return done ? 0 : fail(done.error());
}

int run(int count, char** values) {
  Arguments arguments;
  CLI::App app{kAbout};
  app.footer(kFooter);
  app.set_version_flag("--version", CANARY_VERSION);
  app.require_subcommand(1);
  app.add_option("--metadata-dir", arguments.metadata_dir, "Folder of trusted metadata")
      ->type_name("DIR");
  app.add_option("--metadata-url", arguments.metadata_url, "Where the repository's metadata is")
      ->type_name("URL");
  app.add_option("--target-base-url", arguments.target_base_url, "Where its targets are")
      ->type_name("URL");
  app.add_option("--target-dir", arguments.target_dir, "Folder for downloaded targets")
      ->type_name("DIR");
  app.add_option("--target-name", arguments.target_names, "A target's path; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--stall-timeout", arguments.stall_timeout,
                 "Give up where nothing moves for so long, whatever stands still")
      ->type_name("DURATION")
      ->capture_default_str();
  auto* init = app.add_subcommand("init", "Trust a root; asks no server");
  init->add_option("ROOT", arguments.root, "File with the root to trust")->required();
  app.add_subcommand("refresh", "Update root, timestamp, snapshot and targets");
  auto* download = app.add_subcommand(
      "download", "Refresh, then download targets in their order, up to the first failure");
  try {
    app.parse(count, values);
  } catch (CLI::Success const& asked) {
    std::ostringstream help;
    int const code = app.exit(asked, help, std::cerr);
    bool const written = std::fputs(help.str().c_str(), stdout) >= 0;
    if (written && std::fflush(stdout) == 0) return code;
    return fail("cannot write to standard output: " + runtime::explain(errno));
  } catch (CLI::ParseError const& error) {
    return fail(std::string(error.what()) + " (try tuf-client --help)");
  }
  if (arguments.metadata_dir.empty()) return fail("every command needs --metadata-dir DIR");
  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  auto const limit = config::parse_duration(arguments.stall_timeout);
  if (!limit || limit.value() <= std::chrono::milliseconds{0}) {
    return fail("--stall-timeout: expected a duration such as 30s, got " + arguments.stall_timeout);
  }
  if (init->parsed()) return initialise(arguments.metadata_dir, arguments.root, limit.value());
  auto url = url_of("--metadata-url", arguments.metadata_url);
  if (!url) return fail(url.error());
  tuf::ClientSettings settings{arguments.metadata_dir, std::move(url).value(), now};
  if (!download->parsed()) return with_server(std::move(settings), std::nullopt, limit.value());
  auto what = download_settings(arguments);
  if (!what) return fail(what.error());
  return with_server(std::move(settings), std::move(what).value(), limit.value());
}

int run_or_say(int count, char** values) {
  try {
    return run(count, values);
  } catch (std::exception const& error) {
    return fail(runtime::explain(error));
  }
}

}  // namespace

int main(int count, char** values) {
  int const code = runtime::run_prepared(&run_or_say, count, values);
  if (runtime::calls_left() > 0) ::_exit(code);  // they use what the end would destroy
  return code;
}
