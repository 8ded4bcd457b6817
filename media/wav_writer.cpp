// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/wav_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "media/g711.h"

namespace linecheck::media {
namespace {

constexpr std::uint64_t kMaxFile = 0xFFFFFFFFu;  // the sizes in the header have 32 bits
constexpr std::uint32_t kChannels = 2;

void put16(std::vector<std::uint8_t>& out, std::uint32_t value) {
  out.push_back(static_cast<std::uint8_t>(value));
  out.push_back(static_cast<std::uint8_t>(value >> 8));
}

void put32(std::vector<std::uint8_t>& out, std::uint64_t value) {
  put16(out, static_cast<std::uint32_t>(value & 0xFFFF));
  put16(out, static_cast<std::uint32_t>(value >> 16));
}

void put_name(std::vector<std::uint8_t>& out, const char* name) {
  out.insert(out.end(), name, name + std::strlen(name));
}

// Errno, or 0. What was written before the error is in `done`.
int write_all(int fd, std::span<const std::uint8_t> bytes, std::int64_t offset, std::size_t& done) {
  done = 0;
  while (done < bytes.size()) {
    const ssize_t written =
        ::pwrite(fd, bytes.data() + done, bytes.size() - done, offset + static_cast<std::int64_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return ENOSPC;
    done += static_cast<std::size_t>(written);
  }
  return 0;
}

}  // namespace

WavWriter::WavWriter(std::string path, int rate, WavFormat format)
    : path_(std::move(path)), rate_(static_cast<std::uint32_t>(rate)), format_(format) {
  // Under another name until its header is there: no instant finds half a file under its own. What is there
  // and is no file (a device, a pipe) is written to, never replaced.
  struct stat there {};
  const bool replaces = ::stat(path_.c_str(), &there) != 0 || S_ISREG(there.st_mode);
  const std::string fresh = replaces ? path_ + ".new" : path_;
  file_ = FileDescriptor(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file_.valid()) {
    fail("cannot create", errno);
    return;
  }
  write_header(0);
  if (!replaces) return;
  if (error_.empty() && ::rename(fresh.c_str(), path_.c_str()) != 0) fail("cannot create", errno);
  if (!error_.empty()) ::unlink(fresh.c_str());
}

void WavWriter::append(std::span<const RecordingRing::Frame> frames) {
  if (!error_.empty() || frames.empty()) return;
  if (header_size() + (frames_ + frames.size()) * frame_size() > kMaxFile) {
    fail("cannot hold more in", EFBIG);
    return;
  }
  // Of all files together: each batch is written before the next one comes.
  thread_local std::vector<std::uint8_t> bytes;
  bytes.clear();
  if (format_ == WavFormat::pcm16) {
    for (const auto& frame : frames) {
      put16(bytes, static_cast<std::uint16_t>(frame.caller));
      put16(bytes, static_cast<std::uint16_t>(frame.agent));
    }
  } else {
    thread_local std::vector<std::int16_t> samples;
    samples.clear();
    for (const auto& frame : frames) {
      samples.push_back(frame.caller);
      samples.push_back(frame.agent);
    }
    bytes.resize(samples.size());
    g711_encode(Codec::pcmu, samples, bytes);
  }
  std::size_t done = 0;
  const int code =
      write_all(file_.get(), bytes, static_cast<std::int64_t>(header_size() + frames_ * frame_size()), done);
  frames_ += done / frame_size();
  write_header(frames_);
  if (code != 0) fail("cannot write", code);
}

void WavWriter::write_header(std::uint64_t frames) {
  const std::uint64_t data = frames * frame_size();
  const auto bits = static_cast<std::uint32_t>(frame_size() * 8 / kChannels);
  std::vector<std::uint8_t> header;
  header.reserve(header_size());
  put_name(header, "RIFF");
  put32(header, data + header_size() - 8);
  put_name(header, "WAVEfmt ");
  put32(header, format_ == WavFormat::pcm16 ? 16 : 18);  // length of this chunk
  put16(header, format_ == WavFormat::pcm16 ? 1 : 7);    // linear PCM, mu-law
  put16(header, kChannels);
  put32(header, rate_);
  put32(header, std::uint64_t{rate_} * frame_size());  // bytes a second
  put16(header, static_cast<std::uint32_t>(frame_size()));
  put16(header, bits);
  if (format_ == WavFormat::ulaw) {  // all but linear PCM have an extension and a count of frames
    put16(header, 0);
    put_name(header, "fact");
    put32(header, 4);
    put32(header, frames);
  }
  put_name(header, "data");
  put32(header, data);
  std::size_t done = 0;
  const int code = write_all(file_.get(), header, 0, done);
  if (code != 0) fail("cannot write", code);
}

void WavWriter::fail(const std::string& what, int code) {
  if (!error_.empty()) return;
  const auto ms = frames_ * 1000 / rate_;
  error_ = what + " recording " + path_ + ": " + std::strerror(code) + " (it ends after " +
           std::to_string(ms) + " ms)";
}

}  // namespace linecheck::media
