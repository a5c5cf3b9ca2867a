// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/common/tensors.h"
#include "tests/common/text.h"

#include <gst/codecpatch/codecpatch.h>

#include <cstring>
#include <numeric>
#include <string>

using test::Owned;
using test::tensor;

namespace {

void check_tensors(GstBuffer *buffer, const CpsClip *clip) {
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer);
  fail_unless(meta != nullptr);
  assert_equals_int(meta->n_tensors, 3);
  fail_unless(meta->clip == clip);
  std::vector<guint8> bytes(3 * 12 * 2 + 3 * 6 * 8 + 3 * 4);
  std::iota(bytes.begin(), bytes.end(), static_cast<guint8>(1));
  const auto patches = test::elements_of<guint16>(buffer, "patches");
  const auto fields = test::elements_of<gint64>(buffer, "meta_fields");
  const auto scores = test::elements_of<guint32>(buffer, "meta_scores"); // as bits
  fail_unless(memcmp(patches.data(), bytes.data(), 72) == 0);
  fail_unless(memcmp(fields.data(), bytes.data() + 72, 144) == 0);
  fail_unless(memcmp(scores.data(), bytes.data() + 216, 12) == 0);
}

std::string caps_string(const std::vector<CpsTensor> &tensors, const char *feature, const char *field) {
  const Owned<GstCaps> caps(cps_tensors_to_caps(tensors.data(), static_cast<guint>(tensors.size()), feature));
  const gchar *text = gst_structure_get_string(gst_caps_get_structure(caps.get(), 0), field);
  return text ? text : "none";
}

} // namespace

GST_START_TEST(test_values) {
  const Owned<GstBuffer> buffer = test::tensor_buffer(), bare(gst_buffer_new());
  fail_unless(cps_buffer_get_tensor_meta(bare.get()) == nullptr);
  check_tensors(buffer.get(), cps_buffer_get_tensor_meta(buffer.get())->clip);
}
GST_END_TEST;

// The list is the caller's to change afterwards.
GST_START_TEST(test_copies_the_list) {
  const Owned<GstBuffer> buffer(gst_buffer_new());
  CpsTensor one = tensor("one", CPS_DTYPE_U8, {5}, 0);
  cps_buffer_add_tensor_meta(buffer.get(), &one, 1, cps_clip_new(0));
  one.dims[0] = 6;
  assert_equals_int64(cps_buffer_get_tensor_meta(buffer.get())->tensors[0].dims[0], 5);
}
GST_END_TEST;

GST_START_TEST(test_find_by_name) {
  const Owned<GstBuffer> buffer = test::tensor_buffer();
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer.get());
  fail_unless(cps_tensor_meta_find(meta, "patches") == &meta->tensors[0]);
  fail_unless(cps_tensor_meta_find(meta, "meta_fields") == &meta->tensors[1]);
  fail_unless(cps_tensor_meta_find(meta, "meta_scores") == &meta->tensors[2]);
  fail_unless(cps_tensor_meta_find(meta, "frames") == nullptr);
  fail_unless(cps_tensor_meta_find(meta, "a name that is no quark yet") == nullptr);
  fail_unless(cps_tensor_meta_find(meta, "") == nullptr);
}
GST_END_TEST;

GST_START_TEST(test_whole_copies) {
  Owned<GstBuffer> buffer = test::tensor_buffer();
  const CpsClip *clip = cps_buffer_get_tensor_meta(buffer.get())->clip;
  const Owned<GstBuffer> shallow(gst_buffer_copy(buffer.get())), deep(gst_buffer_copy_deep(buffer.get()));
  fail_unless(cps_buffer_get_tensor_meta(shallow.get())->tensors != cps_buffer_get_tensor_meta(buffer.get())->tensors);
  buffer.reset();
  check_tensors(shallow.get(), clip);
  check_tensors(deep.get(), clip);
}
GST_END_TEST;

