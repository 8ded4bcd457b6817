// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/engine.h"

#include <poll.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "media/clock.h"
#include "media/leg.h"
#include "media/outlet.h"
#include "media/port_allocator.h"
#include "media/recorder.h"
#include "media/rtp_packet.h"
#include "media/tap_port.h"
#include "media/worker.h"
#include "media/worker_thread.h"

namespace linecheck::media {
namespace {

constexpr std::size_t kEvents = 16384;
constexpr std::size_t kCommands = 16384;
constexpr int kRecorderNapMs = 100;

LegId make_id(std::uint32_t generation, std::size_t index) {
  return (std::uint64_t{generation} << 32) | static_cast<std::uint32_t>(index);
}

int samples_of(std::chrono::milliseconds duration, int least_ms, int most_ms, int rate) {
  const auto ms = std::clamp<std::int64_t>(duration.count(), least_ms, most_ms);
  return static_cast<int>(ms) * (rate / 1000);
}

// Two sockets and a file for each leg: the usual soft limit of 1,024 descriptors ends at 340 legs. The hard
// limit is what the administrator allows.
void use_all_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void check_rate(const Clip& clip, int rate, const char* what) {
  if (clip.rate == rate) return;
  throw std::invalid_argument(std::string(what) + " of " + std::to_string(clip.rate) + " Hz in a leg of " +
                              std::to_string(rate) + " Hz");
}

std::unique_ptr<PlayItem> clip_item(ClipPtr clip, std::uint64_t tag,
                                    const std::vector<std::uint32_t>& offsets) {
  ClipItem item;
  const auto length = static_cast<std::uint32_t>(clip->samples.size());
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    item.marks.push_back({std::min(offsets[i], length), static_cast<std::uint32_t>(i)});
  }
  std::stable_sort(item.marks.begin(), item.marks.end(),
                   [](const Mark& a, const Mark& b) { return a.offset < b.offset; });
  item.clip = std::move(clip);
  auto made = std::make_unique<PlayItem>();
  made->tag = tag;
  made->what = std::move(item);
  return made;
}

std::unique_ptr<PlayItem> digits_item(const std::string& digits, std::chrono::milliseconds tone,
                                      std::chrono::milliseconds gap, std::uint64_t tag,
                                      DigitTransport transport, int rate) {
  for (const char digit : digits) {
    if (event_of_digit(digit) < 0) {
      throw std::invalid_argument("send_digits: '" + digits + "' holds something else than 0-9 * # A-D");
    }
  }
  auto made = std::make_unique<PlayItem>();
  made->tag = tag;
  made->what =
      DigitsItem{digits, samples_of(tone, 40, 8000, rate), samples_of(gap, 60, 60000, rate), 0, transport};
  return made;
}

// Where it is none that we could send to, RTCP is only listened for.
Address rtcp_address(const StreamOptions& options) {
  const std::string& host =
      options.remote_rtcp_address.empty() ? options.remote_address : options.remote_rtcp_address;
  const auto port = options.remote_rtcp_port != 0 ? options.remote_rtcp_port
                                                  : static_cast<std::uint16_t>(options.remote_port + 1);
  return Address::parse(host, port).value_or(Address());
}

std::int64_t wall_clock_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Each direction has its own luck.
std::uint64_t line_seed(std::uint64_t leg_seed, Direction direction) {
  if (leg_seed == 0) {
    std::random_device device;
    leg_seed = (std::uint64_t{device()} << 32) | device();
  }
  return leg_seed ^ (direction == Direction::send ? 0x53454E44u : 0x52454356u);
}

std::unique_ptr<SendLine> send_line(const Impairment& impairment, std::uint64_t seed) {
  return std::make_unique<SendLine>(LinePlan(impairment), line_seed(seed, Direction::send));
}

std::unique_ptr<HearLine> hear_line(const Impairment& impairment, std::uint64_t seed) {
  return std::make_unique<HearLine>(LinePlan(impairment), line_seed(seed, Direction::receive));
}

}  // namespace

class Engine::Impl {
 public:
  explicit Impl(Options options);
  ~Impl();

