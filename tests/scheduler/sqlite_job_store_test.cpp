// SPDX-License-Identifier: GPL-3.0-or-later
//
// What can go wrong with a file: locked, damaged, newer, not permitted, full. (What every store must do is in
// job_store_conformance_test.cpp.)
#include "scheduler/sqlite_job_store.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/confined.h"
#include "tests/temporary_directory.h"

using namespace linecheck::scheduler;
using namespace linecheck::tests;
namespace fs = std::filesystem;

namespace {

Moment at(std::int64_t seconds) {
  return {seconds * 1'000'000'000, 1'700'000'000'000 + seconds * 1000};
}

RunSpec job(std::uint64_t calls) {
  RunSpec spec;
  spec.total_calls = calls;
  spec.trunk = "carrier";
  return spec;
}

ClaimRequest ask(std::size_t max) {
  ClaimRequest request;
  request.worker = "box";
  request.max = max;
  return request;
}

Outcome good(std::size_t document_bytes) {
  Outcome outcome;
  outcome.success = true;
  outcome.document = std::string(document_bytes, 'x');
  return outcome;
}

std::optional<StoreError::Kind> error_of(const std::function<void()>& work, std::string* message = nullptr) {
  try {
    work();
  } catch (const StoreError& error) {
    if (message) *message = error.what();
    return error.kind();
  }
  return std::nullopt;
}

std::optional<StoreError::Kind> opening(const std::string& path, std::string* message = nullptr) {
  return error_of([&] { SqliteJobStore store(path); }, message);
}

// No file of this process grows beyond `bytes` while this lives; writes fail as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    before_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_handler_);
  }

 private:
  rlimit before_{};
  void (*before_handler_)(int);
};

// Fills the store until it says that the disk is full, and answers how many calls it took by then.
int fill(SqliteJobStore& store, std::vector<Lease>& leases, std::optional<StoreError::Kind>& kind) {
  int done = 0;
  while (!leases.empty() && !kind) {
    kind = error_of([&] {
      if (store.begin_call(at(1), leases.back()) != Begun::yes && done > 0)
        throw std::logic_error("not begun");
      store.complete(at(2), leases.back(), good(20'000));
    });
    if (kind) break;
    leases.pop_back();
    ++done;
  }
  return done;
}

}  // namespace

TEST_CASE("one process at a time works on a file, and the next one may when it has gone") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("jobs.db");
  {
    SqliteJobStore store(path);
    std::string message;
    CHECK(opening(path, &message) == StoreError::Kind::locked);
    CHECK(message.find("another linecheck") != std::string::npos);
  }
  CHECK_FALSE(opening(path).has_value());
}

TEST_CASE("what cannot be opened says why and what to do") {
  const TemporaryDirectory directory;
  std::string message;
  CHECK(opening(directory.file("missing/jobs.db"), &message) == StoreError::Kind::cannot_open);
  CHECK(message.find("must exist") != std::string::npos);

  fs::create_directory(directory.path() / "folder.db");
  CHECK(opening(directory.file("folder.db")) == StoreError::Kind::cannot_open);

  std::ofstream(directory.file("letter.db")) << std::string(4096, 'A');
  CHECK(opening(directory.file("letter.db"), &message) == StoreError::Kind::corrupt);
  CHECK(message.find("move it away") != std::string::npos);

  CHECK(error_of([&] { Database db(directory.file("none.db"), Database::Mode::read_only); }) ==
        StoreError::Kind::cannot_open);
}

TEST_CASE("a file of a later version is left alone") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("jobs.db");
  { SqliteJobStore store(path); }
  {
    Database db(path, Database::Mode::read_write);
    db.execute("UPDATE schema_version SET version = 99 WHERE component = 'jobs'");
  }
  std::string message;
  CHECK(opening(path, &message) == StoreError::Kind::newer_schema);
  CHECK(message.find("99") != std::string::npos);
}

TEST_CASE("a directory or file that may not be written is a typed error") {
  const TemporaryDirectory directory;
  chmod(directory.path().c_str(), 0555);
  const Confined no_rights = as_nobody([&] {
    return opening(directory.file("jobs.db")) == StoreError::Kind::cannot_open ? Confined::passed
                                                                               : Confined::failed;
  });
  chmod(directory.path().c_str(), 0755);
  CHECK(no_rights != Confined::failed);

  { SqliteJobStore store(directory.file("jobs.db")); }
  chmod(directory.file("jobs.db").c_str(), 0444);
  chmod(directory.file("jobs.db.lock").c_str(), 0666);
  const Confined file_not_writable = as_nobody([&] {
    return opening(directory.file("jobs.db")) == StoreError::Kind::read_only ? Confined::passed
                                                                             : Confined::failed;
  });
  CHECK(file_not_writable != Confined::failed);

  const Confined read_only_disk = on_small_disk(directory.path(), "size=1m", MS_RDONLY, [&] {
    return opening(directory.file("jobs.db")) == StoreError::Kind::read_only ? Confined::passed
                                                                             : Confined::failed;
  });
  CHECK(read_only_disk != Confined::failed);
}

