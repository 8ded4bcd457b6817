// SPDX-License-Identifier: GPL-3.0-or-later
//
// A stereo WAV file that is valid at any instant: it appears under its name with a whole header, which is
// made current after each batch and never promises more than what has been written, so that a killed process
// leaves a file that opens.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "media/recording_ring.h"
#include "media/udp_port.h"
#include "media/wav_format.h"

namespace linecheck::media {

class WavWriter {
 public:
  /// Creates or replaces the file. `rate`: samples a second. Look at error().
  WavWriter(std::string path, int rate, WavFormat format = WavFormat::pcm16);

  /// Appends. After an error nothing more is written; what was written stays readable.
  void append(std::span<const RecordingRing::Frame> frames);

  [[nodiscard]] const std::string& error() const { return error_; }  ///< empty: all is well
  [[nodiscard]] std::uint64_t frames() const { return frames_; }

 private:
  void write_header(std::uint64_t frames);
  [[nodiscard]] std::size_t frame_size() const { return format_ == WavFormat::pcm16 ? 4 : 2; }
  [[nodiscard]] std::size_t header_size() const { return format_ == WavFormat::pcm16 ? 44 : 58; }
  void fail(const std::string& what, int code);

  std::string path_;
  std::uint32_t rate_;
  WavFormat format_;
  FileDescriptor file_;
  std::string error_;
  std::uint64_t frames_ = 0;
};

}  // namespace linecheck::media
