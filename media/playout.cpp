// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/playout.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "media/codec.h"
#include "media/dtmf_tone.h"

namespace linecheck::media {
namespace {

std::int16_t add_saturating(std::int16_t a, int b) {
  constexpr int kMin = std::numeric_limits<std::int16_t>::min();
  constexpr int kMax = std::numeric_limits<std::int16_t>::max();
  return static_cast<std::int16_t>(std::clamp(a + b, kMin, kMax));
}

bool begun(const PlayItem& item) {
  if (const auto* clip = std::get_if<ClipItem>(&item.what)) return clip->position > 0;
  return std::get<DigitsItem>(item.what).next > 0;
}

PlayNote ended(std::unique_ptr<PlayItem> item, bool stopped, std::int64_t position) {
  PlayNote note;
  note.position = position;
  if (const auto* clip = std::get_if<ClipItem>(&item->what)) {
    note.what = PlayEnded{item->tag, stopped, clip->position};
  } else {
    auto& digits = std::get<DigitsItem>(item->what);
    digits.digits.resize(digits.next);
    note.what = DigitsSent{item->tag, std::move(digits.digits), stopped, digits.transport};
  }
  note.done = std::move(item);
  return note;
}

bool possible(DigitTransport transport, CanSend can) {
  switch (transport) {
    case DigitTransport::rfc4733:
      return can.audio && can.events;
    case DigitTransport::info:
      return true;
    case DigitTransport::inband:
      return can.audio;
  }
  return false;
}

}  // namespace

std::optional<DtmfSender::Packet> Playout::frame(std::int64_t position, std::span<std::int16_t> audio,
                                                 CanSend can, std::vector<PlayNote>& notes) {
  std::size_t at = end_stopped(position, audio, notes);
  if (dtmf_.busy(position)) return digit_frame(position, audio, notes);

  while (at < audio.size() && !queue_.empty()) {
    PlayItem& item = *queue_.front();
    if (auto* digits = std::get_if<DigitsItem>(&item.what)) {
      const bool can_be_sent = possible(digits->transport, can);
      if (!can_be_sent || digits->digits.empty()) {
        notes.push_back(ended(queue_.pop(), !can_be_sent, position + static_cast<std::int64_t>(at)));
        continue;
      }
      if (at > 0) break;  // a digit begins with a frame
      dtmf_.begin(digits->digits[digits->next++], position, digits->tone_samples, digits->gap_samples,
                  digits->transport);
      tone_open_ = true;
      if (digits->transport == DigitTransport::info) {
        notes.push_back(
            {DigitDue{item.tag, dtmf_.digit(), digits->tone_samples * 1000.0 / rate_}, position, nullptr});
      }
      return digit_frame(position, audio, notes);
    }
    const auto& clip = std::get<ClipItem>(item.what);
    const std::size_t count = std::min(audio.size() - at, clip.clip->samples.size() - clip.position);
    play(item, count, false, position + static_cast<std::int64_t>(at), audio.subspan(at), notes);
    at += count;
    if (clip.position == clip.clip->samples.size()) {
      notes.push_back(ended(queue_.pop(), false, position + static_cast<std::int64_t>(at)));
    }
  }
  return std::nullopt;
}

std::optional<DtmfSender::Packet> Playout::digit_frame(std::int64_t position, std::span<std::int16_t> audio,
                                                       std::vector<PlayNote>& notes) {
  auto packet = dtmf_.packet(position);
  if (dtmf_.transport() == DigitTransport::inband && position < dtmf_.tone_end()) {
    // A telephone switches its microphone off meanwhile: the tone lies on no noise.
    const std::int64_t left = dtmf_.tone_end() - position;
    dtmf_tone(dtmf_.digit(), rate_, position - dtmf_.tone_begin(), dtmf_.tone_end() - dtmf_.tone_begin(),
              audio.first(std::min(audio.size(), static_cast<std::size_t>(left))));
  }
  if (tone_open_ && position + frame_samples(rate_) >= dtmf_.tone_end()) {
    tone_open_ = false;
    sent_digit_ = dtmf_.event();
    const PlayItem* item = queue_.front();
    const auto* digits = item != nullptr ? std::get_if<DigitsItem>(&item->what) : nullptr;
    if (digits != nullptr && digits->next > 0 && digits->next == digits->digits.size()) {
      notes.push_back(ended(queue_.pop(), false, dtmf_.tone_end()));
    }
  }
  return packet;
}

std::size_t Playout::end_stopped(std::int64_t position, std::span<std::int16_t> audio,
                                 std::vector<PlayNote>& notes) {
  std::size_t used = 0;
  while (!stopped_.empty()) {
    PlayItem& item = *stopped_.front();
    std::int64_t end = position;
    if (begun(item)) {
      if (const auto* clip = std::get_if<ClipItem>(&item.what)) {
        const std::size_t left = clip->clip->samples.size() - clip->position;
        used = std::min({static_cast<std::size_t>(rate_ / 1000 * kFadeMs), left, audio.size()});
        play(item, used, true, position, audio, notes);
        end = position + static_cast<std::int64_t>(used);
      } else {
        if (tone_open_) dtmf_.cut_short(position);
        end = dtmf_.tone_end();
      }
    }
    notes.push_back(ended(stopped_.pop(), true, end));
  }
  return used;
}

void Playout::play(PlayItem& item, std::size_t count, bool fade, std::int64_t position,
                   std::span<std::int16_t> audio, std::vector<PlayNote>& notes) {
  auto& playing = std::get<ClipItem>(item.what);
  if (playing.position == 0) notes.push_back({PlayStarted{.tag = item.tag}, position, nullptr});

  const std::int64_t clip_begin = position - playing.position;
  const std::uint32_t end = playing.position + static_cast<std::uint32_t>(count);
  // A mark on the clip's very end has been reached when its last sample has left.
  const bool to_the_end = end == playing.clip->samples.size() && !fade;
  while (playing.next_mark < playing.marks.size()) {
    const Mark& mark = playing.marks[playing.next_mark];
    if (mark.offset >= end && !(to_the_end && mark.offset == end)) break;
    notes.push_back({MarkSent{.tag = item.tag, .index = mark.index, .offset = mark.offset},
                     clip_begin + mark.offset, nullptr});
    ++playing.next_mark;
  }
  for (std::size_t i = 0; i < count; ++i) {
    int sample = playing.clip->samples[playing.position + i];
    if (fade) sample = sample * static_cast<int>(count - i) / static_cast<int>(count + 1);
    audio[i] = add_saturating(audio[i], sample);
  }
  playing.position = end;
}

std::optional<DigitEvent> Playout::take_sent_digit() {
  return std::exchange(sent_digit_, std::nullopt);
}

}  // namespace linecheck::media
