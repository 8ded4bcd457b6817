// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/placed_call.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/call/encryption.h"
#include "engine/call/keys.h"
#include "engine/call/line.h"
#include "engine/call/stream_terms.h"
#include "engine/call/synthesis.h"
#include "engine/call/time.h"
#include "sip/dtmf_info.h"
#include "sip/headers.h"

namespace linecheck::engine {
namespace {

/// Between the no-answer timeout and the end of the CANCEL transaction.
constexpr std::chrono::seconds kDialSlack{40};
/// Length of a key press and of the pause after it.
constexpr std::chrono::milliseconds kTone{100};
/// An agent that floods us with requests does not fill the memory with what is noted of them.
constexpr std::size_t kMostNotes = 10'000;

}  // namespace

PlacedCall::PlacedCall(CallServices& services, std::shared_ptr<CallSpec> spec, CallInbox& inbox)
    : services_(services), spec_(std::move(spec)), inbox_(inbox), transfer_(services_, *spec_, inbox_) {
  record_.run_id = spec_->run.id;
  record_.attempt = spec_->attempt;
  record_.trunk = spec_->trunk;
  record_.caller_number = spec_->caller_number;
  record_.agent_number = spec_->target;
  record_.executed_at = utc_now();
}

PlacedCall::~PlacedCall() {
  if (sip_leg_ != 0) {
    if (sip_up_) services_.switchboard.endpoint(spec_->endpoint).hang_up(sip_leg_);
    services_.switchboard.disconnect(spec_->endpoint, sip_leg_);
  }
  for (const sip::LegId leg : leaving_) services_.switchboard.disconnect(spec_->endpoint, leg);
  if (media_leg_ != 0) {
    if (media_up_) services_.switchboard.media().close(media_leg_);
    services_.switchboard.disconnect(media_leg_);
  }
}

double PlacedCall::on_call_clock(std::int64_t mono) const {
  return static_cast<double>(mono - record_.origin_mono_ns) / 1e6;
}

double PlacedCall::now_ms() const {
  return on_call_clock(mono_ns());
}

CallInbox::Clock::time_point PlacedCall::wall(double t_ms) const {
  // steady_clock is CLOCK_MONOTONIC; a deadline of a day or more is as good as none.
  const double bounded = std::min(t_ms, now_ms() + 86'400'000.0);
  const auto ns = record_.origin_mono_ns + static_cast<std::int64_t>(bounded * 1e6);
  return CallInbox::Clock::time_point(std::chrono::nanoseconds(ns));
}

void PlacedCall::note(double t_ms, std::string what, std::string detail) {
  if (record_.timeline.size() == kMostNotes) return;
  record_.timeline.push_back({t_ms, std::move(what), std::move(detail)});
}

void PlacedCall::doing(const char* what) const {
  if (spec_->doing) spec_->doing(what);
}

void PlacedCall::fail(FailureCategory category, std::string reason) {
  if (record_.failure) return;  // the first cause is the cause
  Failure failure;
  failure.category = category;
  failure.reason = std::move(reason);
  record_.failure = std::move(failure);
}

// ---- prepare
// --------------------------------------------------------------------------------------------------

boost::asio::awaitable<bool> PlacedCall::prepare() {
  doing("preparing");
  const scheduler::Personality& personality = *spec_->personality;
  const std::string& language =
      spec_->scenario->scenario_language.empty() ? personality.language : spec_->scenario->scenario_language;
  script_ = compile_script(*spec_->scenario, spec_->profile.get(), language);
  VoiceSpec voice = choose_voice(personality, services_.voice_providers);
  voice.rate = leg_rate(spec_->codecs);
  std::vector<SynthResult> spoken = co_await synthesize_all(services_.voices, voice, script_.texts);
  for (std::size_t i = 0; i < spoken.size(); ++i) {
    if (!spoken[i].clip) {
      fail(FailureCategory::engine,
           "The caller's voice could not say '" + script_.texts[i] + "': " + spoken[i].error);
      record_.ended_reason = "voice-failed";
      co_return false;
    }
    clips_.push_back(spoken[i].clip);
  }
  noise_ = co_await shared_noise_bed(services_.pool, personality.background_noise,
                                     personality.background_snr_db, voice.rate);
  co_return true;
}

// ---- dial
// -----------------------------------------------------------------------------------------------------

sip::DialRequest PlacedCall::make_invite() {
  sip::Endpoint& endpoint = services_.switchboard.endpoint(spec_->endpoint);
  make_offer_options();
  sip::DialRequest request;
  request.id = endpoint.new_leg_id();
  request.target_uri = spec_->target_uri;
  const std::string& own = spec_->media_address;
  const std::string here = (own.find(':') != std::string::npos ? "[" + own + "]" : own) + ":" +
                           std::to_string(endpoint.local_port());
  request.from_uri = "sip:" + sip::escape_user(spec_->caller_number) + "@" +
                     (spec_->from_domain.empty() ? here : spec_->from_domain);
  request.proxy = spec_->proxy;
  request.proxy_address = spec_->proxy_address;
  request.contact = spec_->contact;
  request.identity = spec_->identity;
  request.follow_redirects = spec_->follow_redirects;
  request.follow_transfers = true;
  request.session_expires = spec_->session_timer;
  request.headers = {{"X-Run-Id", std::to_string(spec_->run.id)},
                     {"X-Scenario-Id", std::to_string(spec_->run.scenario)},
                     {"X-Result-Id", std::to_string(spec_->run.result_id)}};
  if (spec_->profile) {
    for (const auto& [name, value] : spec_->profile->main_agent_variables) {
      if (name.starts_with("X-") || name.starts_with("x-")) request.headers.push_back({name, value});
    }
  }
  request.sdp = sip::make_offer(offer_);
  request.no_answer_timeout = spec_->no_answer_timeout;
  request.auth = spec_->auth;
  return request;
}

bool PlacedCall::trunk_is_down() {
  const std::string trouble = spec_->trunk_trouble ? spec_->trunk_trouble() : "";
  if (trouble.empty()) return false;
  fail(FailureCategory::network,
       "The trunk '" + spec_->trunk + "' is down, so nothing was dialled: " + trouble + ".");
  record_.ended_reason = "trunk-down";
  return true;
}

boost::asio::awaitable<bool> PlacedCall::dial() {
  if (trunk_is_down()) co_return false;
  if (spec_->begin) {
    const bool wanted = co_await spec_->begin();
    if (!wanted) {
      record_.cancelled = true;
      record_.ended_reason = "cancelled";
      co_return false;
    }
  }
  doing("dialling");
  if (!open_media()) co_return false;
  sip::DialRequest invite = make_invite();
  sip_leg_ = invite.id;
  sip_up_ = true;
  services_.switchboard.connect(spec_->endpoint, sip_leg_, inbox_);
  services_.switchboard.endpoint(spec_->endpoint).dial(std::move(invite));

  const auto deadline = CallInbox::Clock::now() + spec_->no_answer_timeout + kDialSlack;
  while (true) {
    std::optional<CallEvent> event = co_await inbox_.next(deadline);
    if (!event) {
      fail(FailureCategory::engine, "The SIP stack gave no outcome for the INVITE in time.");
      record_.ended_reason = "engine-failed";
      co_return false;
    }
    if (const auto* stop = std::get_if<StopCall>(&*event)) {
      stopped(*stop);
      services_.switchboard.endpoint(spec_->endpoint).hang_up(sip_leg_);
    } else if (auto* media = std::get_if<media::Event>(&*event)) {
      on_media(*media);
    } else if (auto* sip = std::get_if<sip::Event>(&*event)) {
      if (const auto connected = on_dialling(*sip)) co_return *connected;
    }
  }
}

/// Nothing while the outcome is open.
std::optional<bool> PlacedCall::on_dialling(sip::Event& event) {
  const double t = on_call_clock(event.mono_ns);
  if (const auto* dialled = std::get_if<sip::Dialled>(&event.what)) {
    record_.invite_ms = t;
    record_.call_id = dialled->call_id;
    note(t, "dialled", spec_->target_uri);
  } else if (const auto* provisional = std::get_if<sip::Provisional>(&event.what)) {
    if (!record_.ringing_ms && provisional->status >= 180) {
      record_.ringing_ms = t;
      doing("ringing");
      note(t, "ringing", std::to_string(provisional->status) + " " + provisional->phrase);
    }
    if (!provisional->sdp.empty() && record_.ended_reason.empty() && listen_to_early_media(provisional->sdp))
      note(t, "early_media");
  } else if (const auto* answered = std::get_if<sip::Answered>(&event.what)) {
    record_.sip_status = answered->status;
    record_.answered_ms = t;
    if (!record_.ended_reason.empty())
      return std::nullopt;  // a 200 that crossed our CANCEL: the endpoint hangs it up
    in_call_ = true;
    note(t, "answered");
    return start_media(answered->sdp);
  } else if (const auto* failed = std::get_if<sip::Failed>(&event.what)) {
    if (failed->status != 0) record_.sip_status = failed->status;
    record_.q850 = failed->q850;
    record_.sip_reason = failed->reason;
    record_.ended_ms = t;
    if (record_.ended_reason.empty()) {
      record_.failure = failure_of(*failed, spec_->target);
      if (failed->kind == sip::FailureKind::media_not_acceptable && spec_->srtp == sip::Srtp::require)
        record_.failure->reason += " The trunk has srtp: require, so that only encrypted audio was offered.";
      record_.ended_reason = std::string(sip::name(failed->kind));
    }
    return false;
  } else if (const auto* ended = std::get_if<sip::Ended>(&event.what)) {
    record_.ended_ms = t;
    note(t, "ended", ended->reason);
    return false;
  } else if (auto* finished = std::get_if<sip::Finished>(&event.what)) {
    keep_trace(*finished);
    sip_up_ = false;
    return false;
  }
  return std::nullopt;
}

// ---- converse
// -------------------------------------------------------------------------------------------------

boost::asio::awaitable<void> PlacedCall::converse() {
  doing("talking");
  persona_ = std::make_unique<Persona>(script_, Habits::of(*spec_->personality, *spec_->scenario));
  persona_->answered(*record_.answered_ms);
  if (agent_speaking_since_) {  // it began before its 200 came through
    persona_->agent_started(std::max(*agent_speaking_since_, *record_.answered_ms));
  }
  while (in_call_) {
    for (const PersonaAction& action : persona_->poll(now_ms())) perform(action);
    if (!in_call_) break;
    std::optional<CallEvent> event = co_await inbox_.next(wall(persona_->deadline()));
    if (event) on_conversation(*event);
  }
}

void PlacedCall::perform(const PersonaAction& action) {
  if (const auto* to_say = std::get_if<SayAction>(&action)) {
    say(*to_say);
  } else if (std::holds_alternative<StopTalkingAction>(action)) {
    note(now_ms(), "persona_yields");
    services_.switchboard.media().stop_playing(media_leg_);
  } else if (const auto* digits = std::get_if<DigitsAction>(&action)) {
    press(*digits);
  } else if (const auto* line = std::get_if<LineAction>(&action)) {
    change_line(line->network);
  } else {
    end_by_caller(std::get<HangUpAction>(action).reason);
  }
}

void PlacedCall::say(const SayAction& action) {
  const media::ClipPtr& clip = clips_[action.clip];
  Utterance utterance;
  utterance.text = clip->text.empty() ? script_.texts[action.clip] : clip->text;
  utterance.barge_in = action.barge_in;
  utterance.idle_prompt = action.idle_prompt;
  record_.utterances.push_back(std::move(utterance));
  Spoken spoken{record_.utterances.size() - 1, action};
  spoken_.emplace(action.tag, spoken);
  note(now_ms(), action.barge_in ? "persona_barges_in" : "persona_speaks", script_.texts[action.clip]);
  services_.switchboard.media().play(media_leg_, clip, action.tag);
}

void PlacedCall::press(const DigitsAction& action) {
  if (spec_->dtmf == media::DigitTransport::rfc4733 && !events_agreed_) {
    fail(FailureCategory::agent,
         "The script presses keys, but the agent's SDP takes no telephone-event (RFC 4733). With dtmf: info "
         "or "
         "dtmf: inband keys go another way.");
    end_by_caller("no-dtmf");
    return;
  }
  note(now_ms(), "persona_presses", action.digits);
  services_.switchboard.media().send_digits(media_leg_, action.digits, kTone, kTone, action.tag, spec_->dtmf);
}

/// A key that travels by INFO has its turn among what is played.
void PlacedCall::send_key(const media::DigitDue& due) {
  if (!in_call_) return;
  services_.switchboard.endpoint(spec_->endpoint)
      .send_info(sip_leg_, std::string(sip::kDtmfRelay),
                 sip::dtmf_relay_body(due.digit, static_cast<int>(std::lround(due.duration_ms))));
}

void PlacedCall::on_info(const sip::InfoReceived& info, double t_ms) {
  const auto key = key_of_info(info, t_ms);
  if (!key) {
    note(t_ms, "info", info.content_type);
  } else if (info_keys_.size() < kMostKeys) {
    note(t_ms, "digit", std::string(1, key->digit));
    info_keys_.push_back(*key);
  }
}

void PlacedCall::change_line(const scheduler::NetworkSimulation& network) {
  const media::Impairment line = impairment_of(network.line);
  media::Engine& media = services_.switchboard.media();
  if (network.send) media.impair(media_leg_, media::Direction::send, line);
  if (network.receive) media.impair(media_leg_, media::Direction::receive, line);
  const char* where = !network.receive ? "to the agent: "
                      : !network.send  ? "from the agent: "
                                       : "both ways: ";
  note(now_ms(), "network_simulation", where + line_text(line));
}

void PlacedCall::end_by_caller(std::string reason) {
  note(now_ms(), "hang_up", reason);
  in_call_ = false;
  record_.hung_up_by = Party::caller;
  record_.ended_reason = std::move(reason);
}

/// Somebody outside wants the call to end.
void PlacedCall::stopped(const StopCall& stop) {
  switch (stop.why) {
    case StopCall::Why::cancelled:
      record_.cancelled = true;
      record_.ended_reason = "cancelled";
      break;
    case StopCall::Why::lease_lost:
      fail(FailureCategory::engine, "The call's lease was lost: the database was too slow.");
      record_.ended_reason = "lease-lost";
      break;
    case StopCall::Why::watchdog:
      record_.ended_reason = "max-duration";
      break;
  }
}

void PlacedCall::on_conversation(CallEvent& event) {
  if (const auto* stop = std::get_if<StopCall>(&event)) {
    stopped(*stop);
    end_by_caller(record_.ended_reason);
  } else if (auto* media = std::get_if<media::Event>(&event)) {
    on_media(*media);
  } else if (auto* sip = std::get_if<sip::Event>(&event)) {
    on_sip(*sip);
  }
}

void PlacedCall::on_media(media::Event& event) {
  const bool talking = persona_ != nullptr && in_call_;
  if (std::holds_alternative<media::SpeechStarted>(event.what)) {
    agent_speaking_since_ = event.t_ms;
    if (talking) persona_->agent_started(event.t_ms);
    if (talking) doing("agent speaks");
  } else if (std::holds_alternative<media::SpeechEnded>(event.what)) {
    agent_speaking_since_.reset();
    if (talking) persona_->agent_ended(event.t_ms);
    if (talking) doing("talking");
  } else if (const auto* started = std::get_if<media::PlayStarted>(&event.what)) {
    const auto found = spoken_.find(started->tag);
    if (found == spoken_.end()) return;
    found->second.started = true;
    found->second.started_ms = started->recorded_ms;
    // Clips begin on the next 20 ms frame: what exceeds it is the tester's own slowness, and reported as
    // such.
    record_.persona_delay_ms.push_back(event.t_ms - found->second.action.intended_ms);
  } else if (const auto* ended = std::get_if<media::PlayEnded>(&event.what)) {
    on_play_ended(*ended, event.t_ms);
  } else if (const auto* digits = std::get_if<media::DigitsSent>(&event.what)) {
    if (!digits->stopped) record_.digits_sent += digits->digits;
    if (persona_) persona_->digits_sent(digits->tag, event.t_ms);
  } else if (const auto* due = std::get_if<media::DigitDue>(&event.what)) {
    send_key(*due);
  } else if (const auto* digit = std::get_if<media::DigitReceived>(&event.what)) {
    note(event.t_ms, "digit", std::string(1, digit->digit.digit));
  } else if (std::holds_alternative<media::FirstPacket>(event.what)) {
    heard_rtp_ = true;
    note(event.t_ms, "first_rtp");
  } else if (std::holds_alternative<media::RtpTimeout>(event.what)) {
    note(event.t_ms, "rtp_timeout");
    if (talking && !heard_rtp_) end_by_caller("no-rtp");
  } else if (auto* closed = std::get_if<media::Closed>(&event.what)) {
    record_.media = std::move(closed->report);
    media_up_ = false;
  }
}

void PlacedCall::on_play_ended(const media::PlayEnded& ended, double t_ms) {
  const auto found = spoken_.find(ended.tag);
  if (found == spoken_.end()) return;
  Spoken& spoken = found->second;
  end_utterance(spoken, ended.samples_played * 1000.0 / clips_[spoken.action.clip]->rate, t_ms);
  if (!persona_) return;
  record_.utterances[spoken.utterance].interrupted = ended.stopped && persona_->was_interrupted(ended.tag);
  persona_->play_ended(ended.tag, t_ms);
}

void PlacedCall::end_utterance(Spoken& spoken, double played_ms, double t_ms) {
  spoken.ended = true;
  Utterance& utterance = record_.utterances[spoken.utterance];
  for (const media::Span& span : clips_[spoken.action.clip]->speech) {
    if (!spoken.started || span.start_ms >= played_ms) break;
    media::Span heard;
    heard.start_ms = spoken.started_ms + span.start_ms;
    heard.end_ms = spoken.started_ms + std::min(span.end_ms, played_ms);
    utterance.speech.push_back(heard);
  }
  if (!utterance.speech.empty()) {
    utterance.start_ms = utterance.speech.front().start_ms;
    utterance.end_ms = utterance.speech.back().end_ms;
  } else {
    utterance.start_ms = utterance.end_ms = t_ms;
  }
}

/// What was being said when the call ended: a closed leg reports no end for it.
void PlacedCall::end_open_utterances() {
  const double end = record_.ended_ms.value_or(0);
  for (auto& [tag, spoken] : spoken_) {
    if (!spoken.ended) end_utterance(spoken, std::max(0.0, end - spoken.started_ms), end);
  }
  // What never left was never said.
  std::erase_if(record_.utterances, [](const Utterance& utterance) { return utterance.speech.empty(); });
}

void PlacedCall::on_sip(sip::Event& event) {
  const double t = on_call_clock(event.mono_ns);
  if (transfer_.owns(event)) return on_transfer_event(event);
  if (on_leaving_leg(event)) return;
  if (const auto* asked = std::get_if<sip::TransferRequested>(&event.what)) {
    on_transfer_asked(*asked, t);
  } else if (const auto* ended = std::get_if<sip::Ended>(&event.what)) {
    note(t, "ended", ended->reason);
    if (ended->by_remote && transfer_.dialling()) {  // it need not wait for the outcome (RFC 5589, 6)
      agent_left_ = true;
      return;
    }
    record_.ended_ms = t;
    in_call_ = false;
    if (ended->by_remote) {
      record_.q850 = ended->q850;
      record_.sip_reason = ended->reason;
      record_.hung_up_by = Party::agent;
      record_.ended_reason = "agent-ended-call";
    } else if (record_.ended_reason.empty()) {
      record_.ended_reason = "dialog-broken";
      fail(
          FailureCategory::network,
          "The SIP dialog broke: " + (ended->reason.empty() ? std::to_string(ended->status) : ended->reason));
    }
  } else if (const auto* changed = std::get_if<sip::MediaChanged>(&event.what)) {
    change_media(*changed, t);
  } else if (const auto* info = std::get_if<sip::InfoReceived>(&event.what)) {
    on_info(*info, t);
  } else if (const auto* taken = std::get_if<sip::InfoAnswered>(&event.what)) {
    if (taken->status < 300 || agent_left_) return;
    fail(FailureCategory::agent, "The script presses keys by SIP INFO, and the agent refused one with " +
                                     std::to_string(taken->status) + ".");
    end_by_caller("no-dtmf");
  } else if (auto* finished = std::get_if<sip::Finished>(&event.what)) {
    keep_trace(*finished);
    sip_up_ = false;
    if (!transfer_.dialling()) in_call_ = false;
  }
}

// ---- hang up
// --------------------------------------------------------------------------------------------------

boost::asio::awaitable<void> PlacedCall::hang_up() {
  doing("hanging up");
  if (sip_up_) services_.switchboard.endpoint(spec_->endpoint).hang_up(sip_leg_);
  transfer_.hang_up();
  if (media_up_) services_.switchboard.media().close(media_leg_);
  const auto deadline = CallInbox::Clock::now() + kLastWords;
  while (sip_up_ || media_up_ || !leaving_.empty() || transfer_.pending()) {
    std::optional<CallEvent> event = co_await inbox_.next(deadline);
    if (!event) {
      if (sip_up_ || !leaving_.empty() || transfer_.pending()) note(now_ms(), "sip_never_finished");
      if (media_up_) fail(FailureCategory::engine, "The recording was not completed in time.");
      break;
    }
    on_last_words(*event);
  }
  if (!record_.ended_ms && record_.origin_mono_ns != 0) record_.ended_ms = now_ms();
  if (inbox_.dropped() > 0) {
    fail(FailureCategory::engine, "Events of the call were lost (" + std::to_string(inbox_.dropped()) + ").");
  }
  end_open_utterances();
  time_info_keys(record_.media.digits, record_.sip);
  record_.media.digits.insert(record_.media.digits.end(), info_keys_.begin(), info_keys_.end());
  place_.reset();
}

void PlacedCall::on_last_words(CallEvent& event) {
  if (auto* media = std::get_if<media::Event>(&event)) {
    on_media(*media);
  } else if (auto* sip = std::get_if<sip::Event>(&event)) {
    if (transfer_.owns(*sip)) return on_transfer_event(*sip);
    if (on_leaving_leg(*sip)) return;
    if (std::holds_alternative<sip::Incoming>(sip->what)) return turn_away(*sip);
    if (std::holds_alternative<sip::Ended>(sip->what) || std::holds_alternative<sip::Failed>(sip->what)) {
      if (!record_.ended_ms) record_.ended_ms = on_call_clock(sip->mono_ns);
    } else if (auto* finished = std::get_if<sip::Finished>(&sip->what)) {
      keep_trace(*finished);
      sip_up_ = false;
    }
  }
}

void PlacedCall::keep_trace(sip::Finished& finished) {
  for (sip::TraceMessage& message : finished.trace) {
    TracedMessage kept;
    kept.t_ms = on_call_clock(message.mono_ns);
    kept.sent = message.sent;
    kept.from = std::move(message.from);
    kept.to = std::move(message.to);
    kept.transport = std::move(message.transport);
    kept.start_line = std::move(message.start_line);
    kept.message = std::move(message.text);
    record_.sip.push_back(std::move(kept));
  }
  // Of several legs, in the order of time.
  std::stable_sort(record_.sip.begin(), record_.sip.end(),
                   [](const TracedMessage& a, const TracedMessage& b) { return a.t_ms < b.t_ms; });
}

}  // namespace linecheck::engine
