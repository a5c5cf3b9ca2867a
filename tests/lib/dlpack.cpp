// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/dlpackabi.h"
#include "tests/common/tensors.h"
#include "tests/common/text.h"

#include <gst/codecpatch/codecpatch.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

using test::Owned;
using test::tensor;

namespace {

struct Delete {
  template <typename Managed> void operator()(Managed *managed) const { managed->deleter(managed); }
};

using Legacy = std::unique_ptr<DLManagedTensor, Delete>;
using Versioned = std::unique_ptr<DLManagedTensorVersioned, Delete>;

Legacy legacy(GstBuffer *buffer, const char *name) {
  GError *error = nullptr;
  Legacy out(cps_tensor_meta_to_dlpack(buffer, name, &error));
  fail_unless(out && !error, "%s", error ? error->message : "no error");
  return out;
}

Versioned versioned(GstBuffer *buffer, const char *name) {
  GError *error = nullptr;
  Versioned out(cps_tensor_meta_to_dlpack_versioned(buffer, name, &error));
  fail_unless(out && !error, "%s", error ? error->message : "no error");
  return out;
}

// Both forms refuse, for the same reason.
void check_refused(GstBuffer *buffer, const char *name, GQuark domain, gint code, const char *message) {
  GError *error = nullptr, *again = nullptr;
  fail_unless(cps_tensor_meta_to_dlpack(buffer, name, &error) == nullptr);
  fail_unless(cps_tensor_meta_to_dlpack_versioned(buffer, name, &again) == nullptr);
  fail_unless(g_error_matches(error, domain, code) && g_error_matches(again, domain, code));
  assert_text(error->message, message);
  assert_text(again->message, message);
  g_clear_error(&error);
  g_clear_error(&again);
  fail_unless(cps_tensor_meta_to_dlpack(buffer, name, nullptr) == nullptr);
}

// A buffer with one tensor "t" of some bytes, in this memory.
Owned<GstBuffer> buffer_of(GstMemory *memory, gint64 bytes) {
  GstBuffer *buffer = gst_buffer_new();
  gst_buffer_append_memory(buffer, memory);
  const CpsTensor t = tensor("t", CPS_DTYPE_U8, {bytes}, 0);
  cps_buffer_add_tensor_meta(buffer, &t, 1, cps_clip_new(0));
  return Owned<GstBuffer>(buffer);
}

// 16 bytes of the application's own, which counts how often they are freed.
struct Bytes {
  guint8 data[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  gint freed = 0;

  GstMemory *memory(guint flags = 0, gsize offset = 0) {
    return gst_memory_new_wrapped(static_cast<GstMemoryFlags>(flags), data, 16, offset, 16 - offset, &freed,
                                  [](gpointer count) { g_atomic_int_inc(static_cast<gint *>(count)); });
  }
};

bool read_only(const Versioned &managed) {
  fail_unless((managed->flags & ~kDLFlagReadOnly) == 0);
  return (managed->flags & kDLFlagReadOnly) != 0;
}

std::vector<gint64> list(const int64_t *values, int32_t n) {
  return {values, values + n};
}

bool device_is(const DLTensor &t, int32_t type, int32_t id) {
  return t.device.device_type == type && t.device.device_id == id;
}

} // namespace

// Memory of a device that there is not: bytes on the host, under another address when mapped for the device.
#define FAKE_MAP_CUDA (GST_MAP_FLAG_LAST << 1)

static guint8 fake_device_address[64];
static gint fake_maps, fake_unmaps;
static guint fake_refused; // these flags cannot be mapped with

struct FakeAllocator {
  GstAllocator parent;
  gint device_id;
  gboolean primary;
};
struct FakeAllocatorClass {
  GstAllocatorClass parent;
};

static GType fake_allocator_get_type(void);
G_DEFINE_TYPE(FakeAllocator, fake_allocator, GST_TYPE_ALLOCATOR)

static GstMemory *fake_allocator_alloc(GstAllocator *allocator, gsize size, GstAllocationParams *) {
  auto *memory = g_new0(GstMemory, 1);
  gst_memory_init(memory, static_cast<GstMemoryFlags>(0), allocator, nullptr, size, 0, 0, size);
  return memory;
}

static void fake_allocator_class_init(FakeAllocatorClass *klass) {
  klass->parent.alloc = fake_allocator_alloc;
  klass->parent.free = [](GstAllocator *, GstMemory *memory) { g_free(memory); };
  auto *object_class = reinterpret_cast<GObjectClass *>(klass);
  object_class->get_property = [](GObject *object, guint id, GValue *value, GParamSpec *) {
    const auto *self = reinterpret_cast<FakeAllocator *>(object);
    if (id == 1)
      g_value_set_int(value, self->device_id);
    else
      g_value_set_boolean(value, self->primary);
  };
  g_object_class_install_property(object_class, 1,
                                  g_param_spec_int("cuda-device-id", "", "", 0, G_MAXINT, 0, G_PARAM_READABLE));
  g_object_class_install_property(object_class, 2,
                                  g_param_spec_boolean("primary-context", "", "", TRUE, G_PARAM_READABLE));
}

static void fake_allocator_init(FakeAllocator *self) {
  self->parent.mem_type = CPS_CUDA_MEMORY_TYPE;
  self->device_id = 5;
  self->primary = TRUE;
  self->parent.mem_map = [](GstMemory *, gsize, GstMapFlags flags) -> gpointer {
    static guint8 host[64];
    if (flags & fake_refused)
      return nullptr;
    ++fake_maps;
    return flags & FAKE_MAP_CUDA ? fake_device_address : host;
  };
  self->parent.mem_unmap = [](GstMemory *) { ++fake_unmaps; };
}

static Owned<GstBuffer> device_buffer(gsize size) {
  fake_maps = fake_unmaps = 0;
  fake_refused = 0;
  auto *allocator = static_cast<GstAllocator *>(g_object_new(fake_allocator_get_type(), nullptr));
  gst_object_ref_sink(allocator);
  Owned<GstBuffer> buffer =
      buffer_of(gst_allocator_alloc(allocator, size, nullptr), static_cast<gint64>(size)); // which holds the allocator
  gst_object_unref(allocator);
  return buffer;
}

GST_START_TEST(test_dtypes) {
  const struct {
    CpsDtype dtype;
    uint8_t code, bits;
  } rows[] = {{CPS_DTYPE_U8, kDLUInt, 8},
              {CPS_DTYPE_F16, kDLFloat, 16},
              {CPS_DTYPE_BF16, kDLBfloat, 16},
              {CPS_DTYPE_F32, kDLFloat, 32},
              {CPS_DTYPE_I64, kDLInt, 64}};
  for (const auto &row : rows) {
    Bytes bytes;
    const Owned<GstBuffer> buffer(gst_buffer_new());
    gst_buffer_append_memory(buffer.get(), bytes.memory());
    const CpsTensor t = tensor("t", row.dtype, {2}, 0);
    cps_buffer_add_tensor_meta(buffer.get(), &t, 1, cps_clip_new(0));
    const Legacy old = legacy(buffer.get(), "t");
    const Versioned managed = versioned(buffer.get(), "t");
    for (const DLTensor *dl : {&old->dl_tensor, &managed->dl_tensor}) {
      assert_equals_int(dl->dtype.code, row.code);
      assert_equals_int(dl->dtype.bits, row.bits);
      assert_equals_int(dl->dtype.lanes, 1);
      fail_unless(device_is(*dl, kDLCPU, 0));
      fail_unless(dl->data == bytes.data);
      assert_equals_uint64(dl->byte_offset, 0);
    }
    assert_equals_int(managed->version.major, 1);
    assert_equals_int(managed->version.minor, 0);
  }
}
GST_END_TEST;

GST_START_TEST(test_shapes) {
  const struct {
    std::vector<gint64> dims, strides;
  } rows[] = {{{}, {}},
              {{7}, {1}},
              {{2, 3}, {3, 1}},
              {{4, 3, 2, 5}, {30, 10, 5, 1}},
              {{1, 2, 1, 3, 1, 2, 1, 2}, {24, 12, 12, 4, 4, 2, 2, 1}}};
  for (const auto &row : rows) {
    const Owned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, 8 * 120, nullptr));
    CpsTensor t = tensor("t", CPS_DTYPE_I64, {}, 0);
    t.n_dims = static_cast<guint>(row.dims.size());
    std::copy(row.dims.begin(), row.dims.end(), t.dims);
    cps_buffer_add_tensor_meta(buffer.get(), &t, 1, cps_clip_new(0));
    const Legacy old = legacy(buffer.get(), "t");
    const Versioned managed = versioned(buffer.get(), "t");
    for (const DLTensor *dl : {&old->dl_tensor, &managed->dl_tensor}) {
      assert_equals_int(dl->ndim, static_cast<int>(t.n_dims));
      fail_unless(dl->shape && dl->strides);
      fail_unless(list(dl->shape, dl->ndim) == row.dims);
      fail_unless(list(dl->strides, dl->ndim) == row.strides);
    }
  }
}
GST_END_TEST;

