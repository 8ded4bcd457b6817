// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/kept_files.h"

#include <fcntl.h>
#include <sndfile.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "media/pcap_writer.h"

namespace linecheck::engine {
namespace {

namespace fs = std::filesystem;

struct CloseKept {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using Sound = std::unique_ptr<SNDFILE, CloseKept>;
using Bytes = std::vector<std::uint8_t>;

/// A file that is not whole yet, gone again unless it is kept.
class Unfinished {
 public:
  explicit Unfinished(std::string path) : path_(std::move(path)) {}
  ~Unfinished() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove(path_, ignored);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Onto the disk, and to its name. Errno or 0.
  int keep_as(const std::string& name) {
    const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    const int synced = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    if (synced != 0) return synced;
    if (::rename(path_.c_str(), name.c_str()) != 0) return errno;
    path_.clear();
    return 0;
  }

 private:
  std::string path_;
};

std::string copy_sound(const std::string& from, const std::string& to, int format, sf_count_t& frames) {
  SF_INFO info{};
  const Sound in(sf_open(from.c_str(), SFM_READ, &info));
  if (!in) return sf_strerror(nullptr);
  frames = info.frames;
  SF_INFO packed{};
  packed.samplerate = info.samplerate;
  packed.channels = info.channels;
  packed.format = format;
  const Sound out(sf_open(to.c_str(), SFM_WRITE, &packed));
  if (!out) return sf_strerror(nullptr);
  constexpr sf_count_t kFrames = 8192;
  std::vector<short> block(static_cast<std::size_t>(kFrames * info.channels));
  while (const sf_count_t got = sf_readf_short(in.get(), block.data(), kFrames)) {
    if (got < 0 || sf_writef_short(out.get(), block.data(), got) != got) return sf_strerror(out.get());
  }
  return {};
}

/// Decoded to its end: as long as it should be.
bool is_whole(const std::string& path, sf_count_t frames) {
  SF_INFO info{};
  const Sound in(sf_open(path.c_str(), SFM_READ, &info));
  if (!in || info.channels < 1) return false;
  std::vector<short> block(static_cast<std::size_t>(8192 * info.channels));
  sf_count_t total = 0;
  while (const sf_count_t got = sf_readf_short(in.get(), block.data(), 8192)) {
    if (got < 0) return false;
    total += got;
  }
  return total == frames;
}

std::uint32_t le32(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at]) | static_cast<std::uint32_t>(bytes[at + 1]) << 8 |
         static_cast<std::uint32_t>(bytes[at + 2]) << 16 | static_cast<std::uint32_t>(bytes[at + 3]) << 24;
}

struct Record {
  std::int64_t wall_ns = 0;
  Bytes bytes;
};

constexpr std::size_t kFileHeader = 24;
constexpr std::size_t kRecordHeader = 16;

std::vector<Record> records_of(const Bytes& file) {
  std::vector<Record> records;
  std::size_t at = kFileHeader;
  while (at + kRecordHeader <= file.size()) {
    const std::size_t size = kRecordHeader + le32(file, at + 8);
    if (at + size > file.size()) break;  // cut short
    const auto begin = file.begin() + static_cast<std::ptrdiff_t>(at);
    records.push_back({std::int64_t{le32(file, at)} * 1'000'000'000 + le32(file, at + 4),
                       Bytes(begin, begin + static_cast<std::ptrdiff_t>(size))});
    at += size;
  }
  return records;
}

/// `192.0.2.1:5060`, `[2001:db8::1]:5060`; an address that says nothing is `local`.
std::optional<media::Address> address_of(const std::string& text, const std::string& local) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data() + colon + 1, end, port).ptr != end) return std::nullopt;
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  const bool nothing = host.empty() || host == "*" || host == "0.0.0.0" || host == "::";
  return media::Address::parse(nothing ? local : host, port);
}

std::vector<Record> sip_records(const CallRecord& call, const std::string& local,
                                std::int64_t wall_minus_mono_ns) {
  std::vector<Record> records;
  std::map<std::string, std::uint32_t> sequences;  // TCP: by direction
  for (const TracedMessage& message : call.sip) {
    const auto from = address_of(message.from, local);
    const auto to = address_of(message.to, local);
    if (!from || !to) continue;
    Record record;
    record.wall_ns = call.origin_mono_ns + static_cast<std::int64_t>(message.t_ms * 1e6) + wall_minus_mono_ns;
    const std::span payload(reinterpret_cast<const std::uint8_t*>(message.message.data()),
                            message.message.size());
    if (message.transport == "udp") {
      media::append_udp_record(record.bytes, record.wall_ns, *from, *to, payload);
    } else {  // what TLS has encrypted is in the clear here
      std::uint32_t& sent = sequences.try_emplace(message.from + message.to, 1).first->second;
      const std::uint32_t seen = sequences.try_emplace(message.to + message.from, 1).first->second;
      media::append_tcp_record(record.bytes, record.wall_ns, *from, *to, {sent, seen}, payload);
      sent += static_cast<std::uint32_t>(payload.size());
    }
    if (!record.bytes.empty()) records.push_back(std::move(record));
  }
  return records;
}

}  // namespace

std::string pack_recording(std::string& path, scheduler::RecordingAfter how) {
  if (how == scheduler::RecordingAfter::keep || path.empty()) return {};
  const bool flac = how == scheduler::RecordingAfter::flac;
  const std::string packed = fs::path(path).replace_extension(flac ? ".flac" : ".opus").string();
  Unfinished file(packed + ".new");
  const std::string what = "The recording was not packed as " + std::string(flac ? "FLAC" : "Opus") + ": ";
  sf_count_t frames = 0;
  const std::string error = copy_sound(
      path, file.path(), flac ? SF_FORMAT_FLAC | SF_FORMAT_PCM_16 : SF_FORMAT_OGG | SF_FORMAT_OPUS, frames);
  if (!error.empty()) return what + error;
  if (!is_whole(file.path(), frames)) return what + "the new file is not whole.";
  if (const int code = file.keep_as(packed); code != 0) return what + std::strerror(code);
  std::error_code ignored;
  fs::remove(std::exchange(path, packed), ignored);
  return {};
}

std::string complete_capture(const std::string& path, const CallRecord& call, const std::string& local,
                             std::int64_t wall_minus_mono_ns) {
  std::vector<Record> records;
  {
    std::ifstream in(path, std::ios::binary);
    if (!in) return "The capture " + path + " can't be read.";
    const Bytes file{std::istreambuf_iterator<char>(in), {}};
    records = records_of(file);
  }
  std::vector<Record> sip = sip_records(call, local, wall_minus_mono_ns);
  std::move(sip.begin(), sip.end(), std::back_inserter(records));
  std::stable_sort(records.begin(), records.end(),
                   [](const Record& a, const Record& b) { return a.wall_ns < b.wall_ns; });
  Unfinished file(path + ".new");
  {
    media::PcapWriter out(file.path());
    for (const Record& record : records) out.append(record.bytes);
    if (!out.error().empty()) return out.error();
  }
  if (const int code = file.keep_as(path); code != 0)
    return "The capture: " + std::string(std::strerror(code));
  return {};
}

}  // namespace linecheck::engine
