// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/keys.h"

#include <algorithm>

#include "sip/dtmf_info.h"

namespace linecheck::engine {
namespace {

using media::DigitEvent;
using media::DigitTransport;

constexpr double kSamePressMs = 500;

/// Of the two stretches; 0 where they touch.
double apart(const DigitEvent& a, const DigitEvent& b) {
  return std::max(
      {0.0, a.start_ms - (b.start_ms + b.duration_ms), b.start_ms - (a.start_ms + a.duration_ms)});
}

int precedence(const DigitEvent& key) {
  switch (key.transport) {
    case DigitTransport::rfc4733:
      return 0;
    case DigitTransport::inband:
      return 1;
    case DigitTransport::info:
      return 2;
  }
  return 3;
}

}  // namespace

std::optional<DigitEvent> key_of_info(const sip::InfoReceived& info, double t_ms) {
  const auto key = sip::parse_dtmf_info(info.content_type, info.body);
  if (!key) return std::nullopt;
  DigitEvent digit;
  digit.digit = key->key;
  digit.start_ms = t_ms;
  digit.duration_ms = key->duration_ms.value_or(0);
  digit.transport = DigitTransport::info;
  return digit;
}

bool HeardKeys::add(const DigitEvent& key) {
  const auto by = static_cast<std::size_t>(key.transport);
  DigitEvent* nearest = nullptr;
  for (DigitEvent& known : keys_) {
    if (known.digit != key.digit || known.transport == key.transport || known.also[by]) continue;
    if (apart(known, key) > kSamePressMs) continue;
    if (nearest == nullptr || apart(known, key) < apart(*nearest, key)) nearest = &known;
  }
  if (nearest != nullptr) {
    nearest->also[by] = true;
    return false;
  }
  if (keys_.size() == kMostKeys) return false;
  keys_.push_back(key);
  return true;
}

void time_info_keys(std::vector<DigitEvent>& keys, const std::vector<TracedMessage>& trace) {
  std::vector<double> left;
  const std::string* previous = nullptr;
  for (const TracedMessage& message : trace) {
    if (!message.sent || !message.start_line.starts_with("INFO ")) continue;
    if (previous == nullptr || message.message != *previous) left.push_back(message.t_ms);  // else: once more
    previous = &message.message;
  }
  std::vector<DigitEvent*> ours;
  for (DigitEvent& key : keys) {
    if (key.sent && key.transport == DigitTransport::info) ours.push_back(&key);
  }
  // An INFO that was challenged left twice: then nothing is known better.
  if (ours.size() != left.size()) return;
  for (std::size_t n = 0; n < ours.size(); ++n) {
    ours[n]->start_ms = left[n];
    if (n > 0) ours[n]->gap_ms = left[n] - (ours[n - 1]->start_ms + ours[n - 1]->duration_ms);
  }
}

std::vector<DigitEvent> fold_keys(std::vector<DigitEvent> keys) {
  const auto earlier = [](const DigitEvent& a, const DigitEvent& b) { return a.start_ms < b.start_ms; };
  std::stable_sort(keys.begin(), keys.end(), [&](const DigitEvent& a, const DigitEvent& b) {
    return precedence(a) != precedence(b) ? precedence(a) < precedence(b) : earlier(a, b);
  });
  HeardKeys heard;
  std::vector<DigitEvent> folded;
  for (const DigitEvent& key : keys) {
    if (key.sent) {
      folded.push_back(key);
    } else {
      heard.add(key);
    }
  }
  std::vector<DigitEvent> agent = heard.keys();
  std::sort(agent.begin(), agent.end(), earlier);
  for (std::size_t n = 0; n < agent.size(); ++n) {
    agent[n].gap_ms.reset();
    if (n > 0) agent[n].gap_ms = agent[n].start_ms - (agent[n - 1].start_ms + agent[n - 1].duration_ms);
  }
  folded.insert(folded.end(), agent.begin(), agent.end());
  std::stable_sort(folded.begin(), folded.end(), earlier);
  return folded;
}

}  // namespace linecheck::engine
