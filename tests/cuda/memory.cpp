// SPDX-License-Identifier: LGPL-2.1-or-later
// Linear device memory.
#include "gst/cuda/context.h"
#include "tests/cuda/common.h"

#include <algorithm>
#include <set>
#include <thread>

using namespace test;
using cps::Owned;

namespace {

std::vector<uint8_t> part_of(const std::vector<uint8_t> &bytes, size_t begin, size_t end) {
  return {bytes.data() + begin, bytes.data() + end};
}

struct Setup {
  Owned<GstCudaContext> context = new_context();
  Owned<GstAllocator> allocator = Owned<GstAllocator>(cps::cuda::linear_allocator_of(context.get()));

  Owned<GstMemory> memory_of(const std::vector<uint8_t> &bytes) const {
    Owned<GstMemory> memory = allocate(allocator.get(), bytes.size());
    fail_unless(memory != nullptr);
    write_bytes(memory.get(), bytes);
    return memory;
  }
};

} // namespace

GST_START_TEST(test_allocator) {
  const Setup setup;
  const Owned<GstMemory> memory = allocate(setup.allocator.get(), 1000);
  fail_unless(memory != nullptr);
  fail_unless(gst_memory_is_type(memory.get(), CPS_CUDA_MEMORY_TYPE));
  fail_unless(cps::cuda::is_linear_memory(memory.get()));
  fail_unless(GST_MEMORY_IS_NO_SHARE(memory.get()));
  fail_unless_equals_uint64(address_of(memory.get()) % 256, 0);
  gint device = -1;
  g_object_get(setup.allocator.get(), "cuda-device-id", &device, nullptr);
  fail_unless_equals_int(device, 0);

  cps::cuda::Error error;
  const Owned<GstCudaContext> primary = cps::cuda::primary_context(0, error);
  const Owned<GstAllocator> of_primary(cps::cuda::linear_allocator_of(primary.get()));
  gboolean is_primary = TRUE;
  g_object_get(setup.allocator.get(), "primary-context", &is_primary, nullptr);
  fail_if(is_primary);
  g_object_get(of_primary.get(), "primary-context", &is_primary, nullptr);
  fail_unless(is_primary);

  const Owned<GstMemory> other(gst_allocator_alloc(nullptr, 10, nullptr));
  fail_if(cps::cuda::is_linear_memory(other.get()));
}
GST_END_TEST;

GST_START_TEST(test_map) {
  const Setup setup;
  std::vector<uint8_t> bytes = some_bytes(100001, 1);
  const Owned<GstMemory> memory = setup.memory_of(bytes);
  fail_unless(read_bytes(memory.get()) == bytes);

  // What a writer leaves alone keeps its value.
  {
    const Mapped map(memory.get(), GST_MAP_WRITE);
    map.data()[77] = bytes[77] = 200;
  }
  fail_unless(read_bytes(memory.get()) == bytes);

  // What the device writes is read back.
  const auto device = new_device(setup.context.get());
  const std::vector<uint8_t> later = some_bytes(bytes.size(), 2);
  {
    const cps::cuda::CurrentContext current(*device);
    const Mapped map(memory.get(), kCudaWrite);
    fail_unless(device->upload(reinterpret_cast<CUdeviceptr>(map.data()), later.data(), later.size()));
  }
  fail_unless(read_bytes(memory.get()) == later);
}
GST_END_TEST;

// Readers share; a writer keeps the other side out.
GST_START_TEST(test_map_twice) {
  const Setup setup;
  const std::vector<uint8_t> bytes = some_bytes(3000, 3);
  const Owned<GstMemory> memory = setup.memory_of(bytes);
  {
    const Mapped first(memory.get(), GST_MAP_READ);
    const Mapped device(memory.get(), kCudaRead);
    const Mapped second(memory.get(), GST_MAP_READ);
    fail_unless(first.data() == second.data());
    fail_if(can_map(memory.get(), GST_MAP_WRITE));
    fail_if(can_map(memory.get(), kCudaWrite));
  }
  {
    const Mapped both(memory.get(), GST_MAP_READWRITE);
    fail_if(can_map(memory.get(), kCudaRead));
    fail_unless(can_map(memory.get(), GST_MAP_READ));
  }
  {
    const Mapped both(memory.get(), static_cast<GstMapFlags>(GST_MAP_READWRITE | GST_MAP_CUDA));
    fail_if(can_map(memory.get(), GST_MAP_READ));
    fail_unless(can_map(memory.get(), kCudaRead));
  }
  fail_unless(read_bytes(memory.get()) == bytes);
}
GST_END_TEST;

