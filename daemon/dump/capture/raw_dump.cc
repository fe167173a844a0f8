// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/capture/raw_dump.h"

#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "daemon/dump/capture/capture.h"
#include "daemon/dump/capture/emergency_text.h"
#include "daemon/dump/capture/process_sample.h"
#include "daemon/dump/capture/raw_dump_memory.h"
#include "daemon/text/fixed_text.h"
#include "runtime/tables.h"

namespace canary::dump {
namespace {

using runtime::TextOffset;
using std::memory_order_relaxed;

// Threads that are not accused must not delay the rest of the dump.
constexpr std::int64_t kOthersAnswerWithinNs = 50'000'000;
constexpr std::int64_t kOthersTogetherNs = 400'000'000;

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

void put_about(SectionWriter& out, DumpRequest const& request) {
  AboutSection about;
  about.process = ::getpid();
  about.clock_ticks = static_cast<std::int32_t>(::sysconf(_SC_CLK_TCK));
  about.wall_ns = clock_ns(CLOCK_REALTIME);
  about.monotonic_ns = runtime::now_ns();
  about.boottime_ns = clock_ns(CLOCK_BOOTTIME);
  about.decided_ns = request.decided_ns;
  about.number = request.number;
  about.image_start = reinterpret_cast<std::uintptr_t>(runtime::text_at(1)) - 1;
  about.vdso = ::getauxval(AT_SYSINFO_EHDR);
  if (auto* const all = runtime::tables()) about.build_id = all->header().build_id;
  std::size_t const size =
      request.reason.size() < about.reason.size() ? request.reason.size() : about.reason.size() - 1;
  std::memcpy(about.reason.data(), request.reason.data(), size);
  [[maybe_unused]] auto const length =
      ::readlink("/proc/self/exe", about.program.data(), about.program.size() - 1);
  out.begin(SectionType::about);
  out.bytes(&about, sizeof about);
  out.end();
  out.begin(SectionType::incidents);
  out.bytes(request.incidents.data(), request.incidents.size_bytes());
  out.end();
}

// Each text that the tables refer to, once, so that the dump can be read without the program.
class TextsSection {
 public:
  TextsSection(SectionWriter& out, std::span<std::uint32_t> seen) : out_(out), seen_(seen) {
    for (auto& each : seen_) each = 0;
  }

  void add(std::atomic<TextOffset> const& text) { add(text.load(memory_order_relaxed)); }
  void add(TextOffset text) {
    if (text == 0) return;
    // Open addressing; where the table is full, a text is written more than once.
    std::size_t at = std::size_t{text} * 2654435761U % seen_.size();
    for (std::size_t step = 0; step < 16; ++step, at = (at + 1) % seen_.size()) {
      if (seen_[at] == text) return;
      if (seen_[at] != 0) continue;
      seen_[at] = text;
      break;
    }
    char const* const start = runtime::text_at(text);
    std::size_t size = 0;
    while (size < 512 && start[size] != '\0') ++size;
    out_.item(1, text, {start, size});
  }

