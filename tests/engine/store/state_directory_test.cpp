// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/store/state_directory.h"

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <thread>
#include <vector>

#include "tests/confined.h"
#include "tests/temporary_directory.h"

using namespace linecheck::engine;
using namespace linecheck::tests;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t files_in(const fs::path& path) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

std::optional<StateError::Kind> error_of(const std::function<void()>& work, std::string* message = nullptr) {
  try {
    work();
  } catch (const StateError& error) {
    if (message) *message = error.what();
    return error.kind();
  }
  return std::nullopt;
}

Confined verdict(bool passed) {
  return passed ? Confined::passed : Confined::failed;
}

}  // namespace

TEST_CASE("a file is replaced whole") {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "result.json";
  write_file_atomically(path, "first");
  CHECK(content_of(path) == "first");
  const std::string large(3'000'000, 'x');
  write_file_atomically(path, large);
  CHECK(content_of(path) == large);
  write_file_atomically(path, "");
  CHECK(content_of(path).empty());
  CHECK(files_in(directory.path()) == 1);
}

TEST_CASE("readers never see a part of a file, whoever writes") {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "result.json";
  write_file_atomically(path, std::string(50'000, 'a'));
  std::vector<std::thread> writers;
  for (const char letter : {'a', 'b', 'c'}) {
    writers.emplace_back([&path, letter] {
      for (int i = 0; i < 50; ++i) write_file_atomically(path, std::string(50'000, letter));
    });
  }
  bool whole = true;
  for (int i = 0; i < 200; ++i) {
    const std::string content = content_of(path);
    whole = whole && content.size() == 50'000 && content == std::string(50'000, content[0]);
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(whole);
  CHECK(files_in(directory.path()) == 1);
}

TEST_CASE("a file that cannot be written leaves the old one and nothing else") {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "report.html";
  write_file_atomically(path, "old");
  std::string message;
  {
    const auto before_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    rlimit limit = before;
    limit.rlim_cur = 10'000;
    setrlimit(RLIMIT_FSIZE, &limit);
    const auto kind = error_of([&] { write_file_atomically(path, std::string(100'000, 'n')); }, &message);
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, before_handler);
    CHECK(kind == StateError::Kind::full);
  }
  CHECK(message.find(path.string()) != std::string::npos);
  CHECK(message.find("free some space") != std::string::npos);
  CHECK(content_of(path) == "old");
  CHECK(files_in(directory.path()) == 1);

  CHECK(error_of([&] { write_file_atomically(directory.path() / "none" / "x", "x"); }) ==
        StateError::Kind::missing);
  CHECK(error_of([&] { write_file_atomically(path / "x", "x"); }) == StateError::Kind::not_a_directory);
  fs::create_directory(directory.path() / "folder");
  CHECK(error_of([&] { write_file_atomically(directory.path() / "folder", "x"); }) ==
        StateError::Kind::not_a_directory);
  CHECK(files_in(directory.path()) == 2);
}

TEST_CASE("a state directory is made where it is missing") {
  const TemporaryDirectory directory;
  const StateDirectory state(directory.path() / "a" / "b");
  CHECK(fs::is_directory(state.root()));
  CHECK(files_in(state.root()) == 0);
  CHECK(state.database() == state.root() / "linecheck.db");
  const StateDirectory again(state.root());
}

TEST_CASE("recordings are filed by the UTC day of their start") {
  const TemporaryDirectory directory;
  const StateDirectory state(directory.path());
  struct Row {
    std::int64_t unix_ms;
    const char* folder;
  };
  const Row rows[] = {{0, "recordings/1970/01/01/274/call.wav"},
                      {1'740'517'260'990, "recordings/2025/02/25/274/call.wav"},
                      {1'709'251'199'999, "recordings/2024/02/29/274/call.wav"},
                      {1'709'251'200'000, "recordings/2024/03/01/274/call.wav"}};
  for (const Row& row : rows) CHECK(state.recording_path(274, row.unix_ms) == state.root() / row.folder);
  CHECK(state.recording_path(274, 0, 3).filename() == "call-3.wav");
  CHECK_FALSE(fs::exists(state.root() / "recordings"));
  const fs::path made = state.make_recording_path(274, 0);
  CHECK(made == state.recording_path(274, 0));
  CHECK(fs::is_directory(made.parent_path()));
  CHECK(state.make_recording_path(274, 0) == made);
}

TEST_CASE("free space is asked of the file system, and its lack is said with both figures") {
  const TemporaryDirectory directory;
  const StateDirectory state(directory.path());
  CHECK(state.free_bytes() > 0);
  state.require_free(1);
  std::string message;
  CHECK(error_of([&] { state.require_free(std::uint64_t{1} << 60); }, &message) == StateError::Kind::full);
  CHECK(message.find("1048576.0 TiB are wanted (limits.min_free_disk)") != std::string::npos);
  CHECK(message.find(state.root().string()) != std::string::npos);
}

TEST_CASE("bytes are written for people") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(1023) == "1023 B");
  CHECK(format_bytes(1536) == "1.5 KiB");
  CHECK(format_bytes(std::uint64_t{5} << 30) == "5.0 GiB");
}

TEST_CASE("a directory that cannot be used is a typed error") {
  const TemporaryDirectory directory;
  std::ofstream(directory.path() / "file") << "x";
  std::string message;
  CHECK(error_of([&] { const StateDirectory state(directory.path() / "file"); }, &message) ==
        StateError::Kind::not_a_directory);
  CHECK(error_of([&] { const StateDirectory state(directory.path() / "file" / "below"); }) ==
        StateError::Kind::not_a_directory);

  chmod(directory.path().c_str(), 0555);
  const Confined no_rights = as_nobody([&] {
    return verdict(error_of([&] { const StateDirectory state(directory.path()); }) ==
                       StateError::Kind::not_permitted &&
                   error_of([&] { const StateDirectory state(directory.path() / "new"); }) ==
                       StateError::Kind::not_permitted);
  });
  chmod(directory.path().c_str(), 0755);
  CHECK(no_rights != Confined::failed);

  const Confined read_only = on_small_disk(directory.path(), "size=64k", MS_RDONLY, [&] {
    return verdict(error_of([&] { const StateDirectory state(directory.path()); }) ==
                   StateError::Kind::read_only);
  });
  CHECK(read_only != Confined::failed);

  const Confined full = on_small_disk(directory.path(), "size=64k", 0, [&] {
    const StateDirectory state(directory.path());
    const fs::path path = state.root() / "result.json";
    write_file_atomically(path, "old");
    const bool refused =
        error_of([&] { write_file_atomically(path, std::string(200'000, 'x')); }) == StateError::Kind::full;
    return verdict(refused && content_of(path) == "old" && files_in(state.root()) == 1);
  });
  CHECK(full != Confined::failed);
  if (full == Confined::not_possible)
    MESSAGE("no right to mount here: read-only and full file systems were not tried");
}
