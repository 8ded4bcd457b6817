// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/admission.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace linecheck::scheduler {

namespace {

// A rate so low that its next start is centuries away must not overflow the timeline.
constexpr long double kFarthestNs = 4e18L;

}  // namespace

// ---- pacing ----

StartSchedule::StartSchedule(std::optional<double> calls_per_second) : rate_(calls_per_second) {
}

std::int64_t StartSchedule::slot() const {
  const long double since = static_cast<long double>(n_) * 1e9L / static_cast<long double>(*rate_);
  return *anchor_ + static_cast<std::int64_t>(std::min(since, kFarthestNs) + 0.5L);
}

std::int64_t StartSchedule::earliest(std::int64_t now) const {
  if (!rate_ || !anchor_) return now;
  return std::max(now, slot());
}

void StartSchedule::take(std::int64_t start) {
  last_ = start;
  const bool rested = std::exchange(resting_, false);
  if (rate_ && anchor_) {
    const std::int64_t exact = slot();
    if (start <= exact) {
      ++n_;
      return;
    }
    if (start - exact > kLateNs && !rested) ++late_;
  }
  anchor_ = start;
  n_ = 1;
}

void StartSchedule::set_rate(std::optional<double> calls_per_second) {
  if (calls_per_second == rate_) return;
  rate_ = calls_per_second;
  if (!anchor_) return;
  anchor_ = last_;
  n_ = 1;
}

std::optional<HeldBy> LateStarts::started(std::int64_t exact_ns, std::int64_t due_ns, HeldBy held_by,
                                          std::int64_t actual_ns) {
  ++total_;
  const std::int64_t by = actual_ns - exact_ns;
  worst_ns_ = std::max(worst_ns_, by);
  if (by <= StartSchedule::kLateNs) return std::nullopt;
  const HeldBy cause = due_ns - exact_ns > StartSchedule::kLateNs ? held_by : HeldBy::engine;
  late_.count(cause);
  return cause;
}

// ---- admission ----

void Admission::Gate::set(const Limits& changed) {
  limits = changed;
  schedule.set_rate(changed.calls_per_second);
}

bool Admission::Gate::full() const {
  return limits.max_calls && in_use >= *limits.max_calls;
}

Admission::Entry::Entry(const Result& result)
    : about(result), numbers(result.mode, result.reuse_numbers, result.numbers) {
  gate.set(result.limits);
  if (!result.load) return;
  load.emplace(*result.load, result.load_saved);
  told = result.load_saved;
}

bool Admission::Entry::has_work() const {
  return !cancelled && (about.cursor < about.total || !put_back.empty());
}

bool Admission::Entry::open() const {
  return has_work() && !about.held && !gate.full() && !trunk->full() && numbers.available();
}

const Admission::Entry* Admission::find(std::int64_t result) const {
  const auto it = results_.find(result);
  return it == results_.end() ? nullptr : it->second.get();
}

Admission::Entry* Admission::find(std::int64_t result) {
  const auto it = results_.find(result);
  return it == results_.end() ? nullptr : it->second.get();
}

Admission::Gate& Admission::trunk_gate(const std::string& trunk) {
  std::unique_ptr<Gate>& gate = trunks_[trunk];
  if (!gate) gate = std::make_unique<Gate>();
  return *gate;
}

void Admission::note_work(Entry& entry) {
  if (entry.has_work()) {
    with_work_[entry.about.id] = &entry;
  } else {
    with_work_.erase(entry.about.id);
  }
}

void Admission::set_global(const Limits& limits) {
  global_.set(limits);
}

void Admission::set_trunk(const std::string& trunk, const Limits& limits) {
  trunk_gate(trunk).set(limits);
}

void Admission::set_result(std::int64_t result, const Limits& limits) {
  if (Entry* entry = find(result)) entry->gate.set(limits);
}

void Admission::set_priority(std::int64_t result, int priority) {
  if (Entry* entry = find(result)) entry->about.priority = priority;
}

void Admission::add(const Result& result) {
  auto entry = std::make_unique<Entry>(result);
  entry->trunk = &trunk_gate(result.trunk);
  if (auto kept = schedules_kept_.extract(result.id)) {
    entry->gate.schedule = kept.mapped();
    entry->gate.schedule.set_rate(result.limits.calls_per_second);
  }
  note_work(*entry);
  results_[result.id] = std::move(entry);
}

void Admission::cancel(std::int64_t result) {
  if (Entry* entry = find(result)) {
    entry->cancelled = true;
    note_work(*entry);
  }
}

