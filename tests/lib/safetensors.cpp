// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/common/safetensors.h"

#include "tests/common/obstacles.h"
#include "tests/common/tempdir.h"
#include "tests/common/tensors.h"
#include "tests/common/text.h"

#include <gst/codecpatch/codecpatch.h>

#include <csignal>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

using test::Owned;
using test::Safetensors;
using test::TempDir;

namespace {

void save(GstBuffer *buffer, const std::string &path) {
  GError *error = nullptr;
  fail_unless(cps_buffer_save_safetensors(buffer, path.c_str(), &error), "%s", error ? error->message : "");
  fail_unless(error == nullptr);
}

// Saving fails with `code`, says where, and leaves the folder as it was.
void check_fails(GstBuffer *buffer, const TempDir &folder, const std::string &path, GstResourceError code) {
  const std::vector<std::string> before = folder.files();
  GError *error = nullptr;
  fail_if(cps_buffer_save_safetensors(buffer, path.c_str(), &error));
  fail_unless(g_error_matches(error, GST_RESOURCE_ERROR, code), "%s", error->message);
  fail_unless(strstr(error->message, path.c_str()) != nullptr, "%s", error->message);
  g_clear_error(&error);
  fail_if(cps_buffer_save_safetensors(buffer, path.c_str(), nullptr));
  fail_unless(folder.files() == before);
}

// Larger than stdio, pipes or a page would buffer.
Owned<GstBuffer> large_buffer() {
  return test::tensor_buffer(8192);
}

} // namespace

GST_START_TEST(test_contents) {
  const TempDir folder;
  const Owned<GstBuffer> buffer = test::tensor_buffer(3);
  save(buffer.get(), folder.file("clip.safetensors"));
  fail_unless(folder.files() == std::vector<std::string>{"clip.safetensors"});

  const Safetensors file = test::read_safetensors(folder.file("clip.safetensors"));
  const test::FileTensor &patches = file.tensors.at("patches"), &fields = file.tensors.at("meta_fields"),
                         &scores = file.tensors.at("meta_scores");
  assert_equals_int(file.tensors.size(), 3);
  assert_text(patches.dtype, "BF16");
  assert_text(fields.dtype, "I64");
  assert_text(scores.dtype, "F32");
  fail_unless(patches.shape == std::vector<int64_t>({3, 3, 2, 2}));
  fail_unless(fields.shape == std::vector<int64_t>({3, 6}));
  fail_unless(scores.shape == std::vector<int64_t>({3}));
  fail_unless(patches.as<guint16>() == test::elements_of<guint16>(buffer.get(), "patches"));
  fail_unless(fields.as<gint64>() == test::elements_of<gint64>(buffer.get(), "meta_fields"));
  fail_unless(scores.bytes == std::string("\xd9\xda\xdb\xdc\xdd\xde\xdf\xe0\xe1\xe2\xe3\xe4"));
  assert_text(file.metadata.at("sampled_frame_ids"), "[7]");
  assert_text(file.metadata.at("pts_ns"), "[280000000]");
  assert_text(file.metadata.at("spec_version"), "1");
  assert_equals_int(file.metadata.size(), 16);
}
GST_END_TEST;

// Whatever the tensors' order and odd sizes: read_safetensors() refuses gaps and elements out of alignment.
GST_START_TEST(test_alignment) {
  const TempDir folder;
  const std::vector<CpsTensor> tensors = {
      test::tensor("bytes", CPS_DTYPE_U8, {5}, 3), test::tensor("halves", CPS_DTYPE_F16, {3}, 2),
      test::tensor("longs", CPS_DTYPE_I64, {1}, 1), test::tensor("floats", CPS_DTYPE_F32, {3}, 0)};
  for (const char *source : {"", "1", "12", "123", "1234", "12345", "123456", "1234567"}) {
    Owned<GstBuffer> buffer(gst_buffer_new());
    for (const gsize size : {12, 8, 6, 5})
      gst_buffer_append_memory(buffer.get(), gst_allocator_alloc(nullptr, size, nullptr));
    gst_buffer_memset(buffer.get(), 0, 0xab, 31);
    CpsClip *clip = cps_clip_new(0);
    clip->source = g_strdup(source); // the header's length takes every remainder
    cps_buffer_add_tensor_meta(buffer.get(), tensors.data(), 4, clip);
    save(buffer.get(), folder.file("f"));
    const Safetensors file = test::read_safetensors(folder.file("f"));
    assert_equals_int(file.tensors.size(), 4);
    assert_text(file.metadata.at("source"), source);
    fail_unless(file.tensors.at("bytes").bytes == std::string(5, '\xab'));
    assert_equals_int(file.tensors.at("floats").bytes.size(), 12);
  }
}
GST_END_TEST;

