// SPDX-License-Identifier: LGPL-2.1-or-later
// Tests of gst/cuda, on a CUDA device or on the simulated driver of tests/cudasim.
#pragma once

#include "gst/cuda/device.h"
#include "gst/cuda/memory.h"
#include "tests/common/harness.h"
#include "tests/cudasim/control.h"

#include <gmodule.h>
#include <gst/check/gstcheck.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace test {

constexpr auto kCudaRead = static_cast<GstMapFlags>(GST_MAP_READ | GST_MAP_CUDA);
constexpr auto kCudaWrite = static_cast<GstMapFlags>(GST_MAP_WRITE | GST_MAP_CUDA);

// What only the simulated driver can tell or do. On a real one, tests of that end early.
struct Simulation {
  decltype(&cps_sim_set_memory_limit) set_memory_limit = nullptr;
  decltype(&cps_sim_memory_in_use) memory_in_use = nullptr;
  decltype(&cps_sim_pinned_in_use) pinned_in_use = nullptr;
  decltype(&cps_sim_allocations) allocations = nullptr;
  decltype(&cps_sim_bytes_to_host) bytes_to_host = nullptr;
  decltype(&cps_sim_lose_device) lose_device = nullptr;
  decltype(&cps_sim_set_schedule) set_schedule = nullptr;
};

inline const Simulation *simulation() {
  static const std::unique_ptr<Simulation> found = [] {
    auto functions = std::make_unique<Simulation>();
    GModule *module = g_module_open("libcuda.so.1", G_MODULE_BIND_LAZY);
    const auto look_up = [module](const char *name, auto &function) {
      gpointer symbol = nullptr;
      const bool there = module && g_module_symbol(module, name, &symbol);
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(symbol);
      return there;
    };
    if (!look_up("cps_sim_set_memory_limit", functions->set_memory_limit) ||
        !look_up("cps_sim_memory_in_use", functions->memory_in_use) ||
        !look_up("cps_sim_pinned_in_use", functions->pinned_in_use) ||
        !look_up("cps_sim_allocations", functions->allocations) ||
        !look_up("cps_sim_bytes_to_host", functions->bytes_to_host) ||
        !look_up("cps_sim_lose_device", functions->lose_device) ||
        !look_up("cps_sim_set_schedule", functions->set_schedule))
      functions.reset();
    return functions;
  }();
  return found.get();
}

// A context of its own, not the primary one.
inline Owned<GstCudaContext> new_context() {
  GstCudaContext *context = gst_cuda_context_new(0);
  fail_unless(context != nullptr);
  return Owned<GstCudaContext>(context);
}

inline std::unique_ptr<cps::cuda::Device> new_device(GstCudaContext *context) {
  cps::cuda::Error error;
  auto device = cps::cuda::Device::create(context, error);
  fail_unless(device != nullptr, "%s", error.text.c_str());
  return device;
}

inline Owned<GstMemory> allocate(GstAllocator *allocator, gsize bytes) {
  return Owned<GstMemory>(gst_allocator_alloc(allocator, bytes, nullptr));
}

class Mapped {
public:
  Mapped(GstMemory *memory, GstMapFlags flags) : memory_(memory) {
    fail_unless(gst_memory_map(memory, &map_, flags), "not mapped");
  }
  ~Mapped() { gst_memory_unmap(memory_, &map_); }
  Mapped(const Mapped &) = delete;
  Mapped &operator=(const Mapped &) = delete;

  guint8 *data() const { return map_.data; }
  gsize size() const { return map_.size; }

private:
  GstMemory *memory_;
  GstMapInfo map_ = {};
};

inline bool can_map(GstMemory *memory, GstMapFlags flags) {
  GstMapInfo map;
  const bool mapped = gst_memory_map(memory, &map, flags);
  if (mapped)
    gst_memory_unmap(memory, &map);
  return mapped;
}

inline CUdeviceptr address_of(GstMemory *memory) {
  return reinterpret_cast<CUdeviceptr>(Mapped(memory, kCudaRead).data());
}

inline std::vector<uint8_t> some_bytes(size_t count, unsigned seed) {
  std::vector<uint8_t> bytes(count);
  for (size_t i = 0; i < count; i++)
    bytes[i] = static_cast<uint8_t>((i * 31 + seed * 17 + i / 251) % 256);
  return bytes;
}

inline void write_bytes(GstMemory *memory, const std::vector<uint8_t> &bytes) {
  const Mapped map(memory, GST_MAP_WRITE);
  fail_unless_equals_int(map.size(), bytes.size());
  std::copy(bytes.begin(), bytes.end(), map.data());
}

inline std::vector<uint8_t> read_bytes(GstMemory *memory) {
  const Mapped map(memory, GST_MAP_READ);
  return {map.data(), map.data() + map.size()};
}

inline void check_equal(const std::string &text, const char *expected) {
  fail_unless(text == expected, "\"%s\" is not \"%s\"", text.c_str(), expected);
}

inline void check_text(const std::string &text, const char *part) {
  fail_unless(contains(text, part), "\"%s\" has no \"%s\"", text.c_str(), part);
}

// The main() of a test: runs the suite, or is skipped where there is nothing to run it on.
inline int run_cuda_tests(int argc, char **argv, Suite *(*suite)(), const char *name,
                          std::initializer_list<const char *> elements = {}) {
  gst_check_init(&argc, &argv);
  for (const char *element : elements)
    if (const Owned<GstElementFactory> factory{gst_element_factory_find(element)}; !factory) {
      g_print("skipped: no element %s\n", element);
      return 77;
    }
  if (!cps::cuda::available()) {
    g_print("skipped: no CUDA driver or no CUDA device\n");
    return 77; // Meson's code for it
  }
  g_print("%s\n", simulation() ? "on the simulated driver" : "on a CUDA device");
  return gst_check_run_suite(suite(), name, __FILE__);
}

} // namespace test
