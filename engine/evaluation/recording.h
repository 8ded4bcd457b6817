// SPDX-License-Identifier: GPL-3.0-or-later
//
// A call's recording as samples. Left is the caller, right the agent (contract: testing_channel_index 0).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace linecheck::engine {

struct StereoRecording {
  int rate = 8000;
  std::vector<std::int16_t>
      caller;  ///< as long as `agent`; sample n is at n * 1000 / rate ms of the call's clock
  std::vector<std::int16_t> agent;
  std::string error;  ///< why there is none; empty: it was read

  [[nodiscard]] bool empty() const { return agent.empty(); }
};

/// Reads a stereo WAV file. Never throws: a file that is missing or not stereo gives `error` in plain words.
[[nodiscard]] StereoRecording read_recording(const std::string& path);

}  // namespace linecheck::engine
