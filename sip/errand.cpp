// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/errand.h"

#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>

#include <optional>
#include <utility>

#include "sip/clock.h"
#include "sip/headers.h"
#include "sip/message_parts.h"
#include "sip/route.h"
#include "sip/uri.h"

namespace linecheck::sip {
namespace {

std::optional<std::string> problem_of(const LooseRequest& request) {
  for (const std::string* uri : {&request.target_uri, &request.from_uri, &request.proxy, &request.refer_to}) {
    if (uri->empty() && uri != &request.target_uri) continue;
    if (auto problem = uri_problem(*uri)) return problem;
  }
  for (const Header& header : request.headers)
    if (auto problem = header_problem(header)) return problem;
  if (request.content_type.find_first_of("\r\n") != std::string::npos)
    return "the content type has a line break";
  if (request.proxy_address.find_first_of("\r\n<> ") != std::string::npos) return "the proxy's address";
  return std::nullopt;
}

}  // namespace

void Errand::start() {
  if (const auto problem = problem_of(request_)) return finish(0, *problem);
  if (around_.options.allow && !around_.options.allow->permits_at(request_.target_uri, request_.proxy))
    return finish(0, "'" + request_.target_uri + "' is not among the allowed destinations");
  const bool v6 = around_.local_uri.find('[') != std::string::npos;
  const std::string from = "<" + (request_.from_uri.empty() ? around_.local_uri : request_.from_uri) + ">";
  const std::string to = "<" + request_.target_uri + ">";
  const std::string target = with_numeric_localhost(request_.target_uri, v6);
  const std::string route =
      request_.proxy.empty() ? "" : route_to(request_.proxy, request_.proxy_address, v6);
  std::string extra = header_lines(request_.headers);
  handle_ = Handle(nua_handle(around_.nua, magic_of(request_.id), NUTAG_URL(target.c_str()),
                              SIPTAG_TO_STR(to.c_str()), SIPTAG_FROM_STR(from.c_str()), TAG_END()),
                   around_.handles);
  if (!handle_) return finish(0, "the request could not be made");
  if (request_.method == LooseRequest::Method::message) {
    nua_message(handle_.get(), TAG_IF(!route.empty(), NUTAG_INITIAL_ROUTE_STR(route.c_str())),
                TAG_IF(!extra.empty(), SIPTAG_HEADER_STR(extra.c_str())),
                SIPTAG_CONTENT_TYPE_STR(request_.content_type.c_str()),
                SIPTAG_PAYLOAD_STR(request_.body.c_str()), TAG_END());
    return;
  }
  // Not nua_refer(): that would begin a subscription, and nobody here waits for its NOTIFYs (RFC 4488).
  extra += "Refer-To: <" + request_.refer_to + ">\r\nRefer-Sub: false\r\nReferred-By: " + from + "\r\n";
  const std::string contact = around_.contact.empty() ? "<" + around_.local_uri + ">" : around_.contact;
  nua_method(handle_.get(), NUTAG_METHOD("REFER"), SIPTAG_CONTACT_STR(contact.c_str()),
             TAG_IF(!route.empty(), NUTAG_INITIAL_ROUTE_STR(route.c_str())), SIPTAG_HEADER_STR(extra.c_str()),
             TAG_END());
}

void Errand::on_event(int status, const char* phrase, const sip_t* sip) {
  if (over_ || status < 200) return;
  if ((status == 401 || status == 407) && request_.auth &&
      answer_challenges(handle_.get(), sip, *request_.auth, realms_))
    return;
  finish(status, std::to_string(status) + " " + phrase + (status == 408 ? local_trouble(status) : ""));
}

void Errand::abandon() {
  if (!over_) finish(0, "the endpoint was shut down");
}

void Errand::finish(int status, std::string reason) {
  over_ = true;
  handle_.reset();
  RequestAnswered answered;
  answered.status = status;
  answered.reason = std::move(reason);
  around_.emit(Event{request_.id, mono_now_ns(), std::move(answered)});
}

}  // namespace linecheck::sip
