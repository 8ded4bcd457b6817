// SPDX-License-Identifier: GPL-3.0-or-later
//
// The engine as it is: threads, sockets on loopback, files.
#include "media/engine.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "media/clock.h"
#include "tests/media/virtual_leg.h"

using namespace linecheck::media;
using linecheck::media::test::tone_clip;

namespace {

Options options_for_tests() {
  Options options;
  options.port_first = 20000;
  options.port_last = 29999;
  options.bind_address = "127.0.0.1";
  options.realtime = Options::Realtime::off;
  options.port_quarantine = std::chrono::milliseconds(50);
  return options;
}

StreamOptions stream_to(std::uint16_t port, Codec codec = Codec::pcmu) {
  StreamOptions stream;
  stream.remote_address = "127.0.0.1";
  stream.remote_port = port;
  stream.codec = codec;
  stream.payload_type = static_payload_type(codec);
  stream.telephone_event_payload_type = 101;
  return stream;
}

// Collects events until a condition holds, at most 20 s.
class Listener {
 public:
  explicit Listener(Engine& engine) : engine_(engine) {}

  bool until(const std::function<bool()>& enough) {
    const SteadyClock clock;
    const std::int64_t deadline = clock.now_ns() + 20'000'000'000;
    for (;;) {
      engine_.drain(events);
      if (enough()) return true;
      if (clock.now_ns() > deadline) return false;
      pollfd waiting{engine_.event_fd(), POLLIN, 0};
      poll(&waiting, 1, 200);
    }
  }
  template <typename What>
  [[nodiscard]] std::size_t count(LegId leg) const {
    return static_cast<std::size_t>(std::count_if(events.begin(), events.end(), [&](const Event& event) {
      return event.leg == leg && std::holds_alternative<What>(event.what);
    }));
  }
  template <typename What>
  [[nodiscard]] std::pair<double, What> first(LegId leg) const {
    for (const Event& event : events) {
      if (event.leg != leg) continue;
      if (const auto* what = std::get_if<What>(&event.what)) return {event.t_ms, *what};
    }
    FAIL("no such event");
    return {};
  }

  std::vector<Event> events;

 private:
  Engine& engine_;
};

std::vector<std::array<std::int16_t, 2>> read_frames(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  in.seekg(44);
  std::vector<std::array<std::int16_t, 2>> frames;
  std::array<std::int16_t, 2> frame{};
  while (in.read(reinterpret_cast<char*>(frame.data()), sizeof(frame))) frames.push_back(frame);
  return frames;
}

}  // namespace

TEST_CASE("two legs talk, dial and record each other over loopback") {
  std::string name = (std::filesystem::temp_directory_path() / "linecheck-engine-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  double a_start = 0;
  double b_heard = 0;
  {
    Engine engine(options_for_tests());
    Listener listener(engine);
    LegOptions caller;
    caller.recording_path = folder / "a.wav";
    LegOptions agent;
    agent.recording_path = folder / "b.wav";
    const LegId a = engine.open(caller);
    const LegId b = engine.open(agent);
    CHECK(a != b);
    CHECK(engine.port(a) % 2 == 0);
    CHECK(engine.status().open_legs == 2);
    engine.start(a, stream_to(engine.port(b), Codec::pcma));
    engine.start(b, stream_to(engine.port(a), Codec::pcma));
    // What is there from the first packet on and stays the same is the line's noise, to the detector: so
    // silence first.
    engine.play(a, tone_clip(4000, 1000.0, 0), 7);
    engine.play(a, tone_clip(4000), 1, {0, 2000, 4000});
    engine.send_digits(a, "42", std::chrono::milliseconds(60), std::chrono::milliseconds(60), 2);
    REQUIRE(listener.until(
        [&] { return listener.count<DigitReceived>(b) == 2 && listener.count<DigitsSent>(a) == 1; }));
    CHECK(listener.count<PlayStarted>(a) == 2);
    CHECK(listener.count<PlayEnded>(a) == 2);
    CHECK(listener.count<MarkSent>(a) == 3);
    CHECK(listener.count<FirstPacket>(b) == 1);
    CHECK(listener.count<SpeechStarted>(b) == 1);
    CHECK(listener.first<DigitReceived>(b).second.digit.digit == '4');

    const auto [mark_ms, mark] = listener.first<MarkSent>(a);
    a_start = mark_ms;
    // On the other leg's clock the tone lies where it left, give or take what loopback and a busy machine
    // cost.
    b_heard = mark_ms + static_cast<double>(engine.origin_mono_ns(a) - engine.origin_mono_ns(b)) / 1e6;
    engine.close(a);
    engine.close(b);
    engine.close(b);
    engine.play(b, tone_clip(10), 9);
    REQUIRE(listener.until([&] { return listener.count<Closed>(a) == 1 && listener.count<Closed>(b) == 1; }));
    const LegReport report = listener.first<Closed>(b).second.report;
    CHECK(report.recording_error.empty());
    CHECK(report.receive.lost == 0);
    CHECK(report.receive.unknown_payload == 0);
    CHECK(report.receive.codec == "PCMA");
    CHECK(report.receive.ssrc == mark.ssrc);
    CHECK(report.digits.size() == 2);
    CHECK(report.engine.pacing.total == report.send.packets);
    CHECK(engine.status().open_legs == 0);
    CHECK(engine.port(a) == 0);
    CHECK_FALSE(engine.status().realtime_note.empty());
  }
  const auto first_loud = [](const std::vector<std::array<std::int16_t, 2>>& frames, std::size_t side) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (std::abs(frames[i][side]) > 7000) return static_cast<double>(i) / 8.0;
    }
    return -1.0;
  };
  const auto a_frames = read_frames(folder / "a.wav");
  const auto b_frames = read_frames(folder / "b.wav");
  REQUIRE(a_frames.size() > 4000);
  CHECK(first_loud(a_frames, 0) == doctest::Approx(a_start));
  CHECK(first_loud(a_frames, 1) < 0);
  CHECK(std::abs(first_loud(b_frames, 1) - b_heard) < 5.0);
  std::filesystem::remove_all(folder);
}

