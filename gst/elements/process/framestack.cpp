// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-framestack
 * @title: framestack
 *
 * Makes one tensor of a sequence of whole frames: `frames`, [T,H,W,3] of unsigned bytes, RGB at the frames' own size.
 * Each frame is converted into its place in the tensor when it arrives, and then released. Outputs one buffer per
 * sequence, with a #CpsTensorMeta that carries the clip's metadata. Does not need patchenergy.
 *
 * RGB is copied. YUV is converted by the matrix and range in the caps, or by the matrix in #CpsFrameStack:color-matrix;
 * chroma is interpolated between its samples.
 *
 * Frames in CUDA memory are converted on their GPU into a tensor in its memory. If downstream accepts only tensors in
 * system memory, this element accepts only frames in system memory.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=v.mp4 ! qtdemux ! h264parse ! frameplanner ! avdec_h264
 *     ! uniformsampler sequence-length=16 ! framestack ! tensormetasink location=clip-%05d.safetensors
 * ]|
 *
 * Since: 0.1
 */
#include "gst/elements/process/framestack.h"

#include "gst/elements/common/memorylimit.h"
#include "gst/elements/common/options.h"
#include "gst/elements/process/colormatrix.h"

GST_DEBUG_CATEGORY_STATIC(frame_stack_debug);

namespace {

class FrameAssembler final : public cps::ClipAssembler {
public:
  explicit FrameAssembler(std::unique_ptr<cps::StackStage> stage) : stage_(std::move(stage)) {}

  bool begin(const GstStructure *options, const cps::SequenceFormat &format, cps::ElementError &error) override {
    const cps::ReadRegion &crop = format.crop;
    crop_ = crop;
    tensors_ = {cps::make_tensor("frames", CPS_DTYPE_U8, {format.length, crop.height, crop.width, 3}, 0)};
    const auto matrix = static_cast<GstVideoColorMatrix>(cps::option_enum(options, "color-matrix"));
    const cps::ColorModel model = cps::picture_layout(format.info, crop).model;
    return stage_->begin(format.info, crop, cps::color_transform(format.info, model, matrix), format.length, error);
  }

  const std::vector<CpsTensor> &tensors() const override { return tensors_; }

  bool add(guint position, GstBuffer *frame, cps::ElementError &error) override {
    return stage_->add(position, frame, error);
  }

  cps::Owned<GstBuffer> finish(const std::vector<CpsClipFrame> &, cps::ElementError &) override {
    return stage_->finish();
  }

  // The target size is that of the frames, and there is no grid.
  void fill_clip(CpsClip &clip) const override {
    clip.target_width = static_cast<guint>(crop_.width);
    clip.target_height = static_cast<guint>(crop_.height);
  }

private:
  std::unique_ptr<cps::StackStage> stage_;
  cps::ReadRegion crop_;
  std::vector<CpsTensor> tensors_;
};

} // namespace

struct _CpsFrameStack {
  CpsTensorClip parent;
};

G_DEFINE_FINAL_TYPE(CpsFrameStack, cps_frame_stack, CPS_TYPE_TENSOR_CLIP)
GST_ELEMENT_REGISTER_DEFINE(framestack, "framestack", GST_RANK_NONE, CPS_TYPE_FRAME_STACK)

static void cps_frame_stack_init(CpsFrameStack *) {}

static void cps_frame_stack_class_init(CpsFrameStackClass *klass) {
  GST_DEBUG_CATEGORY_INIT(frame_stack_debug, "framestack", 0, "whole frames as a tensor");
  auto *clip_class = CPS_TENSOR_CLIP_CLASS(klass);
  cps::setup_tensor_clip(clip_class, "format=static, num_tensors=1, framerate=0/1, types=uint8");
  g_object_class_install_property(G_OBJECT_CLASS(klass), 1, cps::color_matrix_spec());
  g_object_class_install_property(G_OBJECT_CLASS(klass), 2, cps::cuda_device_id_spec());
  g_object_class_install_property(G_OBJECT_CLASS(klass), 3, cps::max_memory_spec());

  clip_class->category = frame_stack_debug;
  clip_class->entry = "framestack";
  clip_class->make = [](bool cuda, cps::StageContext &context) -> std::unique_ptr<cps::ClipAssembler> {
    return std::make_unique<FrameAssembler>(cps::make_stack_stage(cuda, context));
  };
  clip_class->memory = [](const GstStructure *, cps::Size frame, guint length) {
    return cps::product({3, static_cast<guint64>(frame.width), static_cast<guint64>(frame.height), length});
  };
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Frame stacker", "Converter/Video/Tensor",
                                        "Makes one RGB tensor of the whole frames of a sequence",
                                        "The codecpatch developers");
  gst_type_mark_as_plugin_api(CPS_TYPE_COLOR_MATRIX, static_cast<GstPluginAPIFlags>(0));
}
