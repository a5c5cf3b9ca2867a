// SPDX-License-Identifier: LGPL-2.1-or-later
// Sessions on several threads, and many of them. CPS_SESSIONS in the environment says how many, one after the other,
// and CPS_ROUNDS how many times 64 at once, with memory printed:
//
//   CPS_SESSIONS=10000 CPS_ROUNDS=1000 build/tests/pipelines/pipelines-sessionthreads
#include "tests/pipelines/sessions.h"

#include <random>
#include <thread>

namespace {

using namespace pipes;

std::string make_clip(const TempDir &folder) {
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264B, "mp4mux", 50);
  return path;
}

int count_entries(const char *folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<int>(std::distance(begin(all), end(all)));
}

// In KiB.
long resident_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmRSS:", 0) == 0)
      return std::stol(line.substr(6));
  return 0;
}

} // namespace

// cps_session_next() waits for a callback that waits for the test: closing ends the one at once, and waits for the
// other.
GST_START_TEST(test_close_while_reading) {
  const TempDir folder;
  const std::string bytes = read_file(make_clip(folder));
  Feed::each_that_blocks(bytes, [](Feed &feed) {
    Failure failure, from_next, later;
    Session session = feed.open({}, failure);
    fail_unless(session != nullptr, "%s", failure.text().c_str());
    Clip clip;
    std::thread reader([&] { clip.reset(cps_session_next(session.get(), from_next)); });
    feed.wait_until_blocked();
    std::thread closers[2];
    for (std::thread &closer : closers)
      closer = std::thread([&] { cps_session_close(session.get()); });
    reader.join(); // before the callback returns
    fail_if(clip != nullptr);
    fail_unless_equals_int(from_next.code(), CPS_SESSION_ERROR_CLOSED);
    fail_unless(from_next.text() == "feed: The session has been closed.");
    feed.go_on();
    for (std::thread &closer : closers)
      closer.join();
    fail_unless(cps_session_next(session.get(), later) == nullptr);
    fail_unless_equals_int(later.code(), CPS_SESSION_ERROR_CLOSED);
    session.reset();
    fail_unless_equals_int(feed.released, 1);
  });
}
GST_END_TEST;

// At whatever moment, with a clip in the queue or without.
GST_START_TEST(test_close_at_any_time) {
  const TempDir folder;
  const std::string path = make_clip(folder);
  for (int delay = 0; delay < 30; delay++) {
    const Session session = open_path(path);
    std::thread closer([&] {
      g_usleep(static_cast<gulong>(delay) * 2000);
      cps_session_close(session.get());
    });
    Failure failure;
    const Clip clip(cps_session_next(session.get(), failure));
    fail_unless(clip || failure.code() == CPS_SESSION_ERROR_CLOSED, "%s", failure.text().c_str());
    closer.join();
    if (clip)
      fail_unless(metadata(clip, "clip_index") == "0");
  }
  const Session unread = open_path(path);
  cps_session_close(unread.get());
  cps_session_close(unread.get());
  cps_session_close(nullptr);
  cps_session_free(nullptr);
}
GST_END_TEST;

GST_START_TEST(test_in_parallel) {
  const TempDir folder;
  const std::string path = make_clip(folder);
  const std::string expected = all_bytes(next_clip(open_path(path)));
  std::vector<std::thread> threads;
  std::atomic<int> equal{0};
  for (int i = 0; i < 8; i++)
    threads.emplace_back([&] {
      for (int round = 0; round < 3; round++) {
        const Session session = open_path(path);
        equal += all_bytes(next_clip(session)) == expected;
        check_end(session);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  fail_unless_equals_int(equal, 8 * 3);
}
GST_END_TEST;

// Each of 16 threads has four, of a path and of functions, and closes them in any order whenever it likes.
GST_START_TEST(test_many_at_once) {
  constexpr unsigned kThreads = 16, kEach = 4;
  const TempDir folder;
  const std::string path = make_clip(folder), bytes = read_file(path);
  const char *asked = g_getenv("CPS_ROUNDS");
  const int rounds = asked ? std::atoi(asked) : 2;
  std::atomic<int> clips{0};
  const auto use = [&](unsigned seed) {
    std::mt19937 random(seed);
    Feed feeds[kEach];
    Session sessions[kEach];
    for (unsigned i = 0; i < kEach; i++) {
      feeds[i].bytes = bytes;
      Failure failure;
      sessions[i] = random() % 3 == 0 ? feeds[i].open({"k-keep", "64"}, failure) : open_path(path, {"k-keep", "64"});
    }
    std::shuffle(std::begin(sessions), std::end(sessions), random);
    for (const Session &session : sessions) {
      if (random() % 2 == 0) {
        g_usleep(random() % 60000);
      } else {
        Failure failure;
        clips += Clip(cps_session_next(session.get(), failure)) != nullptr;
      }
      cps_session_close(session.get());
    }
  };
  int files = 0;
  for (int round = 0; round < rounds; round++) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kThreads; i++)
      threads.emplace_back(use, static_cast<unsigned>(round) * kThreads + i);
    for (std::thread &thread : threads)
      thread.join();
    const int files_now = count_entries("/proc/self/fd");
    fail_unless(round == 0 || files_now <= files, "round %d: %d files, %d before", round, files_now, files);
    files = std::max(files, files_now);
    if (asked && (round + 1) % 100 == 0)
      g_print("%d rounds: %ld KiB, %d files, %d clips\n", round + 1, resident_memory(), files_now, clips.load());
  }
  fail_unless(clips > 0);
}
GST_END_TEST;

GST_START_TEST(test_one_after_the_other) {
  const TempDir folder;
  const std::string path = make_clip(folder), bytes = read_file(path);
  const char *asked = g_getenv("CPS_SESSIONS");
  const int sessions = asked ? std::atoi(asked) : 60, warm = std::min(50, sessions / 2);
  int files = 0, threads = 0;
  for (int i = 0; i < sessions; i++) {
    Feed feed;
    feed.bytes = bytes;
    Failure failure;
    Session session = i % 3 == 0 ? feed.open({"k-keep", "64"}, failure) : open_path(path, {"k-keep", "64"});
    next_clip(session);
    if (i % 2 == 0)
      check_end(session);
    session.reset();
    const int files_now = count_entries("/proc/self/fd"), threads_now = count_entries("/proc/self/task");
    if (i < warm) {
      files = std::max(files, files_now);
      threads = std::max(threads, threads_now);
    } else {
      fail_unless(files_now <= files, "session %d: %d files, %d before", i, files_now, files);
      // GLib keeps up to two idle ones of its pools for a while
      fail_unless(threads_now <= threads + 2, "session %d: %d threads, %d before", i, threads_now, threads);
    }
    if (asked && (i + 1 == warm || i + 1 == sessions || (i + 1) % 500 == 0))
      g_print("%d sessions: %ld KiB, %d files, %d threads\n", i + 1, resident_memory(), files_now, threads_now);
  }
}
GST_END_TEST;

static Suite *session_threads_suite() {
  Suite *suite = suite_create("sessionthreads");
  TCase *tests = make_tests(suite, g_getenv("CPS_ROUNDS") || g_getenv("CPS_SESSIONS") ? 7200 : 200);
  tcase_add_test(tests, test_close_while_reading);
  tcase_add_test(tests, test_close_at_any_time);
  tcase_add_test(tests, test_in_parallel);
  tcase_add_test(tests, test_many_at_once);
  tcase_add_test(tests, test_one_after_the_other);
  return suite;
}

GST_CHECK_MAIN(session_threads)
