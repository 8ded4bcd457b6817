// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/persona/voices_client.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

#include "engine/persona/clip_shaping.h"
#include "engine/persona/voice_lists.h"

namespace linecheck::engine {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstBackOff{50};
constexpr milliseconds kLongestBackOff{5000};
/// The process ends an utterance that takes too long by itself; a process that says nothing for longer has
/// hung.
constexpr milliseconds kPatience{(voices_protocol::kUtteranceSeconds + 15) * 1000};
constexpr int kHopeless =
    3;  ///< ends of the process in a row, without an answer, after which nobody is kept waiting
constexpr std::size_t kMostWaiting = 10'000;

/// Samples out of the memfd. They are read, not mapped: a file that turns out shorter is an error, not a
/// SIGBUS.
std::optional<std::vector<std::int16_t>> read_samples(int fd, std::size_t count) {
  std::vector<std::int16_t> samples(count);
  auto* bytes = reinterpret_cast<char*>(samples.data());
  const std::size_t size = count * sizeof(std::int16_t);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd, bytes + done, size - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    done += static_cast<std::size_t>(got);
  }
  return samples;
}

SynthResult error_result(std::string error) {
  SynthResult result;
  result.error = std::move(error);
  return result;
}

}  // namespace

VoicesClient::VoicesClient(VoicesOptions options)
    : options_(std::move(options)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      memory_(options_.memory_cache_bytes),
      launch_at_(Clock::now()) {
  if (!wake_) throw std::system_error(errno, std::generic_category(), "eventfd for the voices");
  thread_ = std::thread([this] { run(); });
}

VoicesClient::~VoicesClient() {
  shutdown();
}

void VoicesClient::submit(VoiceSpec voice, std::string text, Voices::Done done) {
  Submitted submitted{std::move(voice), std::move(text), {std::move(done), Clock::now()}};
  {
    const std::lock_guard lock(mutex_);
    ++statistics_.requests;
    if (!stopped_) {
      inbox_.push_back(std::move(submitted));
      const std::uint64_t one = 1;
      [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
      return;
    }
  }
  deliver(submitted.waiter, error_result("the voices are shut down"));
}

VoicesStatistics VoicesClient::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

pid_t VoicesClient::process_id() const {
  const std::lock_guard lock(mutex_);
  return process_;
}

void VoicesClient::shutdown() {
  const std::lock_guard once(shutdown_mutex_);
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  }
  thread_.join();
}

template <typename Change>
void VoicesClient::count(Change change) {
  const std::lock_guard lock(mutex_);
  change(statistics_);
}

void VoicesClient::run() {
  disk_ = std::make_unique<DiskClipCache>(options_.cache_directory, options_.cache_directory_bytes);
  std::vector<Submitted> submitted;
  for (bool stopping = false; !stopping;) {
    if (!link_.alive() && Clock::now() >= launch_at_) launch();
    std::array<pollfd, 2> waited{{{wake_.get(), POLLIN, 0}, {link_.fd(), POLLIN, 0}}};
    ::poll(waited.data(), waited.size(), wait_ms());
    {
      const std::lock_guard lock(mutex_);
      std::uint64_t ignored = 0;
      [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &ignored, sizeof ignored);
      submitted.swap(inbox_);
      stopping = stopping_;
    }
    for (Submitted& one : submitted) take(std::move(one));
    submitted.clear();
    if (waited[1].revents != 0) receive();
    watch();
    send_waiting();
  }

  link_.end();
  for (auto& [id, job] : in_flight_) waiting_.push_back(job);
  in_flight_.clear();
  std::vector<Submitted> late;
  {
    const std::lock_guard lock(mutex_);
    process_ = 0;
    stopped_ = true;
    late.swap(inbox_);
  }
  fail_waiting("the voices are shut down");
  for (const Submitted& one : late) deliver(one.waiter, error_result("the voices are shut down"));
}

int VoicesClient::wait_ms() const {
  const auto until = [](Clock::time_point when) {
    const auto left = std::chrono::ceil<milliseconds>(when - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  };
  if (!link_.alive()) return until(launch_at_);
  if (parallel_ == 0 || !in_flight_.empty()) return until(last_sign_of_life_ + kPatience);
  return -1;
}

void VoicesClient::take(Submitted submitted) {
  const auto refuse = [&](const std::string& why) { deliver(submitted.waiter, error_result(why)); };
  if (const auto problem = voice_problem(submitted.voice)) return refuse(*problem);
  if (const auto problem = spoken_text_problem(submitted.text)) return refuse(*problem);

  // All names of a voice are one clip, and espeak-ng loads a voice by one of them only.
  if (const auto name = submitted.voice.engine == "espeak-ng" ? canonical_espeak_voice(submitted.voice.voice)
                                                              : std::nullopt) {
    submitted.voice.voice = *name;
  }
  std::string key = clip_key(submitted.voice, submitted.text);
  if (media::ClipPtr clip = memory_.find(key)) {
    count([](VoicesStatistics& statistics) { ++statistics.memory_hits; });
    return deliver(submitted.waiter, {std::move(clip), {}, 0, true});
  }
  if (const auto same = jobs_.find(key); same != jobs_.end()) {
    count([](VoicesStatistics& statistics) { ++statistics.merged; });
    same->second->waiters.push_back(std::move(submitted.waiter));
    return;
  }
  if (media::ClipPtr clip = disk_->find(key, submitted.text)) {
    count([](VoicesStatistics& statistics) { ++statistics.disk_hits; });
    memory_.insert(key, clip);
    return deliver(submitted.waiter, {std::move(clip), {}, 0, true});
  }
  if (waiting_.size() >= kMostWaiting) return refuse("too many texts wait for a voice");

  auto job = std::make_unique<Job>();
  job->id = next_id_++;
  job->key = std::move(key);
  job->voice = std::move(submitted.voice);
  job->text = std::move(submitted.text);
  job->waiters.push_back(std::move(submitted.waiter));
  waiting_.push_back(job.get());
  jobs_.emplace(job->key, std::move(job));
}

void VoicesClient::launch() {
  parallel_ = 0;
  count([](VoicesStatistics& statistics) { ++statistics.launches; });
  const std::string error = link_.launch(options_.program);
  if (!error.empty()) return lose_process(error);
  last_sign_of_life_ = Clock::now();
  const std::lock_guard lock(mutex_);
  process_ = link_.process();
}

void VoicesClient::watch() {
  if (!link_.alive()) return;
  if (parallel_ > 0 && in_flight_.empty()) return;
  if (Clock::now() >= last_sign_of_life_ + kPatience) lose_process("did not answer");
}

void VoicesClient::send_waiting() {
  while (link_.alive() && !waiting_.empty() && std::ssize(in_flight_) < parallel_) {
    Job* job = waiting_.front();
    waiting_.pop_front();
    if (in_flight_.empty()) last_sign_of_life_ = Clock::now();
    in_flight_.emplace(job->id, job);
    voices_protocol::Request request;
    request.id = job->id;
    request.engine = job->voice.engine;
    request.voice = job->voice.voice;
    request.speed = job->voice.speed;
    request.pitch = job->voice.pitch;
    request.text = job->text;
    if (!link_.send(request)) lose_process({});
  }
}

void VoicesClient::receive() {
  std::vector<VoicesLink::Incoming> answers;
  for (;;) {
    VoicesLink::Incoming incoming;
    const VoicesLink::Receipt receipt = link_.receive(incoming);
    if (receipt == VoicesLink::Receipt::message) {
      last_sign_of_life_ = Clock::now();
      if (incoming.reply.id == 0) {
        parallel_ = std::max(1, incoming.reply.parallel);
      } else {
        answers.push_back(std::move(incoming));
      }
      continue;
    }
    for (const VoicesLink::Incoming& answer_of_it : answers) answer(answer_of_it);
    if (receipt == VoicesLink::Receipt::closed && link_.alive()) lose_process({});
    return;
  }
}

void VoicesClient::answer(const VoicesLink::Incoming& incoming) {
  const auto found = in_flight_.find(incoming.reply.id);
  if (found == in_flight_.end()) return;
  Job& job = *found->second;
  in_flight_.erase(found);
  failures_in_a_row_ = 0;
  send_waiting();  // before the clip is shaped here, so that the process does not idle meanwhile

  if (!incoming.reply.error.empty()) return fail(job, incoming.reply.error);
  const auto samples = read_samples(incoming.samples.get(), incoming.reply.samples);
  if (!samples) return fail(job, "the voice's samples could not be read");
  media::ClipPtr clip;
  try {
    clip = shape_clip(*samples, incoming.reply.rate, job.text, job.voice.rate);
  } catch (const std::exception& error) {
    return fail(job, error.what());
  }
  if (!clip) return fail(job, "the voice " + job.voice.voice + " makes no sound of this text");
  memory_.insert(job.key, clip);
  disk_->insert(job.key, *clip);
  count([](VoicesStatistics& statistics) { ++statistics.synthesized; });
  finish(job, {std::move(clip), {}, 0, false});
}

void VoicesClient::lose_process(const std::string& why) {
  const bool ran = link_.alive();
  // After a word of its own that it hung there is nothing to wait for.
  const std::string how = ran ? link_.end(why.empty() ? 500 : 0) : std::string();
  const std::string reason = why.empty() ? how : why;
  ++failures_in_a_row_;
  const int doublings = std::min(failures_in_a_row_ - 1, 10);
  launch_at_ = Clock::now() + std::min(kLongestBackOff, kFirstBackOff * (1 << doublings));
  {
    const std::lock_guard lock(mutex_);
    process_ = 0;
    if (ran) ++statistics_.deaths;
  }
  parallel_ = 0;
  std::vector<Job*> lost;
  for (auto& [id, job] : in_flight_) lost.push_back(job);
  in_flight_.clear();
  for (Job* job : lost) fail(*job, "the voices process " + reason + " while it spoke this text");
  if (failures_in_a_row_ >= kHopeless) fail_waiting("the voices process keeps failing: " + reason);
}

void VoicesClient::finish(Job& job, const SynthResult& result) {
  const auto node = jobs_.extract(job.key);
  for (const Waiter& waiter : node.mapped()->waiters) deliver(waiter, result);
}

void VoicesClient::fail(Job& job, const std::string& error) {
  finish(job, error_result(error));
}

void VoicesClient::fail_waiting(const std::string& error) {
  std::deque<Job*> failed;
  failed.swap(waiting_);
  for (Job* job : failed) fail(*job, error);
}

void VoicesClient::deliver(const Waiter& waiter, SynthResult result) {
  if (!result.clip) count([](VoicesStatistics& statistics) { ++statistics.failed; });
  result.took_ms = std::chrono::duration<double, std::milli>(Clock::now() - waiter.since).count();
  waiter.done(result);
}

}  // namespace linecheck::engine
