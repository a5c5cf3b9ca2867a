// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/process/patchassembler.h"

#include "gst/codecpatch/pixeltype.h"
#include "gst/elements/common/memorylimit.h"
#include "gst/elements/common/options.h"
#include "gst/elements/process/colormatrix.h"
#include "gst/elements/process/resampling.h"
#include "kernels/placescores.h"

#include <algorithm>

namespace cps {

// Options

static constexpr int kMaxPatchSize = 1024;

// Reads one value per channel; an empty list leaves `out` unchanged.
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

// Canvases are u8, and never partly filled.
static bool check_canvases(const PatchOptions &options, std::string &error) {
  if (options.select.unit != SelectionUnit::Block2x2)
    error = "output-layout=canvas needs blocks of 2x2 patches: set selection-unit=block2x2.";
  else if (options.canvases == 0)
    error = "output-layout=canvas needs a number of canvases: set canvases to 1 or more.";
  else if (options.select.min_score > 0)
    error =
        "min-score does not go with output-layout=canvas, because a canvas is never partly filled: set min-score=0.";
  else if (!is_identity(options.scaling))
    error = "scale, mean and std do not go with output-layout=canvas, whose pixels are u8: leave them unset.";
  return error.empty();
}

// Canvases say how many patches are selected, instead of k-keep.
static int64_t patches_wanted(const PatchOptions &options, int64_t patches_per_frame) {
  return options.layout == OutputLayout::Canvas ? options.canvases * patches_per_frame : options.select.k_keep;
}

bool read_patch_options(const GstStructure *options, PatchOptions &out, std::string &error) {
  out.target.input_size = option_int(options, "input-size");
  out.target.min_pixels = option_int(options, "min-pixels");
  out.target.max_pixels = option_int(options, "max-pixels");
  out.target.rule = static_cast<SizeRule>(option_enum(options, "size-rule"));
  out.resample = static_cast<Resample>(option_enum(options, "resample"));
  out.target.patch_size = out.select.patch_size = option_int(options, "patch-size");
  out.select.k_keep = option_int(options, "k-keep");
  out.select.ranking = static_cast<Ranking>(option_enum(options, "ranking"));
  out.select.min_score = option_double(options, "min-score");
  out.select.unit = static_cast<SelectionUnit>(option_enum(options, "selection-unit"));
  out.select.static_fallback = option_bool(options, "static-fallback");
  out.select.static_abs_thresh = option_double(options, "static-abs-thresh");
  out.select.static_rel_thresh = option_double(options, "static-rel-thresh");
  out.select.static_uniform_frames = option_int(options, "static-uniform-frames");
  out.layout = static_cast<OutputLayout>(option_enum(options, "output-layout"));
  out.canvases = option_uint(options, "canvases");
  const bool canvas = out.layout == OutputLayout::Canvas;
  out.dtype = canvas ? CPS_DTYPE_U8 : static_cast<CpsDtype>(option_enum(options, "output-dtype"));
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
  if (out.select.min_score < 0) {
    error = "min-score is " + std::to_string(out.select.min_score) + "; it must be 0 or more.";
    return false;
  }
  if (!read_channels(options, "mean", out.scaling.mean, false, error) ||
      !read_channels(options, "std", out.scaling.std, true, error))
    return false;
  if (canvas)
    return check_canvases(out, error);
  if (out.dtype == CPS_DTYPE_U8 && !is_identity(out.scaling)) {
    error = "scale, mean and std do not go with output-dtype=u8: choose f16, bf16 or f32, or leave them unset.";
    return false;
  }
  return true;
}

// Returns 0 if begin() would refuse the options. A frame at target size needs at most three samples of two bytes per
// pixel; a patch needs its score, and two integers during the selection. Ranking by replenishment also needs the
// samples of one unit in all frames, and for each patch, at most, what is known of a frame that is kept.
guint64 patch_memory(const GstStructure *properties, Size frame, guint length) {
  constexpr guint64 kSample = 2, kSamples = 3, kCandidate = sizeof(double) + 2 * sizeof(int64_t);
  constexpr guint64 kPlaceFrame = sizeof(KeptFrame) + sizeof(int64_t);
  PatchOptions options;
  std::string error;
  if (!read_patch_options(properties, options, error))
    return 0;
  const Size target = target_size(frame, options.target);
  const auto width = static_cast<guint64>(target.width), height = static_cast<guint64>(target.height);
  if (product({width, height}) > static_cast<guint64>(kMaxTargetPixels))
    return 0;
  const auto patch = static_cast<guint64>(options.target.patch_size);
  const guint64 per_frame = product({width / patch, height / patch}), patches = product({per_frame, length});
  const int64_t wanted = patches_wanted(options, static_cast<int64_t>(per_frame));
  const guint64 kept = std::min<guint64>(patches, static_cast<guint64>(std::max<int64_t>(wanted, 0)));
  const auto fields = static_cast<guint64>(PatchLayout{options.layout, {}, 0}.fields());
  const guint64 tensors = sum(product({kept, 3, patch, patch, cps_dtype_get_size(options.dtype)}),
                              product({kept, fields * sizeof(int64_t) + sizeof(float)}));
  guint64 ranking = 0;
  if (options.select.ranking == Ranking::Replenishment) {
    const auto side = static_cast<guint64>(unit_side(options.target.patch_size, options.select.unit));
    ranking = sum(product({side, side, kSamples, kSample, length}), product({patches, kPlaceFrame}));
  }
  return sum(sum(product({width, height, kSamples, kSample, length}), product({patches, kCandidate})),
             sum(tensors, ranking));
}

// The sequence

// False unless `energy` is of a frame with this region.
static bool check_energy(const CpsEnergyMeta *energy, const ReadRegion &crop, ElementError &error) {
  const auto refuse = [&error](const std::string &text) {
    return set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, text);
  };
  if (!energy)
    return refuse("The frames have no energy: put a patchenergy right before patchselect, or set its "
                  "ranking=replenishment.");
  if (energy->orientation != crop.orientation)
    return refuse("The energy belongs to a frame that is rotated or mirrored otherwise: put no element between "
                  "patchenergy and patchselect.");
  if (static_cast<int>(energy->frame_width) == crop.width && static_cast<int>(energy->frame_height) == crop.height)
    return true;
  return refuse("The energy belongs to a frame of " + std::to_string(energy->frame_width) + "x" +
                std::to_string(energy->frame_height) + ", but the frame is " + std::to_string(crop.width) + "x" +
                std::to_string(crop.height) + ": put no element between patchenergy and patchselect.");
}