// Each tensor comes from its own memory, from where that begins.
GST_START_TEST(test_finds_the_elements) {
  const Owned<GstBuffer> buffer = test::tensor_buffer();
  guint position = 1;
  for (const char *name : {"patches", "meta_fields", "meta_scores"}) {
    const Versioned managed = versioned(buffer.get(), name);
    assert_equals_int(*static_cast<const guint8 *>(managed->dl_tensor.data), static_cast<int>(position % 256));
    position +=
        static_cast<guint>(cps_tensor_get_size(cps_tensor_meta_find(cps_buffer_get_tensor_meta(buffer.get()), name)));
  }

  Bytes bytes;
  const Owned<GstBuffer> later = buffer_of(bytes.memory(0, 4), 12);
  fail_unless(versioned(later.get(), "t")->dl_tensor.data == bytes.data + 4);
}
GST_END_TEST;

GST_START_TEST(test_empty_tensors) {
  const Owned<GstBuffer> buffer = test::tensor_buffer(0);
  const Legacy old = legacy(buffer.get(), "meta_fields");
  const Versioned managed = versioned(buffer.get(), "patches");
  fail_unless(old->dl_tensor.data == nullptr && managed->dl_tensor.data == nullptr);
  fail_unless(list(old->dl_tensor.shape, old->dl_tensor.ndim) == std::vector<gint64>({0, 6}));
  fail_unless(list(managed->dl_tensor.shape, managed->dl_tensor.ndim) == std::vector<gint64>({0, 3, 2, 2}));
  fail_unless(list(managed->dl_tensor.strides, managed->dl_tensor.ndim) == std::vector<gint64>({12, 4, 2, 1}));
  fail_unless(device_is(managed->dl_tensor, kDLCPU, 0));
}
GST_END_TEST;

