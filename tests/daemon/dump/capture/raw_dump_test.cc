// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/capture/raw_dump.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stop_token>
#include <thread>

#include <gmock/gmock.h>

#include "daemon/dump/capture/capture.h"
#include "daemon/dump/read/document.h"
#include "daemon/dump/watchdog_dumper.h"
#include "runtime/tables.h"
#include "tests/daemon/dump/stuck_child.h"
#include "tests/support/read_file.h"

namespace canary::dump {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::vector<std::byte> file_bytes(std::string const& path) {
  std::string const text = support::read_file(path);
  auto const* const start = reinterpret_cast<std::byte const*>(text.data());
  return {start, start + text.size()};
}

watchdog::Incident loop_stalled() {
  watchdog::Incident incident{.id = 7,
                              .level = watchdog::Level::stalled,
                              .verdict = watchdog::Verdict::lock,
                              .age_ns = 2'500'000'000};
  return incident;
}

class RawDumpTest : public ::testing::Test {
 protected:
  RawDumpTest() {
    install_capture();
    runtime::make_tables({.runs = 16, .operations = 64});
  }
  static DumpRequest request(watchdog::Incident const& incident) {
    return {.number = incident.id,
            .reason = "stalled",
            .incidents = {&incident, 1},
            .decided_ns = runtime::now_ns()};
  }
  DumpPlace place() const { return {.directory = directory_.path(), .versions = "canaryd 1\n"}; }
  static DumpResult write(RawDump& raw, watchdog::Incident const& incident) {
    raw.start(request(incident));
    return raw.finish();
  }
  TempDirectory directory_;
};

TEST_F(RawDumpTest, IsReadBackWhole) {
  RawDump raw{place()};
  auto const incident = loop_stalled();

  DumpResult const result = write(raw, incident);

  ASSERT_TRUE(result.written);
  EXPECT_EQ(result.path.data(), directory_.path() + "/stall-000007-loop.raw");
  auto const document = read_dump(file_bytes(result.path.data()));
  EXPECT_THAT(document.notes, IsEmpty());
  ASSERT_THAT(document.incidents, SizeIs(1));
  EXPECT_EQ(document.incidents[0].verdict, watchdog::Verdict::lock);
  EXPECT_EQ(document.about.process, ::getpid());
  EXPECT_TRUE(document.has_executor);
  EXPECT_THAT(document.threads, Not(IsEmpty()));
  EXPECT_GT(document.descriptor_count, 3U);
  EXPECT_GT(document.memory.resident_bytes, 0U);
  EXPECT_EQ(document.versions, "canaryd 1\n");
  EXPECT_THAT(document.maps, HasSubstr("[stack]"));
}

TEST_F(RawDumpTest, CutShortAnywhereGivesWhatItHas) {
  RawDump raw{place()};
  auto const incident = loop_stalled();
  DumpResult const result = write(raw, incident);
  auto const whole = file_bytes(result.path.data());

  for (std::size_t size = 0; size < whole.size(); size += whole.size() / 97 + 1) {
    auto const document = read_dump(std::span{whole}.first(size));

    EXPECT_THAT(document.notes, Not(IsEmpty())) << "cut at " << size;
    if (size > 1'500) {
      EXPECT_THAT(document.incidents, SizeIs(1)) << "cut at " << size;
    }
  }
}

TEST_F(RawDumpTest, DamageIsNamedByItsSection) {
  RawDump raw{place()};
  auto const incident = loop_stalled();
  DumpResult const result = write(raw, incident);
  auto whole = file_bytes(result.path.data());
  std::string_view const text{reinterpret_cast<char const*>(whole.data()), whole.size()};
  std::size_t const at = text.rfind("canaryd 1\n");
  ASSERT_NE(at, std::string_view::npos);
  whole[at] = std::byte{'C'};

  auto const document = read_dump(whole);

  EXPECT_THAT(document.notes, Each(HasSubstr("\"versions\" is damaged")));
}

TEST_F(RawDumpTest, GoesOnWithoutAFreeDescriptor) {
  RawDump raw{place()};
  std::vector<int> taken;
  for (int file = 0; (file = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) {
    taken.push_back(file);
    if (taken.size() > 100'000) break;
  }
  auto const incident = loop_stalled();

  DumpResult const result = write(raw, incident);

  for (int const file : taken) ::close(file);
  EXPECT_TRUE(result.written);
  EXPECT_NE(result.text_path[0], '\0');
  EXPECT_THAT(read_dump(file_bytes(result.path.data())).threads, Not(IsEmpty()));
}

TEST_F(RawDumpTest, SecondDumpOfOneIncidentKeepsTheFirst) {
  RawDump raw{place()};
  auto incident = loop_stalled();

  std::string const first = write(raw, incident).path.data();
  std::string const second = write(raw, incident).path.data();
  incident.level = watchdog::Level::hung;
  std::string const third = write(raw, incident).path.data();

  EXPECT_THAT(first, HasSubstr("stall-000007-loop.raw"));
  EXPECT_THAT(second, HasSubstr("stall-000007-loop-2.raw"));
  EXPECT_THAT(third, HasSubstr("stall-000007-loop-hung.raw"));
  EXPECT_TRUE(std::filesystem::exists(first));
}

// What somebody did to the folder since the last dump, and between a dump's start and its end.
struct Harm {
  char const* name;
  void (*done)(std::filesystem::path const& folder);
};

void delete_files(std::filesystem::path const& folder) {
  for (auto const& entry : std::filesystem::directory_iterator{folder}) {
    std::filesystem::remove(entry.path());
  }
}

void replace_files(std::filesystem::path const& folder) {
  std::vector<std::filesystem::path> names;
  for (auto const& entry : std::filesystem::directory_iterator{folder}) {
    names.push_back(entry.path());
  }
  for (auto const& name : names) {
    std::filesystem::remove(name);
    std::ofstream{name} << "somebody else's";
  }
}

void delete_folder(std::filesystem::path const& folder) { std::filesystem::remove_all(folder); }

void replace_folder(std::filesystem::path const& folder) {
  std::filesystem::rename(folder, folder.string() + ".away");
  std::filesystem::create_directory(folder);
}

class HarmedRawDump : public RawDumpTest, public ::testing::WithParamInterface<Harm> {
 protected:
  // A folder of the dumps within the test's.
  std::filesystem::path folder_{std::filesystem::path{directory_.path()} / "dumps"};
  DumpPlace place() const { return {.directory = folder_.string(), .versions = "canaryd 1\n"}; }
};

TEST_P(HarmedRawDump, SinceTheLastOneIsWrittenWhereItSays) {
  RawDump raw{place()};
  auto const incident = loop_stalled();
  GetParam().done(folder_);

  DumpResult const result = write(raw, incident);

  EXPECT_TRUE(result.written) << std::strerror(result.error);
  EXPECT_EQ(std::filesystem::path{result.path.data()}.parent_path(), folder_);
  EXPECT_THAT(read_dump(file_bytes(result.path.data())).notes, IsEmpty());
  EXPECT_TRUE(std::filesystem::exists(result.text_path.data()));
}

TEST_P(HarmedRawDump, WhileItIsWrittenIsKeptInMemory) {
  RawDump raw{place()};
  auto const incident = loop_stalled();
  raw.start(request(incident));
  GetParam().done(folder_);

  DumpResult const result = raw.finish();

  EXPECT_TRUE(result.written);
  EXPECT_THAT(std::string{result.path.data()}, HasSubstr("/fd/"));
  auto const document = read_dump(file_bytes(result.path.data()));
  EXPECT_THAT(document.notes, IsEmpty());
  EXPECT_THAT(document.incidents, SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(By, HarmedRawDump,
                         ::testing::Values(Harm{"deleted_files", delete_files},
                                           Harm{"replaced_files", replace_files},
                                           Harm{"deleted_folder", delete_folder},
                                           Harm{"replaced_folder", replace_folder}),
                         [](auto const& info) { return std::string{info.param.name}; });

// Neither a place nor memory that may grow: nothing is told as written.
TEST_F(RawDumpTest, ThatNoNameLeadsToIsNotToldAsWritten) {
  RawDump raw{place()};
  auto const incident = loop_stalled();
  raw.start(request(incident));
  delete_files(directory_.path());
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit const small{.rlim_cur = 4 * 1024, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);

  DumpResult const result = raw.finish();

  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(result.written);
  EXPECT_NE(result.error, 0);
}

// The helper takes a dump whose .json stands there for finished.
TEST_F(RawDumpTest, TakesNoNameOfWhichTheReadableHalfIsLeft) {
  RawDump raw{place()};
  std::ofstream{directory_.path() + "/stall-000007-loop.json"} << "{}";
  auto const incident = loop_stalled();

  DumpResult const result = write(raw, incident);

  EXPECT_THAT(std::string{result.path.data()}, HasSubstr("/stall-000007-loop-2.raw"));
}

TEST_F(RawDumpTest, WithoutADirectoryIsKeptInMemory) {
  RawDump raw{{.directory = "/nowhere/at/all", .versions = "canaryd 1\n"}};
  EXPECT_THAT(raw.trouble(), HasSubstr("/nowhere/at/all"));
  auto const incident = loop_stalled();

  DumpResult const result = write(raw, incident);

  EXPECT_TRUE(result.written);
  EXPECT_THAT(std::string{result.path.data()}, HasSubstr("/fd/"));
  EXPECT_THAT(read_dump(file_bytes(result.path.data())).incidents, SizeIs(1));
}

TEST_F(RawDumpTest, KeepsWhatADyingProcessHadBegun) {
  {
    std::ofstream file{directory_.path() + "/.spare-0.raw", std::ios::binary};
    file.write(reinterpret_cast<char const*>(&kFileMagic), sizeof kFileMagic);
    file << "half a dump";
  }

  RawDump const raw{place()};

  bool kept = false;
  for (auto const& entry : std::filesystem::directory_iterator(directory_.path())) {
    kept = kept || entry.path().filename().string().starts_with("unfinished-");
  }
  EXPECT_TRUE(kept);
}

TEST_F(RawDumpTest, CopiesTheLastLinesOfTheLog) {
  DumpPlace where = place();
  where.log_lines = [](void*, std::span<char> into) -> std::size_t {
    std::string_view const lines = "first\nsecond\n";
    std::memcpy(into.data(), lines.data(), lines.size());
    return lines.size();
  };
  RawDump raw{where};
  auto const incident = loop_stalled();

  auto const document = read_dump(file_bytes(write(raw, incident).path.data()));

  EXPECT_THAT(document.log, ::testing::ElementsAre("first", "second"));
}

TEST_F(RawDumpTest, IsWrittenByTheWatchdogsOrderThoughThereIsNoHelper) {
  RawDump raw{place()};
  HelperProcess helper;
  WatchdogDumper orders{raw, helper};
  watchdog::Dumper const dumper = orders.dumper();
  auto const incident = loop_stalled();

  dumper.start(dumper.self, {.number = 3, .reason = "hung", .incidents = {&incident, 1}});
  dumper.sample(dumper.self, ::getpid());
  watchdog::PathText path{};
  int const error = dumper.finish(dumper.self, path);

  EXPECT_EQ(error, 0);
  EXPECT_EQ(orders.untold(), 1U);
  EXPECT_EQ(dumper.poll(dumper.self), 1U) << "nobody makes it readable";
  EXPECT_EQ(dumper.poll(dumper.self), 0U) << "told once";
  EXPECT_THAT(read_dump(file_bytes(path.data())).notes, IsEmpty());
}

TEST_F(RawDumpTest, TellsWhetherTheStuckThreadsStackCouldBeCopied) {
  if (!kCopiesStacks) GTEST_SKIP() << "stacks are copied on x86-64 alone";
  RawDump raw{place()};
  auto incident = loop_stalled();
  incident.thread = ::gettid();

  bool const own = raw.start(request(incident));
  incident.thread = 1;  // no thread of this process
  bool const foreign = raw.start(request(incident));
  raw.finish();

  EXPECT_TRUE(own);
  EXPECT_FALSE(foreign);
}

// Files may not grow: what fits is readable, and nobody is killed by SIGXFSZ.
// char has a sign on x86-64 and none on arm64.
TEST_F(RawDumpTest, NamesTheSocketOfAPathThatIsNotAscii) {
  std::string const path = directory_.path() + "/h\xC3\xA9\n";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  int const listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr const*>(&address), sizeof address), 0);
  RawDump raw{place()};

  DumpResult const result = write(raw, loop_stalled());

  ::close(listener);
  auto const document = read_dump(file_bytes(result.path.data()));
  EXPECT_THAT(document.descriptors, Contains(Field(&DescriptorSample::local,
                                                   "unix:" + directory_.path() + "/h\xC3\xA9?")));
}

TEST_F(RawDumpTest, StopsAtTheLimitOfFileSizesAndSaysSo) {
  RawDump raw{place()};
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit const small{.rlim_cur = 16 * 1024, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  auto const incident = loop_stalled();

  DumpResult const result = write(raw, incident);

  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(result.written);
  EXPECT_EQ(result.error, EFBIG);
  EXPECT_NE(result.text_path[0], '\0');
  auto const document = read_dump(file_bytes(result.path.data()));
  EXPECT_THAT(document.incidents, SizeIs(1));
}

// What the watchdog left in memory, and the thread that writes it to the disk.
class RawDumpOnDisk : public RawDumpTest {
 protected:
  DumpPlace place() const {
    DumpPlace on_disk = RawDumpTest::place();
    on_disk.on_disk = true;
    return on_disk;
  }
  std::string at(std::string const& name) const { return directory_.path() + "/" + name; }
  // A disk that takes what comes at once.
  struct Writer {
    explicit Writer(RawDump const& raw)
        : thread{[dumps = raw.memory_dumps()](std::stop_token const& stop) {
            while (!stop.stop_requested()) dumps->write_down();
          }} {}
    std::jthread thread;
  };
};

TEST_F(RawDumpOnDisk, IsWrittenThereByAnotherThread) {
  RawDump raw{place()};
  Writer const writer{raw};
  auto const incident = loop_stalled();

  DumpResult const result = write(raw, incident);

  EXPECT_TRUE(result.written);
  EXPECT_FALSE(result.waits);
  EXPECT_EQ(std::string{result.path.data()}, at("stall-000007-loop.raw"));
  auto const document = read_dump(file_bytes(result.path.data()));
  EXPECT_THAT(document.notes, IsEmpty());
  EXPECT_THAT(document.incidents, SizeIs(1));
  EXPECT_EQ(support::read_file(at("stall-000007-loop.txt")), document.emergency_text);
  EXPECT_EQ(std::string{write(raw, incident).path.data()}, at("stall-000007-loop-2.raw"));
}

TEST_F(RawDumpOnDisk, WaitsInMemoryWhileTheDiskStandsStillAndIsToldOnceItIsThere) {
  RawDump raw{place()};
  auto incident = loop_stalled();

  DumpResult const result = write(raw, incident);

  EXPECT_TRUE(result.written);
  EXPECT_TRUE(result.waits);
  EXPECT_THAT(std::string{result.path.data()}, HasSubstr("/fd/"));
  EXPECT_THAT(read_dump(file_bytes(result.path.data())).notes, IsEmpty());
  std::array<char, 256> late{};
  EXPECT_FALSE(raw.next_late(late));
  incident.level = watchdog::Level::hung;
  write(raw, incident);
  raw.memory_dumps()->write_down();
  ASSERT_TRUE(raw.next_late(late));
  EXPECT_EQ(std::string{late.data()}, at("stall-000007-loop.raw"));
  ASSERT_TRUE(raw.next_late(late));
  EXPECT_EQ(std::string{late.data()}, at("stall-000007-loop-hung.raw"));
  EXPECT_FALSE(raw.next_late(late));
  EXPECT_THAT(read_dump(file_bytes(at("stall-000007-loop.raw"))).notes, IsEmpty());
}

TEST_F(RawDumpOnDisk, KeepsTheFirstThatWaitAndSaysThatThereIsNoRoomForMore) {
  RawDump raw{place()};
  auto const incident = loop_stalled();
  for (std::size_t i = 0; i < MemoryDumps::kPlaces; ++i) EXPECT_TRUE(write(raw, incident).written);

  DumpResult const result = write(raw, incident);

  EXPECT_FALSE(result.written);
  EXPECT_EQ(result.error, EBUSY);
  raw.memory_dumps()->write_down();
  std::array<char, 256> late{};
  while (raw.next_late(late)) {
  }
  EXPECT_TRUE(write(raw, incident).written) << "there is room again";
}

// As on a disk that is full, or mounted read-only.
TEST_F(RawDumpOnDisk, StaysInMemoryWhereTheDiskTakesNothing) {
  DumpPlace nowhere = place();
  nowhere.directory = "/nowhere/at/all";
  RawDump raw{nowhere};
  EXPECT_THAT(raw.trouble(), HasSubstr("/nowhere/at/all"));
  Writer const writer{raw};
  auto const incident = loop_stalled();
  for (std::size_t i = 0; i < 2 * MemoryDumps::kPlaces; ++i) {
    DumpResult const result = write(raw, incident);
    EXPECT_TRUE(result.written);
    EXPECT_FALSE(result.waits) << "it does not get better by waiting";
    EXPECT_THAT(read_dump(file_bytes(result.path.data())).notes, IsEmpty());
  }
}

// A disk that was filled after the start: the room was reserved.
TEST_F(RawDumpTest, IsWrittenToAFullDisk) {
  if (::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, "size=6m") != 0) {
    GTEST_SKIP() << "mounting a small tmpfs needs root: " << std::strerror(errno);
  }
  {
    RawDump raw{place()};
    EXPECT_THAT(raw.trouble(), IsEmpty());
    int const filler = ::open((directory_.path() + "/filler").c_str(), O_WRONLY | O_CREAT, 0600);
    std::vector<char> const block(4096, 'x');
    while (::write(filler, block.data(), block.size()) > 0) {
    }
    ::close(filler);
    auto const incident = loop_stalled();

    DumpResult const result = write(raw, incident);

    EXPECT_TRUE(result.written);
    EXPECT_NE(result.text_path[0], '\0');
    EXPECT_THAT(read_dump(file_bytes(result.path.data())).notes, IsEmpty());
  }
  ::umount2(directory_.path().c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace canary::dump
