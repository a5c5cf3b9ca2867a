// SPDX-License-Identifier: LGPL-2.1-or-later
// A CUDA context with a stream, the kernels and device memory: everything needed to enqueue work on a GPU.
#pragma once

#include "gst/common/owned.h"
#include "gst/cuda/driver.h"

#include <memory>
#include <string>

namespace cps::cuda {

// True if there are a driver and a device. Initialises the driver.
bool available();

struct Grid {
  unsigned x = 1, y = 1;
};

// Number of blocks for `items`, if each block processes `each` items.
constexpr unsigned blocks_of(int64_t items, int each) {
  return static_cast<unsigned>((items + each - 1) / each);
}

// Work on one device, in order. Not thread-safe. Functions that return false set error().
class Device {
public:
  // On failure returns nullptr and sets `error`. The device holds a reference to the context.
  static std::unique_ptr<Device> create(GstCudaContext *context, Error &error);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  GstCudaContext *context() const;

  // Linear device memory of this context (memory.h). The device owns the allocator.
  GstAllocator *allocator() const;

  // The functions below need the context to be current: see CurrentContext.
  Owned<GstMemory> allocate(size_t bytes);                     // from allocator(); nullptr on failure
  bool upload(CUdeviceptr to, const void *from, size_t bytes); // `from` may change after this returns
  bool download(void *to, CUdeviceptr from, size_t bytes);     // waits for all work enqueued before
  bool clear(CUdeviceptr to, size_t bytes);
  // `args`: the struct in kernels/kernelargs.h that is the argument of `kernel`; copied. At most 48 KiB of shared
  // memory.
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

// Device memory that is reused until more is needed. May be freed on any thread, even after the Device.
class Memory {
public:
  // Ensures at least `bytes`; the contents are lost. The context must be current.
  bool reserve(Device &device, size_t bytes);
  CUdeviceptr address() const { return data_; }
  template <typename T> T *as() const { return reinterpret_cast<T *>(data_); }

private:
  Owned<GstMemory> memory_;
  size_t bytes_ = 0;
  CUdeviceptr data_ = 0;
};

} // namespace cps::cuda
