// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/job_folder.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "engine/persona/unique_fd.h"
#include "tests/temporary_directory.h"

using namespace linecheck::engine;
namespace fs = std::filesystem;

namespace {

struct Dropped {
  linecheck::tests::TemporaryDirectory directory;
  fs::path root = directory.path() / "jobs";
  JobFolder folder{JobFolderOptions{root, {}}};

  void write(const std::string& name, const std::string& text = "a: 1\n") const {
    std::ofstream(root / name) << text;
  }
  TakenFile take(const std::string& name) const {
    TakenFile taken;
    REQUIRE(folder.take(name, taken));
    return taken;
  }
};

std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("job folder: what is no job is left alone") {
  const Dropped dropped;
  for (const char* name : {".hidden.yaml", "a.yaml.tmp", "b.yaml.part", "c.yaml~", "d.txt", "e"}) {
    dropped.write(name);
  }
  fs::create_directory(dropped.root / "folder.yaml");
  CHECK(dropped.folder.waiting().empty());
  dropped.write("one.yaml");
  dropped.write("two.json");
  CHECK(dropped.folder.waiting() == std::vector<std::string>{"one.yaml", "two.json"});
}

TEST_CASE("job folder: a file goes from the folder to accepted to done, beside its report") {
  const Dropped dropped;
  dropped.write("job.yaml", "name: x\n");
  const TakenFile taken = dropped.take("job.yaml");
  CHECK(taken.text == "name: x\n");
  CHECK(taken.refusal.empty());
  CHECK(taken.key.starts_with("watch:job.yaml:"));
  CHECK_FALSE(fs::exists(dropped.root / "job.yaml"));
  CHECK(fs::exists(dropped.root / "accepted/job.yaml"));

  const fs::path report = dropped.folder.report_path(taken);
  CHECK(report == dropped.root / "done/job.yaml.json");
  std::ofstream(report) << "{}";
  dropped.folder.finish(taken, report);
  CHECK(fs::exists(dropped.root / "done/job.yaml"));
  CHECK(fs::is_empty(dropped.root / "accepted"));
  TakenFile again;
  CHECK_FALSE(dropped.folder.take("job.yaml", again));
}

TEST_CASE("job folder: the same name again replaces nothing, and the key tells same from other content") {
  const Dropped dropped;
  dropped.write("job.yaml", "name: x\n");
  const TakenFile first = dropped.take("job.yaml");
  dropped.write("job.yaml", "name: x\n");
  const TakenFile same = dropped.take("job.yaml");
  dropped.write("job.yaml", "name: y\n");
  const TakenFile other = dropped.take("job.yaml");
  CHECK(same.key == first.key);
  CHECK(other.key != first.key);
  CHECK(same.name == "job.yaml.2");
  CHECK(other.original == "job.yaml");

  const auto found = dropped.folder.taken();  // what a process that comes after us sees
  REQUIRE(found.size() == 3);
  CHECK(found[1].key == first.key);
  CHECK(found[2].key == other.key);
  for (const TakenFile& file : found) {
    const fs::path report = dropped.folder.report_path(file);
    std::ofstream(report) << file.name;
    dropped.folder.finish(file, report);
  }
  CHECK(fs::exists(dropped.root / "done/job.yaml.3"));
  CHECK(text_of(dropped.root / "done/job.yaml.2.json") == "job.yaml.2");
}

TEST_CASE("job folder: a refused file stands beside its problems") {
  const Dropped dropped;
  dropped.write("bad.yaml");
  dropped.folder.refuse(dropped.take("bad.yaml"), "bad.yaml:1:1: nothing\n");
  CHECK(fs::exists(dropped.root / "failed/bad.yaml"));
  CHECK(text_of(dropped.root / "failed/bad.yaml.error") == "bad.yaml:1:1: nothing\n");
  dropped.write("bad.yaml");
  dropped.folder.refuse(dropped.take("bad.yaml"), "again\n");
  CHECK(text_of(dropped.root / "failed/bad.yaml.2.error") == "again\n");
  CHECK(fs::exists(dropped.root / "failed/bad.yaml.2"));
}

TEST_CASE("job folder: links, pipes and hostile names are refused without being followed") {
  const Dropped dropped;
  std::ofstream(dropped.directory.path() / "secret.yaml") << "password: x\n";
  fs::create_symlink(dropped.directory.path() / "secret.yaml", dropped.root / "link.yaml");
  REQUIRE(::mkfifo((dropped.root / "pipe.yaml").c_str(), 0600) == 0);
  const std::string hostile = "-rf $(reboot)\n\x01\xff.yaml";
  dropped.write(hostile);
  const std::string longest = std::string(250, 'x') + ".yaml";
  dropped.write(longest);

  CHECK(dropped.folder.waiting().size() == 4);
  const TakenFile link = dropped.take("link.yaml");
  CHECK(link.refusal.find("symbolic link") != std::string::npos);
  CHECK(link.text.empty());
  CHECK(fs::exists(dropped.directory.path() / "secret.yaml"));
  CHECK(dropped.take("pipe.yaml").refusal.find("no regular file") != std::string::npos);
  CHECK(dropped.take(hostile).refusal.empty());  // a name is only a name
  const TakenFile shortened = dropped.take(longest);
  CHECK(shortened.refusal.empty());
  dropped.folder.refuse(shortened, "too long a name for an ending\n");
  CHECK(fs::is_empty(dropped.root) == false);
}

TEST_CASE("job folder: a file that is being written is not complete") {
  const Dropped dropped;
  const fs::path path = dropped.root / "slow.yaml";
  UniqueFd writer(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(writer);
  const auto look = dropped.folder.look("slow.yaml");
  if (look == JobFolder::Look::uncertain) {
    MESSAGE("this file system grants no leases");
    return;
  }
  CHECK(look == JobFolder::Look::being_written);
  writer.reset();
  CHECK(dropped.folder.look("slow.yaml") == JobFolder::Look::complete);
  CHECK_FALSE(dropped.folder.is_linked("slow.yaml"));
  fs::create_hard_link(path, dropped.root / "linked.yaml");
  CHECK(dropped.folder.is_linked("linked.yaml"));
  CHECK(dropped.folder.look("none.yaml") == JobFolder::Look::gone);
}

TEST_CASE("job folder: only the configured owners' files are taken") {
  const linecheck::tests::TemporaryDirectory directory;
  const JobFolder folder(JobFolderOptions{directory.path() / "jobs", {"nobody-of-that-name"}});
  std::ofstream(directory.path() / "jobs/job.yaml") << "a: 1\n";
  TakenFile taken;
  REQUIRE(folder.take("job.yaml", taken));
  CHECK(taken.refusal.find("watch.owners") != std::string::npos);
}

TEST_CASE("job folder: a file above 1 MiB is refused") {
  const Dropped dropped;
  dropped.write("big.yaml", std::string((1U << 20U) + 1, ' '));
  CHECK(dropped.take("big.yaml").refusal.find("1 MiB") != std::string::npos);
}
