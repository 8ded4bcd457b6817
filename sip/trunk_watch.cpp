// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/trunk_watch.h"

#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include <algorithm>
#include <utility>

#include "sip/clock.h"
#include "sip/headers.h"
#include "sip/message_parts.h"
#include "sip/route.h"
#include "sip/uri.h"

namespace linecheck::sip {
namespace {

/// A response that no peer sent: a time-out, a connection refused. The flag is Sofia's NTA_INTERNAL_MSG.
bool made_up(const sip_t* sip) {
  constexpr int kInternal = 1 << 15;
  return sip == nullptr || (sip->sip_flags & kInternal) != 0;
}

}  // namespace

TrunkWatch::TrunkWatch(LegSurroundings& around, LegId magic, TrunkOptions options)
    : around_(around),
      magic_(magic),
      options_(std::move(options)),
      health_(options_),
      retry_(options_.retry_first) {
}

void TrunkWatch::start() {
  told_.name = options_.name;
  if (options_.registers) send_register();
  if (options_.keep_alive.count() > 0) send_options();
  report();
}

void TrunkWatch::stop() {
  if (std::exchange(stopping_, true)) return;
  again_.reset();
  next_probe_.reset();
  probe_.reset();
  if (!registration_ || !is_registered_) return registration_.reset();
  realms_.clear();
  nua_unregister(registration_.get(), TAG_END());
  start_timer(give_up_, std::min<std::chrono::milliseconds>(around_.options.settle, std::chrono::seconds(2)));
}

void TrunkWatch::send_register() {
  const bool v6 = around_.local_uri.find('[') != std::string::npos;
  const std::string domain = options_.domain.empty() ? host_and_port(options_.proxy) : options_.domain;
  const std::string user = !options_.user.empty() ? options_.user
                           : options_.auth        ? options_.auth->username
                                                  : "";
  const std::string aor = "<sip:" + (user.empty() ? "" : escape_user(user) + "@") + domain + ">";
  const std::string route = route_to(options_.proxy, options_.address, v6);
  const std::string registrar = "sip:" + domain;
  const std::string contact_user = escape_user(user.empty() ? "linecheck" : user);
  realms_.clear();
  is_registered_ = false;
  registration_ = Handle(nua_handle(around_.nua, magic_of(magic_), NUTAG_URL(registrar.c_str()),
                                    SIPTAG_TO_STR(aor.c_str()), SIPTAG_FROM_STR(aor.c_str()), TAG_END()),
                         around_.handles);
  if (!registration_) return;
  std::string contact = around_.contact;
  if (const auto at = contact.find("linecheck@"); at != std::string::npos)
    contact.replace(at, 9, contact_user);
  nua_register(
      registration_.get(), NUTAG_REGISTRAR(registrar.c_str()), NUTAG_INITIAL_ROUTE_STR(route.c_str()),
      TAG_IF(!contact.empty(), SIPTAG_CONTACT_STR(contact.c_str())), NUTAG_M_USERNAME(contact_user.c_str()),
      SIPTAG_EXPIRES_STR(std::to_string(options_.expires.count()).c_str()), TAG_END());
}

void TrunkWatch::send_options() {
  const bool v6 = around_.local_uri.find('[') != std::string::npos;
  const std::string target = "sip:" + host_and_port(options_.proxy);
  const std::string to = "<" + target + ">";
  const std::string from = "<" + around_.local_uri + ">";
  const std::string route = route_to(options_.proxy, options_.address, v6);
  probe_ = Handle(nua_handle(around_.nua, magic_of(magic_), NUTAG_URL(target.c_str()),
                             SIPTAG_TO_STR(to.c_str()), SIPTAG_FROM_STR(from.c_str()), TAG_END()),
                  around_.handles);
  if (probe_) nua_options(probe_.get(), NUTAG_INITIAL_ROUTE_STR(route.c_str()), TAG_END());
}

void TrunkWatch::on_event(nua_event_t event, int status, const char* phrase, const sip_t* sip) {
  if (event == nua_r_register && !stopping_) {
    on_register(status, phrase, sip);
  } else if (event == nua_r_options && !stopping_) {
    on_options(status, phrase, sip);
  } else if ((event == nua_r_unregister || event == nua_r_register) && stopping_ && status >= 200) {
    if ((status == 401 || status == 407) && authenticate(registration_, sip)) return;
    give_up_.reset();
    registration_.reset();
  }
}

void TrunkWatch::on_register(int status, const char* phrase, const sip_t* sip) {
  if (status < 200) return;
  if (made_up(sip)) sip = nullptr;
  look_at_via(sip);
  if ((status == 401 || status == 407) && authenticate(registration_, sip)) return;
  if (status < 300) {
    is_registered_ = true;
    retry_ = options_.retry_first;
    realms_.clear();  // the next refresh may be challenged again
    health_.registered();
    return report();
  }
  is_registered_ = false;
  health_.registration_failed(sip != nullptr ? "the registration was refused with " + std::to_string(status) +
                                                   " " + phrase
                                             : "the registrar could not be reached" + local_trouble(status));
  // Sofia has given the registration up; a new one is tried later and later.
  auto wait = retry_;
  if (const auto after = retry_after_of(sip))
    wait = std::max<std::chrono::milliseconds>(wait, std::chrono::seconds(*after));
  retry_ = std::min(retry_ * 2, options_.retry_most);
  start_timer(again_, wait);
  report();
}

void TrunkWatch::on_options(int status, const char* phrase, const sip_t* sip) {
  if (status < 200) return;
  if (made_up(sip)) sip = nullptr;
  look_at_via(sip);
  // Any answer shows that somebody is there, also 401, 404 or 405 (RFC 3261, 11); 5xx that nobody can be
  // reached through it.
  if (sip == nullptr)
    health_.missed("OPTIONS was not answered" + local_trouble(status));
  else if (status >= 500 && status < 600)
    health_.missed("OPTIONS was answered with " + std::to_string(status) + " " + phrase);
  else
    health_.answered();
  start_timer(next_probe_, options_.keep_alive);
  report();
}

bool TrunkWatch::authenticate(const Handle& handle, const sip_t* sip) {
  return options_.auth && answer_challenges(handle.get(), sip, *options_.auth, realms_);
}

void TrunkWatch::look_at_via(const sip_t* sip) {
  const sip_via_t* via = sip != nullptr ? sip->sip_via : nullptr;
  if (via == nullptr) return;
  const std::string host = via->v_received != nullptr ? via->v_received
                           : via->v_host != nullptr   ? via->v_host
                                                      : "";
  const std::string port = via->v_rport != nullptr && *via->v_rport != '\0' ? via->v_rport
                           : via->v_port != nullptr                         ? via->v_port
                                                                            : "5060";
  if (is_ip_address(host))
    seen_address_ =
        (host.find(':') != std::string::npos && host.front() != '[' ? "[" + host + "]" : host) + ":" + port;
}

void TrunkWatch::report() {
  TrunkChanged now{options_.name, health_.state(), health_.reason(), seen_address_};
  if (now.state == told_.state && now.reason == told_.reason && now.seen_address == told_.seen_address)
    return;
  told_ = now;
  around_.emit(Event{0, mono_now_ns(), std::move(now)});
}

void TrunkWatch::start_timer(Timer& timer, std::chrono::milliseconds after) {
  timer.reset(su_timer_create(su_root_task(around_.root), 1));
  if (timer)
    su_timer_set_interval(timer.get(), around_.on_timer, magic_of(magic_),
                          static_cast<su_duration_t>(after.count()));
}

void TrunkWatch::on_timer(const su_timer_t* timer) {
  if (timer == again_.get()) send_register();
  if (timer == next_probe_.get()) send_options();
  if (timer == give_up_.get()) registration_.reset();
}

}  // namespace linecheck::sip
