// SPDX-License-Identifier: GPL-3.0-or-later
//
// One document of the catalogue at a time: agent, personality, test profile. Scenarios have a file of their
// own.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "scheduler/catalog.h"
#include "scheduler/trunks.h"

namespace linecheck::scheduler {
namespace {

void read_uri(Reader& map, std::string_view key, std::string& out) {
  if (!map.read(key, out)) return;
  if (const auto why = sip_uri_problem(out); !why.empty()) map.problem(key, why);
}

/// How each interruption_level sets the two plans: a patient caller waits longer before it speaks and gives
/// way sooner. `medium` equals the plans' defaults.
struct Level {
  const char* name;
  Millis wait, voice, backoff;
};
constexpr Level kLevels[] = {
    {"none", Millis(1000), Millis(200), Millis(1500)},
    {"low", Millis(800), Millis(300), Millis(1200)},
    {"medium", Millis(500), Millis(400), Millis(1000)},
    {"high", Millis(300), Millis(800), Millis(500)},
};

void read_plans(Reader& map, Personality& personality) {
  map.object("start_speaking_plan", [&](Reader& plan) {
    plan.read("wait_seconds", personality.start_speaking_plan.wait, between(0, 10));
  });
  map.object("stop_speaking_plan", [&](Reader& plan) {
    StopSpeakingPlan& stop = personality.stop_speaking_plan;
    if (plan.read("num_words", stop.num_words, at_least(0)) && stop.num_words > 0) {
      plan.problem("num_words", not_available("counting the agent's words") + ": use voice_seconds");
    }
    plan.read("voice_seconds", stop.voice, between(0, 10));
    plan.read("backoff_seconds", stop.backoff, between(0, 60));
  });
  map.object("message_plan", [&](Reader& plan) {
    plan.read("idle_timeout_seconds", personality.message_plan.idle_timeout, between(1, 3600));
    plan.read("idle_message_max_spoken_count", personality.message_plan.idle_message_max_spoken_count,
              between(0, 100));
  });
  const Level* level = nullptr;
  if (map.choice<const Level*>(
          "interruption_level", level,
          {{"none", &kLevels[0]}, {"low", &kLevels[1]}, {"medium", &kLevels[2]}, {"high", &kLevels[3]}})) {
    personality.interruption_level = level->name;
    personality.start_speaking_plan.wait = level->wait;
    personality.stop_speaking_plan = {0, level->voice, level->backoff};
  }
}

/// A built-in bed, or a sound file beside the personality's file.
void read_noise(Reader& map, std::string& noise) {
  const auto field = map.field("background_noise");
  if (!field || !field->get(noise) || noise == "off") return;
  const auto& names = noise_bed_names();
  if (std::find(names.begin(), names.end(), noise) != names.end()) return;
  if (noise.find('/') == std::string::npos && noise.find('.') == std::string::npos) {
    field->problem("there is no noise '" + noise + "': expected off, " + join_or(names) +
                   ", or a sound file" + did_you_mean(noise, names));
    return;
  }
  const auto path = std::filesystem::path(field->mark().file).parent_path() / noise;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    field->problem("there is no sound file " + path.string());
    return;
  }
  noise = path.string();
}

/// `{snr_db}`, or the hosted shape `{base, reduced}`: base is the bed's amplitude relative to the voice's,
/// reduced the one under the voice. Our bed has one level, that of base.
void read_noise_level(Reader& map, Personality& personality) {
  map.object("background_sound_volume", [&](Reader& volume) {
    double base = 0;
    double reduced = 0;
    const bool hosted = volume.read("base", base, between(0, 1));
    volume.read("reduced", reduced, between(0, 1));
    if (volume.read("snr_db", personality.background_snr_db, between(-10, 60))) {
      if (volume.has("base")) volume.problem("base", "stands beside snr_db: give one of the two");
    } else if (hosted && base > 0) {
      personality.background_snr_db = -20 * std::log10(base);
    } else if (hosted) {
      personality.background_noise = "off";
    }
  });
}

// Milliseconds are bare numbers here, unlike other durations: the hosted product's shape.
void read_impairment(Reader& map, LineImpairment& line) {
  map.read("packet_loss", line.packet_loss_percent, between(0, 100));
  if (map.read("burst", line.burst, between(1, 50)) && line.packet_loss_percent < 100) {
    const double shortest = line.packet_loss_percent / (100 - line.packet_loss_percent);
    if (line.burst < shortest) map.problem("burst", "too short for so much loss: bursts would touch");
  }
  map.read("jitter", line.jitter_ms, between(0, LineImpairment::kMostJitterMs));
  map.read("reorder", line.reorder);
  if (line.reorder == false && line.jitter_ms > LineImpairment::kMostOrderedJitterMs) {
    map.problem("jitter", "more than 25 ms of jitter can't keep the order of 20 ms packets");
  }
  map.read("latency", line.latency_ms, between(0, LineImpairment::kMostLatencyMs));
  map.read("duplicate", line.duplicate_percent, between(0, 100));
  map.read("gain_db", line.gain_db, between(-60, 40));
  map.read("low_cut_hz", line.low_cut_hz, between(0, 8000));
  map.read("high_cut_hz", line.high_cut_hz, between(0, 8000));
  if (line.high_cut_hz > 0 && line.high_cut_hz <= line.low_cut_hz) {
    map.problem("high_cut_hz", "is not above low_cut_hz: nothing would be left");
  }
}

/// `{send, receive}`, or the hosted shape, which holds for both directions.
void read_network(Reader& map, Personality& personality) {
  map.object("network_simulation", [&](Reader& network) {
    if (network.has("send") || network.has("receive")) {
      network.object("send", [&](Reader& line) { read_impairment(line, personality.send); });
      network.object("receive", [&](Reader& line) { read_impairment(line, personality.receive); });
    } else {
      read_impairment(network, personality.send);
      personality.receive = personality.send;
    }
  });
}

void read_variables(Reader& map, std::string_view key, std::map<std::string, std::string>& variables) {
  map.object(key, [&](Reader& values) {
    values.entries([&](const std::string& name, const Field& value) {
      if (name.empty()) return value.problem("a variable needs a name");
      if (std::string text; value.get_as_written(text)) variables[name] = text;
    });
  });
}

/// Keys that begin with X- become headers of the INVITE: a token (RFC 3261 section 25.1) and one line.
void check_headers(Reader& variables) {
  variables.entries([&](const std::string& name, const Field& value) {
    if (!name.starts_with("X-") && !name.starts_with("x-")) return;
    const bool token = std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("-.!%*_+`'~").find(c) != std::string_view::npos;
    });
    if (!token || name.size() == 2) value.problem("'" + name + "' can't be the name of a SIP header");
    if (value.node().text.find_first_of("\r\n") != std::string::npos) {
      value.problem("the value of a SIP header is one line");
    }
  });
}

}  // namespace

