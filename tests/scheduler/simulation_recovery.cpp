// SPDX-License-Identifier: GPL-3.0-or-later
//
// What may be found after a crash, and what must be.
#include <algorithm>

#include "tests/scheduler/simulation_books.h"
#include "tests/scheduler/simulation_expect.h"

namespace linecheck::tests {

using namespace linecheck::scheduler;

namespace {

bool same(const Limits& a, const Limits& b) {
  return a.max_calls == b.max_calls && a.calls_per_second == b.calls_per_second;
}

bool is_end(ResultState state) {
  return state == ResultState::over || state == ResultState::cancelled;
}

/// Apart from whether it is over yet, which follows from its calls.
ResultState wanted(ResultState state) {
  return state == ResultState::cancelled ? ResultState::cancelling : state;
}

template <class Value>
bool among(const std::vector<Value>& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

// ---- asked for and not answered ----

void SimulationBooks::maybe_created(const RunSpec& spec) {
  maybe_new_[spec.idempotency_key] = spec;
}

void SimulationBooks::maybe_claimed() {
  maybe_claim_ = true;
}

void SimulationBooks::maybe_begun(const Lease& lease) {
  Run* run = find(lease);
  if (!run) return;
  run->maybe.push_back({Spot::in_call, run->at.attempt, run->at.dials + 1});
  run->maybe.push_back({Spot::queued, run->at.attempt, run->at.dials});  // its result was paused
}

void SimulationBooks::maybe_ended(const Lease& lease) {
  if (Run* run = find(lease)) run->maybe.push_back({Spot::evaluating, run->at.attempt, run->at.dials});
}

void SimulationBooks::maybe_completed(const Lease& lease, const Outcome& outcome) {
  Run* run = find(lease);
  if (!run) return;
  if (outcome.again && results_.at(lease.result_id).state != ResultState::cancelling) {
    const int dials = outcome.dialled ? run->at.dials : std::max(run->at.dials - 1, 0);
    run->maybe.push_back({Spot::queued, run->at.attempt, dials});
    return;
  }
  run->maybe.push_back({Spot::done, run->at.attempt, run->at.dials});
  run->maybe_documents.insert(outcome.document);
}

void SimulationBooks::maybe_released(const Lease& lease) {
  if (Run* run = find(lease)) run->maybe.push_back({Spot::queued, run->at.attempt, run->at.dials});
}

void SimulationBooks::maybe_reaped(std::int64_t now) {
  for (auto& [id, result] : results_) {
    for (auto& [run_id, run] : result.runs) {
      if (run.at.state == Spot::queued || run.at.state == Spot::done || now < run.expires_ns) continue;
      run.maybe.push_back({Spot::queued, run.at.attempt, run.at.dials});
      run.maybe.push_back({Spot::done, run.at.attempt, run.at.dials});
      run.maybe_documents.insert("");
    }
  }
}

void SimulationBooks::maybe_controlled(ResultId id, Control what) {
  const auto it = results_.find(id);
  if (it == results_.end() || it->second.over || it->second.state == ResultState::cancelling) return;
  Result& result = it->second;
  if (what == Control::pause) result.maybe_states.insert(ResultState::paused);
  if (what == Control::resume) result.maybe_states.insert(ResultState::active);
  if (what != Control::cancel) return;
  result.maybe_states.insert(ResultState::cancelling);
  for (auto& [run_id, run] : result.runs) {
    if (run.at.state != Spot::queued && run.at.state != Spot::leased) continue;
    run.maybe.push_back({Spot::done, run.at.attempt, run.at.dials});
    run.maybe_documents.insert("");
  }
}

void SimulationBooks::maybe_limited(const std::string& name, const Limits& limits) {
  const auto it = results_.find(std::stoll(name));
  if (it != results_.end()) it->second.maybe_limits.push_back(limits);
}

void SimulationBooks::maybe_amended(RunId run_id, const std::string& document) {
  if (Result* result = result_of(run_id)) result->runs.at(run_id).maybe_documents.insert(document);
}

void SimulationBooks::maybe_forgotten(ResultId id) {
  maybe_gone_.insert(id);
}

// ---- found ----

void SimulationBooks::restarted(bool power_was_cut, const Survey& survey) {
  for (const auto& [id, row] : survey) {
    if (results_.count(id)) continue;
    const auto spec = maybe_new_.find(row.key);
    expect(spec != maybe_new_.end(), "no result comes from nowhere");
    Created created;
    created.result_id = id;
    created.first_run_id = row.first_run_id;
    this->created(spec->second, created);
  }
  for (auto it = results_.begin(); it != results_.end();) {
    const auto row = survey.find(it->first);
    if (row == survey.end()) {
      expect(maybe_gone_.count(it->first) > 0, "a result that was accepted is there after a crash");
      it = results_.erase(it);
      continue;
    }
    adopt(it->first, it->second, row->second, power_was_cut);
    ++it;
  }
  maybe_new_.clear();
  maybe_gone_.clear();
  maybe_claim_ = false;
  last_due_.clear();
  durable();
}

void SimulationBooks::adopt(ResultId, Result& result, const ResultRow& row, bool power_was_cut) {
  for (const auto& [run_id, found] : row.runs) {
    Run& run = result.runs[run_id];
    if (run.since.empty()) run.since = {run.at};
  }
  for (auto it = result.runs.begin(); it != result.runs.end();) {
    const auto found = row.runs.find(it->first);
    adopt(it->first, it->second, found == row.runs.end() ? Row() : found->second, power_was_cut);
    it = it->second.at.state == Spot::none ? result.runs.erase(it) : std::next(it);
  }

  expect(row.total == result.total || (maybe_claim_ && result.spec.load && row.total == row.runs.size()),
         "a result has the calls that it had");
  result.total = row.total;

  const ResultState is = wanted(row.state);
  const ResultState was = wanted(result.state);
  const bool by_end = is == ResultState::over && was != ResultState::cancelling;
  expect(is == was || by_end || result.maybe_states.count(is) > 0,
         "a result is in the state that was acknowledged");
  result.state = row.state;
  result.over = false;
  expect(is_end(row.state) == is_over(result), "a result is over exactly when its calls are");
  result.over = is_end(row.state);

  expect(same(row.limits, result.spec.limits) ||
             std::any_of(result.maybe_limits.begin(), result.maybe_limits.end(),
                         [&](const Limits& limits) { return same(row.limits, limits); }),
         "a result has the limits that were acknowledged");
  result.spec.limits = row.limits;
  result.maybe_states.clear();
  result.maybe_limits.clear();
  result.start_passed = false;
}

// After kill -9 all that was answered is there; after a power cut all up to some point.
void SimulationBooks::adopt(RunId, Run& run, const Row& row, bool power_was_cut) const {
  const bool idle = run.at.state == Spot::none || run.at.state == Spot::queued;
  const bool claimed =
      maybe_claim_ && idle && row.spot == Spot{Spot::leased, run.at.attempt + 1, run.at.dials};
  const bool answered = power_was_cut ? among(run.since, row.spot) : row.spot == run.at;
  expect(answered || claimed || among(run.maybe, row.spot), "a call is where it was acknowledged to be");
  if (row.spot.state == Spot::done) {
    const bool as_answered = run.at.state == Spot::done && row.document == run.document;
    expect(as_answered || run.maybe_documents.count(row.document) > 0, "a call that is done has its outcome");
  } else if (run.at.state == Spot::in_call && row.spot.state == Spot::queued) {
    run.dialled = false;  // reaped, or to be made again: neither was answered
  } else if (run.at.state == Spot::evaluating && row.spot.state == Spot::queued) {
    run.dialled = false;
  }
  run.at = row.spot;
  run.since = {row.spot};
  run.maybe.clear();
  run.maybe_documents.clear();
  run.worker = row.worker;
  run.document = row.document;
  run.lost = row.lost;
  run.expires_ns = INT64_MIN;
}

// ---- at the end ----

void SimulationBooks::check_end(const Survey& survey, const std::map<ResultId, Progress>& progress,
                                const std::vector<Event>& log) const {
  expect(survey.size() == results_.size(), "the results that there should be, and no others");
  for (const auto& [id, result] : results_) {
    const ResultRow& row = survey.at(id);
    const Progress& counts = progress.at(id);
    const std::uint64_t kinds = counts.succeeded + counts.failed + counts.excused + counts.cancelled;
    expect(result.over && is_end(row.state), "every result is over");
    expect(counts.done == result.total && kinds == result.total, "every call is counted once");
    expect(row.runs.size() == result.runs.size(), "every call that was claimed has its row");
    for (const auto& [run_id, run] : result.runs) {
      const Row& found = row.runs.at(run_id);
      expect(found.spot == run.at && run.at.state == Spot::done, "every call is done");
      expect(found.document == run.document, "every call has its outcome");
    }
    if (result.spec.load && result.spec.load->arrivals() && row.state == ResultState::over)
      expect(result.total + counts.dropped_starts.total() == result.spec.total_calls,
             "every start of a shape was made or dropped");
  }
  std::map<std::pair<Event::Kind, std::int64_t>, int> once;
  std::int64_t last = 0;
  for (const Event& event : log) {
    expect(event.sequence > last, "the log is in order");
    last = event.sequence;
    switch (event.kind) {
      case Event::Kind::call_finished:
      case Event::Kind::call_lost:
        expect(++once[{Event::Kind::call_finished, event.run_id}] == 1, "a call ends once in the log");
        break;
      case Event::Kind::result_created:
      case Event::Kind::result_over:
        expect(++once[{event.kind, event.result_id}] == 1, "a result begins and ends once in the log");
        break;
      default:
        break;
    }
  }
  for (const auto& [id, result] : results_)
    expect(once[{Event::Kind::result_over, id}] == 1, "a result's end is in the log");
  auto now = log.begin();
  for (const Event& heard : log_) {
    now = std::find_if(now, log.end(), [&](const Event& event) { return event.sequence >= heard.sequence; });
    expect(now != log.end() && now->sequence == heard.sequence && now->kind == heard.kind &&
               now->run_id == heard.run_id && now->attempt == heard.attempt && now->detail == heard.detail,
           "what the log has told stands in it for good");
  }
}

}  // namespace linecheck::tests
