// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/shard.h"

#include <pthread.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/tport_tag.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "sip/clock.h"
#include "sip/message_parts.h"
#include "sip/wire_tap.h"

namespace linecheck::sip {
namespace {

constexpr unsigned kSocketBuffer = 4U << 20U;  // a burst of calls waits here while one is worked on
constexpr int kBindTries = 16;

/// The number of a trunk that Sofia carries; 0: the magic is a leg's, or none. See leg_ids.h: a leg's
/// generation is never 0.
std::uint32_t trunk_of(const void* magic) {
  const LegId id = leg_of(magic);
  return generation_of(id) == 0 ? slot_of(id) : 0;
}

unsigned ms(std::chrono::milliseconds value) {
  return static_cast<unsigned>(value.count());
}

}  // namespace

Shard::Shard(EndpointOptions options, Endpoint::Callback on_event)
    : options_(std::move(options)),
      callback_(std::move(on_event)),
      book_(options_.trace_limit,
            [this](const std::string& call_id, TraceBook::Note) {
              const auto found = by_call_id_.find(call_id);
              if (found == by_call_id_.end()) return;
              notes_.insert(notes_.end(), found->second.begin(), found->second.end());
              eventfd_write(wake_fd_, 1);
            }),
      around_{options_, book_, [this](Event&& event) { emit(std::move(event)); }},
      source_limits_(options_.source_calls_per_second) {
  const ListenAddress wanted = parse_listen(options_.listen);
  if (wanted.transport == "tls") tls_ = std::make_unique<TlsFolder>(options_.tls);
  if (!options_.external_address.empty() && !is_ip_address(options_.external_address))
    throw EndpointError("'" + options_.external_address + "' is not an IP address");
  sofia_init();
  if (!wire_tap_in_place())
    throw EndpointError("the SIP library does not call linecheck's trace hook: was it linked statically?");
  wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd_ < 0) throw EndpointError("eventfd: " + std::generic_category().message(errno));
  for (int attempt = 1;; ++attempt) {
    try {
      address_ = wanted;
      probe(address_);
      std::promise<std::string> started;
      auto outcome = started.get_future();
      thread_ = std::thread([this, promise = std::move(started)]() mutable { run(std::move(promise)); });
      const std::string problem = outcome.get();
      if (problem.empty()) return;
      thread_.join();
      // Between our probe and Sofia's bind somebody else may have taken a port that we chose.
      if (wanted.port != 0 || attempt == kBindTries) throw EndpointError(problem);
    } catch (...) {
      if (wanted.port != 0 || attempt == kBindTries) {
        ::close(wake_fd_);
        throw;
      }
    }
  }
}

Shard::~Shard() {
  shutdown();
  ::close(wake_fd_);
}

// ---- from other threads
// ---------------------------------------------------------------------------------------------

void Shard::post(Command command) {
  const std::lock_guard lock(queue_mutex_);
  if (closed_) return;
  queue_.push_back(std::move(command));
  if (queue_.size() == 1) eventfd_write(wake_fd_, 1);
}