GST_START_TEST(test_copy) {
  const Setup setup;
  const std::vector<uint8_t> bytes = some_bytes(5000, 4);
  const Owned<GstMemory> memory = setup.memory_of(bytes);

  const Owned<GstMemory> part(gst_memory_copy(memory.get(), 100, 50));
  fail_unless(part && cps::cuda::is_linear_memory(part.get()));
  fail_unless(read_bytes(part.get()) == part_of(bytes, 100, 150));
  const Owned<GstMemory> rest(gst_memory_copy(memory.get(), 4000, -1));
  fail_unless(rest && read_bytes(rest.get()) == part_of(bytes, 4000, bytes.size()));

  // Of what is left of it after a resize.
  gst_memory_resize(memory.get(), 10, 1000);
  const std::vector<uint8_t> left = part_of(bytes, 10, 1010);
  fail_unless(read_bytes(memory.get()) == left);
  const Owned<GstMemory> copy(gst_memory_copy(memory.get(), 0, -1));
  fail_unless(copy && read_bytes(copy.get()) == left);
  const Owned<GstMemory> end(gst_memory_copy(memory.get(), 990, 10));
  fail_unless(end && read_bytes(end.get()) == part_of(left, 990, 1000));
  write_bytes(memory.get(), some_bytes(1000, 5));
  gst_memory_resize(memory.get(), -10, 5000);
  std::vector<uint8_t> mixed = bytes;
  const std::vector<uint8_t> written = some_bytes(1000, 5);
  std::copy(written.begin(), written.end(), mixed.begin() + 10);
  fail_unless(read_bytes(memory.get()) == mixed);

  // Copies are their own.
  fail_unless(read_bytes(copy.get()) == left);
}
GST_END_TEST;

// In buffers: whoever wants to write gets a copy on the device.
GST_START_TEST(test_in_buffers) {
  const Setup setup;
  const std::vector<uint8_t> bytes = some_bytes(999, 6);
  Owned<GstBuffer> buffer(gst_buffer_new());
  gst_buffer_append_memory(buffer.get(), setup.memory_of(bytes).release());
  const Owned<GstBuffer> copy(gst_buffer_copy(buffer.get()));
  GstMemory *copied = gst_buffer_peek_memory(copy.get(), 0);
  fail_unless(cps::cuda::is_linear_memory(copied));
  fail_unless(copied != gst_buffer_peek_memory(buffer.get(), 0));
  gst_buffer_memset(buffer.get(), 0, 7, bytes.size());
  fail_unless(read_bytes(copied) == bytes);

  // Two memories in one buffer are read as one in system memory.
  gst_buffer_append_memory(buffer.get(), setup.memory_of(bytes).release());
  GstMapInfo map;
  fail_unless(gst_buffer_map(buffer.get(), &map, GST_MAP_READ));
  fail_unless_equals_int(map.size, 2 * bytes.size());
  fail_unless(map.data[bytes.size() - 1] == 7 && std::equal(bytes.begin(), bytes.end(), map.data + bytes.size()));
  gst_buffer_unmap(buffer.get(), &map);
}
GST_END_TEST;

GST_START_TEST(test_allocation_params) {
  const Setup setup;
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  params.prefix = 100;
  params.padding = 28;
  params.align = 63;
  const Owned<GstMemory> memory(gst_allocator_alloc(setup.allocator.get(), 1000, &params));
  gsize offset = 0, whole = 0;
  fail_unless_equals_int(gst_memory_get_sizes(memory.get(), &offset, &whole), 1000);
  fail_unless(offset == 100 && whole == 1128);
  const std::vector<uint8_t> bytes = some_bytes(1000, 7);
  write_bytes(memory.get(), bytes);
  fail_unless(read_bytes(memory.get()) == bytes);

  params.align = 4095; // more than the driver promises
  fail_if(gst_allocator_alloc(setup.allocator.get(), 1000, &params) != nullptr);
}
GST_END_TEST;

