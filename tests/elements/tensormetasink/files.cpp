// SPDX-License-Identifier: LGPL-2.1-or-later
// Tensors that are written to files.
#include "tests/common/obstacles.h"
#include "tests/common/safetensors.h"
#include "tests/common/tempdir.h"
#include "tests/elements/tensormetasink/fixture.h"

#include <csignal>
#include <cstring>
#include <glib/gstdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace sink;
using test::TempDir;

namespace {

// The error with which the sink refuses to start.
std::string start_error(const std::string &location) {
  const Owned<GstElement> sink = test::make_element("tensormetasink", {{"location", location.c_str()}});
  const Owned<GstBus> bus(gst_bus_new());
  gst_element_set_bus(sink.get(), bus.get());
  const GstStateChangeReturn result = gst_element_set_state(sink.get(), GST_STATE_PAUSED);
  const std::string error = test::pop_report(bus.get(), GST_MESSAGE_ERROR);
  fail_unless((result == GST_STATE_CHANGE_FAILURE) == !error.empty(), "%s", error.c_str());
  gst_element_set_state(sink.get(), GST_STATE_NULL);
  gst_element_set_bus(sink.get(), nullptr);
  return error;
}

// The name of the file that clip `index` is written to.
std::string name_of(const char *pattern, guint index) {
  const TempDir folder;
  const Sink sink({{"location", folder.file(pattern).c_str()}});
  fail_unless(sink.push_clip(index) == GST_FLOW_OK);
  sink.check_quiet();
  const std::vector<std::string> files = folder.files();
  assert_equals_int(files.size(), 1);
  return files[0];
}

} // namespace

GST_START_TEST(test_writes) {
  const TempDir folder;
  const Sink sink({{"location", folder.file("clip-%05d.safetensors").c_str()}});
  for (const guint index : {0u, 7u}) {
    fail_unless(sink.push_clip(index) == GST_FLOW_OK);
    GstMessage *message = gst_bus_pop_filtered(sink.bus(), GST_MESSAGE_ELEMENT);
    fail_unless(message != nullptr);
    const GstStructure *structure = gst_message_get_structure(message);
    guint told = 99;
    fail_unless(gst_structure_has_name(structure, "tensors-written"));
    fail_unless(gst_structure_get_uint(structure, "clip-index", &told) && told == index);
    gint64 start = 0, stop = 0; // of the stream
    fail_unless(gst_structure_get(structure, "start", G_TYPE_INT64, &start, "stop", G_TYPE_INT64, &stop, nullptr));
    fail_unless(start == -1 && stop == -1);
    const std::string path = gst_structure_get_string(structure, "location");
    gst_message_unref(message);
    assert_text(path, folder.file(index ? "clip-00007.safetensors" : "clip-00000.safetensors"));
    const test::Safetensors file = test::read_safetensors(path);
    assert_text(file.metadata.at("clip_index"), std::to_string(index));
    fail_unless(file.tensors.at("patches").as<guint16>() ==
                test::elements_of<guint16>(test::tensor_buffer().get(), "patches"));
  }
  assert_equals_int(folder.files().size(), 2);
  fail_unless(sink.try_pull_sample(0) == nullptr); // written, not queued
  sink.check_quiet();
}
GST_END_TEST;

GST_START_TEST(test_keeps_so_many_files) {
  const TempDir folder;
  const Sink sink({{"location", folder.file("clip-%d.safetensors").c_str()}, {"max-files", "2"}});
  fail_unless(g_file_set_contents(folder.file("clip-9.safetensors").c_str(), "of another stream", -1, nullptr));
  for (guint index = 0; index < 4; index++)
    fail_unless(sink.push_clip(index) == GST_FLOW_OK);
  std::string left;
  for (const std::string &file : folder.files())
    left += file + " ";
  assert_text(left, "clip-2.safetensors clip-3.safetensors clip-9.safetensors ");
  // A file that cannot be deleted does not end the stream.
  fail_unless(g_unlink(folder.file("clip-2.safetensors").c_str()) == 0);
  fail_unless(sink.push_clip(4) == GST_FLOW_OK);
  sink.check_quiet();
}
GST_END_TEST;

// Without a number in its name there is one file, which is not deleted.
GST_START_TEST(test_keeps_the_only_file) {
  const TempDir folder;
  const Sink sink({{"location", folder.file("clip.safetensors").c_str()}, {"max-files", "1"}});
  for (guint index = 0; index < 3; index++)
    fail_unless(sink.push_clip(index) == GST_FLOW_OK);
  assert_equals_int(folder.files().size(), 1);
}
GST_END_TEST;

