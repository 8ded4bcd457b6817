// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/message_parts.h"

#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>
#include <strings.h>

#include <charconv>
#include <cstring>

namespace linecheck::sip {
namespace {

std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string out;
  text = text.substr(1, text.size() - 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

}  // namespace

ReasonParts reason_of(const sip_t* sip) {
  ReasonParts out;
  if (sip == nullptr) return out;
  for (const sip_reason_t* reason = sip->sip_reason; reason != nullptr; reason = reason->re_next) {
    if (!out.q850 && reason->re_protocol != nullptr && strcasecmp(reason->re_protocol, "Q.850") == 0 &&
        reason->re_cause != nullptr) {
      int cause = 0;
      const char* begin = reason->re_cause;
      if (std::from_chars(begin, begin + std::strlen(begin), cause).ec == std::errc{}) out.q850 = cause;
    }
    if (out.text.empty() && reason->re_text != nullptr) out.text = unquoted(reason->re_text);
  }
  return out;
}

std::optional<int> retry_after_of(const sip_t* sip) {
  if (sip == nullptr || sip->sip_retry_after == nullptr) return std::nullopt;
  return static_cast<int>(sip->sip_retry_after->af_delta);
}

std::string body_of(const sip_t* sip) {
  if (sip == nullptr || sip->sip_payload == nullptr || sip->sip_payload->pl_data == nullptr) return {};
  const sip_content_type_t* type = sip->sip_content_type;
  if (type != nullptr && type->c_type != nullptr && strcasecmp(type->c_type, "application/sdp") != 0)
    return {};
  return {sip->sip_payload->pl_data, static_cast<std::size_t>(sip->sip_payload->pl_len)};
}

std::string uri_text(const url_t* url) {
  if (url == nullptr) return {};
  su_home_t home[1] = {SU_HOME_INIT(home)};
  su_home_init(home);
  const char* text = url_as_string(home, url);
  std::string out = text != nullptr ? text : "";
  su_home_deinit(home);
  return out;
}

std::string user_of(const url_t* url) {
  if (url == nullptr || url->url_user == nullptr) return {};
  std::string out(std::strlen(url->url_user) + 1, '\0');
  url_unescape(out.data(), url->url_user);
  out.resize(std::strlen(out.c_str()));
  return out;
}

std::vector<Header> x_headers_of(const sip_t* sip) {
  std::vector<Header> out;
  if (sip == nullptr) return out;
  for (const sip_unknown_t* unknown = sip->sip_unknown; unknown != nullptr; unknown = unknown->un_next) {
    if (unknown->un_name != nullptr && strncasecmp(unknown->un_name, "X-", 2) == 0)
      out.push_back({unknown->un_name, unknown->un_value != nullptr ? unknown->un_value : ""});
  }
  return out;
}

FailureKind kind_of(int status) {
  if (status == 415 || status == 488 || status == 606) return FailureKind::media_not_acceptable;
  if (status < 400) return FailureKind::redirected;
  return status >= 500 && status < 600 ? FailureKind::server_error : FailureKind::rejected;
}

std::string header_lines(const std::vector<Header>& headers) {
  std::string out;
  for (const Header& header : headers) out += header.name + ": " + header.value + "\r\n";
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return out + '"';
}

std::string reason_value(int cause, std::string_view text) {
  return "SIP;cause=" + std::to_string(cause) + ";text=" + quoted(text.substr(0, 256));
}

}  // namespace linecheck::sip