GST_START_TEST(test_nothing) {
  const Setup setup;
  const Owned<GstMemory> memory = allocate(setup.allocator.get(), 0);
  fail_unless(memory != nullptr);
  fail_unless(Mapped(memory.get(), GST_MAP_READ).size() == 0);
  fail_unless(address_of(memory.get()) != 0);
  const Owned<GstMemory> copy(gst_memory_copy(memory.get(), 0, -1));
  fail_unless(copy && gst_memory_get_sizes(copy.get(), nullptr, nullptr) == 0);
}
GST_END_TEST;

// Once it has what it needs, a stream takes nothing more from the driver.
GST_START_TEST(test_reuse) {
  const Setup setup;
  std::set<CUdeviceptr> addresses;
  unsigned allocations = 0;
  for (int i = 0; i < 20; i++) {
    const Owned<GstMemory> large = setup.memory_of(some_bytes(40000, i)), small = setup.memory_of(some_bytes(300, i));
    addresses.insert({address_of(large.get()), address_of(small.get())});
    if (i == 0 && simulation())
      allocations = simulation()->allocations();
  }
  fail_unless_equals_int(addresses.size(), 2);
  if (simulation())
    fail_unless_equals_int(simulation()->allocations(), allocations);
}
GST_END_TEST;

// What is kept has a limit, and the context does not live for it.
GST_START_TEST(test_kept_blocks) {
  const size_t before = simulation() ? simulation()->memory_in_use() : 0;
  bool gone = false;
  {
    const Setup setup;
    g_object_weak_ref(
        G_OBJECT(setup.context.get()), [](gpointer flag, GObject *) { *static_cast<bool *>(flag) = true; }, &gone);
    {
      std::vector<Owned<GstMemory>> memories;
      for (int i = 0; i < 40; i++)
        memories.push_back(allocate(setup.allocator.get(), 16 << 20));
    }
    if (simulation())
      fail_unless_equals_uint64(simulation()->memory_in_use() - before, 256 << 20);
  }
  fail_unless(gone);
  if (simulation())
    fail_unless_equals_uint64(simulation()->memory_in_use(), before);
}
GST_END_TEST;

GST_START_TEST(test_too_much_at_once) {
  const Setup setup;
  const auto device = new_device(setup.context.get());
  for (const gsize bytes : {gsize{1} << 32, (gsize{1} << 32) - 1, (gsize{1} << 32) + 1000, G_MAXSIZE})
    fail_if(gst_allocator_alloc(setup.allocator.get(), bytes, nullptr) != nullptr);
  const cps::cuda::CurrentContext current(*device);
  fail_if(device->allocate(gsize{5} << 30) != nullptr);
  fail_unless(device->error().out_of_memory);
  check_text(device->error().text, "allocating 5369 MB, which is too much at once");
  fail_unless(device->allocate(100) != nullptr);
}
GST_END_TEST;

GST_START_TEST(test_out_of_memory) {
  if (!simulation())
    return;
  const Setup setup;
  const auto device = new_device(setup.context.get());
  const cps::cuda::CurrentContext current(*device);
  simulation()->set_memory_limit(simulation()->memory_in_use() + 10000000);
  fail_if(gst_allocator_alloc(setup.allocator.get(), 11000000, nullptr) != nullptr);
  fail_if(device->allocate(11000000) != nullptr);
  fail_unless(device->error().out_of_memory);
  check_text(device->error().text, "The GPU has no memory left (CUDA_ERROR_OUT_OF_MEMORY while allocating 11 MB)");
  cps::cuda::Memory scratch;
  fail_if(scratch.reserve(*device, 11000000));

  // What is kept gives way, and memory that was there before still works.
  const std::vector<uint8_t> bytes = some_bytes(1000, 8);
  const Owned<GstMemory> before = setup.memory_of(bytes);
  for (int i = 0; i < 2; i++) {
    const Owned<GstMemory> one = allocate(setup.allocator.get(), 4000000),
                           two = allocate(setup.allocator.get(), 4000256);
    fail_unless(one && two);
  }
  fail_unless(allocate(setup.allocator.get(), 9000000) != nullptr);
  fail_unless(read_bytes(before.get()) == bytes);
  simulation()->set_memory_limit(size_t{4} << 30);
}
GST_END_TEST;

