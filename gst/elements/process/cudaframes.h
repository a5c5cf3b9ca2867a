// SPDX-License-Identifier: LGPL-2.1-or-later
// Shared by the stages in CUDA memory: frames, their device, and errors.
#pragma once

#include "gst/cuda/device.h"
#include "gst/cuda/memory.h"
#include "gst/elements/common/stagecontext.h"
#include "gst/elements/process/stages.h"

namespace cps {

inline bool set_error(ElementError &error, const cuda::Error &reason) {
  return set_error(error, GST_RESOURCE_ERROR,
                   reason.out_of_memory ? GST_RESOURCE_ERROR_NO_SPACE_LEFT : GST_RESOURCE_ERROR_FAILED,
                   reason.text + ".");
}

// The only memory of a frame; nullptr if it is not CUDA video memory.
inline GstCudaMemory *video_memory(GstBuffer *frame) {
  GstMemory *memory = gst_buffer_n_memory(frame) == 1 ? gst_buffer_peek_memory(frame, 0) : nullptr;
  return memory && gst_is_cuda_memory(memory) ? GST_CUDA_MEMORY_CAST(memory) : nullptr;
}

// A frame that kernels may read during the lifetime of this object.
class CudaPicture {
public:
  CudaPicture(GstBuffer *frame, const GstVideoInfo &info, const ReadRegion &crop)
      : frame_(gst_buffer_ref(frame)), picture_(frame, layout_of(frame, info), crop, GST_MAP_CUDA) {
    if (picture_)
      cuda::wait_for_memory(gst_buffer_peek_memory(frame, 0));
  }

  explicit operator bool() const { return static_cast<bool>(picture_); }
  const PictureView &view() const { return picture_.view(); }

private:
  // Without a video meta, the memory itself knows its layout.
  static const GstVideoInfo &layout_of(GstBuffer *frame, const GstVideoInfo &info) {
    const GstVideoInfo &own = video_memory(frame)->info;
    return gst_buffer_get_video_meta(frame) || !same_layout(own, info) ? info : own;
  }

  Owned<GstBuffer> frame_;
  MappedPicture picture_;
};

// A linear memory that kernels may access during the lifetime of this object.
class CudaMap {
public:
  CudaMap(GstMemory *memory, GstMapFlags flags)
      : memory_(memory),
        mapped_(memory && gst_memory_map(memory, &info_, static_cast<GstMapFlags>(flags | GST_MAP_CUDA))) {}
  ~CudaMap() {
    if (mapped_)
      gst_memory_unmap(memory_, &info_);
  }
  CudaMap(const CudaMap &) = delete;
  CudaMap &operator=(const CudaMap &) = delete;

  explicit operator bool() const { return mapped_; }
  size_t size() const { return info_.size; }
  template <typename T> T *as() const { return reinterpret_cast<T *>(info_.data); }

private:
  GstMemory *memory_;
  GstMapInfo info_ = {};
  bool mapped_;
};

// The device of the frames.
class FrameDevice {
public:
  explicit FrameDevice(StageContext &context) : context_(*context.state()) {}

  cuda::Device &operator*() const { return *device_; }
  cuda::Device *operator->() const { return device_.get(); }

  // True if `frame` is on this device. The first frame of a sequence may be on another device: then `forget` frees
  // everything made for the previous device.
  template <typename Forget> bool follow(GstBuffer *frame, bool first, ElementError &error, const Forget &forget) {
    GstCudaMemory *memory = video_memory(frame);
    if (!memory)
      return set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                       "A frame is not in CUDA memory, though its caps say so: put a cudaupload after uniformsampler.");
    if (device_ && device_->context() == memory->context)
      return true;
    if (!first)
      return set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                       "The CUDA context changed in the middle of a sequence: all frames must come from one.");
    forget();
    device_.reset();
    return adopt(memory->context, error);
  }

  // Waits for the device, also after an error, because a frame must not be freed while kernels read it. `good`: nothing
  // has gone wrong so far. False with an error.
  bool settle(bool good, ElementError &error) {
    const bool settled = device_->synchronise();
    return good && (settled || set_error(error, device_->error()));
  }

private:
  bool adopt(GstCudaContext *context, ElementError &error) {
    cuda::Error reason;
    if (!context_.context().adopt(context, reason))
      return set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, reason.text + ".");
    device_ = cuda::Device::create(context, reason);
    return device_ || set_error(error, reason);
  }

  StageContext::State &context_;
  std::unique_ptr<cuda::Device> device_;
};

} // namespace cps
