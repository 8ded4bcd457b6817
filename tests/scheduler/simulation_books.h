// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the world outside a job store knows: every answer that the store gave is entered here and held against
// all that it said before. What must never happen throws SimulationFailed.
//
// After a crash the store's tables are held against the books (Row, ResultRow): what was acknowledged as
// durable must be there, what was only ordered may be missing after a power cut but only from the end, and
// what failed or was never answered may be there or not. Then the books go on from what is there, and hold
// all that an opened store shows for durable.
//
// Times are those that the store is told: a reboot begins them anew.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "scheduler/job_store.h"

namespace linecheck::tests {

class SimulationFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Where a run is, as its row says; `state` as in the table `calls`.
struct Spot {
  enum State { none = -1, queued, leased, in_call, evaluating, done };
  int state = none;
  int attempt = 0;
  int dials = 0;
  bool operator==(const Spot&) const = default;
};

struct Row {
  Spot spot;
  std::string worker;
  std::string document;  ///< of its outcome, once it is done
  int lost = 0;          ///< how often, before
};

struct ResultRow {
  scheduler::ResultState state = scheduler::ResultState::active;
  std::uint64_t total = 0;
  std::string key;
  scheduler::RunId first_run_id = 0;
  scheduler::Limits limits;
  std::map<scheduler::RunId, Row> runs;
};

/// Everything that the store's tables say of results and runs.
using Survey = std::map<scheduler::ResultId, ResultRow>;

class SimulationBooks {
 public:
  struct Run {
    Spot at;
    std::vector<Spot> since;  ///< the way here from the last that is durable; never empty, `at` is its end
    std::vector<Spot> maybe;  ///< where unanswered writes may have put it
    std::string worker;
    std::string number;
    std::int64_t expires_ns = 0;
    bool dialled = false;  ///< since it was last queued with good reason
    int lost = 0;
    std::string document;
    std::set<std::string> maybe_documents;
  };
  struct Result {
    scheduler::RunSpec spec;
    scheduler::Created created;
    scheduler::ResultState state = scheduler::ResultState::active;
    std::set<scheduler::ResultState> maybe_states;
    std::vector<scheduler::Limits> maybe_limits;
    std::uint64_t total = 0;
    std::map<scheduler::RunId, Run> runs;
    bool start_passed = false;  ///< its start time, in this process
    bool over = false;
  };

  // ---- answers of the store; `now` is when it was asked

  void created(const scheduler::RunSpec& spec, const scheduler::Created& created);
  void claimed(std::int64_t now, std::int64_t wall_ms, const scheduler::ClaimRequest& request,
               const scheduler::Claim& claim);
  void begun(std::int64_t now, const scheduler::Lease& lease, scheduler::Begun begun);
  void ended(const scheduler::Lease& lease, bool answer);
  void completed(const scheduler::Lease& lease, const scheduler::Outcome& outcome,
                 const scheduler::Completion& completion);
  void released(const scheduler::Lease& lease, bool answer);
  void beaten(std::int64_t now, std::int64_t lease_ns, const std::vector<scheduler::Lease>& leases,
              const std::vector<scheduler::RunId>& lost);
  void reaped(std::int64_t now, const std::vector<scheduler::Reaped>& reaped);
  void controlled(scheduler::ResultId id, scheduler::Control what, const scheduler::Controlled& done);
  void limited(scheduler::LimitScope scope, const std::string& name, const scheduler::Limits& limits);
  void amended(scheduler::RunId run, int attempt, const std::string& document, bool answer);
  void forgotten(scheduler::ResultId id, bool answer);
  void heard(const std::vector<scheduler::Event>& events);

  // ---- the world

  void dialled(const scheduler::Lease& lease);

  // ---- what was asked for and not answered

  void maybe_created(const scheduler::RunSpec& spec);
  void maybe_claimed();
  void maybe_begun(const scheduler::Lease& lease);
  void maybe_ended(const scheduler::Lease& lease);
  void maybe_completed(const scheduler::Lease& lease, const scheduler::Outcome& outcome);
  void maybe_released(const scheduler::Lease& lease);
  void maybe_reaped(std::int64_t now);
  void maybe_controlled(scheduler::ResultId id, scheduler::Control what);
  void maybe_limited(const std::string& name, const scheduler::Limits& limits);
  void maybe_amended(scheduler::RunId run, const std::string& document);
  void maybe_forgotten(scheduler::ResultId id);

  /// Another process has opened the store.
  void restarted(bool power_was_cut, const Survey& survey);
  /// Nothing more will happen: every result is over, and the tables and the log say so.
  void check_end(const Survey& survey, const std::map<scheduler::ResultId, scheduler::Progress>& progress,
                 const std::vector<scheduler::Event>& log) const;

  [[nodiscard]] bool current(const scheduler::Lease& lease) const;
  [[nodiscard]] const std::map<scheduler::ResultId, Result>& results() const { return results_; }
  [[nodiscard]] bool all_over() const;

 private:
  [[nodiscard]] Result* result_of(scheduler::RunId run);
  [[nodiscard]] Run* find(const scheduler::Lease& lease);  ///< null: not, or no longer, this lease's
  static void move(Run& run, const Spot& to);
  void durable();
  [[nodiscard]] static bool is_over(const Result& result);
  void check_over(Result& result, bool said);
  void lease(std::int64_t now, std::int64_t wall_ms, const scheduler::ClaimRequest& request,
             const scheduler::Lease& lease);
  static void check_number(const Result& result, const scheduler::Lease& lease);
  void check_pace(const std::string& gate, const scheduler::Limits& limits, std::int64_t due);
  void check_caps(const std::vector<scheduler::Lease>& leases) const;
  void adopt(scheduler::ResultId id, Result& result, const ResultRow& row, bool power_was_cut);
  void adopt(scheduler::RunId id, Run& run, const Row& row, bool power_was_cut) const;

  std::map<scheduler::ResultId, Result> results_;
  std::map<std::string, scheduler::Limits> limits_;  ///< by trunk; "" is everything's
  std::map<std::string, std::int64_t> last_due_;     ///< by gate, of this process
  std::map<std::string, scheduler::RunSpec> maybe_new_;
  std::set<scheduler::ResultId> maybe_gone_;
  bool maybe_claim_ = false;
  std::vector<scheduler::Event> log_;  ///< as it was heard
  scheduler::RunId next_run_id_ = 1;
};

}  // namespace linecheck::tests
