// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/agent/behaviour.h"

#include <algorithm>
#include <utility>

#include "engine/persona/voice_choice.h"
#include "scheduler/reader.h"
#include "scheduler/trunks.h"

namespace linecheck::engine {
namespace {

using scheduler::Field;
using scheduler::Millis;
using scheduler::Reader;

void read_ms(Reader& reader, std::string_view key, double& out) {
  Millis value{};
  if (reader.read(key, value)) out = static_cast<double>(value.count());
}

void read_reply(Reader& reply, Behaviour& behaviour) {
  read_ms(reply, "after", behaviour.reply_after_ms);
  reply.read("says", behaviour.replies);
  enum class Then { listen, hang_up };
  Then then = Then::listen;
  reply.choice("then", then, {{"listen", Then::listen}, {"hang_up", Then::hang_up}});
  behaviour.hang_up_after_replies = then == Then::hang_up;
}

void read_menu(Reader& menu, Behaviour& behaviour) {
  menu.require("say", behaviour.menu);
  read_ms(menu, "timeout", behaviour.menu_timeout_ms);
  menu.object("digits", [&](Reader& digits) {
    digits.entries([&](const std::string& key, const Field& answer) {
      std::string text;
      if (key.size() != 1 || std::string_view("0123456789*#ABCD").find(key[0]) == std::string_view::npos) {
        answer.problem("'" + key + "' is not a key of a telephone: 0-9, *, # or A-D");
      } else if (answer.get(text)) {
        behaviour.menu_answers[key[0]] = text;
      }
    });
  });
}

void read_yield(const Field& field, Behaviour& behaviour) {
  if (field.node().kind == scheduler::Node::Kind::scalar && field.node().text == "never") {
    behaviour.yield_after_ms.reset();
    return;
  }
  Reader yield(field);
  double after = *behaviour.yield_after_ms;
  read_ms(yield, "after", after);
  yield.finish();
  behaviour.yield_after_ms = after;
}

VoiceSpec voice_of(const std::string& text) {
  VoiceSpec spec;
  const auto colon = text.find(':');
  spec.engine = text.substr(0, colon);
  spec.voice = colon == std::string::npos ? "" : text.substr(colon + 1);
  return spec;
}

Behaviour read_behaviour(const Field& field) {
  Behaviour behaviour;
  Reader reader(field);
  reader.object("match", [&](Reader& match) {
    match.read("user", behaviour.match_user);
    match.read("scenario", behaviour.match_scenario);
  });
  read_ms(reader, "answer_after", behaviour.answer_after_ms);
  reader.read("reject", behaviour.reject_status, scheduler::between(300, 699));
  reader.read("never_answer", behaviour.never_answer);
  reader.object("greeting", [&](Reader& greeting) {
    greeting.require("say", behaviour.greeting);
    read_ms(greeting, "after", behaviour.greeting_after_ms);
  });
  reader.object("reply", [&](Reader& reply) { read_reply(reply, behaviour); });
  read_ms(reader, "end_of_turn", behaviour.end_of_turn_ms);
  if (const auto yield = reader.field("yield")) read_yield(*yield, behaviour);
  reader.object("cut_in", [&](Reader& cut_in) {
    cut_in.require("probability", behaviour.cut_in_probability, scheduler::between(0, 1));
    read_ms(cut_in, "after", behaviour.cut_in_after_ms);
  });
  reader.object("menu", [&](Reader& menu) { read_menu(menu, behaviour); });
  Millis hang_up{};
  if (reader.read("hang_up_after", hang_up))
    behaviour.hang_up_after_ms = static_cast<double>(hang_up.count());
  if (reader.read("voice", behaviour.voice)) {
    if (const auto problem = voice_problem(voice_of(behaviour.voice))) reader.problem("voice", *problem);
  }
  reader.finish();
  return behaviour;
}

OutboundConfig read_outbound(Reader& reader) {
  OutboundConfig outbound;
  reader.require("listen", outbound.listen);
  if (reader.require("target", outbound.target) &&
      (!outbound.target.starts_with("sip:") || outbound.target.find_first_of("@;? ") != std::string::npos))
    reader.problem("target", "'" + outbound.target + "' is not sip:HOST or sip:HOST:PORT");
  reader.read("number", outbound.number);
  read_ms(reader, "dial_after", outbound.dial_after_ms);
  return outbound;
}

}  // namespace

const Behaviour* ReferenceAgentConfig::find(const std::string& user,
                                            std::optional<std::int64_t> scenario) const {
  for (const Behaviour& behaviour : behaviours) {
    if (!behaviour.match_user.empty() && behaviour.match_user != user) continue;
    if (behaviour.match_scenario && behaviour.match_scenario != scenario) continue;
    return &behaviour;
  }
  return nullptr;
}

std::vector<std::string> ReferenceAgentConfig::texts(const Behaviour& behaviour) const {
  std::vector<std::string> all;
  const auto add = [&all](const std::string& text) {
    if (!text.empty() && std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
  };
  add(behaviour.greeting);
  add(behaviour.menu);
  for (const auto& text : behaviour.replies) add(text);
  for (const auto& [digit, text] : behaviour.menu_answers) add(text);
  return all;
}

std::optional<ReferenceAgentConfig> load_reference_agent(const std::string& path,
                                                         scheduler::Problems& problems) {
  const std::size_t before = problems.size();
  const auto document = scheduler::load_document(path, problems);
  if (!document) return std::nullopt;
  ReferenceAgentConfig config;
  Reader reader(*document, problems);
  reader.read("listen", config.listen);
  reader.read("truth_log", config.truth_log);
  reader.read("seed", config.seed);
  std::vector<scheduler::Codec> codecs;
  if (reader.each("codecs", [&](const Field& item) { scheduler::read_codec(item, codecs); }) &&
      !codecs.empty()) {
    config.codecs = codecs;
  }
  reader.choice("srtp", config.srtp,
                {{"off", sip::Srtp::off}, {"offer", sip::Srtp::offer}, {"require", sip::Srtp::require}});
  std::string ports;
  if (reader.read("ports", ports)) {
    unsigned first = 0;
    unsigned last = 0;
    char rest = 0;
    if (std::sscanf(ports.c_str(), "%u-%u%c", &first, &last, &rest) != 2 || first < 1024 || last > 65535 ||
        first >= last) {
      reader.problem("ports", "a range such as 20000-29999 is expected");
    } else {
      config.port_first = static_cast<std::uint16_t>(first);
      config.port_last = static_cast<std::uint16_t>(last);
    }
  }
  reader.object("outbound", [&](Reader& outbound) { config.outbound = read_outbound(outbound); });
  if (!reader.each("behaviours",
                   [&](const Field& item) { config.behaviours.push_back(read_behaviour(item)); }) ||
      config.behaviours.empty()) {
    reader.problem("behaviours", "at least one behaviour is needed");
  }
  reader.finish();
  if (problems.size() != before) return std::nullopt;
  return config;
}

}  // namespace linecheck::engine