GST_START_TEST(test_empty_tensors) {
  const TempDir folder;
  const Owned<GstBuffer> buffer = test::tensor_buffer(0);
  save(buffer.get(), folder.file("f"));
  const Safetensors file = test::read_safetensors(folder.file("f"));
  fail_unless(file.tensors.at("patches").shape == std::vector<int64_t>({0, 3, 2, 2}));
  fail_unless(file.tensors.at("meta_fields").shape == std::vector<int64_t>({0, 6}));
  fail_unless(file.tensors.at("meta_scores").shape == std::vector<int64_t>({0}));
  fail_unless(file.tensors.at("patches").bytes.empty());
}
GST_END_TEST;

GST_START_TEST(test_text) {
  const TempDir folder;
  const Owned<GstBuffer> buffer = test::tensor_buffer();
  CpsClip *clip = cps_buffer_get_tensor_meta(buffer.get())->clip;
  clip->source = g_strdup("/a \"quoted\" \\ name\n\t\x01\x7f \xc3\xa9 \xf0\x9f\x8e\xac \xff.mp4");
  save(buffer.get(), folder.file("f"));
  const Safetensors file = test::read_safetensors(folder.file("f"));
  assert_text(file.metadata.at("source"),
              "/a \"quoted\" \\ name\n\t\x01\x7f \xc3\xa9 \xf0\x9f\x8e\xac \xef\xbf\xbd.mp4");
  assert_text(file.metadata.at("frame_status"), "[\"ok\"]");
}
GST_END_TEST;

GST_START_TEST(test_overwrites) {
  const TempDir folder;
  const std::string path = folder.file("f");
  save(large_buffer().get(), path);
  save(test::tensor_buffer(1).get(), path);
  fail_unless(folder.files() == std::vector<std::string>{"f"});
  assert_equals_int(test::read_safetensors(path).tensors.at("meta_scores").bytes.size(), 4);
}
GST_END_TEST;

// Others may read the file as the umask says, not only its owner.
GST_START_TEST(test_permissions) {
  const TempDir folder;
  const mode_t old = umask(0027);
  save(test::tensor_buffer().get(), folder.file("f"));
  umask(old);
  struct stat info;
  fail_unless(stat(folder.file("f").c_str(), &info) == 0);
  assert_equals_int(info.st_mode & 0777, 0640);
}
GST_END_TEST;

GST_START_TEST(test_relative_path) {
  const TempDir folder;
  gchar *old = g_get_current_dir();
  fail_unless(chdir(folder.path().c_str()) == 0);
  save(test::tensor_buffer().get(), "f");
  fail_unless(chdir(old) == 0);
  g_free(old);
  fail_unless(folder.files() == std::vector<std::string>{"f"});
}
GST_END_TEST;

GST_START_TEST(test_folder_missing) {
  const TempDir folder;
  check_fails(test::tensor_buffer().get(), folder, folder.file("none/f"), GST_RESOURCE_ERROR_OPEN_WRITE);
  save(test::tensor_buffer().get(), folder.file("f"));
  check_fails(test::tensor_buffer().get(), folder, folder.file("f/f"), GST_RESOURCE_ERROR_OPEN_WRITE);
}
GST_END_TEST;

GST_START_TEST(test_folder_not_writable) {
  const TempDir folder;
  fail_unless(chmod(folder.path().c_str(), 0555) == 0);
  {
    const test::Unprivileged user;
    check_fails(test::tensor_buffer().get(), folder, folder.file("f"), GST_RESOURCE_ERROR_OPEN_WRITE);
  }
  fail_unless(chmod(folder.path().c_str(), 0755) == 0);
}
GST_END_TEST;

// What is no regular file stays what it is, and no superuser's right changes that.
GST_START_TEST(test_obstacles) {
  const Owned<GstBuffer> buffer = test::tensor_buffer();
  for (const test::Obstacle &obstacle : test::obstacles()) {
    const TempDir folder;
    const std::string path = folder.file("f");
    if (!obstacle.make(path)) {
      g_print("skipped: may not make %s\n", obstacle.name);
      continue;
    }
    struct stat before, after;
    fail_unless(lstat(path.c_str(), &before) == 0);
    check_fails(buffer.get(), folder, path, GST_RESOURCE_ERROR_OPEN_WRITE);
    GError *error = nullptr;
    fail_if(cps_safetensors_check_path(path.c_str(), &error));
    fail_unless(strstr(error->message, obstacle.name) != nullptr, "%s", error->message);
    g_error_free(error);
    fail_unless(lstat(path.c_str(), &after) == 0);
    fail_unless(before.st_ino == after.st_ino && before.st_mode == after.st_mode, "%s", obstacle.name);
  }
}
GST_END_TEST;

