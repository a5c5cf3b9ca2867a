// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/cuda/device.h"

#include "gst/cuda/kernels.h"
#include "gst/cuda/memory.h"

#define GST_CAT_DEFAULT cps::cuda::debug_category()

namespace cps::cuda {

bool available() {
  return driver() != nullptr;
}

struct Device::State {
  Owned<GstCudaContext> context; // owns `kernels`
  CUstream stream = nullptr;
  Kernels *kernels = nullptr;
  Owned<GstAllocator> allocator;
  Error error;
  unsigned launches = 0;
};

std::unique_ptr<Device> Device::create(GstCudaContext *context, Error &error) {
  if (!driver()) {
    error = no_driver();
    return nullptr;
  }
  auto state = std::make_unique<State>();
  state->context.reset(GST_CUDA_CONTEXT_CAST(gst_object_ref(context)));
  const CurrentContext current(context);
  if (!current.pushed()) {
    error = error_of(CUDA_ERROR_INVALID_CONTEXT, "entering the context of the frames");
    return nullptr;
  }
  // Does not synchronise with the default stream.
  const CUresult made = CuStreamCreate(&state->stream, CU_STREAM_NON_BLOCKING);
  if (made != CUDA_SUCCESS) {
    error = error_of(made, "making a stream");
    return nullptr;
  }
  state->allocator.reset(linear_allocator_of(context));
  state->kernels = Kernels::of(context, error);
  std::unique_ptr<Device> device(new Device(std::move(state))); // the constructor is private
  if (!device->state_->kernels)
    device.reset();
  return device;
}

Device::Device(std::unique_ptr<State> state) : state_(std::move(state)) {}

Device::~Device() {
  const CurrentContext current(context());
  if (!current.pushed()) // the context is destroyed, and the stream with it
    return;
  // Pending work may still access memory that is about to be freed.
  CuStreamSynchronize(stream());
  CuStreamDestroy(stream());
}

GstCudaContext *Device::context() const {
  return state_->context.get();
}

GstAllocator *Device::allocator() const {
  return state_->allocator.get();
}

const Error &Device::error() const {
  return state_->error;
}

CUstream Device::stream() const {
  return state_->stream;
}

unsigned Device::launches() const {
  return state_->launches;
}

bool Device::check(CUresult result, const std::string &doing) {
  if (result == CUDA_SUCCESS)
    return true;
  state_->error = error_of(result, doing);
  return false;
}

CurrentContext::CurrentContext(const Device &device) : CurrentContext(device.context()) {}

Owned<GstMemory> Device::allocate(size_t bytes) {
  CUresult result = CUDA_SUCCESS;
  Owned<GstMemory> memory(linear_memory_new(allocator(), bytes, &result));
  if (!memory)
    check(result, "allocating " + bytes_text(bytes) + (bytes > kMostLinearBytes ? ", which is too much at once" : ""));
  return memory;
}

bool Device::upload(CUdeviceptr to, const void *from, size_t bytes) {
  CUresult result = copy_to_device(to, from, bytes, stream());
  // Without this, it would depend on the kind of memory whether `from` has been read.
  if (result == CUDA_SUCCESS)
    result = CuStreamSynchronize(stream());
  return result == CUDA_SUCCESS || check(result, "copying " + bytes_text(bytes) + " to it");
}

bool Device::download(void *to, CUdeviceptr from, size_t bytes) {
  CUresult result = copy_to_host(to, from, bytes, stream());
  if (result == CUDA_SUCCESS)
    result = CuStreamSynchronize(stream());
  return result == CUDA_SUCCESS || check(result, "copying " + bytes_text(bytes) + " from it");
}

bool Device::clear(CUdeviceptr to, size_t bytes) {
  if (bytes == 0)
    return true;
  const CUresult result = driver()->memset_async(to, 0, bytes, stream());
  return result == CUDA_SUCCESS || check(result, "clearing " + bytes_text(bytes));
}

bool Device::launch(const char *kernel, Grid grid, unsigned threads, unsigned shared_bytes, const void *args) {
  CUfunction function = state_->kernels->find(kernel, state_->error);
  if (!function)
    return false;
  void *parameters[] = {const_cast<void *>(args)}; // the driver does not write to it
  const CUresult result =
      CuLaunchKernel(function, grid.x, grid.y, 1, threads, 1, 1, shared_bytes, stream(), parameters, nullptr);
  if (result != CUDA_SUCCESS)
    return check(result, std::string("starting ") + kernel);
  state_->launches++;
  return true;
}

bool Device::synchronise() {
  const CUresult result = CuStreamSynchronize(stream());
  return result == CUDA_SUCCESS || check(result, "waiting for its results");
}

bool Memory::reserve(Device &device, size_t bytes) {
  if (memory_ && bytes <= bytes_)
    return true;
  if (memory_) {
    // Pending work may still access the memory, and freed memory is reused.
    if (!device.synchronise())
      return false;
    memory_.reset();
  }
  bytes_ = 0;
  data_ = 0;
  memory_ = device.allocate(bytes);
  if (!memory_)
    return false;
  GstMapInfo map;
  if (!gst_memory_map(memory_.get(), &map, static_cast<GstMapFlags>(GST_MAP_READWRITE | GST_MAP_CUDA))) {
    memory_.reset();
    return device.check(CUDA_ERROR_INVALID_VALUE, "mapping " + bytes_text(bytes));
  }
  // The address stays valid as long as the memory, and only this object knows it.
  data_ = reinterpret_cast<CUdeviceptr>(map.data);
  bytes_ = bytes;
  gst_memory_unmap(memory_.get(), &map);
  return true;
}

} // namespace cps::cuda
