// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which call may start, and when: every cap at once.
//
// A call starts only when its result's cap, its trunk's channels, the global cap, the calls per second of all
// three and a free caller number allow it together. Nothing is held while waiting for the rest: a call that a
// full trunk keeps back occupies nobody's slot, so other trunks' calls pass it by.
//
// Pure logic: no threads, no database, no clock of its own. Times are nanoseconds on the store's timeline
// (Moment in job_store.h) and are handed in, so that tests run in virtual time. A job store wraps it in its
// own lock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scheduler/load.h"
#include "scheduler/numbers.h"

namespace linecheck::scheduler {

/// Caps of a result, a trunk or everything; nullopt: no cap.
struct Limits {
  std::optional<int> max_calls;            ///< calls in progress, claimed ones included; 0 lets nothing start
  std::optional<double> calls_per_second;  ///< > 0
};

/// Exact start times for a rate: start n is at anchor + n / rate, computed afresh for each n so that rounding
/// never adds up. The rate is a cap: two starts are never closer than 1 / rate. Where a start comes later
/// than its slot (the other caps held it back, or nobody asked in time) the schedule continues from the
/// actual start, and never catches up.
class StartSchedule {
 public:
  /// A start this much after its slot counts as late.
  static constexpr std::int64_t kLateNs = 20'000'000;

  /// nullopt: no rate, every start may be at once.
  explicit StartSchedule(std::optional<double> calls_per_second = std::nullopt);

  /// The next start, at `now` or later.
  [[nodiscard]] std::int64_t earliest(std::int64_t now) const;
  /// Uses up the next slot for a start at `start`, which must not be before earliest().
  void take(std::int64_t start);
  /// A new rate from the last start on.
  void set_rate(std::optional<double> calls_per_second);

  /// Nobody wants to start for a while (a pause): the next start is not late, however long it takes.
  void rest() { resting_ = true; }

  /// Starts that were taken more than kLateNs after their slot, the first one aside.
  [[nodiscard]] std::uint64_t late() const { return late_; }
  [[nodiscard]] std::optional<double> rate() const { return rate_; }

 private:
  [[nodiscard]] std::int64_t slot() const;

  std::optional<double> rate_;
  std::optional<std::int64_t> anchor_;  ///< none before the first start
  std::uint64_t n_ = 0;                 ///< slots since the anchor
  std::int64_t last_ = 0;               ///< the last start
  bool resting_ = false;
  std::uint64_t late_ = 0;
};

/// How late starts really were, against their exact time: the dispatcher notes each INVITE here.
class LateStarts {
 public:
  /// `due_ns`: when it was to start, at `exact_ns` or later because of `held_by`. Where it was late: why.
  std::optional<HeldBy> started(std::int64_t exact_ns, std::int64_t due_ns, HeldBy held_by,
                                std::int64_t actual_ns);
  /// Those that an earlier process counted.
  void before(const HeldStarts& late) { late_ = late; }

  [[nodiscard]] std::uint64_t total() const { return total_; }
  /// More than StartSchedule::kLateNs after the exact time.
  [[nodiscard]] std::uint64_t late() const { return late_.total(); }
  [[nodiscard]] const HeldStarts& causes() const { return late_; }
  [[nodiscard]] std::int64_t worst_ns() const { return worst_ns_; }

 private:
  std::uint64_t total_ = 0;
  HeldStarts late_;
  std::int64_t worst_ns_ = 0;
};

/// A call that may start.
struct Admitted {
  std::int64_t result = 0;
  std::uint64_t index = 0;  ///< in the result's plan
  std::int64_t due_ns = 0;
  std::int64_t exact_ns = 0;        ///< where its load shape has it; else due_ns
  HeldBy held_by = HeldBy::engine;  ///< why due_ns is later
  std::uint32_t number = 0;         ///< index into the result's caller numbers
};

/// Where a load shape stands.
struct LoadNews {
  std::int64_t result = 0;
  LoadSchedule::Saved saved;
  /// The shape is over: so many calls have been admitted, and there are no others.
  std::optional<std::uint64_t> closed;
};

/// All results that have calls left, and every cap that holds them.
///
/// - add() a result, admit() calls as their time comes near, line_free() when a call has ended.
/// - Among calls that may start at the same time the higher priority goes first; then the result with the
/// fewest calls
///   in progress; then the one served longest ago. So a small job beside a huge one starts with the next free
///   line.
/// - admit() costs one pass over the results with calls left for each call admitted.
class Admission {
 public:
  struct Result {
    std::int64_t id = 0;
    std::string trunk;
    Limits limits;
    int priority = 0;
    std::uint64_t total = 0;
    std::uint64_t cursor = 0;  ///< plan indices below it have been admitted before
    NumberMode mode = NumberMode::same_number;
    bool reuse_numbers = false;
    std::size_t numbers = 0;
    bool held = false;  ///< paused
    std::optional<LoadShape> load;
    LoadSchedule::Saved load_saved;
    std::int64_t not_before_ns = INT64_MIN;  ///< no start before it
  };

