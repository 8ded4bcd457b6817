// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/line.h"

#include <algorithm>
#include <cstdio>

namespace linecheck::engine {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

class Words {
 public:
  void add(bool there, const std::string& words) {
    if (!there) return;
    if (!text_.empty()) text_ += ", ";
    text_ += words;
  }
  [[nodiscard]] std::string text(const char* otherwise) const { return text_.empty() ? otherwise : text_; }

 private:
  std::string text_;
};

}  // namespace

media::Impairment impairment_of(const scheduler::LineImpairment& line) {
  media::Impairment impairment;
  impairment.loss_percent = line.packet_loss_percent;
  impairment.mean_burst = line.burst;
  impairment.jitter_ms = line.jitter_ms;
  impairment.reorder = line.reorder;
  impairment.delay_ms = line.latency_ms;
  impairment.duplicate_percent = line.duplicate_percent;
  impairment.gain_db = line.gain_db;
  impairment.low_hz = line.low_cut_hz;
  impairment.high_hz = line.high_cut_hz;
  return impairment;
}

std::string line_text(const media::Impairment& line) {
  Words words;
  words.add(line.loss_percent > 0,
            number(line.loss_percent) + " % loss" +
                (line.mean_burst > 1 ? " in bursts of " + number(line.mean_burst) : ""));
  words.add(line.jitter_ms > 0,
            number(line.jitter_ms) + " ms jitter" + (line.reorders() ? " with reordering" : ""));
  words.add(line.delay_ms > 0, number(line.delay_ms) + " ms delay");
  words.add(line.duplicate_percent > 0, number(line.duplicate_percent) + " % duplicates");
  words.add(line.gain_db != 0, number(line.gain_db) + " dB");
  words.add(line.low_hz > 0, "nothing below " + number(line.low_hz) + " Hz");
  words.add(line.high_hz > 0, "nothing above " + number(line.high_hz) + " Hz");
  return words.text("clean");
}

std::string line_text(const media::LineAchieved& achieved) {
  Words words;
  words.add(true, number(achieved.loss_percent()) + " % lost");
  words.add(achieved.bursts > 0, "in bursts of " + number(achieved.mean_burst()));
  words.add(achieved.jitter_ms > 0, number(achieved.jitter_ms) + " ms jitter");
  words.add(achieved.delay_mean_ms > 0, number(achieved.delay_mean_ms) + " ms delay");
  words.add(achieved.duplicated > 0, number(achieved.duplicate_percent()) + " % twice");
  words.add(achieved.reordered > 0, std::to_string(achieved.reordered) + " out of order");
  return words.text("") + ", of " + std::to_string(achieved.packets) + " packets";
}

double held_up_ms(const std::vector<media::LinePeriod>& line, double t_ms) {
  const auto after = std::find_if(line.begin(), line.end(),
                                  [t_ms](const media::LinePeriod& period) { return period.from_ms > t_ms; });
  if (after == line.begin()) return 0;
  const media::LineAchieved& achieved = std::prev(after)->achieved;
  return achieved.delay_mean_ms - achieved.delay_min_ms;
}

}  // namespace linecheck::engine