GST_START_TEST(test_outlives_the_buffer) {
  for (const bool new_form : {false, true}) {
    Bytes bytes;
    Owned<GstBuffer> buffer = buffer_of(bytes.memory(), 16);
    Legacy old;
    Versioned managed;
    if (new_form)
      managed = versioned(buffer.get(), "t");
    else
      old = legacy(buffer.get(), "t");
    buffer.reset();
    assert_equals_int(bytes.freed, 0);
    const DLTensor &dl = new_form ? managed->dl_tensor : old->dl_tensor;
    fail_unless(dl.data == bytes.data && dl.shape[0] == 16 && dl.strides[0] == 1);
    std::thread([&] {
      old.reset();
      managed.reset();
    }).join();
    assert_equals_int(bytes.freed, 1);
  }
}
GST_END_TEST;

GST_START_TEST(test_leaves_the_buffer) {
  Bytes bytes;
  Owned<GstBuffer> buffer = buffer_of(bytes.memory(), 16);
  legacy(buffer.get(), "t").reset();
  versioned(buffer.get(), "t").reset();
  assert_equals_int(bytes.freed, 0);
  assert_equals_int(GST_MINI_OBJECT_REFCOUNT_VALUE(buffer.get()), 1);
  fail_if(gst_buffer_peek_memory(buffer.get(), 0)->mini_object.lockstate & GST_LOCK_FLAG_READWRITE);
  buffer.reset();
  assert_equals_int(bytes.freed, 1);
}
GST_END_TEST;

// They can be had again, and side by side; any order of their ends is right.
GST_START_TEST(test_two_of_one_tensor) {
  Bytes bytes;
  Owned<GstBuffer> buffer = buffer_of(bytes.memory(), 16);
  Versioned one = versioned(buffer.get(), "t"), two = versioned(buffer.get(), "t");
  fail_unless(one != two && one->dl_tensor.data == two->dl_tensor.data);
  fail_if(read_only(one) || read_only(two));
  one.reset();
  buffer.reset();
  assert_equals_int(bytes.freed, 0);
  assert_equals_int(static_cast<const guint8 *>(two->dl_tensor.data)[15], 16);
  two.reset();
  assert_equals_int(bytes.freed, 1);
}
GST_END_TEST;

