// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the reference agent really did, one JSON object a line, so that every measured latency can be checked:
//   {"call_id", "mono_ns", "sample_in_packet", "ssrc", "rtp_timestamp", "event", "text"}
// `mono_ns` is CLOCK_MONOTONIC when the packet left that carries the sample (or when the thing happened, for
// what is no sample); the sample itself is `sample_in_packet` / 8000 s after that packet's first one (with a
// codec that delays, maybe later than its last), and has `rtp_timestamp`.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace linecheck::engine {

struct Truth {
  std::string call_id;
  std::int64_t mono_ns = 0;
  std::uint32_t sample_in_packet = 0;
  std::uint32_t ssrc = 0;
  std::uint32_t rtp_timestamp = 0;
  std::string
      event;  ///< answered, speech_start, speech_end, digit, cut_in, yield, hang_up, heard_start, heard_end
  std::string text;
};

class TruthLog {
 public:
  /// Starts the file anew, in a folder that is made where it is missing; an empty path keeps no log. Throws
  /// std::runtime_error when it can't be written.
  explicit TruthLog(const std::string& path);
  void write(const Truth& truth);

 private:
  std::ofstream out_;
};

}  // namespace linecheck::engine