  LegId open(LegOptions options);
  void start(LegId leg, const StreamOptions& options);
  void send(LegId leg, Command&& command);
  void close(LegId leg);
  void drain(std::vector<Event>& out);
  EngineStatus status() const;

  std::uint16_t port(LegId leg) const {
    const std::scoped_lock lock(mutex_);
    const Entry* entry = find(leg);
    return entry != nullptr ? entry->port : std::uint16_t{0};
  }
  std::int64_t origin_ns(LegId leg) const {
    const std::scoped_lock lock(mutex_);
    const Entry* entry = find(leg);
    return entry != nullptr ? entry->origin_ns : 0;
  }
  /// kNarrowRate for an unknown leg.
  int rate(LegId leg) const {
    const std::scoped_lock lock(mutex_);
    const Entry* entry = find(leg);
    return entry != nullptr ? entry->rate : kNarrowRate;
  }
  void play(LegId leg, ClipPtr clip, std::uint64_t tag, const std::vector<std::uint32_t>& marks);
  std::uint64_t seed(LegId leg) const {
    const std::scoped_lock lock(mutex_);
    const Entry* entry = find(leg);
    return entry != nullptr ? entry->seed : 0;
  }
  int event_fd() const { return event_ready_.fd(); }

 private:
  // What the control side knows of a leg. The leg itself is the worker's.
  struct Entry {
    std::uint32_t generation = 0;
    bool open = false;
    std::uint16_t port = 0;
    int family = 0;
    int rate = kNarrowRate;
    std::int64_t origin_ns = 0;
    std::shared_ptr<LegControl> control;
    bool srtp = false;
    std::uint64_t seed = 0;
  };
  struct Crew {
    Crew(const Clock& clock, std::size_t capacity, const WakeUp& event_ready, const WakeUp& leg_ready,
         bool realtime, IoPath io)
        : outlet(kEvents, capacity, event_ready, leg_ready), worker(clock, capacity, kCommands, outlet) {
      if (io == IoPath::automatic) {
        std::string why;
        auto ring = IoRing::make(why);
        io_note = ring ? "io_uring" : "plain system calls: " + why;
        worker.use(std::move(ring));
      }
      thread = std::make_unique<WorkerThread>(worker, realtime);
    }
    Outlet outlet;
    Worker worker;
    std::string io_note = "plain system calls";
    std::unique_ptr<WorkerThread> thread;
  };

  Entry* find(LegId leg);
  const Entry* find(LegId leg) const { return const_cast<Impl*>(this)->find(leg); }
  Crew& crew_of(LegId leg) { return *crews_[static_cast<std::size_t>(leg & 0xFFFFFFFFu) % crews_.size()]; }
  LegFiles files_of(const LegOptions& options, std::shared_ptr<RecordingRing> ring, std::uint16_t port) const;
  std::size_t free_index();
  void on_closed(std::unique_ptr<Leg> leg);
  void recorder_loop();
  void collect_retired();

  const Options options_;
  SteadyClock clock_;
  PortAllocator ports_;
  WakeUp event_ready_;
  WakeUp leg_ready_;

  mutable std::mutex mutex_;  // entries_, free_, closed_
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
  std::size_t open_legs_ = 0;
  std::vector<Event> closed_;

  std::atomic<std::uint64_t> dropped_commands_{0};
  const std::shared_ptr<RecordingPool> recording_pool_ = std::make_shared<RecordingPool>();
  Recorder recorder_;
  std::vector<std::unique_ptr<Crew>> crews_;
  std::atomic<bool> stop_recorder_{false};
  std::thread recorder_thread_;
};