GST_START_TEST(test_writable_where_nobody_else_looks) {
  const Owned<GstBuffer> buffer = test::tensor_buffer();
  const Versioned patches = versioned(buffer.get(), "patches"), fields = versioned(buffer.get(), "meta_fields");
  const Legacy scores = legacy(buffer.get(), "meta_scores");
  fail_if(read_only(patches) || read_only(fields));
  static_cast<float *>(scores->dl_tensor.data)[1] = 0.5f;
  fail_unless(test::elements_of<float>(buffer.get(), "meta_scores")[1] == 0.5f);
}
GST_END_TEST;

GST_START_TEST(test_read_only_where_shared) {
  Bytes bytes;
  const Owned<GstBuffer> buffer = buffer_of(bytes.memory(), 16);
  {
    const Owned<GstBuffer> second_holder(gst_buffer_ref(buffer.get()));
    fail_unless(read_only(versioned(buffer.get(), "t")));
    fail_unless(legacy(buffer.get(), "t")->dl_tensor.data == bytes.data);
  }
  {
    const Owned<GstBuffer> same_memory(gst_buffer_copy(buffer.get()));
    fail_unless(read_only(versioned(buffer.get(), "t")));
    fail_unless(read_only(versioned(same_memory.get(), "t")));
    fail_unless(versioned(same_memory.get(), "t")->dl_tensor.data == bytes.data);
  }
  fail_if(read_only(versioned(buffer.get(), "t")));

  const Owned<GstSample> sample(gst_sample_new(test::tensor_buffer().get(), nullptr, nullptr, nullptr));
  GstBuffer *sampled = gst_sample_get_buffer(sample.get());
  fail_if(read_only(versioned(sampled, "patches")));
  const Owned<GstSample> second_reader(gst_sample_ref(sample.get()));
  fail_unless(read_only(versioned(sampled, "patches")));

  Bytes constant;
  const Owned<GstBuffer> fixed = buffer_of(constant.memory(GST_MEMORY_FLAG_READONLY), 16);
  fail_unless(read_only(versioned(fixed.get(), "t")));
}
GST_END_TEST;

// Who writes to a buffer of which there are read-only views gets other memory.
GST_START_TEST(test_read_only_stays_as_it_is) {
  Bytes bytes;
  const Owned<GstBuffer> buffer = buffer_of(bytes.memory(), 16);
  Owned<GstBuffer> second_holder(gst_buffer_ref(buffer.get()));
  Versioned managed = versioned(buffer.get(), "t");
  second_holder.reset();
  fail_unless(read_only(versioned(buffer.get(), "t"))); // mapped for reading it cannot be for writing
  gst_buffer_memset(buffer.get(), 0, 99, 16);
  fail_unless(managed->dl_tensor.data == bytes.data && bytes.data[0] == 1);
  assert_equals_int(test::elements_of<guint8>(buffer.get(), "t")[0], 99);
  assert_equals_int(bytes.freed, 0);
  managed.reset();
  assert_equals_int(bytes.freed, 1);
}
GST_END_TEST;

// What gives memory back to a pool does so after the deleter.
GST_START_TEST(test_pooled_memory_is_not_reused) {
  const Owned<GstBufferPool> pool(gst_buffer_pool_new());
  GstStructure *config = gst_buffer_pool_get_config(pool.get());
  gst_buffer_pool_config_set_params(config, nullptr, 16, 1, 1);
  fail_unless(gst_buffer_pool_set_config(pool.get(), config) && gst_buffer_pool_set_active(pool.get(), TRUE));
  GstBufferPoolAcquireParams no_wait = {};
  no_wait.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT;
  const CpsTensor t = tensor("t", CPS_DTYPE_U8, {16}, 0);
  for (const bool by_parent : {false, true}) {
    GstBuffer *buffer = nullptr, *other = nullptr;
    fail_unless(gst_buffer_pool_acquire_buffer(pool.get(), &buffer, &no_wait) == GST_FLOW_OK);
    Owned<GstBuffer> pooled(buffer);
    if (by_parent) {
      const Owned<GstBuffer> child(gst_buffer_new());
      gst_buffer_append_memory(child.get(), gst_buffer_get_memory(pooled.get(), 0));
      gst_buffer_add_parent_buffer_meta(child.get(), pooled.get());
      pooled.reset(gst_buffer_ref(child.get()));
    }
    cps_buffer_add_tensor_meta(pooled.get(), &t, 1, cps_clip_new(0));
    Versioned managed = versioned(pooled.get(), "t");
    assert_equals_int(read_only(managed), by_parent); // whose memory the parent has, too
    pooled.reset();
    fail_unless(gst_buffer_pool_acquire_buffer(pool.get(), &other, &no_wait) == GST_FLOW_EOS);
    managed.reset();
    fail_unless(gst_buffer_pool_acquire_buffer(pool.get(), &other, &no_wait) == GST_FLOW_OK);
    gst_buffer_unref(other);
  }
  gst_buffer_pool_set_active(pool.get(), FALSE);
}
GST_END_TEST;

