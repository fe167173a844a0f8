// SPDX-License-Identifier: Apache-2.0
// Writes repositories for the benchmarks and the soak:
//   bench_repository DIRECTORY CASE
// CASE is one (a target of 1 GiB), many (64 of 16 MiB), listed (100,000 empty targets in one
// file), bins (the same over 16,384 hash bins), delegations (1,000 roles of one target each), or
// small:N (N repositories of three targets each).
// Each repository is DIRECTORY[/NUMBER]/{metadata,targets}, its pinned root metadata/1.root.json.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "probes/tuf/authoring.h"
#include "probes/tuf/delegation.h"

namespace {

using namespace canary::tuf;
namespace fs = std::filesystem;

Time now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

// Bytes that no compression or sparse file could shorten; splitmix64.
std::string noise(std::size_t size, std::uint64_t seed) {
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at + 8 <= size; at += 8) {
    std::uint64_t value = seed += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    value ^= value >> 31;
    __builtin_memcpy(bytes.data() + at, &value, 8);
  }
  return bytes;
}

std::string listed_name(int number) {
  return "packages/group" + std::to_string(number % 97) + "/package-" + std::to_string(number) +
         ".tar.gz";
}

// A role for each package, as package feeds have them.
void delegate(Repository& repository, int roles) {
  for (int i = 0; i < roles; ++i) {
    auto const name = "package-" + std::to_string(i);
    repository.targets.delegations.push_back(
        {.name = name, .signers = {.keys = {SigningKey::ed25519(name)}}, .paths = {name + "-*"}});
    repository.delegated[name] = {.expires = repository.targets.expires,
                                  .files = {{name + "-file", "the file of " + name}}};
  }
}

Repository repository_for(std::string const& name) {
  Repository repository = a_repository(now());
  auto& files = repository.targets.files;
  if (name == "one") {
    files = {{"image.img", noise(std::size_t{1} << 30, 1)}};
  } else if (name == "many") {
    files.clear();
    for (int i = 0; i < 64; ++i) {
      files.emplace("part-" + std::to_string(i) + ".img", noise(std::size_t{16} << 20, 7 + i));
    }
  } else if (name == "delegations") {
    delegate(repository, 1'000);
  } else if (name == "listed" || name == "bins") {
    files.clear();
    for (int i = 0; i < 100'000; ++i) files.emplace(listed_name(i), "");
  } else {
    throw std::invalid_argument("no case is called " + name);
  }
  return repository;
}

// Moves the targets into the bins that their hashes name.
void spread_over_bins(Repository& repository) {
  SuccinctSpec const spec{
      .signers = {.keys = {SigningKey::ed25519("bins")}}, .bit_length = 14, .name_prefix = "bin"};
  repository.targets.succinct = spec;
  SuccinctRoles const roles{.keys = {}, .bit_length = 14, .name_prefix = "bin"};
  for (auto& [path, content] : repository.targets.files) {
    auto const bin = bin_name(roles, bin_of(roles, path_hash(path)));
    auto const [entry, fresh] = repository.delegated.try_emplace(bin);
    if (fresh) entry->second.expires = repository.targets.expires;
    entry->second.files.emplace(path, content);
  }
  repository.targets.files.clear();
}

void write(fs::path const& base, std::map<std::string, std::string> const& files) {
  for (auto const& [path, bytes] : files) {
    fs::create_directories((base / path).parent_path());
    std::ofstream file{base / path, std::ios::binary};
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!file) throw std::runtime_error("cannot write " + (base / path).string());
  }
}

void write(fs::path const& directory, Repository const& repository) {
  auto const published = publish(repository);
  write(directory / "metadata", published.metadata);
  write(directory / "targets", published.targets);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bench_repository DIRECTORY one|many|listed|bins|delegations|small:N\n",
               stderr);
    return 2;
  }
  try {
    fs::path const directory{argv[1]};
    std::string const name{argv[2]};
    if (name.starts_with("small:")) {
      int const count = std::stoi(name.substr(6));
      for (int i = 0; i < count; ++i) {
        Repository repository = a_repository(now());
        // No folder in a name: for those tough asks elsewhere than the specification says.
        auto const seed = static_cast<std::uint64_t>(i);
        repository.targets.files = {{"first.txt", "the first"},
                                    {"second.txt", "the second"},
                                    {"third.bin", noise(4096, seed)}};
        write(directory / std::to_string(i), repository);
      }
    } else {
      Repository repository = repository_for(name);
      if (name == "bins") spread_over_bins(repository);
      write(directory, repository);
    }
  } catch (std::exception const& failed) {
    std::fprintf(stderr, "bench_repository: %s\n", failed.what());
    return 1;
  }
  return 0;
}
