// SPDX-License-Identifier: GPL-3.0-or-later
//
// A call in progress: its SIP leg, its media leg, its persona, and the record that they fill. run_call()
// (call.h) tells the story; here are its chapters. Control thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/call/call.h"
#include "engine/call/transfer.h"
#include "engine/persona/persona.h"

namespace linecheck::engine {

class PlacedCall {
 public:
  PlacedCall(CallServices& services, std::shared_ptr<CallSpec> spec, CallInbox& inbox);
  /// Lets go of whatever a cancelled coroutine left open.
  ~PlacedCall();
  PlacedCall(const PlacedCall&) = delete;
  PlacedCall& operator=(const PlacedCall&) = delete;

  /// Has everything spoken that the script may say, makes the noise bed. False: record().failure says why.
  boost::asio::awaitable<bool> prepare();
  /// Opens the media leg and sends the INVITE; true once the agent has answered and its SDP suits.
  boost::asio::awaitable<bool> dial();
  /// Waits for the agent's call, and answers it; true once that is up.
  boost::asio::awaitable<bool> await_call();
  boost::asio::awaitable<void> converse();
  /// Ends both legs in whatever state they are and waits for their last words.
  boost::asio::awaitable<void> hang_up();

  CallRecord take_record() { return std::move(record_); }

 private:
  struct Spoken {
    std::size_t utterance;
    SayAction action;
    double started_ms = 0;
    bool started = false;
    bool ended = false;
  };

  [[nodiscard]] double now_ms() const;
  [[nodiscard]] double on_call_clock(std::int64_t mono_ns) const;
  [[nodiscard]] CallInbox::Clock::time_point wall(double t_ms) const;
  void note(double t_ms, std::string what, std::string detail = {});
  void doing(const char* what) const;
  void fail(FailureCategory category, std::string reason);

  bool open_media();
  sip::DialRequest make_invite();
  bool trunk_is_down();
  std::optional<bool> on_dialling(sip::Event& event);
  void make_offer_options();
  boost::asio::awaitable<bool> hold_number();
  void open_dial_window();
  void nobody_called();
  void could_not_ask(const Nudge& nudge);
  bool take_call(sip::Event& event);
  std::optional<bool> on_being_called(sip::Event& event);
  void turn_away(const sip::Event& event);
  bool begin_stream(const sip::Negotiated& agreed);
  bool start_media(const std::string& sdp);
  bool listen_to_early_media(const std::string& sdp);
  void change_media(const sip::MediaChanged& changed, double t_ms);

  void perform(const PersonaAction& action);
  void say(const SayAction& action);
  void press(const DigitsAction& action);
  void change_line(const scheduler::NetworkSimulation& network);
  void end_by_caller(std::string reason);
  void stopped(const StopCall& stop);
  void on_conversation(CallEvent& event);
  void on_media(media::Event& event);
  void send_key(const media::DigitDue& due);
  void on_info(const sip::InfoReceived& info, double t_ms);
  void on_play_ended(const media::PlayEnded& ended, double t_ms);
  void end_utterance(Spoken& spoken, double played_ms, double t_ms);
  void end_open_utterances();
  void on_sip(sip::Event& event);
  void on_transfer_asked(const sip::TransferRequested& asked, double t_ms);
  void on_transfer_event(sip::Event& event);
  void switch_to_transfer_target(const sip::Answered& answered, double t_ms);
  bool on_leaving_leg(sip::Event& event);
  void on_last_words(CallEvent& event);
  void keep_trace(sip::Finished& finished);

  CallServices& services_;
  std::shared_ptr<CallSpec> spec_;
  CallInbox& inbox_;
  CallRecord record_;
  Script script_;
  std::vector<media::ClipPtr> clips_;
  media::ClipPtr noise_;
  std::unique_ptr<Persona> persona_;
  std::unordered_map<std::uint64_t, Spoken> spoken_;
  sip::OfferOptions offer_;
  media::StreamOptions stream_;  ///< in force
  sip::LegId sip_leg_ = 0;
  /// To agents that have transferred us, and transfers that failed: over, but their last event is to come.
  std::vector<sip::LegId> leaving_;
  Transfer transfer_;
  int transfers_ = 0;                        ///< asked for
  bool agent_left_ = false;                  ///< hung up while its transfer was under way
  std::unique_ptr<Reception::Place> place_;  ///< at our number, where the agent calls
  bool late_offer_ = false;                  ///< its INVITE had no offer
  media::LegId media_leg_ = 0;
  bool sip_up_ = false;    ///< dialled, Finished not yet seen
  bool media_up_ = false;  ///< opened, Closed not yet seen
  bool in_call_ = false;   ///< answered and not yet ended
  bool heard_rtp_ = false;
  std::optional<double> agent_speaking_since_;
  bool events_agreed_ = false;  ///< the agent takes telephone-event
  std::vector<media::DigitEvent> info_keys_;
};

}  // namespace linecheck::engine
