// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a leg has been asked to play, in order: clips and digits. Items are made by who asks and travel by
// pointer, so that the media worker neither allocates nor frees; it hands them back with the event that says
// that they are done.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "media/clip.h"
#include "media/leg_report.h"

namespace linecheck::media {

struct Mark {
  std::uint32_t offset = 0;
  std::uint32_t index = 0;  ///< as the caller of play() numbered it
};

struct ClipItem {
  ClipPtr clip;
  std::vector<Mark> marks;  ///< by rising offset
  std::uint32_t position = 0;
  std::size_t next_mark = 0;
};

struct DigitsItem {
  std::string digits;
  int tone_samples = 0;
  int gap_samples = 0;
  std::size_t next = 0;
  DigitTransport transport = DigitTransport::rfc4733;
};

struct PlayItem {
  std::uint64_t tag = 0;
  std::variant<ClipItem, DigitsItem> what;
  std::unique_ptr<PlayItem> next;  ///< the queue's
};

class PlayQueue {
 public:
  PlayQueue() = default;
  PlayQueue(const PlayQueue&) = delete;
  PlayQueue& operator=(const PlayQueue&) = delete;
  ~PlayQueue() {
    while (pop()) {  // one after the other: freeing a chain through its owner would recurse
    }
  }

  [[nodiscard]] bool empty() const { return !head_; }
  [[nodiscard]] PlayItem* front() const { return head_.get(); }
  void push(std::unique_ptr<PlayItem> item) {
    PlayItem* added = item.get();
    if (head_) {
      tail_->next = std::move(item);
    } else {
      head_ = std::move(item);
    }
    tail_ = added;
  }
  /// Takes over everything of `other`, behind what is here.
  void append(PlayQueue& other) {
    if (other.empty()) return;
    PlayItem* last = other.tail_;
    push(std::move(other.head_));
    tail_ = last;
  }
  std::unique_ptr<PlayItem> pop() {
    std::unique_ptr<PlayItem> item = std::move(head_);
    if (item) head_ = std::move(item->next);
    return item;
  }

 private:
  std::unique_ptr<PlayItem> head_;
  PlayItem* tail_ = nullptr;
};

}  // namespace linecheck::media
