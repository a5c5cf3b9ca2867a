// SPDX-License-Identifier: LGPL-2.1-or-later
// A device to test on, and pictures in its memory.
#pragma once

#include "gst/cuda/context.h"
#include "kernels/plane.h"
#include "tests/cuda/common.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace test {

using cps::Owned;
using cps::cuda::CurrentContext;
using cps::cuda::Device;
using cps::cuda::Error;
using cps::cuda::Memory;

// A stream of its own on the first device, whose context is current as long as this lives.
class TestDevice {
public:
  TestDevice() : device_(make()), current_(*device_) {}

  Device &get() const { return *device_; }

  // Ends the test with what the device says where `good` is false.
  void need(bool good) const { fail_unless(good, "%s", device_->error().text.c_str()); }

  template <typename T> std::vector<T> download(const void *from, size_t count) const {
    std::vector<T> values(count);
    need(device_->synchronise());
    const CUresult result = cps::cuda::copy_to_host(values.data(), reinterpret_cast<CUdeviceptr>(from),
                                                    count * sizeof(T), device_->stream());
    fail_unless(result == CUDA_SUCCESS && device_->synchronise(), "cannot read back");
    return values;
  }

  template <typename T> void upload(Memory &memory, const std::vector<T> &values) const {
    need(memory.reserve(*device_, values.size() * sizeof(T)) &&
         device_->upload(memory.address(), values.data(), values.size() * sizeof(T)));
  }

private:
  static std::unique_ptr<Device> make() {
    Error error;
    const Owned<GstCudaContext> context = cps::cuda::primary_context(0, error);
    fail_unless(context != nullptr, "%s", error.text.c_str());
    std::unique_ptr<Device> device = Device::create(context.get(), error);
    fail_unless(device != nullptr, "%s", error.text.c_str());
    return device;
  }

  std::unique_ptr<Device> device_;
  CurrentContext current_;
};

// A copy of a picture on the device, byte by byte, strides and all.
class DevicePicture {
public:
  DevicePicture(const TestDevice &device, const cps::PictureView &host) : view_(host) {
    for (int i = 0; i < host.planes(); i++) {
      const cps::PlaneView &plane = host.plane[i];
      const ptrdiff_t last_row = plane.stride * (plane.height - 1);
      const uint8_t *const begin = plane.data + std::min<ptrdiff_t>(last_row, 0);
      const ptrdiff_t row = static_cast<ptrdiff_t>(plane.width - 1) * plane.step + (plane.bits > 8 ? 2 : 1);
      device.upload(memory_[i], std::vector<uint8_t>(begin, begin + std::abs(last_row) + row));
      view_.plane[i].data = memory_[i].as<uint8_t>() + (plane.data - begin);
    }
  }

  const cps::PictureView &view() const { return view_; }

private:
  cps::PictureView view_;
  Memory memory_[3];
};

} // namespace test
