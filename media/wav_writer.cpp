// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/wav_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace linecheck::media {
namespace {

constexpr std::size_t kHeaderSize = 44;
constexpr std::size_t kFrameSize = 4;
constexpr std::uint64_t kMaxData = 0xFFFFFFFFu - kHeaderSize;  // the sizes in the header have 32 bits

void put16(std::uint8_t* at, std::uint32_t value) {
  at[0] = static_cast<std::uint8_t>(value);
  at[1] = static_cast<std::uint8_t>(value >> 8);
}

void put32(std::uint8_t* at, std::uint32_t value) {
  put16(at, value);
  put16(at + 2, value >> 16);
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

WavWriter::WavWriter(std::string path, int rate)
    : path_(std::move(path)),
      rate_(static_cast<std::uint32_t>(rate)),
      file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (!file_.valid()) {
    fail("cannot create", errno);
    return;
  }
  write_header();
}

void WavWriter::append(std::span<const RecordingRing::Frame> frames) {
  if (!error_.empty() || frames.empty()) return;
  if ((frames_ + frames.size()) * kFrameSize > kMaxData) {
    fail("cannot hold more in", EFBIG);
    return;
  }
  bytes_.resize(frames.size() * kFrameSize);
  std::uint8_t* at = bytes_.data();
  for (const auto& frame : frames) {
    put16(at, static_cast<std::uint16_t>(frame.caller));
    put16(at + 2, static_cast<std::uint16_t>(frame.agent));
    at += kFrameSize;
  }
  std::size_t done = 0;
  const int code =
      write_all(file_.get(), bytes_, static_cast<std::int64_t>(kHeaderSize + frames_ * kFrameSize), done);
  frames_ += done / kFrameSize;
  write_header();
  if (code != 0) fail("cannot write", code);
}

void WavWriter::write_header() {
  const auto data = static_cast<std::uint32_t>(frames_ * kFrameSize);
  std::array<std::uint8_t, kHeaderSize> header{};
  std::memcpy(header.data(), "RIFF", 4);
  put32(header.data() + 4, data + kHeaderSize - 8);
  std::memcpy(header.data() + 8, "WAVEfmt ", 8);
  put32(header.data() + 16, 16);  // length of this chunk
  put16(header.data() + 20, 1);   // linear PCM
  put16(header.data() + 22, 2);   // channels
  put32(header.data() + 24, rate_);
  put32(header.data() + 28, rate_ * static_cast<std::uint32_t>(kFrameSize));  // bytes a second
  put16(header.data() + 32, kFrameSize);
  put16(header.data() + 34, 16);  // bits a sample
  std::memcpy(header.data() + 36, "data", 4);
  put32(header.data() + 40, data);
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