TEST_CASE("fifty legs open, talk and close, again and again, and leave nothing") {
  Options options = options_for_tests();
  options.workers = 2;
  Engine engine(options);
  Listener listener(engine);
  for (int round = 0; round < 3; ++round) {
    std::vector<LegId> legs;
    for (int i = 0; i < 50; ++i) legs.push_back(engine.open({}));
    for (std::size_t i = 0; i < legs.size(); ++i) {
      engine.start(legs[i], stream_to(engine.port(legs[i ^ 1])));
      engine.play(legs[i], tone_clip(800), i);
    }
    REQUIRE(listener.until([&] {
      return std::all_of(legs.begin(), legs.end(),
                         [&](LegId leg) { return listener.count<PlayEnded>(leg) == 1; });
    }));
    for (const LegId leg : legs) engine.close(leg);
    REQUIRE(listener.until([&] {
      return std::all_of(legs.begin(), legs.end(),
                         [&](LegId leg) { return listener.count<Closed>(leg) == 1; });
    }));
    for (const LegId leg : legs) {
      // Closed is the last word.
      const auto last = std::find_if(listener.events.rbegin(), listener.events.rend(),
                                     [&](const Event& event) { return event.leg == leg; });
      CHECK(std::holds_alternative<Closed>(last->what));
    }
    CHECK(engine.status().open_legs == 0);
  }
  CHECK(engine.status().dropped_events == 0);
  CHECK(engine.status().dropped_commands == 0);
}

TEST_CASE("an engine that goes completes the recordings of the legs that are open") {
  std::string name = (std::filesystem::temp_directory_path() / "linecheck-engine-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  {
    Engine engine(options_for_tests());
    Listener listener(engine);
    LegOptions options;
    options.recording_path = folder / "open.wav";
    const LegId leg = engine.open(options);
    engine.start(leg, stream_to(9));
    engine.play(leg, tone_clip(1600), 1);
    REQUIRE(listener.until([&] { return listener.count<PlayEnded>(leg) == 1; }));
  }
  CHECK(read_frames(folder / "open.wav").size() >= 1600);
  std::filesystem::remove_all(folder);
}

TEST_CASE("what cannot be is refused at once, with a reason") {
  Engine engine(options_for_tests());
  const LegId leg = engine.open({});
  CHECK_THROWS_AS(engine.start(leg, {}), std::invalid_argument);
  StreamOptions v6 = stream_to(5000);
  v6.remote_address = "::1";
  CHECK_THROWS_AS(engine.start(leg, v6), std::invalid_argument);
  CHECK_THROWS_AS(engine.play(leg, nullptr, 1), std::invalid_argument);
  auto wide = std::make_shared<Clip>();
  wide->rate = 16000;
  CHECK_THROWS_AS(engine.play(leg, wide, 1), std::invalid_argument);
  CHECK_THROWS_AS(engine.send_digits(leg, "12x"), std::invalid_argument);
  engine.play(leg + 1, tone_clip(10), 1);  // a leg that is not: nothing happens
  Options none = options_for_tests();
  none.port_first = none.port_last = 20001;
  CHECK_THROWS_AS(Engine{none}, std::runtime_error);
  Options few = options_for_tests();
  few.port_first = 20000;
  few.port_last = 20001;
  few.bind_address = "192.0.2.200";
  Engine nowhere(few);
  CHECK_THROWS_AS(nowhere.open({}), PortsExhausted);
}

TEST_CASE("real-time scheduling is taken where it may be, and spoken of where not") {
  Options options = options_for_tests();
  options.realtime = Options::Realtime::automatic;
  Engine engine(options);
  const EngineStatus status = engine.status();
  CHECK(status.workers == 1);
  CHECK((status.realtime_workers == 1) == status.realtime_note.empty());
}
