// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a detector found, held against what is true.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

#include "bench/speech/call_line.h"

namespace linecheck::bench {

struct Found {
  double start_ms = 0;
  double end_ms = 0;
  double start_uncertainty_ms = 0;
  double end_uncertainty_ms = 0;
};

/// Errors in ms, found - true.
class Errors {
 public:
  void add(double error) { all_.push_back(error); }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] double median() const;                 ///< signed
  [[nodiscard]] double bias() const;                   ///< mean, signed
  [[nodiscard]] double magnitude(double share) const;  ///< quantile of the absolute error
  [[nodiscard]] nlohmann::ordered_json json() const;

 private:
  std::vector<double> all_;
};

struct Scores {
  std::size_t utterances = 0;
  Errors start;
  Errors end;
  Errors latency;              ///< from one utterance's end to the next one's start, both as found
  std::size_t missed = 0;      ///< utterances, or merged with the one before
  std::size_t invented = 0;    ///< segments that touch no utterance
  std::size_t splits = 0;      ///< more segments in an utterance than its pauses of 300 ms and more explain
  std::size_t boundaries = 0;  ///< with an uncertainty
  std::size_t covered = 0;     ///< whose error lies inside it

  void add(const CallLine& line, const std::vector<Found>& found);
  [[nodiscard]] nlohmann::ordered_json json() const;
};

}  // namespace linecheck::bench
