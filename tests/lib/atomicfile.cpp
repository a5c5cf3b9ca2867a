// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/atomicfile.h"

#include "tests/common/tempdir.h"

#include <algorithm>
#include <csignal>
#include <gst/check/gstcheck.h>
#include <sys/stat.h>
#include <sys/wait.h>

using cps::AtomicFile;
using test::TempDir;
using Names = std::vector<std::string>;

namespace {

// Another process that has begun to write a file, and waits.
class Writer {
public:
  explicit Writer(const std::string &path) {
    int ready[2];
    fail_unless(pipe(ready) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      AtomicFile file(path);
      const bool done = file.create() && file.write("part", 4) && ::write(ready[1], "!", 1) == 1;
      while (done)
        pause();
      _exit(1);
    }
    close(ready[1]);
    char ignored = 0;
    fail_unless(read(ready[0], &ignored, 1) == 1);
    close(ready[0]);
  }
  ~Writer() { end(); }
  Writer(const Writer &) = delete;
  Writer &operator=(const Writer &) = delete;

  void end() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    pid_ = -1;
  }
  pid_t pid() const { return pid_; }

private:
  pid_t pid_;
};

void write_one(const std::string &path) {
  AtomicFile file(path);
  fail_unless(file.create() && file.write("whole", 5) && file.commit(false));
}

// The same from a process that has never looked into the folder, and from one that cannot tell what is whose.
void write_from_new_process(const std::string &path) {
  const pid_t child = fork();
  if (child == 0) {
    AtomicFile file(path);
    _exit(file.create() && file.write("whole", 5) && file.commit(false) ? 0 : 1);
  }
  int status = 1;
  fail_unless(waitpid(child, &status, 0) == child && status == 0);
}

std::string boot_of_kernel() {
  gchar *text = nullptr;
  fail_unless(g_file_get_contents("/proc/sys/kernel/random/boot_id", &text, nullptr, nullptr));
  std::string id = g_strchomp(text);
  g_free(text);
  id.erase(std::remove(id.begin(), id.end(), '-'), id.end());
  return id;
}

void touch(const std::string &path) {
  fail_unless(g_file_set_contents(path.c_str(), "old", 3, nullptr));
}

} // namespace

GST_START_TEST(test_appears_when_whole) {
  const TempDir folder;
  AtomicFile file(folder.file("f"));
  fail_unless(file.create());
  const Names names = folder.files();
  assert_equals_int(names.size(), 1);
  const std::string expected = ".codecpatch-" + boot_of_kernel() + "-" + std::to_string(getpid()) + "-";
  fail_unless(names[0].compare(0, expected.size(), expected) == 0, "%s", names[0].c_str());
  fail_unless(file.write("ab", 2) && file.commit(true));
  fail_unless(folder.files() == Names{"f"});
}
GST_END_TEST;

GST_START_TEST(test_gone_when_given_up) {
  const TempDir folder;
  {
    AtomicFile file(folder.file("f"));
    fail_unless(file.create());
  }
  fail_unless(folder.files().empty());
}
GST_END_TEST;

GST_START_TEST(test_killed_writer) {
  const TempDir folder;
  Writer writer(folder.file("f"));
  assert_equals_int(folder.files().size(), 1);
  writer.end();
  assert_equals_int(folder.files().size(), 1);
  write_from_new_process(folder.file("g"));
  fail_unless(folder.files() == Names{"g"});
}
GST_END_TEST;

// Neither one that writes, nor one that has been stopped for however long.
GST_START_TEST(test_live_writer) {
  const TempDir folder;
  const Writer writing(folder.file("a")), stopped(folder.file("b"));
  kill(stopped.pid(), SIGSTOP);
  write_from_new_process(folder.file("g"));
  assert_equals_int(folder.files().size(), 3);
}
GST_END_TEST;

// A process of the same number in another container has the same name for its files.
GST_START_TEST(test_same_name) {
  const TempDir folder;
  AtomicFile first(folder.file("a"));
  fail_unless(first.create());
  const std::string name = folder.files()[0];
  const size_t number = name.find_last_of('-') + 1;
  const unsigned long next = std::stoul(name.substr(number)) + 1;
  const std::string taken = name.substr(0, number) + std::to_string(next) + ".part";
  touch(folder.file(taken)); // where nobody looks any more: this process has seen the folder
  write_one(folder.file("b"));
  fail_unless(folder.files() == Names({name, taken, "b"}) || folder.files() == Names({taken, name, "b"}));
}
GST_END_TEST;

// Another machine's or an earlier start's, the user's own, and names that only look alike.
GST_START_TEST(test_files_of_others) {
  const TempDir folder;
  const std::string own = ".codecpatch-" + boot_of_kernel() + "-";
  const Names kept = {".codecpatch-0123456789abcdef0123456789abcdef-1-0.part", ".codecpatch-1-0.part", own + "1-0",
                      own + "1-0.part.txt", "x" + own + "1-0.part"};
  for (const std::string &name : kept)
    touch(folder.file(name));
  touch(folder.file(own + "1-1.part")); // nobody holds it
  fail_unless(mkfifo(folder.file(own + "1-2.part").c_str(), 0644) == 0);
  write_from_new_process(folder.file("g"));
  Names expected = kept;
  expected.push_back(own + "1-2.part");
  expected.emplace_back("g");
  std::sort(expected.begin(), expected.end());
  fail_unless(folder.files() == expected);
}
GST_END_TEST;

// Many processes that begin and end in the same folder take nothing away from each other.
GST_START_TEST(test_crowd) {
  const TempDir folder;
  std::vector<pid_t> children;
  for (int child = 0; child < 8; ++child) {
    children.push_back(fork());
    if (children.back() != 0)
      continue;
    for (int i = 0; i < 20; ++i)
      write_from_new_process(folder.file(std::to_string(child) + "-" + std::to_string(i)));
    _exit(0);
  }
  for (const pid_t child : children) {
    int status = 1;
    fail_unless(waitpid(child, &status, 0) == child && status == 0);
  }
  assert_equals_int(folder.files().size(), 160);
}
GST_END_TEST;

static Suite *atomicfile_suite() {
  Suite *suite = suite_create("atomicfile");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_appears_when_whole);
  tcase_add_test(tests, test_gone_when_given_up);
  tcase_add_test(tests, test_killed_writer);
  tcase_add_test(tests, test_live_writer);
  tcase_add_test(tests, test_same_name);
  tcase_add_test(tests, test_files_of_others);
  tcase_add_test(tests, test_crowd);
  return suite;
}

GST_CHECK_MAIN(atomicfile)