bool PatchAssembler::begin(const GstStructure *properties, const SequenceFormat &format, ElementError &error) {
  error.domain = GST_LIBRARY_ERROR;
  error.code = GST_LIBRARY_ERROR_SETTINGS;
  PatchOptions options;
  if (!read_patch_options(properties, options, error.text))
    return false;
  const int patch = options.target.patch_size;
  const Size target = target_size({format.crop.width, format.crop.height}, options.target);
  const int64_t target_pixels = int64_t{target.width} * target.height;
  if (target_pixels > kMaxTargetPixels) {
    error.text = "input-size, min-pixels or max-pixels ask for " + std::to_string(target.width) + "x" +
                 std::to_string(target.height) + " pixels; at most " + std::to_string(kMaxTargetPixels) +
                 " are possible.";
    return false;
  }
  const Size grid = {target.width / patch, target.height / patch};
  options.select.k_keep = patches_wanted(options, int64_t{grid.width} * grid.height);
  const int64_t count = selection_count(options.select, static_cast<int>(format.length), grid);
  if (count < 0) {
    const int64_t patches = int64_t{grid.width} * grid.height * format.length;
    error.text = "selection-unit=block2x2 needs a number of patches that is divisible by 4, but k-keep is " +
                 std::to_string(options.select.k_keep) + " and the clip has " + std::to_string(patches) + ".";
    return false;
  }

  options_ = options;
  format_ = format;
  target_ = target;
  grid_ = grid;
  tensors_.clear(); // with min-score the contents decide how many patches there are
  if (options.select.min_score == 0)
    tensors_ = describe(count);
  energy_mode_ = 0;
  energy_percentile_ = 0;
  return stage_->begin(format.info, format.crop, {target, options.resample}, options.select, format.length, error);
}

std::vector<CpsTensor> PatchAssembler::describe(int64_t count) const {
  if (options_.layout == OutputLayout::Canvas)
    return {make_tensor("canvases", CPS_DTYPE_U8,
                        {count / (int64_t{grid_.width} * grid_.height), target_.height, target_.width, 3}, 0),
            make_tensor("patch_positions", CPS_DTYPE_I64, {count, 3}, 1),
            make_tensor("meta_scores", CPS_DTYPE_F32, {count}, 2)};
  const int patch = options_.target.patch_size;
  return {make_tensor("patches", options_.dtype, {count, 3, patch, patch}, 0),
          make_tensor("meta_fields", CPS_DTYPE_I64, {count, 6}, 1),
          make_tensor("meta_scores", CPS_DTYPE_F32, {count}, 2)};
}

bool PatchAssembler::add(guint position, GstBuffer *frame, bool repeated, ElementError &error) {
  if (options_.select.ranking != Ranking::Energy)
    return stage_->add(position, frame, repeated, nullptr, error);
  const CpsEnergyMeta *energy = cps_buffer_get_energy_meta(frame);
  if (!check_energy(energy, format_.crop, error))
    return false;
  energy_mode_ = energy->mode;
  energy_percentile_ = energy->percentile;
  return stage_->add(position, frame, repeated, energy, error);
}

Owned<GstBuffer> PatchAssembler::finish(const std::vector<CpsClipFrame> &frames, ElementError &error) {
  PatchRecipe recipe;
  for (const CpsClipFrame &frame : frames) {
    recipe.random_access.push_back(frame.is_i ? 1 : 0);
    recipe.frame_ids.push_back(static_cast<int64_t>(frame.frame_id));
  }
  recipe.color = color_transform(format_.info, picture_layout(format_.info, format_.crop).model, options_.matrix);
  recipe.scaling = options_.scaling;
  recipe.type = pixel_type(options_.dtype).value_or(PixelType::F32);
  recipe.layout = options_.layout;
  int64_t count = 0;
  if (!stage_->select(recipe, count, error))
    return nullptr;
  tensors_ = describe(count);
  return stage_->cut(recipe, tensors_, error);
}

void PatchAssembler::fill_clip(CpsClip &clip) const {
  clip.target_width = static_cast<guint>(target_.width);
  clip.target_height = static_cast<guint>(target_.height);
  clip.grid_width = static_cast<guint>(grid_.width);
  clip.grid_height = static_cast<guint>(grid_.height);
  if (energy_mode_)
    gst_structure_set(clip.options, "energy-mode", G_TYPE_STRING, g_quark_to_string(energy_mode_), nullptr);
  if (energy_percentile_ > 0)
    gst_structure_set(clip.options, "energy-pct", G_TYPE_DOUBLE, energy_percentile_, nullptr);
}

} // namespace cps
