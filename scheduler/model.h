// SPDX-License-Identifier: GPL-3.0-or-later
//
// What users write, as data: the catalogue (agents, scenarios, personalities, test profiles, trunks with
// their numbers) and the job. Plain values with the wire's field names, made by the loaders in catalog.h and
// job.h after every rule has been checked; immutable from then on and shared between threads by
// shared_ptr<const ...>.
//
// Units: times are std::chrono::milliseconds, ratios are 0..1 unless a name says percent, telephone numbers
// are strings in the form in which they were written (E.164 as a rule).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace linecheck::scheduler {

using Millis = std::chrono::milliseconds;

[[nodiscard]] inline double as_ms(Millis value) {
  return static_cast<double>(value.count());
}
using Id = std::int64_t;

/// Where a value stands in a file; line and column count from 1, 0 means unknown.
struct Mark {
  std::string file;
  int line = 0;
  int column = 0;
};

/// One problem in what a user wrote. `field` is its path from the document's root, such as
/// `conditions[2].action`.
struct Problem {
  Mark mark;
  std::string field;
  std::string message;

  /// `file:line:column: field: message`; the field is left out where it is the whole document, the place
  /// where there is none.
  [[nodiscard]] std::string text() const;
};

using Problems = std::vector<Problem>;

/// Where the values of an object's top-level keys stand.
using Marks = std::map<std::string, Mark>;

/// Sorts by file, line and column, keeping the order of equals, and drops exact repetitions.
void sort_problems(Problems& problems);

// ---- catalogue
// ------------------------------------------------------------------------------------------------

struct SipAuth {
  std::string username;
  std::string password_file;
};

enum class Codec { pcmu, pcma, g722, opus };

/// How the caller presses keys: telephone-events (RFC 4733), SIP INFO, or their sound.
enum class KeysBy { rfc4733, info, inband };

/// How an agent that dials out is asked to call.
enum class Trigger { none, webhook, message, refer };

/// The voice agent under test.
struct Agent {
  Id id = 0;
  std::string name;
  std::string assistant_id;
  std::optional<Id> project;
  bool inbound = true;  ///< true: it answers, we dial it
  std::string contact_number;
  std::string sip_endpoint;  ///< SIP URI, preferred over contact_number
  std::optional<SipAuth> sip_auth;
  std::string trunk;
  Trigger trigger = Trigger::none;
  std::string trigger_url;    ///< of a webhook; a SIP URI for message and refer
  bool sends_run_id = false;  ///< its calls carry the X-Run-Id that it was given
  std::vector<Codec> codecs;  ///< in the order of preference; empty: the trunk's
  std::optional<KeysBy> dtmf;
  Millis dial_window{300'000};
  std::vector<Id> enabled_personalities;  ///< empty: all
  Mark mark;
  Marks marks{};
};

struct StartSpeakingPlan {
  Millis wait{500};  ///< silence that the caller takes for the end of the agent's turn
};

struct StopSpeakingPlan {
  int num_words = 0;
  Millis voice{400};     ///< agent speech that makes the caller stop
  Millis backoff{1000};  ///< how long it then stays quiet at least
};

struct MessagePlan {
  Millis idle_timeout{10'000};
  int idle_message_max_spoken_count = 3;
};

/// A simulated bad line, one direction of it.
struct LineImpairment {
  double packet_loss_percent = 0;
  double burst = 0;  ///< packets lost in a row, mean; 0: each by itself
  double jitter_ms = 0;
  std::optional<bool> reorder;  ///< absent: as the jitter needs it
  double latency_ms = 0;
  double duplicate_percent = 0;
  double gain_db = 0;
  double low_cut_hz = 0;   ///< 0: none
  double high_cut_hz = 0;  ///< 0: none

  static constexpr double kMostJitterMs = 300;
  static constexpr double kMostOrderedJitterMs = 25;  ///< more than this needs reordering
  static constexpr double kMostLatencyMs = 2000;

