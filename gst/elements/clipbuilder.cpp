// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/clipbuilder.h"

#include "gst/elements/options.h"

#include <algorithm>
#include <cstdlib>

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
                        std::string &error) {
  const int patch = options.target.patch_size;
  const Size source = {crop.width, crop.height};
  const Size target = target_size(source, options.target);
  const int64_t target_pixels = int64_t{target.width} * target.height;
  if (target_pixels > kMaxTargetPixels) {
    error = "input-size, min-pixels or max-pixels ask for " + std::to_string(target.width) + "x" +
            std::to_string(target.height) + " pixels; at most " + std::to_string(kMaxTargetPixels) + " are possible.";
    return false;
  }
  const Size grid = {target.width / patch, target.height / patch};
  const int64_t count = selection_count(options.select, static_cast<int>(length), grid);
  if (count < 0) {
    const int64_t patches = int64_t{grid.width} * grid.height * length;
    error = "selection-unit=block2x2 needs a number of patches that is divisible by 4, but k-keep is " +
            std::to_string(options.select.k_keep) + " and the clip has " + std::to_string(patches) + ".";
    return false;
  }

  options_ = options;
  info_ = info;
  crop_ = crop;
  length_ = length;
  target_ = target;
  grid_ = grid;
  resizer_.emplace(picture_layout(info, crop), target);
  scorer_.emplace(source, target, patch);
  tensors_ = {tensor("patches", options.dtype, {count, 3, patch, patch}, 0),
              tensor("meta_fields", CPS_DTYPE_I64, {count, 6}, 1), tensor("meta_scores", CPS_DTYPE_F32, {count}, 2)};
  frames_.clear();
  frames_.reserve(length);
  if (!pixels_.reserve(resizer_->samples() * length) || !scores_.reserve(patches_per_frame() * length)) {
    error = "There is not enough memory for " + std::to_string(length) + " frames of " + std::to_string(target.width) +
            "x" + std::to_string(target.height) + " pixels: sample fewer frames, or lower input-size or max-pixels.";
    return false;
  }
  return true;
}

void ClipBuilder::add(const PictureView &picture, const float *energy, const CpsClipFrame &frame) {
  const size_t position = frames_.size();
  resizer_->run(picture, pixels_.at(position * resizer_->samples()));
  scorer_->run(energy, scores_.at(position * patches_per_frame()));
  frames_.push_back(frame);
}

// Spec 1: where no sampled frame is a random-access point, the first counts as one.
void ClipBuilder::mark_random_access() {
  if (std::none_of(frames_.begin(), frames_.end(), [](const CpsClipFrame &f) { return f.is_i; }))
    frames_.front().is_i = TRUE;
}

// Adds memory that starts on a cache line, as DLPack's consumers like it. GStreamer's own allocator aborts where there
// is none; this returns nullptr.
static void *append_memory(GstBuffer *buffer, size_t size) {
  constexpr size_t kLine = 64;
  void *data = std::aligned_alloc(kLine, std::max(kLine, (size + kLine - 1) / kLine * kLine));
  if (data)
    gst_buffer_append_memory(
        buffer, gst_memory_new_wrapped(static_cast<GstMemoryFlags>(0), data, size, 0, size, data, std::free));
  return data;
}

Owned<GstBuffer> ClipBuilder::finish() {
  mark_random_access();
  std::vector<uint8_t> random_access;
  for (const CpsClipFrame &frame : frames_)
    random_access.push_back(frame.is_i ? 1 : 0);
  const std::vector<int64_t> selected =
      select_patches(scores_.at(0), static_cast<int>(length_), grid_, random_access, options_.select);

  Owned<GstBuffer> buffer(gst_buffer_new());
  std::vector<void *> data;
  for (const CpsTensor &t : tensors_) {
    data.push_back(append_memory(buffer.get(), cps_tensor_get_size(&t)));
    if (!data.back())
      return nullptr;
  }
  write_tensors(selected, data[0], static_cast<int64_t *>(data[1]), static_cast<float *>(data[2]));
  return buffer;
}

void ClipBuilder::write_tensors(const std::vector<int64_t> &selected, void *patches, int64_t *fields,
                                float *scores) const {
  const int64_t per_frame = int64_t{grid_.width} * grid_.height;
  const PatchCutter cutter(target_, resizer_->planes(), options_.target.patch_size,
                           color_transform(info_, picture_layout(info_, crop_).model, options_.matrix),
                           options_.scaling, pixel_type(options_.dtype));
  auto *out = static_cast<uint8_t *>(patches);
  for (const int64_t index : selected) {
    const int64_t position = index / per_frame, within = index % per_frame;
    const CpsClipFrame &frame = frames_[static_cast<size_t>(position)];
    cutter.run(pixels_.at(static_cast<size_t>(position) * resizer_->samples()), within, out);
    out += cutter.patch_bytes();
    for (const int64_t field : {position, static_cast<int64_t>(frame.frame_id), int64_t{frame.is_i}, index,
                                within / grid_.width, within % grid_.width})
      *fields++ = field;
    *scores++ = static_cast<float>(*scores_.at(static_cast<size_t>(index)));
  }
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
