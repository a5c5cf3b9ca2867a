// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/clipbuilder.h"

#include "gst/elements/options.h"

#include <algorithm>

namespace cps {

// Options

static constexpr int kMaxPatchSize = 1024;
static constexpr int64_t kMaxTargetPixels = int64_t{1} << 28;

// One value per channel, or an empty list for none.
static bool read_channels(const GstStructure *options, const char *name, float (&out)[3], bool positive,
                          std::string &error) {
  const GValue *list = gst_structure_get_value(options, name);
  const guint size = gst_value_array_get_size(list);
  bool good = size == 0 || size == 3;
  for (guint c = 0; good && c < size; c++) {
    const double value = g_value_get_double(gst_value_array_get_value(list, c));
    out[c] = static_cast<float>(value);
    good = !positive || out[c] > 0;
  }
  if (!good)
    error = std::string(name) + " must be a list of three " + (positive ? "positive " : "") +
            "numbers, one per channel, or empty.";
  return good;
}

static bool is_identity(const OutputScaling &scaling) {
  return scaling.scale == 1.0f &&
         std::all_of(std::begin(scaling.mean), std::end(scaling.mean), [](float v) { return v == 0.0f; }) &&
         std::all_of(std::begin(scaling.std), std::end(scaling.std), [](float v) { return v == 1.0f; });
}

bool read_clip_options(const GstStructure *options, ClipOptions &out, std::string &error) {
  out.target.input_size = option_int(options, "input-size");
  out.target.min_pixels = option_int(options, "min-pixels");
  out.target.max_pixels = option_int(options, "max-pixels");
  out.target.patch_size = out.select.patch_size = option_int(options, "patch-size");
  out.select.k_keep = option_int(options, "k-keep");
  out.select.unit = static_cast<SelectionUnit>(option_enum(options, "selection-unit"));
  out.select.static_fallback = option_bool(options, "static-fallback");
  out.select.static_abs_thresh = option_double(options, "static-abs-thresh");
  out.select.static_rel_thresh = option_double(options, "static-rel-thresh");
  out.select.static_uniform_frames = option_int(options, "static-uniform-frames");
  out.dtype = static_cast<CpsDtype>(option_enum(options, "output-dtype"));
  out.matrix = static_cast<GstVideoColorMatrix>(option_enum(options, "color-matrix"));
  out.scaling.scale = static_cast<float>(option_double(options, "scale"));

  if (out.target.patch_size < 1 || out.target.patch_size > kMaxPatchSize) {
    error = "patch-size is " + std::to_string(out.target.patch_size) + "; it must be 1 to " +
            std::to_string(kMaxPatchSize) + " pixels.";
    return false;
  }
  if (out.target.input_size < 1 && (out.target.min_pixels < 1 || out.target.max_pixels < 1)) {
    error = "input-size is " + std::to_string(out.target.input_size) +
            "; it must be positive unless both min-pixels and max-pixels are set.";
    return false;
  }
  if (!read_channels(options, "mean", out.scaling.mean, false, error) ||
      !read_channels(options, "std", out.scaling.std, true, error))
    return false;
  if (out.dtype == CPS_DTYPE_U8 && !is_identity(out.scaling)) {
    error = "scale, mean and std do not go with output-dtype=u8: choose f16, bf16 or f32, or leave them unset.";
    return false;
  }
  return true;
}

// Colour

static ColorTransform color_transform(const GstVideoInfo &info, ColorModel model, GstVideoColorMatrix forced) {
  if (model == ColorModel::Rgb)
    return rgb_to_rgb();
  const GstVideoColorimetry colorimetry = stream_colorimetry(info);
  const bool full_range = colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  if (model == ColorModel::Gray)
    return gray_to_rgb(full_range);
  gdouble kr = 0, kb = 0;
  gst_video_color_matrix_get_Kr_Kb(forced == GST_VIDEO_COLOR_MATRIX_UNKNOWN ? colorimetry.matrix : forced, &kr, &kb);
  return yuv_to_rgb(kr, kb, full_range);
}

static PixelType pixel_type(CpsDtype dtype) {
  switch (dtype) {
  case CPS_DTYPE_U8:
    return PixelType::U8;
  case CPS_DTYPE_F16:
    return PixelType::F16;
  case CPS_DTYPE_BF16:
    return PixelType::BF16;
  default:
    return PixelType::F32;
  }
}

// The sequence

static CpsTensor tensor(const char *name, CpsDtype dtype, std::initializer_list<gint64> dims, guint memory) {
  CpsTensor out = {g_quark_from_static_string(name), dtype, static_cast<guint>(dims.size()), {}, memory};
  std::copy(dims.begin(), dims.end(), out.dims);
  return out;
}

bool ClipBuilder::begin(const ClipOptions &options, const GstVideoInfo &info, const CropRect &crop, guint length,
                        StageError &error) {
  const int patch = options.target.patch_size;
  const Size target = target_size({crop.width, crop.height}, options.target);
  const int64_t target_pixels = int64_t{target.width} * target.height;
  error.domain = GST_LIBRARY_ERROR;
  error.code = GST_LIBRARY_ERROR_SETTINGS;
  if (target_pixels > kMaxTargetPixels) {
    error.text = "input-size, min-pixels or max-pixels ask for " + std::to_string(target.width) + "x" +
                 std::to_string(target.height) + " pixels; at most " + std::to_string(kMaxTargetPixels) +
                 " are possible.";
    return false;
  }
  const Size grid = {target.width / patch, target.height / patch};
  const int64_t count = selection_count(options.select, static_cast<int>(length), grid);
  if (count < 0) {
    const int64_t patches = int64_t{grid.width} * grid.height * length;
    error.text = "selection-unit=block2x2 needs a number of patches that is divisible by 4, but k-keep is " +
                 std::to_string(options.select.k_keep) + " and the clip has " + std::to_string(patches) + ".";
    return false;
  }

  options_ = options;
  info_ = info;
  crop_ = crop;
  length_ = length;
  target_ = target;
  grid_ = grid;
  tensors_ = {tensor("patches", options.dtype, {count, 3, patch, patch}, 0),
              tensor("meta_fields", CPS_DTYPE_I64, {count, 6}, 1), tensor("meta_scores", CPS_DTYPE_F32, {count}, 2)};
  frames_.clear();
  frames_.reserve(length);
  return stage_->begin(info, crop, target, patch, length, error);
}

bool ClipBuilder::add(GstBuffer *buffer, const CpsEnergyMeta &energy, const CpsClipFrame &frame, StageError &error) {
  if (!stage_->add(added(), buffer, energy, error))
    return false;
  frames_.push_back(frame);
  return true;
}

// Spec 1: where no sampled frame is a random-access point, the first counts as one.
void ClipBuilder::mark_random_access() {
  if (std::none_of(frames_.begin(), frames_.end(), [](const CpsClipFrame &f) { return f.is_i; }))
    frames_.front().is_i = TRUE;
}

Owned<GstBuffer> ClipBuilder::finish(StageError &error) {
  mark_random_access();
  ClipRecipe recipe;
  recipe.select = options_.select;
  for (const CpsClipFrame &frame : frames_) {
    recipe.random_access.push_back(frame.is_i ? 1 : 0);
    recipe.frame_ids.push_back(static_cast<int64_t>(frame.frame_id));
  }
  recipe.color = color_transform(info_, picture_layout(info_, crop_).model, options_.matrix);
  recipe.scaling = options_.scaling;
  recipe.type = pixel_type(options_.dtype);
  return stage_->finish(recipe, tensors_, error);
}

Owned<CpsClip> ClipBuilder::describe() const {
  Owned<CpsClip> clip(cps_clip_new(length_));
  std::copy(frames_.begin(), frames_.end(), clip->frames);
  clip->source_width = static_cast<guint>(crop_.width);
  clip->source_height = static_cast<guint>(crop_.height);
  clip->target_width = static_cast<guint>(target_.width);
  clip->target_height = static_cast<guint>(target_.height);
  clip->grid_width = static_cast<guint>(grid_.width);
  clip->grid_height = static_cast<guint>(grid_.height);
  return clip;
}

} // namespace cps