Engine::Impl::Impl(Options options)
    : options_(std::move(options)),
      ports_(options_.port_first, options_.port_last, options_.bind_address,
             options_.port_quarantine.count() * kNsPerMs, clock_),
      recorder_([this](std::unique_ptr<Leg> leg) { on_closed(std::move(leg)); }) {
  use_all_descriptors();
  if (options_.workers < 1) throw std::runtime_error("media workers: at least 1 is needed");
  entries_.resize(ports_.pairs());
  for (std::size_t i = entries_.size(); i > 0; --i) free_.push_back(static_cast<std::uint32_t>(i - 1));
  const bool want_realtime = options_.realtime != Options::Realtime::off;
  for (int i = 0; i < options_.workers; ++i) {
    crews_.push_back(std::make_unique<Crew>(clock_, entries_.size(), event_ready_, leg_ready_, want_realtime,
                                            options_.io));
    const WorkerThread& thread = *crews_.back()->thread;
    if (options_.realtime == Options::Realtime::require && !thread.realtime()) {
      throw std::runtime_error("media: real-time scheduling is required, but " + thread.realtime_note());
    }
  }
  recorder_thread_ = std::thread([this] { recorder_loop(); });
}

Engine::Impl::~Impl() {
  for (auto& crew : crews_) crew->thread.reset();  // every leg goes to the recorder
  stop_recorder_.store(true, std::memory_order_release);
  leg_ready_.signal();
  if (recorder_thread_.joinable()) recorder_thread_.join();
}

Engine::Impl::Entry* Engine::Impl::find(LegId leg) {
  const auto index = static_cast<std::size_t>(leg & 0xFFFFFFFFu);
  if (index >= entries_.size()) return nullptr;
  Entry& entry = entries_[index];
  return entry.open && entry.generation == leg >> 32 ? &entry : nullptr;
}

LegFiles Engine::Impl::files_of(const LegOptions& options, std::shared_ptr<RecordingRing> ring,
                                std::uint16_t port) const {
  LegFiles files;
  files.recording = options.recording_path;
  files.format = options.recording_format;
  files.ring = std::move(ring);
  if (options.capture_path.empty()) return files;
  const auto local = Address::parse(options.capture_address, port);
  if (!local) throw std::invalid_argument("open: '" + options.capture_address + "' is no address");
  files.capture = options.capture_path;
  files.packets = std::make_shared<CaptureRing>();
  files.local = *local;
  files.wall_minus_mono_ns = wall_clock_ns() - clock_.now_ns();
  return files;
}

LegId Engine::Impl::open(LegOptions options) {
  if (!is_leg_rate(options.rate)) {
    throw std::invalid_argument("open: a leg of " + std::to_string(options.rate) + " Hz");
  }
  if (options.noise_bed) check_rate(*options.noise_bed, options.rate, "open: a noise bed");
  LegSetup setup;
  std::unique_ptr<UdpPort> port = ports_.acquire();
  port->set_class_of_service(options.dscp);
  setup.numbers = StreamNumbers(options.seed);
  // Below 2^15, so that a receiver that misses the first packets of an encrypted stream cannot take the first
  // wrap for one that never was (RFC 3711, 3.3.1).
  if (options.srtp) setup.numbers.sequence &= 0x7FFF;
  setup.rtp = options_.rtp;
  setup.control = std::make_shared<LegControl>();
  const std::int64_t now_ns = clock_.now_ns();
  setup.origin_ns = now_ns / kNsPerMs * kNsPerMs;
  setup.origin_wall_ns = wall_clock_ns() - (now_ns - setup.origin_ns);
  if (!options.recording_path.empty()) {
    setup.ring = std::make_shared<RecordingRing>(options.rate, recording_pool_);
  }

  if (options.send_line.any()) setup.send_line = send_line(options.send_line, options.seed);
  if (options.receive_line.any()) setup.hear_line = hear_line(options.receive_line, options.seed);

  const std::scoped_lock lock(mutex_);
  if (free_.empty())
    throw PortsExhausted("as many legs as there are pairs of media ports are open or being closed");
  const std::size_t index = free_.back();
  Entry& entry = entries_[index];
  setup.id = make_id(entry.generation + 1, index);
  const LegId id = setup.id;
  LegFiles files = files_of(options, setup.ring, port->number());
  Entry opened{entry.generation + 1, true,          port->number(), port->family(), options.rate,
               setup.origin_ns,      setup.control, options.srtp,   options.seed};
  setup.options = std::move(options);
  setup.port = std::move(port);
  // The capture holds what crosses the wire, encrypted where the wire is.
  if (files.packets) setup.port = std::make_unique<TapPort>(std::move(setup.port), files.packets, clock_);
  if (setup.options.srtp) {
    auto encrypting = std::make_unique<SrtpPort>(std::move(setup.port));
    setup.srtp = encrypting.get();
    setup.port = std::move(encrypting);
  }
  Crew& crew = crew_of(id);
  Command command = AttachLeg{std::make_unique<Leg>(std::move(setup))};
  if (!crew.worker.submit(std::move(command))) {
    dropped_commands_.fetch_add(1, std::memory_order_relaxed);
    throw std::runtime_error("the media worker has " + std::to_string(kCommands) + " commands waiting");
  }
  crew.thread->wake();
  free_.pop_back();
  entry = std::move(opened);
  ++open_legs_;
  if (files.ring || files.packets) recorder_.add(id, std::move(files));
  return id;
}

