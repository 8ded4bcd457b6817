// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/agent/reference_agent.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <charconv>
#include <optional>
#include <set>
#include <stdexcept>

#include "engine/agent/guest.h"
#include "engine/call/encryption.h"
#include "engine/call/keys.h"
#include "engine/call/stream_terms.h"
#include "engine/call/synthesis.h"
#include "sip/sdp.h"

namespace linecheck::engine {
namespace {

media::Options media_options(const ReferenceAgentConfig& config) {
  media::Options options;
  options.port_first = config.port_first;
  options.port_last = config.port_last;
  return options;
}

/// "udp:127.0.0.1:5080" -> "127.0.0.1".
std::string host_of(const std::string& listen) {
  const auto colon = listen.find(':');
  const auto last = listen.rfind(':');
  if (colon == std::string::npos || last <= colon) return listen;
  std::string host = listen.substr(colon + 1, last - colon - 1);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

VoiceSpec voice_spec(const std::string& voice) {
  VoiceSpec spec;
  const auto colon = voice.find(':');
  spec.engine = voice.substr(0, colon);
  spec.voice = colon == std::string::npos ? "" : voice.substr(colon + 1);
  return spec;
}

}  // namespace

std::optional<std::int64_t> scenario_of(const std::vector<sip::Header>& headers) {
  for (const sip::Header& header : headers) {
    if (header.name != "X-Scenario-Id") continue;
    std::int64_t id = 0;
    const char* end = header.value.data() + header.value.size();
    if (std::from_chars(header.value.data(), end, id).ptr == end) return id;
  }
  return std::nullopt;
}

ReferenceAgent::ReferenceAgent(boost::asio::io_context& control, ReferenceAgentConfig config, Voices& voices)
    : control_(control),
      config_(std::move(config)),
      voices_(voices),
      switchboard_(control, media_options(config_)),
      guest_left_(control),
      truth_(config_.truth_log),
      host_(host_of(config_.listen)) {
  switchboard_.on_incoming(
      [this](std::size_t endpoint, sip::Event event) { welcome(endpoint, std::move(event)); });
}

boost::asio::awaitable<void> ReferenceAgent::start() {
  std::set<int> rates;
  for (const sip::Codec codec : sip_codecs(config_.codecs)) rates.insert(leg_rate({codec}));
  for (const Behaviour& behaviour : config_.behaviours) {
    for (const int rate : rates) co_await rehearse(behaviour, rate);
  }
  sip::EndpointOptions options;
  options.name = "agent";
  options.listen = config_.listen;
  options.accept_incoming = true;
  options.user_agent = "linecheck reference agent";
  switchboard_.add_endpoint(options);
  if (config_.outbound) {
    orders_ = std::make_unique<OrderListener>(control_, config_.outbound->listen,
                                              [this](CallOrder order) { take_order(std::move(order)); });
  }
}

boost::asio::awaitable<void> ReferenceAgent::rehearse(const Behaviour& behaviour, int rate) {
  std::vector<std::string> texts = config_.texts(behaviour);
  VoiceSpec voice = voice_spec(behaviour.voice);
  voice.rate = rate;
  std::vector<SynthResult> spoken = co_await synthesize_all(voices_, voice, texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!spoken[i].clip) {
      throw std::runtime_error("the voice " + behaviour.voice + " could not say '" + texts[i] +
                               "': " + spoken[i].error);
    }
    clips_[{behaviour.voice, texts[i], rate}] = spoken[i].clip;
  }
}

std::string ReferenceAgent::address() {
  sip::Endpoint& endpoint = switchboard_.endpoint(0);
  return "udp:" + endpoint.local_address() + ":" + std::to_string(endpoint.local_port());
}

void ReferenceAgent::welcome(std::size_t endpoint, sip::Event event) {
  auto inbox = std::make_shared<CallInbox>(control_.get_executor());
  switchboard_.connect(endpoint, event.leg, *inbox);
  inboxes_[event.leg] = inbox;
  boost::asio::co_spawn(control_, attend(event.leg, std::move(std::get<sip::Incoming>(event.what)), inbox),
                        boost::asio::detached);
}

boost::asio::awaitable<void> ReferenceAgent::attend(sip::LegId leg, sip::Incoming incoming,
                                                    std::shared_ptr<CallInbox> inbox) {
  Guest guest(leg, *inbox);
  guest.call_id = incoming.call_id;
  guest.offer = std::move(incoming.sdp);
  guest.behaviour = config_.find(incoming.request_user, scenario_of(incoming.headers));
  sip::Endpoint& endpoint = switchboard_.endpoint(0);
  if (guest.behaviour == nullptr) {
    endpoint.reject(leg, 404, "No behaviour matches this call");
  } else if (guest.behaviour->reject_status != 0) {
    endpoint.reject(leg, guest.behaviour->reject_status);
  } else if (co_await ring(guest, *guest.behaviour) && accept(guest)) {
    co_await converse(guest);
  }
  co_await take_leave(guest);
  leave(leg);
}

void ReferenceAgent::leave(sip::LegId leg) {
  switchboard_.disconnect(0, leg);
  inboxes_.erase(leg);
  guest_left_.cancel();
}

boost::asio::awaitable<bool> ReferenceAgent::ring(Guest& guest, const Behaviour& behaviour) {
  switchboard_.endpoint(0).ring(guest.leg);
  auto until = CallInbox::Clock::now() +
               std::chrono::microseconds(static_cast<std::int64_t>(behaviour.answer_after_ms * 1000));
  if (behaviour.never_answer) until = CallInbox::Clock::now() + std::chrono::hours(1);
  while (guest.up) {
    std::optional<CallEvent> event = co_await guest.inbox.next(until);
    if (!event) break;
    const auto* sip = std::get_if<sip::Event>(&*event);
    if (sip == nullptr || std::holds_alternative<sip::Failed>(sip->what)) guest.up = false;
    if (sip != nullptr && std::holds_alternative<sip::Finished>(sip->what)) guest.sip_finished = true;
  }
  co_return guest.up;
}

/// May throw where no port is free.
void ReferenceAgent::open_media(Guest& guest) {
  media::LegOptions options;
  options.rate = guest.rate;
  options.seed = config_.seed * 1'000'003 + ++calls_taken_;
  options.srtp = config_.srtp != sip::Srtp::off;
  options.hear_inband_keys = !guest.behaviour->menu.empty();
  if (guest.offer.empty()) expect_offered(guest.local, options);
  guest.media = switchboard_.media().open(std::move(options));
  guest.media_closed = false;
  guest.origin_ns = switchboard_.media().origin_mono_ns(guest.media);
  switchboard_.connect(guest.media, guest.inbox);
  guest.local.port = switchboard_.media().port(guest.media);
}

bool ReferenceAgent::accept(Guest& guest) {
  sip::Endpoint& endpoint = switchboard_.endpoint(0);
  sip::OfferOptions& local = guest.local;
  local = own_side();
  // Answered twice: the codec decides the leg's rate, the leg has the port.
  if (guest.offer.empty()) {
    guest.rate = leg_rate(local.codecs);
  } else if (const auto agreed = sip::make_answer(guest.offer, local)) {
    guest.rate = leg_rate({agreed->media.codec});
  }
  try {
    open_media(guest);
  } catch (const std::exception& error) {
    endpoint.reject(guest.leg, 503, "No media port");
    return false;
  }
  if (guest.offer.empty()) {  // the caller lets us offer; its answer comes with the ACK
    endpoint.accept(guest.leg, sip::make_offer(local), {}, local);
    return true;
  }
  const auto answer = sip::make_answer(guest.offer, local);
  if (!answer) {
    endpoint.reject(guest.leg, 488, answer.error().text);
    return false;
  }
  if (!start_media(guest, answer->media)) {
    endpoint.reject(guest.leg, 488, "No media can be sent to that address");
    return false;
  }
  endpoint.accept(guest.leg, answer->sdp, {}, local);
  return true;
}

sip::OfferOptions ReferenceAgent::own_side() const {
  sip::OfferOptions local;
  local.address = host_;
  local.codecs = sip_codecs(config_.codecs);
  local.srtp = config_.srtp;
  add_keys(local, {sip::kSrtpSuites.begin(), sip::kSrtpSuites.end()});
  return local;
}

/// False where the address is of a family that we do not have.
bool ReferenceAgent::start_media(Guest& guest, const sip::Negotiated& agreed) {
  guest.stream = stream_of(agreed, guest.stream);
  guest.clock_rate = sip::rtp_clock(agreed.codec);
  try {
    switchboard_.media().start(guest.media, guest.stream);
  } catch (const std::exception&) {
    return false;
  }
  return true;
}

boost::asio::awaitable<void> ReferenceAgent::converse(Guest& guest) {
  guest.attendant.emplace(*guest.behaviour, config_.seed * 7919 + calls_taken_);
  if (guest.answered_ms) guest.attendant->answered(*guest.answered_ms);
  while (guest.up) {
    for (const AttendantAction& action : guest.attendant->poll(guest.now_ms())) perform(guest, action);
    if (!guest.up) break;
    const double deadline_ms = std::min(guest.attendant->deadline(), guest.now_ms() + 86'400'000.0);
    const CallInbox::Clock::time_point deadline(std::chrono::nanoseconds(guest.mono_at(deadline_ms)));
    std::optional<CallEvent> event = co_await guest.inbox.next(deadline);
    if (!event) continue;
    if (auto* heard = std::get_if<media::Event>(&*event)) {
      hear(guest, *heard);
    } else if (const auto* sip = std::get_if<sip::Event>(&*event)) {
      hear_signalling(guest, *sip);
    } else {
      guest.up = false;
    }
  }
}

void ReferenceAgent::hear_signalling(Guest& guest, const sip::Event& event) {
  if (const auto* changed = std::get_if<sip::MediaChanged>(&event.what)) {
    if (!start_media(guest, changed->media)) guest.up = false;
  } else if (const auto* info = std::get_if<sip::InfoReceived>(&event.what)) {
    if (const auto key = key_of_info(*info, guest.on_its_clock(event.mono_ns))) hear_key(guest, *key);
  } else if (const auto* confirmed = std::get_if<sip::Confirmed>(&event.what)) {
    if (guest.offer.empty()) {
      const auto agreed = sip::negotiate_answer(guest.local, confirmed->sdp);
      if (!agreed || !start_media(guest, *agreed)) {
        guest.up = false;
        return;
      }
    }
    truth_.write({guest.call_id, event.mono_ns, 0, 0, 0, "answered", ""});
    guest.attendant->answered(guest.on_its_clock(event.mono_ns));
  } else if (std::holds_alternative<sip::Finished>(event.what)) {
    guest.sip_finished = true;
    guest.up = false;
  } else if (std::holds_alternative<sip::Ended>(event.what) ||
             std::holds_alternative<sip::Failed>(event.what)) {
    guest.up = false;
  }
}

void ReferenceAgent::perform(Guest& guest, const AttendantAction& action) {
  const std::string& call = guest.call_id;
  if (const auto* say = std::get_if<AttendantSay>(&action)) {
    const media::ClipPtr& clip = clips_.at({guest.behaviour->voice, say->text, guest.rate});
    std::vector<std::uint32_t> marks;  // first and last audible sample
    if (!clip->speech.empty()) {
      const double per_ms = clip->rate / 1000.0;
      const auto first = static_cast<std::uint32_t>(clip->speech.front().start_ms * per_ms);
      const auto last = static_cast<std::uint32_t>(clip->speech.back().end_ms * per_ms);
      marks = {first, std::min(last, static_cast<std::uint32_t>(clip->samples.size()) - 1)};
    }
    guest.playing = clip;
    if (say->cut_in) truth_.write({call, mono_ns(), 0, 0, 0, "cut_in", say->text});
    switchboard_.media().play(guest.media, clip, guest.next_tag++, std::move(marks));
  } else if (std::holds_alternative<AttendantYield>(action)) {
    truth_.write({call, mono_ns(), 0, 0, 0, "yield", ""});
    switchboard_.media().stop_playing(guest.media);
  } else {
    truth_.write({call, mono_ns(), 0, 0, 0, "hang_up", ""});
    guest.up = false;
  }
}

void ReferenceAgent::hear(Guest& guest, media::Event& event) {
  const std::string& call = guest.call_id;
  if (std::holds_alternative<media::SpeechStarted>(event.what)) {
    truth_.write({call, guest.mono_at(event.t_ms), 0, 0, 0, "heard_start", ""});
    guest.attendant->caller_started(event.t_ms);
  } else if (std::holds_alternative<media::SpeechEnded>(event.what)) {
    truth_.write({call, guest.mono_at(event.t_ms), 0, 0, 0, "heard_end", ""});
    guest.attendant->caller_ended(event.t_ms);
  } else if (const auto* digit = std::get_if<media::DigitReceived>(&event.what)) {
    hear_key(guest, digit->digit);
  } else if (const auto* started = std::get_if<media::PlayStarted>(&event.what)) {
    guest.playing_rtp = started->rtp_timestamp;
  } else if (const auto* mark = std::get_if<media::MarkSent>(&event.what)) {
    guest.ssrc = mark->ssrc;
    const auto in_packet = static_cast<std::uint32_t>(mark->sample_in_packet * media::kNarrowRate /
                                                      static_cast<unsigned>(guest.rate));
    truth_.write({call, mark->packet_mono_ns, in_packet, mark->ssrc, mark->rtp_timestamp,
                  mark->index == 0 ? "speech_start" : "speech_end",
                  guest.playing ? guest.playing->text : ""});
  } else if (const auto* ended = std::get_if<media::PlayEnded>(&event.what)) {
    speech_stopped(guest, *ended, event.t_ms);
    guest.attendant->play_ended(event.t_ms);
  } else if (std::holds_alternative<media::Closed>(event.what)) {
    guest.media_closed = true;
  }
}

void ReferenceAgent::hear_key(Guest& guest, const media::DigitEvent& key) {
  if (!guest.keys.add(key)) return;
  truth_.write({guest.call_id, guest.mono_at(key.start_ms), 0, 0, 0, "digit", std::string(1, key.digit)});
  guest.attendant->digit(key.digit, key.start_ms);
}

/// A clip that was cut short has no mark for its end: it ends where it was cut, or with the last span before
/// that.
void ReferenceAgent::speech_stopped(Guest& guest, const media::PlayEnded& ended, double t_ms) {
  if (!guest.playing || !ended.stopped) return;
  const double played_ms = ended.samples_played * 1000.0 / guest.playing->rate;
  std::optional<double> end_ms;
  for (const media::Span& span : guest.playing->speech) {
    if (span.start_ms < played_ms) end_ms = std::min(span.end_ms, played_ms);
  }
  if (!end_ms || guest.playing->speech.back().end_ms < played_ms) return;
  const auto end_sample = static_cast<std::uint32_t>(*end_ms * guest.clock_rate / 1000.0);
  truth_.write({guest.call_id, guest.mono_at(t_ms - played_ms + *end_ms), 0, guest.ssrc,
                guest.playing_rtp + end_sample, "speech_end", guest.playing->text});
}

boost::asio::awaitable<void> ReferenceAgent::take_leave(Guest& guest) {
  switchboard_.endpoint(0).hang_up(guest.leg);
  if (!guest.media_closed) switchboard_.media().close(guest.media);
  const auto deadline = CallInbox::Clock::now() + kLastWords;
  while (!guest.sip_finished || !guest.media_closed) {
    std::optional<CallEvent> event = co_await guest.inbox.next(deadline);
    if (!event) break;
    if (const auto* media = std::get_if<media::Event>(&*event)) {
      if (std::holds_alternative<media::Closed>(media->what)) guest.media_closed = true;
    } else if (const auto* sip = std::get_if<sip::Event>(&*event)) {
      if (std::holds_alternative<sip::Finished>(sip->what)) guest.sip_finished = true;
    }
  }
  if (guest.media != 0) switchboard_.disconnect(guest.media);
}

boost::asio::awaitable<void> ReferenceAgent::stop() {
  orders_.reset();
  for (const auto& [leg, inbox] : inboxes_) inbox->push(StopCall{});
  guest_left_.expires_after(kLastWords);
  const auto deadline = guest_left_.expiry();
  while (!inboxes_.empty() && CallInbox::Clock::now() < deadline) {
    boost::system::error_code woken;
    co_await guest_left_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    guest_left_.expires_at(deadline);
  }
  switchboard_.shutdown();
}

}  // namespace linecheck::engine