  void set_global(const Limits& limits);
  void set_trunk(const std::string& trunk, const Limits& limits);
  void set_result(std::int64_t result, const Limits& limits);
  void set_priority(std::int64_t result, int priority);

  void add(const Result& result);
  /// No more calls of it are admitted; those in progress keep their slots until line_free().
  void cancel(std::int64_t result);
  void hold(std::int64_t result, bool held);
  /// For a start on the wall clock, which may be put forward or back meanwhile.
  void set_not_before(std::int64_t result, std::int64_t not_before_ns);
  /// Forgets a result without calls in progress.
  void remove(std::int64_t result);

  /// Up to `max` calls whose start is due by now + ahead, each with all its caps taken.
  std::vector<Admitted> admit(std::int64_t now, std::int64_t ahead, std::size_t max);
  /// What has changed with the load shapes since it was last asked: slots used and dropped, a second of their
  /// clock passed, the end.
  std::vector<LoadNews> load_news(std::int64_t now);
  /// When admit(now, ahead) is worth calling again if nothing else changes: `ahead` before the earliest start
  /// that only pacing holds back. nullopt: only a change (a call ended, a limit, a new result) can admit
  /// more.
  [[nodiscard]] std::optional<std::int64_t> retry_at(std::int64_t now, std::int64_t ahead) const;

  /// The call with this number has ended, or will not start.
  void line_free(std::int64_t result, std::uint32_t number);
  /// A call found in progress after a restart takes its caps, whatever the limits say.
  void line_taken(std::int64_t result, std::uint32_t number);
  /// Puts a plan index below the cursor back; it goes before the others.
  void requeue(std::int64_t result, std::uint64_t index);

  [[nodiscard]] std::uint64_t cursor(std::int64_t result) const;
  /// Calls never admitted yet plus those put back.
  [[nodiscard]] std::uint64_t waiting(std::int64_t result) const;
  [[nodiscard]] int in_progress(std::int64_t result) const;
  [[nodiscard]] int in_progress_on(const std::string& trunk) const;
  [[nodiscard]] int in_progress() const;
  [[nodiscard]] std::uint64_t late_starts(std::int64_t result) const;

  /// Forgets results, calls in progress and limits, but not the pace of any schedule (of results too, for
  /// when they are added again): for a store that reads itself anew after a failed write.
  void reset();

 private:
  struct Gate {
    Limits limits;
    StartSchedule schedule;
    int in_use = 0;

    void set(const Limits& changed);
    [[nodiscard]] bool full() const;
  };
  struct Entry {
    explicit Entry(const Result& result);

    Result about;
    Gate gate;
    Gate* trunk = nullptr;
    NumberPool numbers;
    std::set<std::uint64_t> put_back;
    bool cancelled = false;
    std::uint64_t served = 0;  ///< when it was served last, counted in admissions
    std::optional<LoadSchedule> load;
    LoadSchedule::Saved told;       ///< by load_news()
    std::optional<HeldBy> held_by;  ///< what the load's next start waits for
    std::optional<HeldBy>
        was_in_way;       ///< when its load was last looked at: until now, as nobody was told otherwise
    bool closed = false;  ///< by its load shape, and not told yet

    [[nodiscard]] bool has_work() const;
    [[nodiscard]] bool open() const;  ///< has work that only trunk, global cap or pacing can hold back
    /// The next call is one that its load shape has a place for.
    [[nodiscard]] bool by_load() const { return load && put_back.empty(); }
  };
  /// When a call may start, and when it should have.
  struct Start {
    std::int64_t due = 0;
    std::int64_t exact = 0;
  };

  [[nodiscard]] std::optional<Start> start_of(const Entry& entry, std::int64_t now) const;
  [[nodiscard]] std::int64_t paced(const Entry& entry, std::int64_t now) const;
  [[nodiscard]] std::optional<HeldBy> obstacle(const Entry& entry) const;
  void follow_loads(std::int64_t now, std::int64_t ahead);
  void follow_load(Entry& entry, std::int64_t now, std::int64_t ahead);
  [[nodiscard]] Entry* pick(std::int64_t now, std::int64_t until) const;
  [[nodiscard]] const Entry* find(std::int64_t result) const;
  [[nodiscard]] Entry* find(std::int64_t result);
  Gate& trunk_gate(const std::string& trunk);
  void note_work(Entry& entry);

  Gate global_;
  std::map<std::string, std::unique_ptr<Gate>> trunks_;  ///< pointers stay valid in Entry::trunk
  std::map<std::int64_t, std::unique_ptr<Entry>> results_;
  std::map<std::int64_t, Entry*> with_work_;
  std::map<std::int64_t, StartSchedule>
      schedules_kept_;  ///< of forgotten results, for when they are added again
  std::uint64_t admissions_ = 0;
};

}  // namespace linecheck::scheduler