void Engine::Impl::start(LegId leg, const StreamOptions& options) {
  const auto address = Address::parse(options.remote_address, options.remote_port);
  if (!address || options.remote_port == 0) {
    throw std::invalid_argument("start: '" + options.remote_address + "' port " +
                                std::to_string(options.remote_port) + " is no address to send to");
  }
  {
    const std::scoped_lock lock(mutex_);
    const Entry* entry = find(leg);
    if (entry == nullptr) return;
    if (options.srtp && !entry->srtp)
      throw std::invalid_argument("start: keys, but the leg was not opened for encryption");
    if (entry->family != address->family()) {
      throw std::invalid_argument("start: " + address->to_string() + " cannot be reached from " +
                                  options_.bind_address + " (IPv4 and IPv6 do not mix)");
    }
  }
  Stream stream{*address,
                options.codec,
                options.payload_type,
                options.encoder,
                options.telephone_event_payload_type,
                options.receive_telephone_event_payload_type,
                options.receive_payload_types,
                options.symmetric};
  stream.ptime_ms = options.ptime_ms;
  stream.may_send = options.may_send;
  stream.may_receive = options.may_receive;
  stream.rtcp = options.rtcp;
  stream.rtcp_mux = options.rtcp_mux;
  stream.rtcp_remote = rtcp_address(options);
  send(leg, StartStream{leg, stream, options.srtp ? std::make_unique<SrtpPair>(*options.srtp) : nullptr});
}

void Engine::Impl::send(LegId leg, Command&& command) {
  const std::scoped_lock lock(mutex_);
  const Entry* entry = find(leg);
  if (entry == nullptr) return;  // closed meanwhile: nothing to do, and no error
  if (crew_of(leg).worker.submit(std::move(command))) return;
  dropped_commands_.fetch_add(1, std::memory_order_relaxed);
  entry->control->dropped_commands.fetch_add(1, std::memory_order_relaxed);
}

void Engine::Impl::play(LegId leg, ClipPtr clip, std::uint64_t tag, const std::vector<std::uint32_t>& marks) {
  if (!clip) throw std::invalid_argument("play: no clip");
  {
    const std::scoped_lock lock(mutex_);
    const Entry* entry = find(leg);
    if (entry == nullptr) return;
    check_rate(*clip, entry->rate, "play: a clip");
  }
  send(leg, EnqueueItem{leg, clip_item(std::move(clip), tag, marks)});
}

void Engine::Impl::close(LegId leg) {
  const std::scoped_lock lock(mutex_);
  if (const Entry* entry = find(leg)) entry->control->close_requested.store(true, std::memory_order_release);
}

void Engine::Impl::on_closed(std::unique_ptr<Leg> leg) {
  Event event;
  event.leg = leg->id();
  event.what = Closed{std::move(leg->report())};
  std::unique_ptr<DatagramPort> port = leg->take_port();
  const double t_ms = leg->closed_ms();
  event.t_ms = t_ms;
  leg.reset();  // before its port goes: it refers to it
  while (std::unique_ptr<DatagramPort> inner = port->take_inner()) port = std::move(inner);
  // Every innermost port of a leg was made by open(), as a UdpPort.
  ports_.release(std::unique_ptr<UdpPort>(static_cast<UdpPort*>(port.release())));
  {
    const std::scoped_lock lock(mutex_);
    if (Entry* entry = find(event.leg)) {
      entry->open = false;
      entry->control.reset();
      free_.push_back(static_cast<std::uint32_t>(event.leg & 0xFFFFFFFFu));
      --open_legs_;
    }
    closed_.push_back(std::move(event));
  }
  event_ready_.signal();
}