  [[nodiscard]] bool any() const {
    return packet_loss_percent > 0 || jitter_ms > 0 || latency_ms > 0 || duplicate_percent > 0 ||
           gain_db != 0 || low_cut_hz > 0 || high_cut_hz > 0;
  }
};

/// How the caller sounds and behaves.
struct Personality {
  Id id = 0;
  std::string name;
  std::string prompt;
  std::string language = "en-US";
  std::string accent;
  std::string gender;
  std::string provider;  ///< a voices provider's name; empty: the first one
  std::string voice_id;
  std::string voice_model;
  double speed = 1.0;  ///< 0.8 .. 1.2
  std::string interruption_level;
  StartSpeakingPlan start_speaking_plan;
  StopSpeakingPlan stop_speaking_plan;
  Millis response_delay{250};  ///< from the agent's end of turn, as decided, to our first sample
  MessagePlan message_plan;
  std::string background_noise = "off";
  double background_snr_db = 20;
  LineImpairment send;
  LineImpairment receive;
  double backchannel_probability = 0;
  bool enabled = true;
  Mark mark;
  Marks marks{};
};

struct TestProfile {
  Id id = 0;
  std::string name;
  std::map<std::string, std::string> main_agent_variables;     ///< keys X-...: SIP headers of the INVITE
  std::map<std::string, std::string> testing_agent_variables;  ///< {{test_profile.key}}
  Mark mark;
  Marks marks{};
};

struct Condition {
  enum class Type { standard, action_followup };
  int id = 0;
  std::string condition;         ///< "FIRST_MESSAGE", a parent's id, or words to match
  std::optional<int> parent_id;  ///< set for action_followup
  std::string action;
  Type type = Type::standard;
  bool fixed_message = false;
  Mark mark;
  Mark condition_mark{};
  Mark action_mark{};
};

struct ConditionalActions {
  std::string role;
  std::vector<Condition> conditions;
};

enum class Comparison { below, at_most, above, at_least, equals };

/// `metric: latency_ms.p95, below: 1500`. Used by a scenario's `expect` and by a job's `thresholds`.
struct MetricBound {
  std::string metric;
  Comparison comparison = Comparison::below;
  double value = 0;
  bool abort_on_fail = false;  ///< thresholds only
  Mark mark;
};

struct AgentSpeaksWithin {
  Millis within{0};
};
struct Said {
  enum class By { agent, caller };
  By by = By::agent;
  std::string matches;  ///< ECMAScript regular expression, case ignored
  std::optional<Millis> within;
  bool negated = false;  ///< not_said
};
struct DigitsEqual {
  Said::By by = Said::By::agent;
  std::string digits;
};
struct HungUpBy {
  Said::By by = Said::By::agent;
};
struct SipStatusIs {
  int status = 0;
};
struct TransferredTo {
  std::string target;  ///< a SIP URI, or the user part of one
};
struct DurationBetween {
  std::optional<Millis> at_least;
  std::optional<Millis> at_most;
};

/// A tone that the agent's side must have sent.
struct ToneHeard {
  std::string tone;  ///< ringback, busy, congestion, sit, dial, fax, beep, music
};

/// One entry of a scenario's `expect`.
struct Check {
  std::variant<MetricBound, AgentSpeaksWithin, Said, DigitsEqual, HungUpBy, SipStatusIs, DurationBetween,
               ToneHeard, TransferredTo>
      what;
  std::string text;  ///< as written, one line, for reports
  Mark mark;
};

struct Scenario {
  Id id = 0;
  std::string name;
  Id agent = 0;
  std::optional<Id> project;
  std::string folder_path;
  std::vector<std::string> tags;
  std::optional<Id> personality;
  std::optional<Id> test_profile;
  ConditionalActions conditional_actions;
  std::string scenario_language;
  Millis max_duration{600'000};
  bool end_call_on_transfer = false;  ///< TOOL_END_CALL_ON_TRANSFER
  std::string phone_number;
  std::vector<Check> expect;
  Mark mark;
  Marks marks{};
};

/// Encryption of a trunk's media.
enum class Srtp { off, offer, require };

/// How the caller's number reaches the trunk.
enum class CallerIdentity { from, pai, rpid, privacy };

/// Numbers that begin so are written so for a trunk; the rest of the number stays.
struct PrefixRule {
  std::string prefix;
  std::string replace;
};
/// What the first rule that fits makes of a number; the number itself where none does.
[[nodiscard]] std::string with_rules(const std::vector<PrefixRule>& rules, const std::string& number);

/// Where calls go out. Nothing is dialled that `allow` does not name.
struct Trunk {
  std::string name;
  std::string endpoint;
  std::string proxy;    ///< SIP URI; empty: straight to the target
  std::string address;  ///< IP address of the proxy, in place of a look-up of its name
  std::string
      domain;  ///< of our addresses (From, the address-of-record); empty: the proxy's, where we register
  std::optional<SipAuth> auth;
  bool registers = false;
  Millis register_expires{3'600'000};
  std::optional<Millis> keep_alive;         ///< between OPTIONS; absent: none
  std::vector<std::string> caller_numbers;  ///< ranges are expanded by the loader
  CallerIdentity identity = CallerIdentity::from;
  std::vector<PrefixRule> called_format;  ///< numbers that we dial
  std::vector<PrefixRule> caller_format;  ///< our own numbers
  bool follow_redirects = false;
  Millis session_timer{0};  ///< RFC 4028; 0: only where the peer wants one
  std::vector<Codec> codecs{Codec::pcmu, Codec::pcma};
  KeysBy dtmf = KeysBy::rfc4733;
  Srtp srtp = Srtp::off;
  std::vector<std::string>
      srtp_suites;  ///< by their names in SDP, in order of preference; empty: the usual ones
  bool rtcp_mux = false;
  std::vector<std::string> allow;
  std::optional<int> max_calls;
  std::optional<double> calls_per_second;
  Mark mark;
};

struct Catalog {
  std::map<Id, Agent> agents;
  std::map<Id, Scenario> scenarios;
  std::map<Id, Personality> personalities;
  std::map<Id, TestProfile> test_profiles;
  std::map<std::string, Trunk> trunks;
};

// ---- job
// ------------------------------------------------------------------------------------------------------

enum class NumberMode { same_number, different_numbers };

enum class RecordingFormat { wav16, ulaw };
/// What a recording is turned into after the call.
enum class RecordingAfter { keep, flac, opus };
struct RecordingChoice {
  std::optional<RecordingFormat> format;
  std::optional<RecordingAfter> after;
  std::optional<bool> pcap;
};

/// How the starts of a job's calls are spread over time: so many calls at once, or so many starts a second.
struct LoadShape {
  enum class Kind { constant_calls, ramping_calls, constant_arrival_rate, ramping_arrival_rate };
  /// From the level before it to `target` in a straight line.
  struct Stage {
    Millis duration{0};
    double target = 0;
  };
  Kind kind = Kind::constant_calls;
  double start = 0;  ///< the level at the beginning: calls, or starts a second
  std::vector<Stage> stages;