GST_START_TEST(test_patterns) {
  assert_text(name_of("%d", 12), "12");
  assert_text(name_of("a%db", 0), "a0b");
  assert_text(name_of("%05d", 12), "00012");
  assert_text(name_of("%3d", 12), " 12");
  assert_text(name_of("%03d", 12345), "12345");
  assert_text(name_of("%0d", 12), "12");
  assert_text(name_of("100%%-%d", 12), "100%-12");
  assert_text(name_of("%%d", 12), "%d");
  assert_text(name_of("plain", 12), "plain");
  assert_text(name_of("%d", G_MAXUINT), "4294967295");
}
GST_END_TEST;

GST_START_TEST(test_bad_patterns) {
  for (const char *pattern :
       {"%", "a%", "%s", "%d%d", "%05d-%d", "%5", "%n", "%05x", "%-5d", "%ld", "%.3d", "% d", "%999d", "%%%"}) {
    const TempDir folder;
    const std::string error = start_error(folder.file(pattern));
    fail_unless(test::contains(error, "location") && test::contains(error, "pattern"), "%s: \"%s\"", pattern,
                error.c_str());
    fail_unless(folder.files().empty());
  }
}
GST_END_TEST;

GST_START_TEST(test_bad_folders) {
  const TempDir folder;
  fail_unless(g_file_set_contents(folder.file("file").c_str(), "x", 1, nullptr));
  for (const char *location : {"none/clip", "file/clip"}) {
    const std::string error = start_error(folder.file(location));
    fail_unless(test::contains(error, "Cannot write to the folder"), "%s: %s", location, error.c_str());
  }
  fail_unless(chmod(folder.path().c_str(), 0555) == 0);
  {
    const test::Unprivileged user;
    fail_unless(test::contains(start_error(folder.file("clip")), folder.path().c_str()));
  }
  fail_unless(chmod(folder.path().c_str(), 0755) == 0);
  assert_text(start_error(folder.file("clip")), "");
  assert_text(start_error(""), "");
}
GST_END_TEST;