 private:
  SectionWriter& out_;
  std::span<std::uint32_t> seen_;
};

void add_pair(TextsSection& texts, std::atomic<std::uint64_t> const& pair) {
  std::uint64_t const both = pair.load(memory_order_relaxed);
  texts.add(runtime::first_of(both));
  texts.add(runtime::second_of(both));
}

// Of an operation or a kind of handler.
template <class Record>
void add_handler(TextsSection& texts, Record const& record) {
  add_pair(texts, record.kind);
  add_pair(texts, record.place);
}

void put_texts(SectionWriter& out, runtime::Tables& tables, DumpRequest const& request,
               std::span<std::uint32_t> seen) {
  out.begin(SectionType::texts);
  TextsSection texts{out, seen};
  for (auto const& incident : request.incidents) {
    texts.add(incident.operation);
    texts.add(incident.file);
    texts.add(incident.function);
  }
  for (auto const& each : tables.loop().longest) add_handler(texts, each);
  for (auto const& thread : tables.threads()) texts.add(thread.job);
  for (auto const& run : tables.runs()) {
    std::uint32_t const used = run.used_frames.load(memory_order_relaxed);
    for (std::size_t i = 0; i < runtime::kFramesPerRun; ++i) {
      if ((used >> i & 1) == 0) continue;
      texts.add(run.frames[i].name);
      texts.add(run.frames[i].file);
    }
  }
  for (auto const& operation : tables.operations()) {
    bool const in_use = operation.load_head().state != runtime::OperationHead::free;
    if (in_use) add_handler(texts, operation);
  }
  out.end();
}

// True where there is anything of it.
bool put_stack(SectionWriter& out, std::int32_t thread, bool culprit, std::int64_t within_ns) {
  Capture const* const capture = capture_thread(thread, within_ns);
  if (capture == nullptr) return false;
  StackSection section;
  section.thread = thread;
  section.source = capture->source;
  section.known = capture->known;
  section.culprit = culprit ? 1 : 0;
  section.taken_ns = capture->taken_ns;
  section.waited_ns = capture->waited_ns;
  section.registers = capture->registers;
  section.stack_start = capture->stack_start;
  section.stack_bytes = capture->stack_bytes;
  out.begin(SectionType::stack);
  out.bytes(&section, sizeof section);
  out.bytes(capture->stack.data(), capture->stack_bytes);
  out.end();
  bool const copied = capture->known != 0;
  give_back(capture);
  return copied;
}

// Whose stack comes first: who is accused, else the loop.
std::int32_t first_of(DumpRequest const& request) {
  if (!request.incidents.empty() && request.incidents.front().thread != 0) {
    return request.incidents.front().thread;
  }
  auto* const all = runtime::tables();
  return all == nullptr ? 0 : all->loop().thread.load(memory_order_relaxed);
}

}  // namespace

void RawDump::write_all(DumpRequest const& request, SectionWriter& out) {
  put_about(out, request);
  runtime::Tables* const tables = runtime::tables();
  if (tables != nullptr) {
    out.begin(SectionType::tables);
    out.shared(tables->block().data(), tables->block().size());
    out.end();
    put_texts(out, *tables, request, buffers_->seen);
    result_.tables_ns = runtime::now_ns() - request.decided_ns;
    write_text(request, out);
  }
  write_stacks(request, out);
  ProcessSample& process = process_->sample;
  process.maps(out);
  process.threads(out, {buffers_->ids.data(), buffers_->id_count});
  process.descriptors(out);
  process.memory(out);
  out.begin(SectionType::log);
  if (place_.log_lines != nullptr) {
    std::size_t const size = place_.log_lines(place_.log_context, buffers_->log);
    out.bytes(buffers_->log.data(), size);
  }
  out.end();
  out.begin(SectionType::versions);
  out.text({place_.versions.data(), place_.versions.size()});
  out.end();
}

void RawDump::write_stacks(DumpRequest const& request, SectionWriter& out) {
  std::int32_t const first = first_of(request);
  // A subject that is no thread has no culprit.
  bool const culprit = request.incidents.empty() || request.incidents.front().thread != 0;
  stack_copied_ = first != 0 && put_stack(out, first, culprit, kAnswerWithinNs);
  result_.stack_ns = runtime::now_ns() - request.decided_ns;
  std::size_t const there = process_->sample.thread_ids(buffers_->ids);
  buffers_->id_count = there < buffers_->ids.size() ? there : buffers_->ids.size();
  std::int64_t const until = runtime::now_ns() + kOthersTogetherNs;
  auto const self = static_cast<std::int32_t>(::syscall(SYS_gettid));
  for (std::size_t i = 0; i < buffers_->id_count; ++i) {
    std::int32_t const thread = buffers_->ids[i];
    if (thread == first || thread == self) continue;
    if (runtime::now_ns() > until) break;
    put_stack(out, thread, false, kOthersAnswerWithinNs);
  }
}

void RawDump::write_text(DumpRequest const& request, SectionWriter& out) {
  char raw_name[128];
  FixedText name{raw_name};
  name << stem_.data() << ".raw";
  EmergencyText const about{.incidents = request.incidents,
                            .reason = request.reason,
                            .versions = {place_.versions.data(), place_.versions.size()},
                            .raw_name = name.view(),
                            .now_ns = runtime::now_ns(),
                            .wall_ns = clock_ns(CLOCK_REALTIME)};
  text_size_ = render_emergency_text(*runtime::tables(), about, buffers_->text);
  out.begin(SectionType::emergency_text);
  text_at_ = out.size();
  out.text({buffers_->text.data(), text_size_});
  out.end();
  if (open_ && files_) {
    files_->place_text(stem_.data(), {buffers_->text.data(), text_size_}, result_.text_path);
  }
}

bool RawDump::start(DumpRequest const& request) {
  if (open_) finish();
  result_ = {};
  text_size_ = 0;
  ends_process_ = request.reason == "dead" || request.reason == "ended";
  if (files_) files_->prepare();
  name_file(request);
  choose_file();
  open_ = true;
  writer_ = SectionWriter{file_, buffers_->file};
  write_all(request, writer_);
  return stack_copied_;
}

void RawDump::sample(std::int32_t thread) {
  if (open_) put_stack(writer_, thread, true, kAnswerWithinNs);
}

std::size_t RawDump::write_to_memory(DumpRequest const& request, std::span<std::byte> into) {
  if (open_) finish();
  SectionWriter out{into};
  write_all(request, out);
  out.begin(SectionType::end);
  out.end();
  return out.size();
}

}  // namespace canary::dump