// Tensors are found by their memory: a copy that has other memories must not claim to hold them.
GST_START_TEST(test_copies_without_the_memories_have_none) {
  const Owned<GstBuffer> buffer = test::tensor_buffer();
  const Owned<GstBuffer> part(gst_buffer_copy_region(buffer.get(), GST_BUFFER_COPY_ALL, 0, 72));
  fail_unless(cps_buffer_get_tensor_meta(part.get()) == nullptr);

  const auto merge = static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_ALL | GST_BUFFER_COPY_MERGE);
  const Owned<GstBuffer> merged(gst_buffer_copy_region(buffer.get(), merge, 0, static_cast<gsize>(-1)));
  assert_equals_int(gst_buffer_n_memory(merged.get()), 1);
  fail_unless(cps_buffer_get_tensor_meta(merged.get()) == nullptr);

  const Owned<GstBuffer> empty(gst_buffer_new());
  gst_buffer_copy_into(empty.get(), buffer.get(), GST_BUFFER_COPY_METADATA, 0, static_cast<gsize>(-1));
  fail_unless(cps_buffer_get_tensor_meta(empty.get()) == nullptr);
}
GST_END_TEST;

GST_START_TEST(test_mapping) {
  Owned<GstBuffer> buffer = test::tensor_buffer();
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer.get());
  GstMapInfo map;
  CpsTensor t = meta->tensors[2];
  assert_equals_uint64(cps_tensor_get_size(&t), 12);
  fail_unless(cps_tensor_map(&t, buffer.get(), &map, GST_MAP_WRITE));
  map.data[0] = 200;
  cps_tensor_unmap(&t, buffer.get(), &map);
  fail_unless(cps_tensor_map(&t, buffer.get(), &map, GST_MAP_READ));
  assert_equals_int(map.data[0], 200);
  assert_equals_int(map.data[1], 218);
  cps_tensor_unmap(&t, buffer.get(), &map);

  t.dims[0] = 4; // the memory holds 3
  fail_if(cps_tensor_map(&t, buffer.get(), &map, GST_MAP_READ));
  t.dims[0] = 3;
  t.memory = 3; // there are 3
  fail_if(cps_tensor_map(&t, buffer.get(), &map, GST_MAP_READ));
  fail_unless(gst_buffer_is_writable(buffer.get()));
}
GST_END_TEST;

GST_START_TEST(test_empty_tensors) {
  const Owned<GstBuffer> buffer = test::tensor_buffer(0);
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer.get());
  for (guint i = 0; i < meta->n_tensors; ++i) {
    GstMapInfo map;
    assert_equals_uint64(cps_tensor_get_size(&meta->tensors[i]), 0);
    fail_unless(cps_tensor_map(&meta->tensors[i], buffer.get(), &map, GST_MAP_READ));
    cps_tensor_unmap(&meta->tensors[i], buffer.get(), &map);
  }
}
GST_END_TEST;

GST_START_TEST(test_dtypes) {
  const struct {
    CpsDtype dtype;
    gsize size;
    const char *name, *caps_name;
  } rows[] = {{CPS_DTYPE_U8, 1, "U8", "uint8"},
              {CPS_DTYPE_F16, 2, "F16", "float16"},
              {CPS_DTYPE_BF16, 2, "BF16", "bfloat16"},
              {CPS_DTYPE_F32, 4, "F32", "float32"},
              {CPS_DTYPE_I64, 8, "I64", "int64"}};
  for (const auto &row : rows) {
    assert_equals_uint64(cps_dtype_get_size(row.dtype), row.size);
    assert_text(cps_dtype_get_name(row.dtype), row.name);
    const CpsTensor t = tensor("t", row.dtype, {3, 5, 7}, 0);
    assert_equals_uint64(cps_tensor_get_size(&t), 105 * row.size);
    assert_text(caps_string({t}, nullptr, "types"), row.caps_name);
  }
  const CpsTensor scalar = tensor("t", CPS_DTYPE_F32, {}, 0);
  assert_equals_uint64(cps_tensor_get_size(&scalar), 4);
}
GST_END_TEST;

GST_START_TEST(test_caps) {
  const Owned<GstBuffer> buffer = test::tensor_buffer(2048);
  const Owned<GstCaps> caps = test::caps_of(buffer.get()),
                       expected(gst_caps_from_string(
                           "other/tensors, format=(string)static, num_tensors=(int)3, framerate=(fraction)0/1, "
                           "types=(string)\"bfloat16,int64,float32\", "
                           "dimensions=(string)\"2:2:3:2048,6:2048,2048\""));
  fail_unless(gst_caps_is_equal(caps.get(), expected.get()));
  fail_unless(gst_caps_features_is_equal(gst_caps_get_features(caps.get(), 0), GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY));
}
GST_END_TEST;

