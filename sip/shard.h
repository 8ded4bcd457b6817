// SPDX-License-Identifier: GPL-3.0-or-later
//
// The thread of an endpoint: its Sofia root and agent, its table of legs, and the queue by which other
// threads reach it. Sofia is touched on this thread only. Internal.
#pragma once

#include <sofia-sip/nua.h>
#include <sofia-sip/su_wait.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "sip/endpoint.h"
#include "sip/errand.h"
#include "sip/leg.h"
#include "sip/leg_ids.h"
#include "sip/listen_address.h"
#include "sip/source_limits.h"
#include "sip/tls_folder.h"
#include "sip/trace_book.h"
#include "sip/trunk_watch.h"

namespace linecheck::sip {

namespace command {
struct Ring {
  LegId leg;
  int status;
  std::string sdp;
};
struct Accept {
  LegId leg;
  std::string sdp;
  std::vector<Header> headers;
  std::optional<OfferOptions> capabilities;
};
struct Reject {
  LegId leg;
  int status;
  std::string phrase;
  std::string reason;
};
struct HangUp {
  LegId leg;
  std::string reason;
};
struct SendInfo {
  LegId leg;
  std::string content_type;
  std::string body;
};
struct Refer {
  LegId leg;
  std::string target_uri;
};
struct NotifyTransfer {
  LegId leg;
  int status;
};
struct ForgetTrunk {
  std::string name;
};
struct Allow {
  AllowList list;
};
struct Shutdown {};
}  // namespace command
using Command = std::variant<DialRequest, command::Ring, command::Accept, command::Reject, command::HangUp,
                             command::SendInfo, command::Refer, command::NotifyTransfer, TrunkOptions,
                             command::ForgetTrunk, command::Allow, LooseRequest, command::Shutdown>;

class Shard {
 public:
  Shard(EndpointOptions options, Endpoint::Callback on_event);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  [[nodiscard]] LegId reserve() { return ids_.reserve(); }
  /// Any thread; never blocks but for the length of a push.
  void post(Command command);
  void shutdown();

  [[nodiscard]] const ListenAddress& address() const { return address_; }
  [[nodiscard]] std::size_t live_handles() const { return handles_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t callback_exceptions() const {
    return exceptions_.load(std::memory_order_relaxed);
  }

 private:
  // On the SIP thread:
  void run(std::promise<std::string> started);
  [[nodiscard]] bool start();
  void stop();
  void step_until(const std::function<bool()>& done, std::int64_t deadline_ns);
  void drain();
  void execute(Command&& command);
  void dial(DialRequest&& request);
  void hang_up(const command::HangUp& command);
  void on_event(nua_event_t event, int status, const char* phrase, nua_handle_t* handle, nua_hmagic_t* magic,
                const sip_t* sip, tagi_t* tags);
  void on_new_call(nua_handle_t* handle, const sip_t* sip);
  void refuse_call(nua_handle_t* handle, const sip_t* sip, int status, const char* phrase,
                   const std::string& reason, const std::string& source);
  void run_errand(LooseRequest&& request);
  void sweep_errand(LegId id);
  void watch(TrunkOptions&& options);
  void forget(const std::string& name);
  void sweep_trunks();
  void emit(Event&& event);
  [[nodiscard]] Leg* find(LegId id) const;
  [[nodiscard]] bool is_over(LegId id) const;
  Leg& add(LegId id);
  void remove(LegId id);
  template <class Work>
  void with(LegId id, Work work);

  EndpointOptions options_;  // but for `allow`, as they were at the start
  const Endpoint::Callback callback_;
  ListenAddress address_;
  std::unique_ptr<TlsFolder> tls_;
  LegIds ids_;
  std::atomic<std::size_t> handles_{0};
  std::atomic<std::size_t> exceptions_{0};
  std::mutex queue_mutex_;
  std::vector<Command> queue_;
  bool closed_ = false;  // by queue_mutex_: the thread takes no more
  int wake_fd_ = -1;

  TraceBook book_;
  LegSurroundings around_;
  std::unordered_map<std::uint32_t, std::unique_ptr<Leg>> legs_;    // by slot
  std::unordered_map<std::uint32_t, std::uint32_t> over_;           // slot to the last generation that ended
  std::unordered_set<LegId> given_up_;                              // hung up before they were dialled
  std::unordered_map<std::string, std::vector<LegId>> by_call_id_;  // for notes from the wire
  std::vector<LegId> notes_;
  std::map<std::uint32_t, std::unique_ptr<TrunkWatch>> trunks_;  // by number; those being forgotten too
  std::uint32_t last_trunk_ = 0;
  std::map<LegId, std::unique_ptr<Errand>> errands_;
  SourceLimits source_limits_;
  su_root_t* root_ = nullptr;
  int wake_registration_ = -1;
  nua_t* nua_ = nullptr;
  bool stopping_ = false;
  bool nua_down_ = false;
  bool stop_requested_ = false;
  std::mutex join_mutex_;
  std::thread thread_;
};

}  // namespace linecheck::sip
