// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-framestack
 * @title: framestack
 *
 * Makes one tensor of a sequence of whole frames: `frames`, [T,H,W,3] of unsigned bytes, RGB.
 *
 * H and W are those of the frames, unless #CpsFrameStack:width, height, min-pixels, max-pixels or align ask for another
 * size. Then planes are resized before they are converted, so that no frame of its own size is converted.
 *
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
#include "gst/elements/process/resampling.h"

#include <algorithm>
#include <cmath>

GST_DEBUG_CATEGORY_STATIC(frame_stack_debug);

namespace {

// A side that keeps the proportions, a multiple of `align`.
int proportional(int side, int other, int other_wanted, int align) {
  const double exact = static_cast<double>(side) * other_wanted / other;
  const double units = std::min(std::round(exact / align), static_cast<double>(G_MAXINT / align));
  return std::max(static_cast<int>(units), 1) * align;
}

// The size of the tensor's frames for frames of this size; that one, if no property asks for another.
cps::Size stacked_size(const GstStructure *options, cps::Size source) {
  const int width = cps::option_int(options, "width"), height = cps::option_int(options, "height");
  const int align = cps::option_int(options, "align");
  cps::TargetOptions limits;
  limits.rule = static_cast<cps::SizeRule>(cps::option_enum(options, "size-rule"));
  limits.min_pixels = cps::option_int(options, "min-pixels");
  limits.max_pixels = cps::option_int(options, "max-pixels");
  if (width > 0 && height > 0)
    return {width, height};
  if (width > 0)
    return {width, proportional(source.height, source.width, width, align)};
  if (height > 0)
    return {proportional(source.width, source.height, height, align), height};
  if (limits.min_pixels <= 0 && limits.max_pixels <= 0 && align == 1)
    return source;
  limits.min_pixels = std::max<int64_t>(limits.min_pixels, 1);
  limits.max_pixels = limits.max_pixels > 0 ? limits.max_pixels : G_MAXINT64;
  return cps::aligned_size(source, limits, align);
}

guint64 pixels_of(cps::Size size) {
  return cps::product({static_cast<guint64>(size.width), static_cast<guint64>(size.height)});
}

// A frame that is resized also needs at most three samples of two bytes per pixel.
guint64 stack_memory(const GstStructure *options, cps::Size frame, guint length) {
  const cps::Size size = stacked_size(options, frame);
  return cps::sum(cps::product({3, pixels_of(size), length}), size == frame ? 0 : cps::product({6, pixels_of(size)}));
}

class FrameAssembler final : public cps::ClipAssembler {
public:
  explicit FrameAssembler(std::unique_ptr<cps::StackStage> stage) : stage_(std::move(stage)) {}

  bool begin(const GstStructure *options, const cps::SequenceFormat &format, cps::ElementError &error) override {
    const cps::ReadRegion &crop = format.crop;
    const cps::Size source = {crop.width, crop.height};
    size_ = stacked_size(options, source);
    if (pixels_of(size_) > static_cast<guint64>(cps::kMaxTargetPixels) && size_ != source)
      return set_error(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                       "width, height, min-pixels, max-pixels and align ask for " + std::to_string(size_.width) + "x" +
                           std::to_string(size_.height) + " pixels; at most " + std::to_string(cps::kMaxTargetPixels) +
                           " are possible.");
    std::optional<cps::Target> target;
    if (size_ != source)
      target.emplace(size_, static_cast<cps::Resample>(cps::option_enum(options, "resample")));
    tensors_ = {cps::make_tensor("frames", CPS_DTYPE_U8, {format.length, size_.height, size_.width, 3}, 0)};
    const auto matrix = static_cast<GstVideoColorMatrix>(cps::option_enum(options, "color-matrix"));
    const cps::ColorModel model = cps::picture_layout(format.info, crop).model;
    const cps::ColorTransform color = cps::color_transform(format.info, model, matrix);
    return stage_->begin(format.info, crop, target, color, format.length, error);
  }

  const std::vector<CpsTensor> &tensors() const override { return tensors_; }

  bool add(guint position, GstBuffer *frame, bool repeated, cps::ElementError &error) override {
    return stage_->add(position, frame, repeated, error);
  }

  cps::Owned<GstBuffer> finish(const std::vector<CpsClipFrame> &, cps::ElementError &) override {
    return stage_->finish();
  }

  // There is no grid.
  void fill_clip(CpsClip &clip) const override {
    clip.target_width = static_cast<guint>(size_.width);
    clip.target_height = static_cast<guint>(size_.height);
  }

private:
  std::unique_ptr<cps::StackStage> stage_;
  cps::Size size_;
  std::vector<CpsTensor> tensors_;
};

} // namespace

struct _CpsFrameStack {
  CpsTensorClip parent;
};

G_DEFINE_FINAL_TYPE(CpsFrameStack, cps_frame_stack, CPS_TYPE_TENSOR_CLIP)
GST_ELEMENT_REGISTER_DEFINE(framestack, "framestack", GST_RANK_NONE, CPS_TYPE_FRAME_STACK)

static void cps_frame_stack_init(CpsFrameStack *) {}

static void install_properties(GObjectClass *object_class) {
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  guint id = 0;
  auto install = [&](GParamSpec *spec) { g_object_class_install_property(object_class, ++id, spec); };
  install(g_param_spec_int("width", "Width", "Width of the frames in pixels (0 = that of the video, or as height asks)",
                           0, G_MAXINT, 0, flags));
  install(g_param_spec_int("height", "Height",
                           "Height of the frames in pixels (0 = that of the video, or as width asks)", 0, G_MAXINT, 0,
                           flags));
  install(g_param_spec_int("min-pixels", "Minimum pixels",
                           "Without width and height, smaller frames are scaled up to this area (0 = off)", 0, G_MAXINT,
                           0, flags));
  install(g_param_spec_int("max-pixels", "Maximum pixels",
                           "Without width and height, larger frames are scaled down to this area (0 = off)", 0,
                           G_MAXINT, 0, flags));
  install(g_param_spec_int("align", "Alignment", "Sides that are not set are multiples of this many pixels", 1, 4096, 1,
                           flags));
  install(cps::size_rule_spec());
  install(cps::resample_spec());
  install(cps::color_matrix_spec());
  install(cps::cuda_device_id_spec());
  install(cps::max_memory_spec());
}

static void cps_frame_stack_class_init(CpsFrameStackClass *klass) {
  GST_DEBUG_CATEGORY_INIT(frame_stack_debug, "framestack", 0, "whole frames as a tensor");
  auto *clip_class = CPS_TENSOR_CLIP_CLASS(klass);
  cps::setup_tensor_clip(clip_class, "format=static, num_tensors=1, framerate=0/1, types=uint8");
  install_properties(G_OBJECT_CLASS(klass));

  clip_class->category = frame_stack_debug;
  clip_class->entry = "framestack";
  clip_class->make = [](bool cuda, cps::StageContext &context) -> std::unique_ptr<cps::ClipAssembler> {
    return std::make_unique<FrameAssembler>(cps::make_stack_stage(cuda, context));
  };
  clip_class->memory = stack_memory;
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Frame stacker", "Converter/Video/Tensor",
                                        "Makes one RGB tensor of the whole frames of a sequence",
                                        "The codecpatch developers");
  for (GType type : {CPS_TYPE_COLOR_MATRIX, CPS_TYPE_RESAMPLE, CPS_TYPE_SIZE_RULE})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}