const std::vector<std::string>& noise_bed_names() {
  static const std::vector<std::string> kNames = {"white",    "pink",   "brown",  "car", "hum",
                                                  "keyboard", "babble", "street", "cafe"};
  return kNames;
}

namespace {

void read_trigger(Reader& map, Agent& agent) {
  map.read("trigger_url", agent.trigger_url);
  map.read("sends_run_id", agent.sends_run_id);
  const bool web = agent.trigger_url.starts_with("http://") || agent.trigger_url.starts_with("https://");
  if (!agent.trigger_url.empty()) agent.trigger = web ? Trigger::webhook : Trigger::message;
  map.choice("trigger", agent.trigger,
             {{"none", Trigger::none},
              {"webhook", Trigger::webhook},
              {"message", Trigger::message},
              {"refer", Trigger::refer}});
  if (agent.trigger == Trigger::none) return;
  if (agent.trigger == Trigger::webhook) {
    if (!web) map.problem("trigger_url", "a webhook needs a URL that begins with http:// or https://");
  } else if (const auto why = sip_uri_problem(agent.trigger_url); !why.empty()) {
    map.problem("trigger_url", why);
  }
}

}  // namespace

std::optional<Agent> parse_agent(const Node& node, Problems& problems) {
  Reader map(node, problems);
  Agent agent;
  agent.mark = map.mark();
  agent.marks = map.marks();
  const bool identified = map.require("id", agent.id, at_least(1));
  map.require("name", agent.name);
  map.read("assistant_id", agent.assistant_id);
  map.read("project", agent.project, at_least(1));
  map.read("inbound", agent.inbound);
  read_phone_number(map, "contact_number", agent.contact_number);
  read_uri(map, "sip_endpoint", agent.sip_endpoint);
  map.object("sip_auth", [&](Reader& auth) {
    agent.sip_auth.emplace();
    auth.require("username", agent.sip_auth->username);
    auth.require("password_file", agent.sip_auth->password_file);
  });
  map.read("trunk", agent.trunk);
  read_trigger(map, agent);
  map.each("codecs", [&](const Field& item) { read_codec(item, agent.codecs); });
  read_dtmf(map, agent.dtmf);
  map.read("dial_window", agent.dial_window, between(1, 86'400));
  map.read("enabled_personalities", agent.enabled_personalities, at_least(1));
  map.finish();
  if (!identified) return std::nullopt;
  return agent;
}

std::optional<Personality> parse_personality(const Node& node, Problems& problems) {
  Reader map(node, problems);
  Personality personality;
  personality.mark = map.mark();
  personality.marks = map.marks();
  const bool identified = map.require("id", personality.id, at_least(1));
  map.require("name", personality.name);
  map.read("prompt", personality.prompt);
  map.read("language", personality.language);
  map.read("accent", personality.accent);
  map.choice<std::string>("gender", personality.gender,
                          {{"female", "female"}, {"male", "male"}, {"neutral", "neutral"}});
  map.read("provider", personality.provider);
  map.read("voice_id", personality.voice_id);
  map.read("voice_model", personality.voice_model);
  map.read("speed", personality.speed, between(0.8, 1.2));
  read_plans(map, personality);
  map.read("response_delay", personality.response_delay, between(0, 10));
  read_noise(map, personality.background_noise);
  read_noise_level(map, personality);
  read_network(map, personality);
  map.object("backchannel", [&](Reader& backchannel) {
    if (backchannel.read("probability", personality.backchannel_probability, between(0, 1)) &&
        personality.backchannel_probability > 0) {
      backchannel.unavailable("probability", "backchannel");
    }
  });
  map.read("enabled", personality.enabled);
  map.finish();
  if (!identified) return std::nullopt;
  return personality;
}

std::optional<TestProfile> parse_test_profile(const Node& node, Problems& problems) {
  Reader map(node, problems);
  TestProfile profile;
  profile.mark = map.mark();
  profile.marks = map.marks();
  const bool identified = map.require("id", profile.id, at_least(1));
  map.require("name", profile.name);
  map.object("information", [&](Reader& information) {
    read_variables(information, "main_agent_variables", profile.main_agent_variables);
    information.object("main_agent_variables", check_headers);
    read_variables(information, "testing_agent_variables", profile.testing_agent_variables);
  });
  map.finish();
  if (!identified) return std::nullopt;
  return profile;
}

}  // namespace linecheck::scheduler
