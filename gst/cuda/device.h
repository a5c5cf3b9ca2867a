// SPDX-License-Identifier: LGPL-2.1-or-later
// A context, a stream of our own in it, the kernels and device memory: what work on a GPU is enqueued with.
#pragma once

#include "gst/common/owned.h"
#include "gst/cuda/driver.h"

#include <memory>
#include <string>

namespace cps::cuda {

// Is there a driver and a device? Initialises the driver.
bool available();

struct Grid {
  unsigned x = 1, y = 1;
};

// Blocks that `items` take, where one does `each`.
constexpr unsigned blocks_of(int64_t items, int each) {
  return static_cast<unsigned>((items + each - 1) / each);
}

// Work on one device, in order. Not thread-safe. Whatever returns false has left the reason in error().
class Device {
public:
  // nullptr with the reason in `error`. The device holds a reference to the context.
  static std::unique_ptr<Device> create(GstCudaContext *context, Error &error);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  GstCudaContext *context() const;

  // Linear device memory of this context (memory.h). Owned by the device.
  GstAllocator *allocator() const;

  // All below need the context to be current: see CurrentContext.
  Owned<GstMemory> allocate(size_t bytes);                     // of allocator(); nullptr where there is none
  bool upload(CUdeviceptr to, const void *from, size_t bytes); // returns when `from` may change
  bool clear(CUdeviceptr to, size_t bytes);
  // `args`: the struct of kernels/kernelargs.h that `kernel` takes; copied. Up to 48 KiB of shared memory.
  bool launch(const char *kernel, Grid grid, unsigned threads, unsigned shared_bytes, const void *args);
  bool synchronise();

  const Error &error() const;
  CUstream stream() const;
  unsigned launches() const; // since create()

private:
  struct State;
  explicit Device(std::unique_ptr<State> state);
  bool check(CUresult result, const std::string &doing);
  std::unique_ptr<State> state_;
  friend class Memory;
};

// Device memory that is kept until it has to grow. May be freed on any thread, after the Device too.
class Memory {
public:
  // At least `bytes`, with what was there lost. The context is current.
  bool reserve(Device &device, size_t bytes);
  CUdeviceptr address() const { return data_; }
  template <typename T> T *as() const { return reinterpret_cast<T *>(data_); }

private:
  Owned<GstMemory> memory_;
  size_t bytes_ = 0;
  CUdeviceptr data_ = 0;
};

} // namespace cps::cuda
