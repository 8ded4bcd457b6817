// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/trigger.h"

#include <boost/asio/co_spawn.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/daemon/webhook.h"
#include "sip/headers.h"

namespace linecheck::engine {
namespace {

constexpr std::chrono::seconds kTriggerTimeout{30};

void tell(const std::weak_ptr<CallInbox>& inbox, std::string trouble, bool unreachable) {
  const auto open = inbox.lock();
  if (!open || trouble.empty()) return;
  Nudge nudge;
  nudge.trouble = std::move(trouble);
  nudge.unreachable = unreachable;
  open->push(std::move(nudge));
}

/// The ids that the agent is asked to send back, so that its call is known for what it is.
std::vector<sip::Header> ids_of(const CallSpec& spec) {
  return {{"X-Run-Id", std::to_string(spec.run.id)},
          {"X-Scenario-Id", std::to_string(spec.run.scenario)},
          {"X-Result-Id", std::to_string(spec.run.result_id)}};
}

/// Contract section 3: {from_number, to_number, dynamic_variables}.
std::string request_of(const CallSpec& spec) {
  nlohmann::ordered_json variables = nlohmann::ordered_json::object();
  if (spec.profile) {
    for (const auto& [name, value] : spec.profile->main_agent_variables) variables[name] = value;
  }
  for (const sip::Header& id : ids_of(spec)) variables[id.name] = id.value;
  nlohmann::ordered_json request;
  request["from_number"] = spec.awaited->call.caller;
  request["to_number"] = spec.awaited->call.number;
  request["dynamic_variables"] = std::move(variables);
  return request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void send_by_sip(Switchboard& switchboard, const scheduler::Agent& agent, const CallSpec& spec,
                 const std::weak_ptr<CallInbox>& inbox) {
  sip::Endpoint& endpoint = switchboard.endpoint(spec.endpoint);
  const std::string address = endpoint.local_address();
  const std::string host = address.find(':') != std::string::npos ? "[" + address + "]" : address;
  const std::string domain =
      spec.from_domain.empty() ? host + ":" + std::to_string(endpoint.local_port()) : spec.from_domain;
  const std::string us = "sip:" + sip::escape_user(spec.caller_number) + "@" + domain;
  sip::LooseRequest request;
  request.id = endpoint.new_leg_id();
  request.target_uri = agent.trigger_url;
  request.from_uri = us;
  request.proxy = spec.proxy;
  request.proxy_address = spec.proxy_address;
  request.headers = ids_of(spec);
  request.auth = spec.auth;
  std::string what = "the MESSAGE to ";
  if (agent.trigger == scheduler::Trigger::refer) {
    request.method = sip::LooseRequest::Method::refer;
    request.refer_to = us;
    what = "the REFER to ";
  } else {
    request.content_type = "application/json";
    request.body = request_of(spec);
  }
  what += agent.trigger_url;
  switchboard.send_loose(
      spec.endpoint, std::move(request), [inbox, what](const sip::RequestAnswered& answer) {
        if (answer.status >= 200 && answer.status < 300) return;
        const bool unsent = answer.status == 0;
        tell(inbox, what + (unsent ? " was not sent: " : " was answered with ") + answer.reason, unsent);
      });
}

}  // namespace

void trigger_agent(Switchboard& switchboard, const scheduler::Agent& agent, const CallSpec& spec,
                   const std::weak_ptr<CallInbox>& inbox) {
  switch (agent.trigger) {
    case scheduler::Trigger::none:
      return;
    case scheduler::Trigger::message:
    case scheduler::Trigger::refer:
      return send_by_sip(switchboard, agent, spec, inbox);
    case scheduler::Trigger::webhook:
      break;
  }
  auto url = parse_http_url(agent.trigger_url);
  if (!url) return tell(inbox, "'" + agent.trigger_url + "' is no http:// or https:// URL", false);
  boost::asio::co_spawn(switchboard.control(), post_json(std::move(*url), request_of(spec), kTriggerTimeout),
                        [inbox](const std::exception_ptr& error, HttpOutcome outcome) {
                          if (!error) tell(inbox, std::move(outcome.trouble), outcome.unreachable);
                        });
}

}  // namespace linecheck::engine
