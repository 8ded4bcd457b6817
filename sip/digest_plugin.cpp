// SPDX-License-Identifier: GPL-3.0-or-later
//
// Our digest as a plug-in of Sofia's list of authenticators. Sofia keeps one authenticator for each realm and
// kind of header, feeds it every challenge of a response in turn, and asks it for credentials with each
// request of the handle: INVITE, REGISTER, BYE, ... alike.
#define SOFIA_EXTEND_AUTH_CLIENT 1
#include <sofia-sip/auth_client.h>
#include <sofia-sip/auth_client_plugin.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/su_string.h>
#include <sofia-sip/url.h>

#include <strings.h>

#include <random>
#include <string>
#include <string_view>

#include "sip/digest.h"
#include "sip/wire_tap.h"

namespace linecheck::sip {
namespace {

/// Allocated by Sofia, zeroed, never constructed: plain pointers into its home only.
struct Client {
  auth_client_t base;
  char* nonce;
  char* opaque;
  char* algorithm;
  char* qop;
  char* cnonce;
  unsigned count;
  unsigned long long message;  ///< the response that the challenge was in
};
Client* client_of(auth_client_t* base) {
  return reinterpret_cast<Client*>(base);
}

/// Value of a parameter, without quotes; empty: absent. `name` ends with '='.
std::string parameter(const msg_auth_t* challenge, const char* name) {
  const char* found = msg_params_find(challenge->au_params, name);
  if (found == nullptr) return {};
  std::string text = found;
  // unq() of RFC 7616, 3.4: escapes inside stay as they are, here and in what is hashed.
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

void keep(Client* client, char*& slot, const std::string& value) {
  su_free(client->base.ca_home, slot);
  slot = value.empty() ? nullptr : su_strdup(client->base.ca_home, value.c_str());
}

std::string new_cnonce() {
  std::random_device device;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (int i = 0; i < 4; ++i)
    for (auto bits = device(), k = 0U; k < 8; ++k, bits >>= 4U) out += kHex[bits & 0xfU];
  return out;
}

/// 2: send credentials (again); 1: nothing new; -1: not for us.
int on_challenge(auth_client_t* base, const msg_auth_t* challenge) noexcept try {
  Client* client = client_of(base);
  const std::string algorithm = parameter(challenge, "algorithm=");
  const int strength = digest_strength(algorithm);
  const bool same_message = client->nonce != nullptr && client->message == wire_messages_received();
  // RFC 8760, 2.4: several challenges of one realm differ in their algorithm; the strongest that is known
  // counts.
  if (strength == 0) return same_message || client->nonce != nullptr ? 1 : 2;
  if (same_message && digest_strength(client->algorithm != nullptr ? client->algorithm : "") >= strength)
    return 1;
  const std::string nonce = parameter(challenge, "nonce=");
  const bool stale = strcasecmp(parameter(challenge, "stale=").c_str(), "true") == 0;
  const bool fresh = client->nonce == nullptr || stale || same_message;
  keep(client, client->algorithm, algorithm);
  keep(client, client->nonce, nonce);
  keep(client, client->opaque, parameter(challenge, "opaque="));
  keep(client, client->qop, parameter(challenge, "qop="));
  keep(client, client->cnonce, new_cnonce());
  client->count = 0;
  client->message = wire_messages_received();
  return fresh ? 2 : 1;
} catch (...) {
  return -1;
}

int on_authorize(auth_client_t* base, su_home_t* home, const char* method, const url_t* url,
                 const msg_payload_t* body, msg_header_t** headers) noexcept try {
  Client* client = client_of(base);
  if (client->nonce == nullptr || base->ca_user == nullptr || base->ca_pass == nullptr || base->ca_clear != 0)
    return 0;
  DigestChallenge challenge;
  const std::string realm = base->ca_realm;  // quoted
  challenge.realm = realm.size() >= 2 ? realm.substr(1, realm.size() - 2) : realm;
  const auto text = [](const char* value) { return value != nullptr ? value : ""; };
  challenge.nonce = client->nonce;
  challenge.opaque = text(client->opaque);
  challenge.algorithm = text(client->algorithm);
  challenge.qop = text(client->qop);
  const char* uri = url_as_string(home, url);
  if (uri == nullptr) return -1;
  DigestRequest request;
  request.method = method;
  request.uri = uri;
  if (body != nullptr && body->pl_data != nullptr) request.body = {body->pl_data, body->pl_len};
  const std::string username = unshielded(base->ca_user);
  const std::string password = unshielded(base->ca_pass);
  request.username = username;
  request.password = password;
  request.cnonce = text(client->cnonce);
  request.count = ++client->count;
  const auto credentials = digest_credentials(challenge, request);
  if (!credentials) return 0;
  *headers = msg_header_make(home, base->ca_credential_class, credentials->c_str());
  return *headers != nullptr ? 0 : -1;
} catch (...) {
  return -1;
}

/// Authentication-Info: the nonce of the next request (RFC 7616, 3.5).
int on_info(auth_client_t* base, const msg_auth_info_t* info) noexcept try {
  const char* found = msg_params_find(info->ai_params, "nextnonce=");
  if (found == nullptr) return 0;
  std::string nonce = found;
  if (nonce.size() >= 2 && nonce.front() == '"') nonce = nonce.substr(1, nonce.size() - 2);
  Client* client = client_of(base);
  keep(client, client->nonce, nonce);
  client->count = 0;
  return 1;
} catch (...) {
  return -1;
}

int on_clear(auth_client_t* base) noexcept {
  base->ca_clear = 1;
  return 1;
}

const auth_client_plugin_t kPlugin = {
    static_cast<int>(sizeof(auth_client_plugin_t)),
    static_cast<int>(sizeof(Client)),
    // Schemes are compared without regard to case. auc_register_plugin() of this version replaces the first
    // entry whose name is NOT the same, byte for byte: so written, that is Sofia's own "Digest".
    "digest",
    on_challenge,
    on_authorize,
    on_info,
    on_clear,
    auth_client_save_credentials,
    auth_client_copy_credentials,
};

}  // namespace

void install_digest() {
  auc_register_plugin(&kPlugin);
}

}  // namespace linecheck::sip