// A refusal is not for ever.
GST_START_TEST(test_starts_after_a_refusal) {
  const TempDir folder;
  const Owned<GstElement> sink = test::make_element("tensormetasink", {{"location", "%s"}});
  fail_unless(gst_element_set_state(sink.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
  gst_element_set_state(sink.get(), GST_STATE_NULL);
  gst_util_set_object_arg(G_OBJECT(sink.get()), "location", folder.file("clip").c_str());
  fail_unless(gst_element_set_state(sink.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state(sink.get(), GST_STATE_NULL);
}
GST_END_TEST;

// The location counts that is set when the stream begins.
GST_START_TEST(test_location_set_in_ready) {
  const TempDir folder;
  const Sink sink({{"location", folder.file("old-%d").c_str()}});
  for (const char *bad : {"clip-%s.safetensors", "none/clip"}) {
    gst_element_set_state(sink.element(), GST_STATE_READY);
    sink.set("location", folder.file(bad).c_str());
    fail_unless(gst_element_set_state(sink.element(), GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE, "%s", bad);
    sink.check_error("location");
    fail_unless(folder.files().empty());
  }
  sink.set("location", folder.file("new-%d").c_str());
  sink.restart(GST_STATE_READY);
  sink.begin();
  fail_unless(sink.push_clip(3) == GST_FLOW_OK);
  sink.check_quiet();
  fail_unless(folder.files() == std::vector<std::string>{"new-3"});
}
GST_END_TEST;

GST_START_TEST(test_location_set_in_playing) {
  const TempDir folder;
  const Sink sink({{"location", folder.file("old-%d").c_str()}});
  fail_unless(sink.push_clip(0) == GST_FLOW_OK);
  sink.set("location", folder.file("new-%s").c_str());
  fail_unless(sink.push_clip(1) == GST_FLOW_OK);
  sink.set("location", "");
  fail_unless(sink.push_clip(2) == GST_FLOW_OK);
  sink.set("location", folder.file("new-%d").c_str());
  fail_unless(sink.push_clip(3) == GST_FLOW_OK);
  sink.check_quiet();
  fail_unless(folder.files() == std::vector<std::string>({"old-0", "old-1", "old-2", "old-3"}));
  fail_unless(sink.drain().empty());

  sink.restart(GST_STATE_READY);
  sink.begin();
  fail_unless(sink.push_clip(4) == GST_FLOW_OK);
  assert_equals_int(folder.files().size(), 5);
  fail_unless(g_file_test(folder.file("new-4").c_str(), G_FILE_TEST_EXISTS));
}
GST_END_TEST;

// Before there is anything to lose.
GST_START_TEST(test_obstacles) {
  for (const test::Obstacle &obstacle : test::obstacles()) {
    const TempDir folder;
    if (!obstacle.make(folder.file("clip"))) {
      g_print("skipped: may not make %s\n", obstacle.name);
      continue;
    }
    const std::string error = start_error(folder.file("clip"));
    fail_unless(test::contains(error, obstacle.name) && test::contains(error, "location"), "%s", error.c_str());
    fail_unless(folder.files() == std::vector<std::string>{"clip"});
  }
}
GST_END_TEST;

GST_START_TEST(test_write_fails) {
  const TempDir folder;
  const Sink sink({{"location", folder.file("clip").c_str()}});
  fail_unless(mkdir(folder.file("clip").c_str(), 0755) == 0);
  fail_unless(sink.push_clip(0) == GST_FLOW_ERROR);
  GstMessage *message = gst_bus_pop_filtered(sink.bus(), GST_MESSAGE_ERROR);
  fail_unless(message != nullptr);
  GError *error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  fail_unless(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE));
  fail_unless(strstr(error->message, folder.file("clip").c_str()) && strstr(error->message, "location"), "%s",
              error->message);
  g_error_free(error);
  gst_message_unref(message);
  fail_unless(folder.files() == std::vector<std::string>{"clip"});
  fail_unless(gst_bus_pop_filtered(sink.bus(), GST_MESSAGE_ELEMENT) == nullptr);
}
GST_END_TEST;

GST_START_TEST(test_writes_to_the_disk) {
  const TempDir folder;
  const Sink sink({{"location", folder.file("%d").c_str()}, {"fsync", "true"}});
  fail_unless(sink.push_clip(0) == GST_FLOW_OK);
  sink.check_quiet();
  fail_unless(folder.files() == std::vector<std::string>{"0"});
}
GST_END_TEST;

GST_START_TEST(test_disk_full) {
  const TempDir folder;
  const Sink sink({{"location", folder.file("clip-%d").c_str()}});
  fail_unless(sink.push_clip(0) == GST_FLOW_OK);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit old;
  getrlimit(RLIMIT_FSIZE, &old);
  const struct rlimit small = {300, old.rlim_max};
  fail_unless(setrlimit(RLIMIT_FSIZE, &small) == 0);
  fail_unless(sink.push_clip(1) == GST_FLOW_ERROR);
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  sink.check_error("clip-1");
  fail_unless(folder.files() == std::vector<std::string>{"clip-0"});
}
GST_END_TEST;

// Both: the application asks for it with max-buffers.
GST_START_TEST(test_writes_and_queues) {
  const TempDir folder;
  const Sink sink({{"location", folder.file("%d").c_str()}, {"max-buffers", "2"}, {"drop", "true"}});
  for (guint i = 0; i < 3; ++i)
    fail_unless(sink.push_clip(i) == GST_FLOW_OK);
  assert_equals_int(folder.files().size(), 3);
  fail_unless(sink.drain() == Indices({1, 2}));
}
GST_END_TEST;

GST_START_TEST(test_location_reads_back) {
  const Owned<GstElement> sink = test::make_element("tensormetasink", {{"location", "clip"}});
  gchar *location = nullptr;
  g_object_get(sink.get(), "location", &location, nullptr);
  assert_text(location, "clip");
  g_free(location);
  g_object_set(sink.get(), "location", nullptr, nullptr);
  g_object_get(sink.get(), "location", &location, nullptr);
  fail_unless(location == nullptr);
}
GST_END_TEST;

TCase *sink::file_tests() {
  TCase *tests = test::subject("files");
  tcase_add_test(tests, test_writes);
  tcase_add_test(tests, test_keeps_so_many_files);
  tcase_add_test(tests, test_keeps_the_only_file);
  tcase_add_test(tests, test_patterns);
  tcase_add_test(tests, test_bad_patterns);
  tcase_add_test(tests, test_bad_folders);
  tcase_add_test(tests, test_starts_after_a_refusal);
  tcase_add_test(tests, test_location_set_in_ready);
  tcase_add_test(tests, test_location_set_in_playing);
  tcase_add_test(tests, test_obstacles);
  tcase_add_test(tests, test_write_fails);
  tcase_add_test(tests, test_writes_to_the_disk);
  tcase_add_test(tests, test_disk_full);
  tcase_add_test(tests, test_writes_and_queues);
  tcase_add_test(tests, test_location_reads_back);
  return tests;
}