GST_START_TEST(test_no_obstacle) {
  const TempDir folder;
  fail_unless(cps_safetensors_check_path(folder.file("f").c_str(), nullptr));
  save(test::tensor_buffer().get(), folder.file("f"));
  fail_unless(cps_safetensors_check_path(folder.file("f").c_str(), nullptr));
}
GST_END_TEST;

// What a power failure leaves cannot be shown here; that the file is there can.
GST_START_TEST(test_synced) {
  const TempDir folder;
  GError *error = nullptr;
  const Owned<GstBuffer> buffer = test::tensor_buffer();
  fail_unless(cps_buffer_save_safetensors_full(buffer.get(), folder.file("f").c_str(), CPS_SAVE_FLAG_FSYNC, &error));
  fail_unless(error == nullptr);
  assert_equals_int(test::read_safetensors(folder.file("f")).tensors.size(), 3);
  fail_unless(folder.files() == std::vector<std::string>{"f"});
}
GST_END_TEST;

// A write that stops half way: the file of before stays, and no part of the new one.
GST_START_TEST(test_file_size_limit) {
  const TempDir folder;
  const std::string path = folder.file("f");
  save(test::tensor_buffer(1).get(), path);
  const std::string before = test::read_bytes(path);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit old;
  fail_unless(getrlimit(RLIMIT_FSIZE, &old) == 0);
  for (const rlim_t limit : {0, 100, 5000, 300000}) { // nothing, in the header, in each of the tensors
    const struct rlimit small = {limit, old.rlim_max};
    fail_unless(setrlimit(RLIMIT_FSIZE, &small) == 0);
    check_fails(large_buffer().get(), folder, path, GST_RESOURCE_ERROR_WRITE);
    check_fails(large_buffer().get(), folder, folder.file("new"), GST_RESOURCE_ERROR_WRITE);
  }
  fail_unless(setrlimit(RLIMIT_FSIZE, &old) == 0);
  std::signal(SIGXFSZ, old_handler);
  fail_unless(test::read_bytes(path) == before);
  save(large_buffer().get(), path);
}
GST_END_TEST;

GST_START_TEST(test_disk_full) {
  const TempDir folder;
  // In a namespace of the test's own, so that nobody else sees the disk and it goes with the test.
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("none", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
    g_print("skipped: may not mount a small disk\n");
    return;
  }
  save(test::tensor_buffer(1).get(), folder.file("f"));
  check_fails(large_buffer().get(), folder, folder.file("f"), GST_RESOURCE_ERROR_NO_SPACE_LEFT);
  assert_equals_int(test::read_safetensors(folder.file("f")).tensors.at("meta_scores").bytes.size(), 4);
  save(test::tensor_buffer(2).get(), folder.file("g")); // the space is free again
  fail_unless(umount(folder.path().c_str()) == 0);
}
GST_END_TEST;

GST_START_TEST(test_memory_missing) {
  const TempDir folder;
  const Owned<GstBuffer> buffer = test::tensor_buffer();
  gst_buffer_remove_memory(buffer.get(), 2);
  check_fails(buffer.get(), folder, folder.file("f"), GST_RESOURCE_ERROR_WRITE);
}
GST_END_TEST;

static Suite *safetensors_suite() {
  Suite *suite = suite_create("safetensors");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_contents);
  tcase_add_test(tests, test_alignment);
  tcase_add_test(tests, test_empty_tensors);
  tcase_add_test(tests, test_text);
  tcase_add_test(tests, test_overwrites);
  tcase_add_test(tests, test_permissions);
  tcase_add_test(tests, test_relative_path);
  tcase_add_test(tests, test_folder_missing);
  tcase_add_test(tests, test_folder_not_writable);
  tcase_add_test(tests, test_obstacles);
  tcase_add_test(tests, test_no_obstacle);
  tcase_add_test(tests, test_synced);
  tcase_add_test(tests, test_file_size_limit);
  tcase_add_test(tests, test_disk_full);
  tcase_add_test(tests, test_memory_missing);
  return suite;
}

GST_CHECK_MAIN(safetensors)
