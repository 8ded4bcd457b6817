// SPDX-License-Identifier: GPL-3.0-or-later
//
// How well the live turn detector and the offline refiner find speech whose boundaries are known. Run by
// `scripts/bench vad`. Exit code 4 where a figure for clean speech is missed.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "bench/speech/call_line.h"
#include "bench/speech/scores.h"
#include "bench/speech/utterances.h"
#include "engine/persona/noise.h"
#include "media/speech/live_detector.h"
#include "media/speech/refine.h"

namespace linecheck::bench {
namespace {

struct Condition {
  const char* name;
  const char* noise;  ///< a bed of engine/persona/noise.h
  double snr_db;
  bool whole = false;  ///< utterances as the voice left them
};
constexpr std::array<Condition, 7> kConditions{{{"clean", "off", 0},
                                                {"untrimmed", "off", 0, true},
                                                {"snr20", "pink", 20},
                                                {"snr10", "pink", 10},
                                                {"babble20", "babble", 20},
                                                {"white20", "white", 20},
                                                {"car10", "car", 10}}};

constexpr std::size_t kUtterancesPerCall = 8;

double cpu_ms() {
  return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

std::vector<Found> live(const CallLine& line) {
  std::vector<Found> found;
  media::speech::LiveDetector detector;
  constexpr std::size_t kFrame = kRate / 100;
  const auto ms = [](std::int64_t sample) { return static_cast<double>(sample) * 1000 / kRate; };
  for (std::size_t at = 0; at + kFrame <= line.samples.size(); at += kFrame) {
    const auto event = detector.process(std::span(line.samples).subspan(at, kFrame));
    if (!event) continue;
    if (event->kind == media::speech::LiveEvent::Kind::started)
      found.push_back({ms(event->at_sample), ms(event->at_sample), 0, 0});
    else
      found.back().end_ms = ms(event->at_sample);
  }
  if (detector.speaking()) found.back().end_ms = ms(static_cast<std::int64_t>(line.samples.size()));
  return found;
}

std::vector<Found> offline(const CallLine& line) {
  std::vector<Found> found;
  for (const auto& span : media::speech::refine(line.samples, kRate))
    found.push_back({span.start_ms, span.end_ms, span.start_uncertainty_ms, span.end_uncertainty_ms});
  return found;
}

struct Outcome {
  Scores live;
  Scores refiner;
  double minutes = 0;
  double live_cpu_ms = 0;
  double refiner_cpu_ms = 0;
};

std::vector<std::int16_t> noise_of(const Condition& condition, const std::vector<Utterance>& utterances,
                                   std::uint64_t seed) {
  std::vector<media::ClipPtr> talkers;  // of babble: every seventh utterance, so all voices
  for (std::size_t n = 0; n < utterances.size(); n += 7) {
    auto clip = std::make_shared<media::Clip>();
    clip->rate = kRate;
    clip->samples = utterances[n].samples;
    clip->speech = utterances[n].audible;
    talkers.push_back(std::move(clip));
  }
  const engine::NoiseBed bed = engine::make_noise_bed(condition.noise, condition.snr_db, seed, talkers);
  return bed.clip ? bed.clip->samples : std::vector<std::int16_t>{};
}

Outcome measure(const Condition& condition, const std::vector<Utterance>& utterances, std::uint64_t seed) {
  Outcome outcome;
  const std::vector<std::int16_t> noise = noise_of(condition, utterances, seed);
  std::map<std::string, std::vector<const Utterance*>> by_voice;
  for (const Utterance& utterance : utterances) by_voice[utterance.voice].push_back(&utterance);
  std::mt19937_64 random(seed);
  std::size_t calls = 0;
  for (auto& [voice, said] : by_voice) {
    std::shuffle(said.begin(), said.end(), random);
    for (std::size_t at = 0; at < said.size(); at += kUtterancesPerCall) {
      const std::vector<const Utterance*> part(
          said.begin() + static_cast<std::ptrdiff_t>(at),
          said.begin() + static_cast<std::ptrdiff_t>(std::min(at + kUtterancesPerCall, said.size())));
      const CallLine line = make_call_line(part, noise, calls++ % 2 == 1, random);
      outcome.minutes += static_cast<double>(line.samples.size()) / kRate / 60;
      const double begun = cpu_ms();
      const auto heard = live(line);
      const double between = cpu_ms();
      const auto refined = offline(line);
      outcome.live_cpu_ms += between - begun;
      outcome.refiner_cpu_ms += cpu_ms() - between;
      outcome.live.add(line, heard);
      outcome.refiner.add(line, refined);
    }
  }
  return outcome;
}

void print(const Condition& condition, const Outcome& outcome) {
  const Scores& l = outcome.live;
  const Scores& r = outcome.refiner;
  std::printf("%-9s %4zu utterances, %.1f min\n", condition.name, l.utterances, outcome.minutes);
  std::printf(
      "  live     onset %+6.1f / %6.1f   offset %+6.1f / %6.1f   missed %zu, invented %zu, splits %zu\n",
      l.start.median(), l.start.magnitude(0.95), l.end.median(), l.end.magnitude(0.95), l.missed, l.invented,
      l.splits);
  std::printf("  refiner  onset %+6.1f / %6.1f   offset %+6.1f / %6.1f   missed %zu, invented %zu\n",
              r.start.median(), r.start.magnitude(0.95), r.end.median(), r.end.magnitude(0.95), r.missed,
              r.invented);
  std::printf(
      "           latency |error| p50 %.1f, p95 %.1f, max %.1f   onset p50 %.1f, max %.1f   offset p50 %.1f, "
      "max %.1f\n",
      r.latency.magnitude(0.5), r.latency.magnitude(0.95), r.latency.magnitude(1), r.start.magnitude(0.5),
      r.start.magnitude(1), r.end.magnitude(0.5), r.end.magnitude(1));
  std::printf("           inside its uncertainty: %zu of %zu boundaries\n", r.covered, r.boundaries);
  std::printf("  CPU      live %.2f us a 10 ms frame, refiner %.1f ms a call-minute\n",
              outcome.live_cpu_ms * 1000 / (outcome.minutes * 6000),
              outcome.refiner_cpu_ms / outcome.minutes);
}

nlohmann::ordered_json json_of(const Outcome& outcome) {
  return {{"n", outcome.live.utterances},
          {"minutes", outcome.minutes},
          {"live", outcome.live.json()},
          {"refiner", outcome.refiner.json()},
          {"live_us_per_frame", outcome.live_cpu_ms * 1000 / (outcome.minutes * 6000)},
          {"refiner_ms_per_call_minute", outcome.refiner_cpu_ms / outcome.minutes}};
}

/// The figures that clean speech has to reach; false and a line where one does not.
bool reached(const Outcome& clean) {
  bool all = true;
  const auto bar = [&](const char* what, double value, double most) {
    const bool good = value <= most;
    std::printf("  %-34s %6.1f  (bar %.1f)  %s\n", what, value, most, good ? "reached" : "NOT REACHED");
    all = all && good;
  };
  std::printf("\nbars, clean\n");
  bar("live onset, |median| ms", std::abs(clean.live.start.median()), 2);
  bar("live onset, p95 ms", clean.live.start.magnitude(0.95), 22);
  bar("live offset, |median| ms", std::abs(clean.live.end.median()), 1);
  bar("live offset, p95 ms", clean.live.end.magnitude(0.95), 60);
  bar("refiner latency, p50 ms", clean.refiner.latency.magnitude(0.5), 0.9);
  bar("refiner latency, p95 ms", clean.refiner.latency.magnitude(0.95), 4.5);
  bar("missed or invented",
      static_cast<double>(clean.live.missed + clean.live.invented + clean.refiner.missed +
                          clean.refiner.invented),
      0);
  return all;
}

int run(int argc, char** argv) {
  CLI::App app{"How well the live turn detector and the offline refiner find speech", "scripts/bench vad"};
  std::string json, prompts, keep;
  std::uint64_t seed = 1;
  app.add_option("--json", json, "also write the figures there");
  app.add_option("--prompts", prompts,
                 "a folder of sound files, one utterance each, instead of the built-in sentences");
  app.add_option("--keep", keep, "write the utterances there, as sound files");
  app.add_option("--seed", seed, "of the order, the pauses and the noise");
  CLI11_PARSE(app, argc, argv);

  const Utterances utterances = prompts.empty() ? spoken_utterances() : recorded_utterances(prompts);
  if (!keep.empty()) write_utterances(utterances.whole, keep);
  std::printf("times in ms; onset and offset: median error / p95 of its magnitude\n\n");
  nlohmann::ordered_json all;
  bool good = true;
  std::optional<Outcome> clean;
  for (const Condition& condition : kConditions) {
    Outcome outcome = measure(condition, condition.whole ? utterances.whole : utterances.cut, seed);
    print(condition, outcome);
    all[condition.name] = json_of(outcome);
    if (std::string_view(condition.name) == "clean") clean = std::move(outcome);
  }
  good = reached(*clean);
  if (!json.empty()) {
    std::ofstream out(json);
    out << all.dump(2) << '\n';
    if (!out) throw std::runtime_error(json + " cannot be written");
  }
  constexpr int kBarMissed = 4;
  return good ? 0 : kBarMissed;
}

}  // namespace
}  // namespace linecheck::bench

int main(int argc, char** argv) {
  try {
    return linecheck::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "bench vad: " << error.what() << '\n';
    return 1;
  }
}