GST_START_TEST(test_caps_of_other_memory) {
  const CpsTensor one = tensor("frames", CPS_DTYPE_U8, {16, 1080, 1920, 3}, 0);
  const Owned<GstCaps> caps(cps_tensors_to_caps(&one, 1, "memory:CUDAMemory"));
  fail_unless(gst_caps_features_contains(gst_caps_get_features(caps.get(), 0), "memory:CUDAMemory"));
  assert_text(caps_string({one}, "memory:CUDAMemory", "dimensions"), "3:1920:1080:16");
}
GST_END_TEST;

GST_START_TEST(test_clip_is_counted) {
  CpsClip *clip = cps_clip_new(2);
  clip->source = g_strdup("kept");
  Owned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, 4, nullptr));
  const CpsTensor one = tensor("one", CPS_DTYPE_U8, {4}, 0);
  cps_buffer_add_tensor_meta(buffer.get(), &one, 1, cps_clip_ref(clip));
  GValue value = G_VALUE_INIT;
  g_value_init(&value, CPS_TYPE_CLIP);
  g_value_set_boxed(&value, clip);
  fail_unless(g_value_get_boxed(&value) == clip);
  buffer.reset();
  g_value_unset(&value);
  assert_text(clip->source, "kept");
  cps_clip_unref(clip);
}
GST_END_TEST;

GST_START_TEST(test_sizes) {
  constexpr gint64 kHuge = gint64{1} << 40;
  const struct {
    CpsDtype dtype;
    std::vector<gint64> dims;
    gsize size;
  } rows[] = {
      {CPS_DTYPE_U8, {}, 1},
      {CPS_DTYPE_F32, {3, 5}, 60},
      {CPS_DTYPE_I64, {0}, 0},
      {CPS_DTYPE_U8, {kHuge}, gsize{1} << 40},
      {CPS_DTYPE_I64, {gint64{1} << 60}, gsize{1} << 63},
      {CPS_DTYPE_I64, {gint64{1} << 61}, G_MAXSIZE}, // would be 0
      {CPS_DTYPE_U8, {kHuge, kHuge}, G_MAXSIZE},     // would be 0
      {CPS_DTYPE_U8, {kHuge, kHuge, 0}, 0},
      {CPS_DTYPE_U8, {G_MAXINT64, 3}, G_MAXSIZE},
      {CPS_DTYPE_U8, {-1}, G_MAXSIZE},
      {CPS_DTYPE_U8, {-2, -2}, G_MAXSIZE},
  };
  for (const auto &row : rows) {
    CpsTensor one = tensor("one", row.dtype, {}, 0);
    one.n_dims = static_cast<guint>(row.dims.size());
    std::copy(row.dims.begin(), row.dims.end(), one.dims);
    assert_equals_uint64(cps_tensor_get_size(&one), row.size);
  }
}
GST_END_TEST;

// Whatever it says of itself, there is no more to map than the memory has.
GST_START_TEST(test_sizes_that_overflow_are_not_mapped) {
  const Owned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, 64, nullptr));
  const CpsTensor one = tensor("one", CPS_DTYPE_U8, {gint64{1} << 40, gint64{1} << 40}, 0);
  GstMapInfo info;
  fail_if(cps_tensor_map(&one, buffer.get(), &info, GST_MAP_READ));
}
GST_END_TEST;

static Suite *tensor_meta_suite() {
  Suite *suite = suite_create("tensor-meta");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_values);
  tcase_add_test(tests, test_sizes);
  tcase_add_test(tests, test_sizes_that_overflow_are_not_mapped);
  tcase_add_test(tests, test_copies_the_list);
  tcase_add_test(tests, test_find_by_name);
  tcase_add_test(tests, test_whole_copies);
  tcase_add_test(tests, test_copies_without_the_memories_have_none);
  tcase_add_test(tests, test_mapping);
  tcase_add_test(tests, test_empty_tensors);
  tcase_add_test(tests, test_dtypes);
  tcase_add_test(tests, test_caps);
  tcase_add_test(tests, test_caps_of_other_memory);
  tcase_add_test(tests, test_clip_is_counted);
  return suite;
}

GST_CHECK_MAIN(tensor_meta)
