// SPDX-License-Identifier: GPL-3.0-or-later
//
// A disk in memory for SQLite, which can do to it what disks do: be slow, be full, and forget in a power cut
// what was not synced. While it lives it is SQLite's default file system, for every name; on one thread.
//
// What a process has written is seen by the next one whether it was synced or not; a power cut keeps what was
// synced and, of the rest, any part: nothing, all, the beginning, or writes picked out of it and torn at a
// sector.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace linecheck::tests {

class SimulatedDisk {
 public:
  explicit SimulatedDisk(std::uint64_t seed);
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;
  ~SimulatedDisk();

  /// Each sync takes its time: called before it is done.
  void on_sync(std::function<void()> work);
  /// No file grows.
  void set_full(bool full);

  /// The process that uses it dies: from now on, or after so many more writes and syncs, nothing that is
  /// asked for is done, and all of it fails.
  void stop();
  void stop_after(int operations);
  [[nodiscard]] bool stopped() const;
  /// Loses what was not synced. While it is stopped, with all files closed.
  void cut_power();
  /// For the next process.
  void start_again();

  /// Since it was made.
  [[nodiscard]] std::uint64_t syncs() const;

  class Inside;

 private:
  std::unique_ptr<Inside> inside_;
};

}  // namespace linecheck::tests