void Engine::Impl::collect_retired() {
  for (auto& crew : crews_) {
    std::unique_ptr<Leg> leg;
    while (crew->outlet.next_retired(leg)) recorder_.close(std::move(leg));
  }
}

void Engine::Impl::recorder_loop() {
  while (!stop_recorder_.load(std::memory_order_acquire)) {
    pollfd waiting{leg_ready_.fd(), POLLIN, 0};
    if (poll(&waiting, 1, kRecorderNapMs) > 0) leg_ready_.clear();
    collect_retired();
    recorder_.service();
    ports_.sweep();
  }
  collect_retired();
}

void Engine::Impl::drain(std::vector<Event>& out) {
  event_ready_.clear();
  // Closed events first taken, last given: a leg's other events were all in its worker's queue before it
  // closed.
  std::vector<Event> closed;
  {
    const std::scoped_lock lock(mutex_);
    closed.swap(closed_);
  }
  WorkerEvent event;
  for (auto& crew : crews_) {
    while (crew->outlet.next_event(event)) {
      Event& added = out.emplace_back();
      added.leg = event.leg;
      added.t_ms = event.t_ms;
      std::visit([&](auto& what) { added.what = std::move(what); }, event.what);
    }
  }
  std::move(closed.begin(), closed.end(), std::back_inserter(out));
}

EngineStatus Engine::Impl::status() const {
  EngineStatus status;
  status.workers = static_cast<int>(crews_.size());
  for (const auto& crew : crews_) {
    if (crew->thread->realtime()) {
      ++status.realtime_workers;
    } else {
      status.realtime_note = crew->thread->realtime_note();
    }
    status.io = crew->io_note;
    status.dropped_events += crew->outlet.dropped();
  }
  status.quarantined_ports = ports_.quarantined();
  status.dropped_commands = dropped_commands_.load(std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  status.open_legs = open_legs_;
  return status;
}

Engine::Engine(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {
}
Engine::~Engine() = default;

LegId Engine::open(LegOptions options) {
  return impl_->open(std::move(options));
}
std::uint16_t Engine::port(LegId leg) const {
  return impl_->port(leg);
}
std::int64_t Engine::origin_mono_ns(LegId leg) const {
  return impl_->origin_ns(leg);
}
void Engine::start(LegId leg, const StreamOptions& stream) {
  impl_->start(leg, stream);
}

void Engine::play(LegId leg, ClipPtr clip, std::uint64_t tag, const std::vector<std::uint32_t>& marks) {
  impl_->play(leg, std::move(clip), tag, marks);
}

void Engine::stop_playing(LegId leg) {
  impl_->send(leg, StopPlaying{leg});
}

void Engine::send_digits(LegId leg, const std::string& digits, std::chrono::milliseconds tone,
                         std::chrono::milliseconds gap, std::uint64_t tag, DigitTransport transport) {
  impl_->send(leg, EnqueueItem{leg, digits_item(digits, tone, gap, tag, transport, impl_->rate(leg))});
}

void Engine::impair(LegId leg, Direction direction, const Impairment& impairment) {
  const std::uint64_t seed = impl_->seed(leg);
  ImpairLine command;
  command.leg = leg;
  if (direction == Direction::send) {
    command.send = send_line(impairment, seed);
  } else {
    command.hear = hear_line(impairment, seed);
  }
  impl_->send(leg, std::move(command));
}

void Engine::close(LegId leg) {
  impl_->close(leg);
}
int Engine::event_fd() const {
  return impl_->event_fd();
}
void Engine::drain(std::vector<Event>& out) {
  impl_->drain(out);
}
EngineStatus Engine::status() const {
  return impl_->status();
}

}  // namespace linecheck::media