void Shard::shutdown() {
  post(command::Shutdown{});
  const std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

// ---- the thread
// -------------------------------------------------------------------------------------------------------

void Shard::run(std::promise<std::string> started) {
  pthread_setname_np(pthread_self(), ("sip-" + options_.name).substr(0, 15).c_str());
  set_wire_sink(&book_);
  if (!start()) {
    if (root_ != nullptr) su_root_destroy(std::exchange(root_, nullptr));
    set_wire_sink(nullptr);
    started.set_value("Sofia-SIP cannot listen on " + address_.text());
    return;
  }
  started.set_value({});
  while (!stop_requested_) su_root_step(root_, 1000);
  stop();
  set_wire_sink(nullptr);
}

bool Shard::start() {
  root_ = su_root_create(this);
  if (root_ == nullptr) return false;
  su_root_threading(root_, 0);  // Sofia's agent on this thread, not on one of its own
  const std::string at = address_.bracketed() + ":" + std::to_string(address_.port);
  std::string told = at;
  // Sofia binds TLS for this scheme only.
  const std::string scheme = address_.transport == "tls" ? "sips:" : "sip:";
  std::string url = scheme + at;
  if (!options_.external_address.empty()) {
    // Sofia binds to maddr and tells peers the host (Via, Contact).
    const std::string& outside = options_.external_address;
    told =
        (outside.find(':') != std::string::npos && outside.front() != '[' ? "[" + outside + "]" : outside) +
        ":" + std::to_string(address_.port);
    url = scheme + told + ";maddr=" + address_.bracketed();
  }
  url += ";transport=" + address_.transport;
  const bool tls = tls_ != nullptr;
  const char* tls_folder = tls ? tls_->path().c_str() : "";
  const unsigned verify =
      options_.tls.verify ? TPTLS_VERIFY_OUT | TPTLS_VERIFY_SUBJECTS_OUT : TPTLS_VERIFY_NONE;
  const Timers& timers = options_.timers;
  const auto on_event_c = [](nua_event_t event, int status, const char* phrase, nua_t*, nua_magic_t* self,
                             nua_handle_t* handle, nua_hmagic_t* magic, const sip_t* sip,
                             tagi_t tags[]) noexcept {
    static_cast<Shard*>(self)->on_event(event, status, phrase, handle, magic, sip, tags);
  };
  nua_ = nua_create(
      root_, on_event_c, this, NUTAG_URL(url.c_str()),
      // We make our own descriptions; nothing is answered, rung, followed or dialled again by itself.
      NUTAG_MEDIA_ENABLE(0), NUTAG_AUTOANSWER(0), NUTAG_AUTOALERT(0), NUTAG_AUTOACK(1), NUTAG_AUTO100(1),
      NUTAG_AUTO302(0), NUTAG_AUTO305(0),
      NUTAG_OUTBOUND("no-outbound no-natify no-validate no-options-keepalive"), NUTAG_RETRY_COUNT(3),
      NUTAG_MAX_RETRY_AFTER(0), NUTAG_SESSION_TIMER(0), NUTAG_INVITE_TIMER(0),
      SIPTAG_ALLOW_STR("INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY, MESSAGE"),
      SIPTAG_SUPPORTED_STR("100rel, timer, replaces"), NUTAG_UPDATE_REFRESH(1), NUTAG_APPL_METHOD("INVITE"),
      NUTAG_APPL_METHOD("UPDATE"), NUTAG_APPL_METHOD("REFER"), NUTAG_APPL_METHOD("MESSAGE"),
      TAG_IF(tls, NUTAG_CERTIFICATE_DIR(tls_folder)), TAG_IF(tls, TPTAG_TLS_VERIFY_POLICY(verify)),
      TAG_IF(options_.dscp >= 0, TPTAG_TOS(options_.dscp << 2)),
      SIPTAG_USER_AGENT_STR(options_.user_agent.c_str()), NTATAG_UDP_MTU(65535), NTATAG_MERGE_482(1),
      NTATAG_CANCEL_2543(0), NTATAG_CANCEL_487(1), NTATAG_TIMER_C(0), NTATAG_SIP_T1(ms(timers.t1)),
      NTATAG_SIP_T2(ms(timers.t2)), NTATAG_SIP_T4(ms(timers.t4)), NTATAG_SIP_T1X64(ms(timers.transaction)),
      TPTAG_UDP_RMEM(kSocketBuffer), TPTAG_UDP_WMEM(kSocketBuffer), TPTAG_DUMP("/dev/null"),
      TAG_END());  // the dump switches our wire tap on
  if (nua_ == nullptr) return false;
  around_.root = root_;
  around_.nua = nua_;
  around_.handles = &handles_;
  around_.local_uri = "sip:linecheck@" + told;
  around_.transport = address_.transport;
  // Over TLS Sofia's own Contact has the scheme sips:, which asks for TLS on every hop beyond (RFC 5630):
  // ours does not.
  if (tls) around_.contact = "<sip:linecheck@" + told + ";transport=tls>";
  around_.on_timer = [](su_root_magic_t* self, su_timer_t* timer, su_timer_arg_t* magic) {
    auto& shard = *static_cast<Shard*>(self);
    if (const auto found = shard.trunks_.find(trunk_of(magic)); found != shard.trunks_.end()) {
      found->second->on_timer(timer);
      shard.sweep_trunks();
    } else {
      shard.with(leg_of(magic), [timer](Leg& leg) { leg.on_timer(timer); });
    }
  };
  su_wait_t wait[1] = {SU_WAIT_INIT};
  su_wait_create(wait, wake_fd_, SU_WAIT_IN);
  const auto on_wake = [](su_root_magic_t* self, su_wait_t*, su_wakeup_arg_t*) {
    static_cast<Shard*>(self)->drain();
    return 0;
  };
  wake_registration_ = su_root_register(root_, wait, on_wake, this, 0);
  return wake_registration_ > 0;
}

void Shard::step_until(const std::function<bool()>& done, std::int64_t deadline_ns) {
  while (!done() && mono_now_ns() < deadline_ns) su_root_step(root_, 20);
}

void Shard::stop() {
  stopping_ = true;
  std::vector<LegId> ids;
  for (const auto& [slot, leg] : legs_) ids.push_back(leg->id());
  for (const LegId id : ids) with(id, [](Leg& leg) { leg.hang_up("shutting down"); });
  for (const auto& [number, trunk] : trunks_) trunk->stop();
  sweep_trunks();
  // Each leg lets go after `settle` at the latest.
  const std::int64_t settle_ns = std::chrono::nanoseconds(options_.settle).count();
  step_until([this] { return legs_.empty() && trunks_.empty(); }, mono_now_ns() + settle_ns + 1'000'000'000);
  trunks_.clear();
  for (const auto& [id, errand] : errands_) errand->abandon();
  errands_.clear();
  ids.clear();
  for (const auto& [slot, leg] : legs_) ids.push_back(leg->id());
  for (const LegId id : ids) with(id, [](Leg& leg) { leg.abandon(); });
  {
    const std::lock_guard lock(queue_mutex_);
    closed_ = true;
  }
  drain();

  nua_shutdown(nua_);
  // Sofia gives up by itself after 30 s; destroying it before it says so would be an assertion.
  step_until([this] { return nua_down_; }, mono_now_ns() + 40'000'000'000);
  if (nua_down_) nua_destroy(nua_);
  nua_ = nullptr;
  su_root_deregister(root_, wake_registration_);
  su_root_destroy(root_);
  root_ = nullptr;
}

// ---- commands
// -----------------------------------------------------------------------------------------------------------

void Shard::drain() {
  eventfd_t ignored = 0;
  eventfd_read(wake_fd_, &ignored);
  std::vector<Command> commands;
  {
    const std::lock_guard lock(queue_mutex_);
    commands.swap(queue_);
  }
  for (Command& command : commands) execute(std::move(command));
  for (const LegId id : std::exchange(notes_, {})) with(id, [](Leg& leg) { leg.on_note(); });
}

void Shard::execute(Command&& command) {
  if (auto* request = std::get_if<DialRequest>(&command)) {
    dial(std::move(*request));
  } else if (const auto* ring = std::get_if<command::Ring>(&command)) {
    with(ring->leg, [&](Leg& leg) { leg.ring(ring->status, ring->sdp); });
  } else if (const auto* accept = std::get_if<command::Accept>(&command)) {
    with(accept->leg, [&](Leg& leg) { leg.accept(accept->sdp, accept->headers, accept->capabilities); });
  } else if (const auto* reject = std::get_if<command::Reject>(&command)) {
    with(reject->leg, [&](Leg& leg) { leg.reject(reject->status, reject->phrase, reject->reason); });
  } else if (const auto* hang = std::get_if<command::HangUp>(&command)) {
    hang_up(*hang);
  } else if (const auto* info = std::get_if<command::SendInfo>(&command)) {
    with(info->leg, [&](Leg& leg) { leg.send_info(info->content_type, info->body); });
  } else if (const auto* refer = std::get_if<command::Refer>(&command)) {
    with(refer->leg, [&](Leg& leg) { leg.refer(refer->target_uri); });
  } else if (const auto* notify = std::get_if<command::NotifyTransfer>(&command)) {
    with(notify->leg, [&](Leg& leg) { leg.notify_transfer(notify->status); });
  } else if (auto* trunk = std::get_if<TrunkOptions>(&command)) {
    watch(std::move(*trunk));
  } else if (const auto* old = std::get_if<command::ForgetTrunk>(&command)) {
    forget(old->name);
  } else if (auto* loose = std::get_if<LooseRequest>(&command)) {
    run_errand(std::move(*loose));
  } else if (auto* allow = std::get_if<command::Allow>(&command)) {
    options_.allow = std::move(allow->list);
  } else {
    stop_requested_ = true;
  }
}

void Shard::dial(DialRequest&& request) {
  const LegId id = request.id;
  if (id == 0 || generation_of(id) == 0 || find(id) != nullptr || is_over(id)) return;
  add(id);
  with(id, [&](Leg& leg) {
    if (given_up_.erase(id) > 0) return leg.refuse(FailureKind::cancelled, "hung up before it was dialled");
    if (stopping_) return leg.refuse(FailureKind::cancelled, "the endpoint is shutting down");
    leg.dial(std::move(request));
    if (!leg.call_id().empty()) by_call_id_[leg.call_id()].push_back(id);
  });
}

void Shard::hang_up(const command::HangUp& command) {
  if (find(command.leg) != nullptr) {
    with(command.leg, [&](Leg& leg) { leg.hang_up(command.reason); });
  } else if (command.leg != 0 && !is_over(command.leg)) {
    given_up_.insert(command.leg);  // it overtook its dial(), which must not go out any more
  }
}

// ---- legs
// ---------------------------------------------------------------------------------------------------------------

Leg* Shard::find(LegId id) const {
  const auto found = legs_.find(slot_of(id));
  return found != legs_.end() && found->second->id() == id ? found->second.get() : nullptr;
}

bool Shard::is_over(LegId id) const {
  const auto found = over_.find(slot_of(id));
  return found != over_.end() && generation_of(id) <= found->second;
}

Leg& Shard::add(LegId id) {
  auto& leg = legs_[slot_of(id)];
  leg = std::make_unique<Leg>(around_, id);
  return *leg;
}

template <class Work>
void Shard::with(LegId id, Work work) {
  Leg* leg = find(id);
  if (leg == nullptr) return;
  work(*leg);
  if (leg->finished()) remove(id);
}

void Shard::remove(LegId id) {
  const auto found = legs_.find(slot_of(id));
  if (const auto filed = by_call_id_.find(found->second->call_id()); filed != by_call_id_.end()) {
    std::erase(filed->second, id);
    if (filed->second.empty()) by_call_id_.erase(filed);
  }
  legs_.erase(found);
  over_[slot_of(id)] = generation_of(id);
  ids_.release(id);
}

void Shard::emit(Event&& event) {
  try {
    callback_(std::move(event));
  } catch (...) {
    exceptions_.fetch_add(1, std::memory_order_relaxed);
  }
}

// ---- Sofia's events
// -------------------------------------------------------------------------------------------------------

void Shard::on_event(nua_event_t event, int status, const char* phrase, nua_handle_t* handle,
                     nua_hmagic_t* magic, const sip_t* sip, tagi_t* tags) {
  if (event == nua_r_shutdown) {
    if (status >= 200) nua_down_ = true;
    return;
  }
  if (handle == nullptr) return;
  if (const auto trunk = trunks_.find(trunk_of(magic)); trunk != trunks_.end()) {
    trunk->second->on_event(event, status, phrase != nullptr ? phrase : "", sip);
    return sweep_trunks();
  }
  if (const auto errand = errands_.find(leg_of(magic)); errand != errands_.end()) {
    errand->second->on_event(status, phrase != nullptr ? phrase : "", sip);
    return sweep_errand(leg_of(magic));
  }
  if (magic != nullptr) {
    with(leg_of(magic), [&](Leg& leg) {
      // A leg that was redirected has left a handle behind, whose last events are nobody's.
      if (leg.owns(handle)) leg.on_event(event, status, phrase, sip, tags);
    });
    return;
  }
  if (event == nua_i_invite && status < 200 && sip != nullptr) return on_new_call(handle, sip);
  // A request outside any call (OPTIONS, INFO), answered by Sofia, or the rest of a call that was refused
  // below. Its handle is ours to destroy all the same.
  const Handle owned(handle, &handles_);
  // Nobody is called, nor told anything, at a stranger's request.
  if (event == nua_i_refer && status < 200)
    nua_respond(handle, SIP_403_FORBIDDEN, NUTAG_WITH_THIS(nua_), TAG_END());
  if (event == nua_i_message && status < 200)
    nua_respond(handle, SIP_405_METHOD_NOT_ALLOWED, NUTAG_WITH_THIS(nua_), TAG_END());
}

void Shard::on_new_call(nua_handle_t* handle, const sip_t* sip) {
  Handle owned(handle, &handles_);
  const std::string source = sip->sip_call_id != nullptr && sip->sip_call_id->i_id != nullptr
                                 ? book_.source(sip->sip_call_id->i_id)
                                 : "";
  const std::string address = host_of_address(source);
  if (!options_.accept_incoming)
    return refuse_call(handle, sip, SIP_403_FORBIDDEN, "nobody is called here", source);
  if (stopping_) return refuse_call(handle, sip, SIP_503_SERVICE_UNAVAILABLE, "shutting down", source);
  if (!options_.sources.empty() &&
      std::none_of(options_.sources.begin(), options_.sources.end(),
                   [&](const Network& network) { return network.contains(address); }))
    return refuse_call(handle, sip, SIP_403_FORBIDDEN, address + " may not call here", source);
  if (!source_limits_.admit(address, mono_now_ns()))
    return refuse_call(handle, sip, SIP_503_SERVICE_UNAVAILABLE, "too many calls a second from " + address,
                       source);
  const LegId id = ids_.reserve();
  add(id);
  with(id, [&](Leg& leg) {
    leg.take(std::move(owned), sip);
    by_call_id_[leg.call_id()].push_back(id);
  });
}

void Shard::refuse_call(nua_handle_t* handle, const sip_t* sip, int status, const char* phrase,
                        const std::string& reason, const std::string& source) {
  const std::string value = reason_value(status, reason);
  nua_respond(handle, status, phrase, SIPTAG_REASON_STR(value.c_str()),
              TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("1")), TAG_END());
  CallRefused refused;
  refused.status = status;
  refused.reason = reason;
  refused.source = source;
  if (sip->sip_request != nullptr) refused.request_user = user_of(sip->sip_request->rq_url);
  if (sip->sip_from != nullptr) refused.from_user = user_of(sip->sip_from->a_url);
  emit(Event{0, mono_now_ns(), std::move(refused)});
}

// ---- requests outside calls
// ---------------------------------------------------------------------------------------------

void Shard::run_errand(LooseRequest&& request) {
  const LegId id = request.id;
  if (id == 0 || generation_of(id) == 0 || find(id) != nullptr || is_over(id) || errands_.contains(id))
    return;
  if (stopping_) return emit(Event{id, mono_now_ns(), RequestAnswered{0, "the endpoint is shutting down"}});
  auto& errand = errands_[id];
  errand = std::make_unique<Errand>(around_, std::move(request));
  errand->start();
  sweep_errand(id);
}

void Shard::sweep_errand(LegId id) {
  const auto found = errands_.find(id);
  if (found == errands_.end() || !found->second->over()) return;
  errands_.erase(found);
  over_[slot_of(id)] = generation_of(id);
  ids_.release(id);
}

// ---- trunks
// -------------------------------------------------------------------------------------------------------

void Shard::watch(TrunkOptions&& options) {
  if (stopping_) return;
  forget(options.name);
  const std::uint32_t number = ++last_trunk_;
  auto& trunk = trunks_[number];
  trunk = std::make_unique<TrunkWatch>(around_, number, std::move(options));
  trunk->start();
}

void Shard::forget(const std::string& name) {
  for (const auto& [number, trunk] : trunks_)
    if (trunk->trunk() == name) trunk->stop();
  sweep_trunks();
}

void Shard::sweep_trunks() {
  std::erase_if(trunks_, [](const auto& entry) { return entry.second->quiet(); });
}

}  // namespace linecheck::sip