GST_START_TEST(test_refusals) {
  Bytes bytes;
  const Owned<GstBuffer> bare(gst_buffer_new()), buffer = buffer_of(bytes.memory(), 16);
  check_refused(bare.get(), "t", GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, "The buffer has no tensors.");
  check_refused(buffer.get(), "frames", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                "The buffer has no tensor \"frames\".");
  const Owned<GstBuffer> small = buffer_of(gst_allocator_alloc(nullptr, 16, nullptr), 17);
  check_refused(small.get(), "t", GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                "Tensor \"t\" takes 17 bytes, its memory has 16.");
  for (const gint64 bytes_of_none : {16, 0}) {
    const Owned<GstBuffer> none = buffer_of(gst_allocator_alloc(nullptr, 16, nullptr), bytes_of_none);
    gst_buffer_remove_all_memory(none.get());
    check_refused(none.get(), "t", GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                  "The buffer lacks the memory of tensor \"t\".");
  }
  const Owned<GstBuffer> unmappable = device_buffer(16);
  fake_refused = GST_MAP_READWRITE;
  check_refused(unmappable.get(), "t", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
                "The memory of tensor \"t\" cannot be mapped.");
  assert_equals_int(fake_unmaps, 0);
}
GST_END_TEST;

GST_START_TEST(test_device_memory) {
  Owned<GstBuffer> buffer = device_buffer(16);
  Legacy old = legacy(buffer.get(), "t");
  Versioned managed = versioned(buffer.get(), "t");
  fail_if(read_only(managed));
  for (const DLTensor *dl : {&old->dl_tensor, &managed->dl_tensor}) {
    fail_unless(device_is(*dl, kDLCUDA, 5));
    fail_unless(dl->data == fake_device_address);
    assert_equals_int64(dl->shape[0], 16);
  }
  buffer.reset();
  assert_equals_int(fake_unmaps, 0);
  old.reset();
  managed.reset();
  assert_equals_int(fake_unmaps, fake_maps);

  fail_unless(device_is(versioned(device_buffer(0).get(), "t")->dl_tensor, kDLCUDA, 5));
  assert_equals_int(fake_maps, 0);
}
GST_END_TEST;

GST_START_TEST(test_memory_that_maps_for_reading_only) {
  const Owned<GstBuffer> buffer = device_buffer(16);
  fake_refused = GST_MAP_WRITE;
  const Versioned managed = versioned(buffer.get(), "t");
  fail_unless(read_only(managed) && managed->dl_tensor.data == fake_device_address);
}
GST_END_TEST;

GST_START_TEST(test_memory_out_of_reach) {
  const Owned<GstBuffer> buffer = device_buffer(16);
  reinterpret_cast<FakeAllocator *>(gst_buffer_peek_memory(buffer.get(), 0)->allocator)->primary = FALSE;
  check_refused(
      buffer.get(), "t", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "Tensor \"t\" is in a CUDA context of its own, which frameworks cannot reach: let the decoder work in the "
      "device's primary context, by cuda-device-id of patchenergy and patchselect.");
  assert_equals_int(fake_maps, 0);
}
GST_END_TEST;

static Suite *dlpack_suite() {
  Suite *suite = suite_create("dlpack");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_dtypes);
  tcase_add_test(tests, test_shapes);
  tcase_add_test(tests, test_finds_the_elements);
  tcase_add_test(tests, test_empty_tensors);
  tcase_add_test(tests, test_outlives_the_buffer);
  tcase_add_test(tests, test_leaves_the_buffer);
  tcase_add_test(tests, test_two_of_one_tensor);
  tcase_add_test(tests, test_writable_where_nobody_else_looks);
  tcase_add_test(tests, test_read_only_where_shared);
  tcase_add_test(tests, test_read_only_stays_as_it_is);
  tcase_add_test(tests, test_pooled_memory_is_not_reused);
  tcase_add_test(tests, test_refusals);
  tcase_add_test(tests, test_device_memory);
  tcase_add_test(tests, test_memory_that_maps_for_reading_only);
  tcase_add_test(tests, test_memory_out_of_reach);
  return suite;
}

GST_CHECK_MAIN(dlpack)