void Admission::hold(std::int64_t result, bool held) {
  if (Entry* entry = find(result)) {
    entry->about.held = held;
    entry->gate.schedule.rest();
  }
}

void Admission::set_not_before(std::int64_t result, std::int64_t not_before_ns) {
  if (Entry* entry = find(result)) entry->about.not_before_ns = not_before_ns;
}

void Admission::remove(std::int64_t result) {
  with_work_.erase(result);
  results_.erase(result);
}

std::int64_t Admission::paced(const Entry& entry, std::int64_t now) const {
  return std::max({entry.gate.schedule.earliest(now), entry.trunk->schedule.earliest(now),
                   global_.schedule.earliest(now), entry.about.not_before_ns});
}

std::optional<Admission::Start> Admission::start_of(const Entry& entry, std::int64_t now) const {
  Start start;
  start.due = start.exact = paced(entry, now);
  // A call that was put back has had its place: it takes none from the others.
  if (!entry.load || (!entry.put_back.empty() && (entry.load->arrivals() || entry.load->over(now)))) {
    return start;
  }
  const auto next = entry.load->next(now, entry.gate.in_use);
  if (!next) return std::nullopt;
  start.due = std::max(start.due, *next);
  start.exact = entry.load->arrivals() ? *next : start.due;
  return start;
}

// ---- load shapes ----

std::optional<HeldBy> Admission::obstacle(const Entry& entry) const {
  if (entry.gate.full()) return HeldBy::result_cap;
  if (entry.trunk->full()) return HeldBy::trunk_cap;
  if (global_.full()) return HeldBy::global_cap;
  if (!entry.numbers.available()) return HeldBy::caller_numbers;
  return std::nullopt;
}

void Admission::follow_loads(std::int64_t now, std::int64_t ahead) {
  std::vector<Entry*> entries;  // closing one takes it out of the map
  for (const auto& [id, entry] : with_work_) {
    if (entry->load) entries.push_back(entry);
  }
  for (Entry* entry : entries) follow_load(*entry, now, ahead);
}

// Sets a shape's clock going, drops the slots that can't be used in time, and sees its end.
void Admission::follow_load(Entry& entry, std::int64_t now, std::int64_t ahead) {
  LoadSchedule& load = *entry.load;
  if (entry.about.held) {
    load.stand_still(now);
    return;
  }
  // The first start is due once there was time to prepare it, as for every other.
  if (!load.running()) {
    if (now + ahead < entry.about.not_before_ns) return;
    load.run(std::max(now + ahead, entry.about.not_before_ns));
  }
  const auto obstacle_now = obstacle(entry);
  const auto until_now = std::exchange(entry.was_in_way, obstacle_now);
  while (load.arrivals() && !load.over(now)) {
    const std::int64_t slot = *load.next(now, 0);
    if (slot > now + ahead) break;
    const std::int64_t deadline = load.deadline();
    const std::int64_t due = std::max(paced(entry, now), slot);
    if (due <= deadline) {
      if (obstacle_now) {
        entry.held_by = obstacle_now;
      } else if (!entry.held_by && due > slot) {
        entry.held_by = due > now ? HeldBy::calls_per_second : until_now;
      }
      break;
    }
    const HeldBy waited_for = entry.held_by.value_or(until_now.value_or(HeldBy::engine));
    load.drop(now > deadline ? waited_for : HeldBy::calls_per_second);
  }
  if (!load.over(now) || entry.about.cursor >= entry.about.total) return;
  entry.about.total = entry.about.cursor;
  entry.closed = true;
  note_work(entry);
}

std::vector<LoadNews> Admission::load_news(std::int64_t now) {
  std::vector<LoadNews> news;
  for (const auto& [id, entry] : results_) {
    if (!entry->load) continue;
    LoadNews one;
    one.result = id;
    one.saved = entry->load->saved(now);
    if (entry->closed) one.closed = entry->about.cursor;
    const bool slots = one.saved.slots != entry->told.slots;
    const bool moved = one.saved.position_ns - entry->told.position_ns >= LoadSchedule::kLatestNs;
    if (!slots && !moved && !one.closed) continue;
    entry->told = one.saved;
    entry->closed = false;
    news.push_back(std::move(one));
  }
  return news;
}

