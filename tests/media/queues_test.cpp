// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include <memory>
#include <thread>
#include <vector>

#include "media/queues.h"

using namespace linecheck::media;

TEST_CASE("a full queue refuses and leaves the item alone") {
  SpscQueue<std::unique_ptr<int>> spsc(4);
  MpscQueue<std::unique_ptr<int>> mpsc(4);
  for (int i = 0; i < 4; ++i) {
    CHECK(spsc.push(std::make_unique<int>(i)));
    CHECK(mpsc.push(std::make_unique<int>(i)));
  }
  auto item = std::make_unique<int>(9);
  CHECK_FALSE(spsc.push(std::move(item)));
  CHECK_FALSE(mpsc.push(std::move(item)));
  REQUIRE(item != nullptr);
  std::unique_ptr<int> got;
  CHECK(spsc.pop(got));
  CHECK(*got == 0);
  CHECK(spsc.push(std::move(item)));
  for (int i = 1; i < 4; ++i) {
    CHECK(spsc.pop(got));
    CHECK(*got == i);
  }
  CHECK(spsc.pop(got));
  CHECK(*got == 9);
  CHECK_FALSE(spsc.pop(got));
}

TEST_CASE("many producers: everything arrives once, each producer's in order") {
  constexpr int kProducers = 4;
  constexpr int kEach = 20000;
  MpscQueue<int> queue(256);
  std::vector<std::thread> producers;
  for (int p = 0; p < kProducers; ++p) {
    producers.emplace_back([&queue, p] {
      for (int i = 0; i < kEach; ++i) {
        while (!queue.push(p * kEach + i)) std::this_thread::yield();
      }
    });
  }
  std::vector<int> next(kProducers, 0);
  for (int seen = 0; seen < kProducers * kEach;) {
    int value = 0;
    if (!queue.pop(value)) {
      std::this_thread::yield();
      continue;
    }
    ++seen;
    REQUIRE(value % kEach == next[static_cast<std::size_t>(value / kEach)]++);
  }
  for (auto& producer : producers) producer.join();
}

TEST_CASE("one producer, one consumer, two threads") {
  SpscQueue<int> queue(64);
  constexpr int kItems = 50000;
  std::thread producer([&] {
    for (int i = 0; i < kItems; ++i) {
      while (!queue.push(int{i})) std::this_thread::yield();
    }
  });
  for (int expected = 0; expected < kItems;) {
    int value = 0;
    if (queue.pop(value)) {
      REQUIRE(value == expected++);
    } else {
      std::this_thread::yield();
    }
  }
  producer.join();
}
