// SPDX-License-Identifier: GPL-3.0-or-later
//
// One side of a telephone call made of utterances at known places, with noise from its first sample to its
// last, through G.711.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "bench/speech/utterances.h"

namespace linecheck::bench {

struct Placed {
  double start_ms = 0;  ///< of its first audible sample
  double end_ms = 0;
  std::vector<media::Span> audible;  ///< with its pauses of more than 80 ms left out
};

struct CallLine {
  std::vector<std::int16_t> samples;
  std::vector<Placed> truth;
};

/// Utterances of one voice in a row, a second or more apart. `noise` (may be empty) is looped, from a random
/// place on.
CallLine make_call_line(const std::vector<const Utterance*>& utterances,
                        const std::vector<std::int16_t>& noise, bool a_law, std::mt19937_64& random);

}  // namespace linecheck::bench
