// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/recorder.h"

#include <utility>

namespace linecheck::media {

void Recorder::add(LegId leg, std::string path, std::shared_ptr<RecordingRing> ring) {
  const std::scoped_lock lock(mutex_);
  new_.emplace_back(leg, Recording{std::move(path), std::move(ring), nullptr});
}

void Recorder::adopt_new() {
  std::vector<std::pair<LegId, Recording>> added;
  {
    const std::scoped_lock lock(mutex_);
    added.swap(new_);
  }
  for (auto& [leg, recording] : added) {
    recording.file = std::make_unique<WavWriter>(recording.path, recording.ring->rate());
    recordings_.emplace(leg, std::move(recording));
  }
}

void Recorder::service() {
  adopt_new();
  for (auto& [leg, recording] : recordings_) write(recording, kBatch);
}

void Recorder::write(Recording& recording, std::size_t at_least) {
  while (recording.ring->available() >= static_cast<std::int64_t>(at_least)) {
    batch_.resize(kBatch);
    const std::size_t count = recording.ring->take(batch_);
    if (count == 0) return;
    recording.file->append(std::span(batch_).first(count));
  }
}

void Recorder::close(std::unique_ptr<Leg> leg) {
  adopt_new();
  const auto found = recordings_.find(leg->id());
  if (found != recordings_.end()) {
    Recording& recording = found->second;
    recording.ring->flush();  // the worker is done with it
    write(recording, 1);
    std::string error = recording.file->error();
    if (const std::uint64_t lost = recording.ring->overrun(); lost > 0) {
      if (!error.empty()) error += "; ";
      error += "the disk was too slow for recording " + recording.path + ": " +
               std::to_string(lost * 1000 / static_cast<std::uint64_t>(recording.ring->rate())) +
               " ms of it are silence";
    }
    leg->report().recording_error = std::move(error);
    recordings_.erase(found);
  }
  on_closed_(std::move(leg));
}

}  // namespace linecheck::media
