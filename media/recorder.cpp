// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/recorder.h"

#include <utility>

namespace linecheck::media {

void Recorder::add(LegId leg, LegFiles files) {
  const std::scoped_lock lock(mutex_);
  new_.emplace_back(leg, Recording{std::move(files), nullptr, nullptr});
}

void Recorder::adopt_new() {
  std::vector<std::pair<LegId, Recording>> added;
  {
    const std::scoped_lock lock(mutex_);
    added.swap(new_);
  }
  for (auto& [leg, recording] : added) {
    const LegFiles& files = recording.files;
    if (files.ring) {
      recording.sound = std::make_unique<WavWriter>(files.recording, files.ring->rate(), files.format);
    }
    if (files.packets) recording.capture = std::make_unique<PcapWriter>(files.capture);
    recordings_.emplace(leg, std::move(recording));
  }
}

void Recorder::service() {
  adopt_new();
  for (auto& [leg, recording] : recordings_) {
    if (recording.sound) write(recording, kBatch);
    if (recording.capture) write_capture(recording);
  }
}

void Recorder::write(Recording& recording, std::size_t at_least) {
  while (recording.files.ring->available() >= static_cast<std::int64_t>(at_least)) {
    batch_.resize(kBatch);
    const std::size_t count = recording.files.ring->take(batch_);
    if (count == 0) return;
    recording.sound->append(std::span(batch_).first(count));
  }
}

void Recorder::write_capture(Recording& recording) {
  const LegFiles& files = recording.files;
  records_.clear();
  CapturedPacket packet;
  while (files.packets->pop(packet, packet_)) {
    const Address local = packet.control
                              ? files.local.with_port(static_cast<std::uint16_t>(files.local.port() + 1))
                              : files.local;
    append_udp_record(records_, packet.mono_ns + files.wall_minus_mono_ns,
                      packet.sent ? local : packet.remote, packet.sent ? packet.remote : local, packet_);
  }
  recording.capture->append(records_);
}

std::string Recorder::end_sound(Recording& recording) {
  RecordingRing& ring = *recording.files.ring;
  ring.flush();  // the worker is done with it
  write(recording, 1);
  std::string error = recording.sound->error();
  if (const std::uint64_t lost = ring.overrun(); lost > 0) {
    if (!error.empty()) error += "; ";
    error += "the disk was too slow for recording " + recording.files.recording + ": " +
             std::to_string(lost * 1000 / static_cast<std::uint64_t>(ring.rate())) + " ms of it are silence";
  }
  return error;
}

std::string Recorder::end_capture(Recording& recording) {
  write_capture(recording);
  std::string error = recording.capture->error();
  if (const std::uint64_t lost = recording.files.packets->dropped(); lost > 0) {
    if (!error.empty()) error += "; ";
    error += "the disk was too slow for the capture " + recording.files.capture + ": " +
             std::to_string(lost) + " packets are not in it";
  }
  return error;
}

void Recorder::close(std::unique_ptr<Leg> leg) {
  adopt_new();
  const auto found = recordings_.find(leg->id());
  if (found != recordings_.end()) {
    Recording& recording = found->second;
    if (recording.sound) leg->report().recording_error = end_sound(recording);
    if (recording.capture) leg->report().capture_error = end_capture(recording);
    recordings_.erase(found);
  }
  on_closed_(std::move(leg));
}

}  // namespace linecheck::media