TEST_CASE("while somebody else writes, methods wait and then say so; nothing has happened by then") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("jobs.db");
  SqliteJobStore store(path, 20);
  RunSpec spec = job(5);
  spec.limits.max_calls = 2;
  const Created created = store.create_run(at(0), spec);
  Database other(path, Database::Mode::read_write);
  other.begin(Database::Durability::durable);
  CHECK(error_of([&] { store.create_run(at(0), job(1)); }) == StoreError::Kind::locked);
  CHECK(error_of([&] { store.claim(at(0), ask(10)); }) == StoreError::Kind::locked);
  CHECK(store.result(created.result_id)->progress.waiting == 5);  // readers go on
  other.rollback();

  const Claim claim = store.claim(at(0), ask(10));
  REQUIRE(claim.leases.size() == 2);
  CHECK(claim.leases[0].plan_index == 0);
  CHECK(claim.leases[0].attempt == 1);

  other.begin(Database::Durability::durable);
  CHECK(error_of([&] { store.begin_call(at(0), claim.leases[0]); }) == StoreError::Kind::locked);
  CHECK(error_of([&] { store.complete(at(0), claim.leases[1], good(1)); }) == StoreError::Kind::locked);
  CHECK(error_of([&] { store.control(at(0), created.result_id, Control::cancel); }) ==
        StoreError::Kind::locked);
  CHECK(error_of([&] { store.batch([&] { store.release(at(0), claim.leases[0]); }); }) ==
        StoreError::Kind::locked);
  other.rollback();

  CHECK(store.begin_call(at(0), claim.leases[0]) == Begun::yes);
  CHECK(store.claim(at(0), ask(10)).leases.empty());  // both lines are still taken
  CHECK(store.complete(at(0), claim.leases[1], good(1)).accepted);
  CHECK(store.claim(at(0), ask(10)).leases.size() == 1);
}

TEST_CASE("a failed write does not let the next calls start too early") {
  const TemporaryDirectory directory;
  SqliteJobStore store(directory.file("jobs.db"), 20);
  store.set_limit(at(0), LimitScope::trunk, "carrier", {.max_calls = {}, .calls_per_second = 0.5});
  RunSpec spec = job(2);
  spec.limits.calls_per_second = 0.1;
  store.create_run(at(0), spec);
  store.create_run(at(0), job(1));
  ClaimRequest far = ask(10);
  far.ahead = std::chrono::seconds(60);
  far.max = 1;
  REQUIRE(store.claim(at(0), far).leases[0].due_ns == at(0).mono_ns);
  Database other(directory.file("jobs.db"), Database::Mode::read_write);
  other.begin(Database::Durability::durable);
  CHECK(error_of([&] { store.create_run(at(0), job(1)); }) == StoreError::Kind::locked);
  other.rollback();
  far.max = 10;
  const Claim claim = store.claim(at(0), far);
  REQUIRE(claim.leases.size() == 2);
  CHECK(claim.leases[0].result_id == 2);
  CHECK(claim.leases[0].due_ns == at(2).mono_ns);  // the trunk's pace
  CHECK(claim.leases[1].result_id == 1);
  CHECK(claim.leases[1].due_ns == at(10).mono_ns);  // the result's own
}

TEST_CASE("a method that fails inside a batch fails the batch, also where the caller looks away") {
  const TemporaryDirectory directory;
  SqliteJobStore store(directory.file("jobs.db"));
  const Created created = store.create_run(at(0), job(2));
  const Claim claim = store.claim(at(0), ask(2));
  // A row that must not be there makes the second insert fail.
  {
    Database other(directory.file("jobs.db"), Database::Mode::read_write);
    other.query("INSERT INTO outcomes VALUES (?, 0, 0, '', 0, '', '', '')")
        .bind(claim.leases[1].run_id)
        .run();
  }
  CHECK_THROWS_AS(store.batch([&] {
    CHECK(store.complete(at(1), claim.leases[0], good(1)).accepted);
    CHECK_THROWS_AS(store.complete(at(1), claim.leases[1], good(1)), StoreError);
  }),
                  StoreError);
  CHECK(store.result(created.result_id)->progress.done == 0);
  CHECK(store.complete(at(1), claim.leases[0], good(1)).accepted);
}

TEST_CASE("a disk that fills loses nothing that was answered, and work goes on when there is space again") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("jobs.db");
  auto store = std::make_unique<SqliteJobStore>(path);
  const Created created = store->create_run(at(0), job(200));
  std::vector<Lease> leases = store->claim(at(0), ask(200)).leases;
  REQUIRE(leases.size() == 200);
  std::optional<StoreError::Kind> kind;
  int done = 0;
  {
    const FileSizeLimit limit(600'000);
    done = fill(*store, leases, kind);
    // SQLite knows only ENOSPC as a full disk: a file-size limit looks to it like a disk that fails.
    CHECK((kind == StoreError::Kind::disk_full || kind == StoreError::Kind::io));
    CHECK(done > 5);
    CHECK(done < 60);
    // Still readable, and every answer given is in it.
    CHECK(store->result(created.result_id)->progress.succeeded == static_cast<std::uint64_t>(done));
  }
  // The call that met the full disk may have begun; its completion was refused with an error and can be
  // repeated.
  kind.reset();
  const bool begun = store->begin_call(at(3), leases.back()) == Begun::yes;
  CHECK(store->complete(at(3), leases.back(), good(100)).accepted);
  (void)begun;
  leases.pop_back();
  done += 1 + fill(*store, leases, kind);
  CHECK_FALSE(kind.has_value());
  CHECK(done == 200);
  CHECK(store->result(created.result_id)->progress.state == ResultState::over);
  store.reset();
  CHECK_FALSE(opening(path).has_value());
}

TEST_CASE("a full file system is reported as one") {
  const TemporaryDirectory directory;
  const Confined full = on_small_disk(directory.path(), "size=512k", 0, [&] {
    SqliteJobStore store(directory.file("jobs.db"));
    store.create_run(at(0), job(100));
    std::vector<Lease> leases = store.claim(at(0), ask(100)).leases;
    std::optional<StoreError::Kind> kind;
    fill(store, leases, kind);
    return kind == StoreError::Kind::disk_full ? Confined::passed : Confined::failed;
  });
  CHECK(full != Confined::failed);
  if (full == Confined::not_possible) MESSAGE("no right to mount here: only the file-size limit was tried");
}