GST_START_TEST(test_free_last) {
  const size_t used = simulation() ? simulation()->memory_in_use() : 0;
  Owned<GstMemory> memory;
  {
    const Setup setup;
    const auto device = new_device(setup.context.get());
    const cps::cuda::CurrentContext current(*device);
    memory = device->allocate(5000);
    fail_unless(memory != nullptr);
  }
  const std::vector<uint8_t> bytes = some_bytes(5000, 9);
  std::thread([&memory, &bytes] {
    write_bytes(memory.get(), bytes);
    fail_unless(read_bytes(memory.get()) == bytes);
    memory.reset();
  }).join();
  if (simulation())
    fail_unless_equals_uint64(simulation()->memory_in_use(), used);
}
GST_END_TEST;

GST_START_TEST(test_threads) {
  const Setup setup;
  const Owned<GstMemory> shared = setup.memory_of(some_bytes(10000, 10));
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 4; thread++)
    threads.emplace_back([&setup, &shared, thread] {
      for (unsigned i = 0; i < 50; i++) {
        const std::vector<uint8_t> bytes = some_bytes(100 + i % 3 * 1000, thread * 100 + i);
        const Owned<GstMemory> memory = setup.memory_of(bytes);
        const Owned<GstMemory> copy(gst_memory_copy(memory.get(), 10, -1));
        fail_unless(read_bytes(copy.get()) == part_of(bytes, 10, bytes.size()));
        fail_unless(read_bytes(shared.get()) == some_bytes(10000, 10));
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}
GST_END_TEST;

// Everything fails, nothing aborts, and what can be freed is.
GST_START_TEST(test_lost_device) {
  if (!simulation())
    return;
  {
    const Setup setup;
    const Owned<GstMemory> mapped = setup.memory_of(some_bytes(100, 11)), fresh = allocate(setup.allocator.get(), 100);
    simulation()->lose_device(1);
    fail_if(can_map(mapped.get(), GST_MAP_READ));
    fail_if(can_map(fresh.get(), GST_MAP_READ));
    fail_if(gst_memory_copy(mapped.get(), 0, -1) != nullptr);
    fail_if(gst_allocator_alloc(setup.allocator.get(), 100000, nullptr) != nullptr);
  }
  simulation()->lose_device(0);
}
GST_END_TEST;

// GStreamer's own is told from ours, and comes from where we say.
GST_START_TEST(test_video_memory) {
  const Setup setup;
  GstVideoInfo info;
  fail_unless(gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, 64, 48));
  const Owned<GstMemory> memory(cps::cuda::video_memory_new(setup.context.get(), &info));
  fail_unless(memory && gst_is_cuda_memory(memory.get()));
  fail_if(cps::cuda::is_linear_memory(memory.get()));
  fail_unless(GST_CUDA_MEMORY_CAST(memory.get())->context == setup.context.get());
  cps::cuda::wait_for_memory(memory.get());
  fail_unless(can_map(memory.get(), kCudaWrite));
}
GST_END_TEST;

static Suite *cuda_memory_suite() {
  Suite *suite = suite_create("cuda-memory");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_allocator);
  tcase_add_test(tests, test_map);
  tcase_add_test(tests, test_map_twice);
  tcase_add_test(tests, test_copy);
  tcase_add_test(tests, test_in_buffers);
  tcase_add_test(tests, test_allocation_params);
  tcase_add_test(tests, test_nothing);
  tcase_add_test(tests, test_reuse);
  tcase_add_test(tests, test_kept_blocks);
  tcase_add_test(tests, test_too_much_at_once);
  tcase_add_test(tests, test_out_of_memory);
  tcase_add_test(tests, test_free_last);
  tcase_add_test(tests, test_threads);
  tcase_add_test(tests, test_lost_device);
  tcase_add_test(tests, test_video_memory);
  return suite;
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, cuda_memory_suite, "cuda-memory");
}
