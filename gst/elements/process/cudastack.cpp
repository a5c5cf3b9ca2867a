// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole frames as RGB in CUDA memory.
#include "gst/cuda/resizer.h"
#include "gst/cuda/rgb.h"
#include "gst/elements/process/cudaframes.h"

#include <optional>

namespace cps {

namespace {

class CudaStackStage final : public StackStage {
public:
  explicit CudaStackStage(StageContext &context) : device_(context) {}

  bool begin(const GstVideoInfo &info, const ReadRegion &crop, const std::optional<Target> &target,
             const ColorTransform &color, guint length, ElementError &) override {
    // add() allocates on the first frame's device
    info_ = info;
    crop_ = crop;
    target_ = target;
    color_ = color;
    length_ = length;
    memory_.reset();
    return true;
  }

  // A repeated frame is converted again, because a copy would write as much.
  bool add(guint position, GstBuffer *frame, bool, ElementError &error) override {
    if (!device_.follow(frame, position == 0, error, [this] { resizer_.reset(); }))
      return false;
    const cuda::CurrentContext current(*device_);
    const Size size = target_ ? target_->size : Size{crop_.width, crop_.height};
    const size_t frame_bytes = 3 * static_cast<size_t>(size.width) * static_cast<size_t>(size.height);
    if (position == 0)
      memory_ = device_->allocate(frame_bytes * length_);
    if (!memory_)
      return set_error(error, device_->error());
    const CudaPicture picture(frame, info_, crop_);
    if (!picture)
      return refuse_frame(error);
    const CudaMap frames(memory_.get(), GST_MAP_WRITE);
    if (!frames)
      return set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE, "Could not map the memory for the frames.");
    const bool good = convert(picture.view(), frames.as<uint8_t>() + position * frame_bytes);
    return device_.settle(good || set_error(error, device_->error()), error);
  }

  Owned<GstBuffer> finish() override {
    Owned<GstBuffer> buffer(gst_buffer_new());
    gst_buffer_append_memory(buffer.get(), memory_.release());
    return buffer;
  }

private:
  bool convert(const PictureView &picture, uint8_t *out) {
    if (!target_)
      return cuda::convert_to_rgb(*device_, picture, color_, out);
    if (!resizer_)
      resizer_.emplace(*device_);
    if (!resizer_->prepare(picture, *target_) ||
        !resized_.reserve(*device_, static_cast<size_t>(resizer_->samples()) * sizeof(uint16_t)) ||
        !resizer_->run(picture, resized_.as<uint16_t>()))
      return false;
    const PictureView resized = stored_picture(picture, target_->size, resized_.as<uint16_t>());
    return cuda::convert_to_rgb(*device_, resized, color_, out);
  }

  GstVideoInfo info_ = {};
  ReadRegion crop_;
  std::optional<Target> target_;
  ColorTransform color_ = {};
  guint length_ = 0;
  FrameDevice device_;
  std::optional<cuda::Resizer> resizer_;
  cuda::Memory resized_; // one frame
  Owned<GstMemory> memory_;
};

} // namespace

std::unique_ptr<StackStage> make_stack_stage(bool cuda, StageContext &context) {
  if (cuda)
    return std::make_unique<CudaStackStage>(context);
  return make_system_stack_stage();
}

} // namespace cps
