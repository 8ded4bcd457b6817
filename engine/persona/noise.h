// SPDX-License-Identifier: GPL-3.0-or-later
//
// Background noise behind the caller: loops that are made once from a seed and then played under the whole
// call.
//
// A bed has to run without a break, because noise that comes and goes with the caller's words would tell the
// agent where turns end; so its end joins its beginning without a click. Its level is set as a
// signal-to-noise ratio against speech at -26 dBov (the level of every voice, see voices.h): noise power is
// what a telephone channel of 300-3400 Hz lets through, averaged over the loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "media/clip.h"

namespace linecheck::engine {

struct NoiseBed {
  media::ClipPtr clip;    ///< mono, at least 10 s; null for "off"
  double snr_db = 0;      ///< achieved, after rounding and limiting to 16 bits; 0 for "off"
  double level_dbov = 0;  ///< of the noise behind the 300-3400 Hz channel; 0 for "off"
};

/// "off", "white", "pink", "brown", "car", "hum", "keyboard", "babble", "street", "cafe".
const std::vector<std::string>& noise_names();

/// Why this bed cannot be made (neither a known name nor a sound file that can be read; an SNR outside -10 ..
/// 60 dB); nullopt: it can. Reads only the file's header.
std::optional<std::string> noise_problem(const std::string& name, double snr_db);

/// Makes the bed `name` for a leg of `rate` Hz (8000 or 16000): one of noise_names() or the path of a sound
/// file (anything that libsndfile reads; its first five minutes). The same name, SNR, seed and voices give
/// the same samples. `voices` are clips of speech of 8 kHz for the talkers of babble and cafe; without any,
/// speech-like sounds are synthesised. Throws std::invalid_argument with noise_problem's text. Takes up to
/// some 100 ms: make beds before calls start, and share them.
NoiseBed make_noise_bed(const std::string& name, double snr_db, std::uint64_t seed,
                        const std::vector<media::ClipPtr>& voices = {}, int rate = 8000);

/// A sound file as a clip: mixed down to mono, resampled to `rate`, its level left alone, its audible spans
/// annotated. Throws std::runtime_error naming the file and the reason.
media::ClipPtr load_wav_clip(const std::string& path, int rate = 8000);

}  // namespace linecheck::engine