  [[nodiscard]] bool arrivals() const {
    return kind == Kind::constant_arrival_rate || kind == Kind::ramping_arrival_rate;
  }
};

/// One request to run scenarios, checked and with its selection made.
struct Job {
  std::string name;
  Id agent_id = 0;
  std::vector<Id> scenarios;              ///< selected, unique, in id order
  std::vector<Id> personality_overrides;  ///< empty: each scenario's own
  std::vector<Id> test_profile_overrides;
  int frequency = 1;
  NumberMode mode = NumberMode::same_number;
  bool reuse_numbers = false;
  std::optional<int> concurrency_limit;
  std::optional<double> calls_per_second;
  std::string dial_target;      ///< a number or a SIP URI; empty where the agent dials
  bool called = false;          ///< the agent dials: calls are waited for
  std::string own_number;       ///< of ours, that the agent is to call; empty: those of the trunk
  std::string accepted_caller;  ///< whom its calls must come from; empty: anybody
  std::string trunk;
  std::vector<Codec> codecs;      ///< in the order of preference: its own, else the agent's, else the trunk's
  KeysBy dtmf = KeysBy::rfc4733;  ///< the same
  RecordingChoice recording;      ///< what is absent: as linecheck.yaml has it
  std::vector<MetricBound> thresholds;
  std::uint64_t seed = 0;
  Millis graceful_stop{30'000};
  int priority = 0;
  int retries = 0;                ///< further attempts for a call that did not succeed
  bool retry_after_dial = false;  ///< a call that a crash may have cut off is dialled again
  std::optional<LoadShape> load;
  std::optional<std::uint64_t> most_calls;    ///< what the load shape starts at most
  std::optional<std::int64_t> start_unix_ms;  ///< no call before it
  std::string requested_json;                 ///< the request as it came, for run_settings
};

}  // namespace linecheck::scheduler
