// SPDX-License-Identifier: GPL-3.0-or-later
//
// Speech whose audible beginning and end are known by the published definition (media/speech/annotate.h),
// from the clean samples: no detector has a say in them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "media/clip.h"
#include "media/leg_report.h"

namespace linecheck::bench {

inline constexpr int kRate = 8000;

struct Utterance {
  std::string name;
  std::string voice;
  std::vector<std::int16_t> samples;  ///< 8 kHz, active level -26 dBov
  std::vector<media::Span> audible;
};

/// Each utterance twice: cut to its audible part and 10 ms on either side, as the caller's and the reference
/// agent's clips are (engine::shape_clip), and as the voice left it, with the breath and the room that it was
/// recorded in around it, which in some voices reach the very level that defines a boundary.
struct Utterances {
  std::vector<Utterance> cut;
  std::vector<Utterance> whole;
};

/// The sentences spoken by the embedded voices: all of them by flite's rms, slt and awb, some by kal16 and
/// espeak-ng.
Utterances spoken_utterances();

/// A stranger's set: every sound file of a folder is one utterance (the folder it lies in is its voice).
/// Throws std::runtime_error.
Utterances recorded_utterances(const std::filesystem::path& folder);

/// Writes them so that recorded_utterances() and other software can read them.
void write_utterances(const std::vector<Utterance>& utterances, const std::filesystem::path& folder);

}  // namespace linecheck::bench