// The earliest start wins before everything else: were a call with a later start taken first, the shared
// schedules would move to that start and hold back the ones that could go before it.
Admission::Entry* Admission::pick(std::int64_t now, std::int64_t until) const {
  Entry* best = nullptr;
  std::tuple<std::int64_t, int, int, std::uint64_t> best_rank;
  for (const auto& [id, entry] : with_work_) {
    if (!entry->open()) continue;
    const auto start = start_of(*entry, now);
    if (!start || start->due > until) continue;
    const std::tuple rank{start->due, -entry->about.priority, entry->gate.in_use, entry->served};
    if (!best || rank < best_rank) {
      best = entry;
      best_rank = rank;
    }
  }
  return best;
}

std::vector<Admitted> Admission::admit(std::int64_t now, std::int64_t ahead, std::size_t max) {
  std::vector<Admitted> admitted;
  follow_loads(now, ahead);
  while (admitted.size() < max && !global_.full()) {
    Entry* entry = pick(now, now + ahead);
    if (!entry) break;
    const Start start = *start_of(*entry, now);
    Admitted call;
    call.result = entry->about.id;
    call.due_ns = start.due;
    call.exact_ns = start.exact;
    call.held_by = std::exchange(entry->held_by, std::nullopt).value_or(HeldBy::engine);
    if (entry->by_load()) entry->load->take();
    if (entry->put_back.empty()) {
      call.index = entry->about.cursor++;
    } else {
      call.index = *entry->put_back.begin();
      entry->put_back.erase(entry->put_back.begin());
    }
    call.number = entry->numbers.take(call.index);
    entry->served = ++admissions_;
    for (Gate* gate : {&entry->gate, entry->trunk, &global_}) {
      ++gate->in_use;
      gate->schedule.take(call.due_ns);
    }
    note_work(*entry);
    admitted.push_back(call);
    follow_loads(now, ahead);  // what paces or fills up for one holds back the others
  }
  return admitted;
}

std::optional<std::int64_t> Admission::retry_at(std::int64_t now, std::int64_t ahead) const {
  std::optional<std::int64_t> earliest;
  const auto at = [&earliest](std::int64_t when) {
    if (!earliest || when < *earliest) earliest = when;
  };
  for (const auto& [id, entry] : with_work_) {
    // A shape ends whether its calls find a line or not. Once it has, calls that were put back may be left.
    const bool goes_on = entry->load && entry->about.cursor < entry->about.total;
    const auto end = goes_on ? entry->load->ends_at() : std::nullopt;
    if (end) at(*end);
    if (global_.full() || !entry->open()) continue;
    if (entry->load && !entry->load->running()) {
      at(entry->about.not_before_ns - ahead);
    } else if (const auto start = start_of(*entry, now)) {
      at(start->due - ahead);
    }
  }
  if (!earliest) return std::nullopt;
  return std::max(now, *earliest);
}

void Admission::line_free(std::int64_t result, std::uint32_t number) {
  Entry* entry = find(result);
  if (!entry) return;
  for (Gate* gate : {&entry->gate, entry->trunk, &global_}) --gate->in_use;
  entry->numbers.give_back(number);
}

void Admission::line_taken(std::int64_t result, std::uint32_t number) {
  Entry* entry = find(result);
  if (!entry) return;
  for (Gate* gate : {&entry->gate, entry->trunk, &global_}) ++gate->in_use;
  entry->numbers.take_back(number);
}

void Admission::requeue(std::int64_t result, std::uint64_t index) {
  Entry* entry = find(result);
  if (!entry) return;
  entry->put_back.insert(index);
  note_work(*entry);
}

std::uint64_t Admission::cursor(std::int64_t result) const {
  const Entry* entry = find(result);
  return entry ? entry->about.cursor : 0;
}

std::uint64_t Admission::waiting(std::int64_t result) const {
  const Entry* entry = find(result);
  return entry ? entry->about.total - entry->about.cursor + entry->put_back.size() : 0;
}

int Admission::in_progress(std::int64_t result) const {
  const Entry* entry = find(result);
  return entry ? entry->gate.in_use : 0;
}

int Admission::in_progress_on(const std::string& trunk) const {
  const auto it = trunks_.find(trunk);
  return it == trunks_.end() ? 0 : it->second->in_use;
}

int Admission::in_progress() const {
  return global_.in_use;
}

std::uint64_t Admission::late_starts(std::int64_t result) const {
  const Entry* entry = find(result);
  return entry ? entry->gate.schedule.late() : 0;
}

void Admission::reset() {
  for (const auto& [id, entry] : results_) schedules_kept_[id] = entry->gate.schedule;
  with_work_.clear();
  results_.clear();
  for (const auto& [name, gate] : trunks_) {
    gate->in_use = 0;
    gate->set({});
  }
  global_.in_use = 0;
  global_.set({});
}

}  // namespace linecheck::scheduler
