// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/srtp_session.h"

#include <srtp2/srtp.h>
#include <string.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>

namespace linecheck::media {
namespace {

static_assert(SrtpPacket::kRoom >= kMaxDatagram + SRTP_MAX_TRAILER_LEN + 4);

struct SuiteInfo {
  const char* name;
  std::size_t key_size;
  std::size_t tag_size;
  void (*rtp)(srtp_crypto_policy_t*);
  void (*rtcp)(srtp_crypto_policy_t*);  // the short tag is for RTP only (RFC 4568, 6.2.2)
};

const SuiteInfo& info(SrtpSuite suite) {
  static constexpr SuiteInfo kInfo[] = {
      {"AES_CM_128_HMAC_SHA1_80", 30, 10, srtp_crypto_policy_set_rtp_default,
       srtp_crypto_policy_set_rtcp_default},
      {"AES_CM_128_HMAC_SHA1_32", 30, 4, srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
       srtp_crypto_policy_set_rtcp_default},
      {"AES_256_CM_HMAC_SHA1_80", 46, 10, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
       srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80},
      {"AES_256_CM_HMAC_SHA1_32", 46, 4, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
       srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80},
      {"AEAD_AES_128_GCM", 28, 16, srtp_crypto_policy_set_aes_gcm_128_16_auth,
       srtp_crypto_policy_set_aes_gcm_128_16_auth},
      {"AEAD_AES_256_GCM", 44, 16, srtp_crypto_policy_set_aes_gcm_256_16_auth,
       srtp_crypto_policy_set_aes_gcm_256_16_auth},
  };
  return kInfo[static_cast<std::size_t>(suite)];
}

void initialise_srtp() {
  static const srtp_err_status_t status = srtp_init();
  if (status != srtp_err_status_ok)
    throw std::runtime_error("libsrtp does not start: error " + std::to_string(status));
}

void wipe(std::vector<std::uint8_t>& bytes) {
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
}

SrtpSession::Result result_of(srtp_err_status_t status) {
  switch (status) {
    case srtp_err_status_ok:
      return SrtpSession::Result::done;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
      return SrtpSession::Result::replayed;
    case srtp_err_status_auth_fail:
    case srtp_err_status_bad_mki:
    case srtp_err_status_no_ctx:  // RTCP of a stream from which no RTP came that was authentic
      return SrtpSession::Result::forged;
    default:
      return SrtpSession::Result::broken;
  }
}

}  // namespace

const char* suite_name(SrtpSuite suite) {
  return info(suite).name;
}
std::size_t srtp_key_size(SrtpSuite suite) {
  return info(suite).key_size;
}
std::size_t srtp_tag_size(SrtpSuite suite) {
  return info(suite).tag_size;
}

SrtpKeys::~SrtpKeys() {
  wipe(send_key);
  wipe(receive_key);
}

void SrtpPacket::assign(std::span<const std::uint8_t> packet) noexcept {
  size = std::min(packet.size(), kMaxDatagram);
  std::memcpy(bytes.data(), packet.data(), size);
}

struct SrtpSession::Impl {
  srtp_t context = nullptr;
  bool mki = false;
};

SrtpSession::SrtpSession(Direction direction, SrtpSuite suite, std::span<const std::uint8_t> key,
                         std::span<const std::uint8_t> mki)
    : impl_(std::make_unique<Impl>()) {
  initialise_srtp();
  if (key.size() != info(suite).key_size) {
    throw std::invalid_argument(std::string(suite_name(suite)) + ": a key of " + std::to_string(key.size()) +
                                " bytes, " + std::to_string(info(suite).key_size) + " are needed");
  }
  if (mki.size() > SRTP_MAX_MKI_LEN) throw std::invalid_argument("a master key identifier that is too long");
  // libsrtp copies what it is given; it only reads it, although the pointers are not const.
  auto* master = const_cast<std::uint8_t*>(key.data());
  srtp_master_key_t named{master, const_cast<std::uint8_t*>(mki.data()),
                          static_cast<unsigned int>(mki.size())};
  srtp_master_key_t* keys[] = {&named};
  srtp_policy_t policy{};
  policy.ssrc.type = direction == Direction::send ? ssrc_any_outbound : ssrc_any_inbound;
  info(suite).rtp(&policy.rtp);
  info(suite).rtcp(&policy.rtcp);
  if (mki.empty()) {
    policy.key = master;
  } else {
    policy.keys = keys;
    policy.num_master_keys = 1;
  }
  policy.window_size = 1024;
  policy.allow_repeat_tx = 1;  // a line that we impair on purpose sends a packet twice
  impl_->mki = !mki.empty();
  const srtp_err_status_t status = srtp_create(&impl_->context, &policy);
  if (status != srtp_err_status_ok) {
    throw std::runtime_error(std::string(suite_name(suite)) + " cannot be used: libsrtp's error " +
                             std::to_string(status));
  }
}

SrtpSession::~SrtpSession() {
  if (impl_->context != nullptr) srtp_dealloc(impl_->context);
}

SrtpSession::Result SrtpSession::protect(SrtpPacket& packet, bool control) noexcept {
  auto size = static_cast<int>(packet.size);
  if (packet.size < (control ? 8U : 12U) || packet.size > kMaxDatagram) return Result::broken;
  const auto status = control ? srtp_protect_rtcp(impl_->context, packet.bytes.data(), &size)
                              : srtp_protect(impl_->context, packet.bytes.data(), &size);
  if (status == srtp_err_status_ok) packet.size = static_cast<std::size_t>(size);
  return result_of(status);
}

SrtpSession::Result SrtpSession::unprotect(SrtpPacket& packet, bool control) noexcept {
  auto size = static_cast<int>(packet.size);
  if (packet.size < (control ? 8U : 12U) || packet.size > kMaxDatagram) return Result::broken;
  const unsigned mki = impl_->mki ? 1 : 0;
  const auto status = control ? srtp_unprotect_rtcp_mki(impl_->context, packet.bytes.data(), &size, mki)
                              : srtp_unprotect_mki(impl_->context, packet.bytes.data(), &size, mki);
  if (status == srtp_err_status_ok && size >= 0) packet.size = static_cast<std::size_t>(size);
  return result_of(status);
}

}  // namespace linecheck::media
