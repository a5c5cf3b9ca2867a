// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/cuda/patchselector.h"

#include "gst/cuda/tables.h"

#include <algorithm>

namespace cps::cuda {

// The maximum number of map columns that kScorePatches adjacent patches of a grid row cover: the number of sums per
// block.
static size_t columns_of_block(const BandedMatrix &matrix) {
  size_t most = 0;
  for (size_t first = 0; first < matrix.rows.size(); first += kScorePatches) {
    const size_t last = std::min(first + kScorePatches, matrix.rows.size()) - 1;
    const auto end = static_cast<size_t>(matrix.rows[last].first) + matrix.rows[last].weights.size();
    most = std::max(most, end - static_cast<size_t>(matrix.rows[first].first));
  }
  return most;
}

bool PatchSelector::prepare(const PictureView &layout, const Target &target, const SelectOptions &options) {
  const int patch = options.patch_size;
  prepared_ = false;
  if (!resizer_.prepare(layout, target))
    return false;
  frame_ = resizer_.args();
  frame_.grid = {target.size.width / patch, target.size.height / patch};
  frame_shared_ = 0;
  if (options.ranking == Ranking::Energy && !prepare_scores(layout.size, target.size, patch))
    return false;
  frame_blocks_ = static_cast<unsigned>(frame_.score_blocks) + blocks_of(resizer_.samples(), kFrameThreads);
  layout_ = layout;
  prepared_ = true;
  return true;
}

bool PatchSelector::prepare_scores(Size source, Size target, int patch) {
  frame_.map = small_size(source);
  TableBuilder tables;
  const BandedMatrix columns = score_matrix(frame_.map.width, source.width, target.width, patch);
  const TableBuilder::Bands row_bands =
      tables.add(score_matrix(frame_.map.height, source.height, target.height, patch));
  const TableBuilder::Bands column_bands = tables.add(columns);
  if (!tables.upload(device_, tables_))
    return false;
  frame_.rows = row_bands.on(tables_);
  frame_.columns = column_bands.on(tables_);

  frame_.score_blocks = frame_.grid.height * static_cast<int>(blocks_of(frame_.grid.width, kScorePatches));
  frame_shared_ = static_cast<unsigned>(columns_of_block(columns) * sizeof(double));
  return true;
}

bool PatchSelector::begin(const PictureView &layout, const Target &target, const SelectOptions &options, int frames) {
  const bool prepared = prepared_ && options_.patch_size == options.patch_size && options_.ranking == options.ranking &&
                        resizer_.target() == target && same_layout(layout_, layout);
  options_ = options;
  if (!prepared && !prepare(layout, target, options))
    return false;
  const auto count = static_cast<size_t>(frames);
  if (!pixels_.reserve(device_, count * static_cast<size_t>(resizer_.samples()) * sizeof(uint16_t)) ||
      !scores_.reserve(device_, count * static_cast<size_t>(patches_per_frame()) * sizeof(double)) ||
      !ids_.reserve(device_, count * sizeof(int64_t)) || !flags_.reserve(device_, count))
    return false;
  length_ = frames;
  random_access_frames_ = 0;
  frame_.frames = {pixels_.as<uint16_t>(), scores_.as<double>(), ids_.as<int64_t>(), flags_.as<uint8_t>()};
  frame_.position = 0;
  return true;
}

bool PatchSelector::add(const PictureView &picture, const float *energy, int64_t frame_id, bool random_access) {
  frame_.picture = picture;
  frame_.energy = energy;
  frame_.id = frame_id;
  frame_.random_access = random_access;
  random_access_frames_ += random_access ? 1 : 0;
  if (!device_.launch("cps_frame", {frame_blocks_}, kFrameThreads, frame_shared_, &frame_))
    return false;
  frame_.position++;
  return true;
}

static int bits_of(int64_t value) {
  int bits = 0;
  for (; value > 0; value /= 2)
    ++bits;
  return bits;
}

bool PatchSelector::score_replenishment() {
  const auto units = static_cast<size_t>(length_ * units_per_frame());
  if (!kept_.reserve(device_, units * sizeof(KeptFrame)) || !gains_.reserve(device_, units * sizeof(int64_t)))
    return false;
  ReplenishArgs args;
  args.frames = frame_.frames;
  args.length = length_;
  args.planes = frame_.planes;
  args.target = frame_.target;
  args.grid_width = frame_.grid.width;
  args.patch = options_.patch_size;
  args.blocks = options_.unit == SelectionUnit::Block2x2;
  args.kept = kept_.as<KeptFrame>();
  args.gains = gains_.as<int64_t>();
  return device_.launch("cps_replenish", {static_cast<unsigned>(units_per_frame())}, kReplenishThreads, 0, &args);
}

bool PatchSelector::launch_select() {
  const int64_t random_access_frames = std::max(random_access_frames_, 1);
  SelectArgs args;
  args.frames = frame_.frames;
  args.length = length_;
  args.first_frame_counts = random_access_frames_ == 0;
  args.replenishment = options_.ranking == Ranking::Replenishment;
  args.grid = frame_.grid;
  args.blocks = options_.unit == SelectionUnit::Block2x2;
  args.count = count_ / patches_of_unit(options_.unit);
  args.min_score = options_.min_score;
  if (args.replenishment) {
    args.preferred_units = units_per_frame();
    args.most = kMostReplenishmentRank;
    args.key_bits = kReplenishmentRankBits + 1; // a key is at most 1 << (key_bits - 1)
  } else {
    args.preferred_units = random_access_frames * units_per_frame();
    const int side = unit_side(options_.patch_size, options_.unit);
    args.unit_pixels = static_cast<double>(side) * side;
    // Energies are at most 1 per pixel, and rounding adds far less than one quantum per patch.
    args.most =
        (static_cast<int64_t>(options_.patch_size) * options_.patch_size * static_cast<int64_t>(kScoreQuanta) + 1) *
        patches_of_unit(options_.unit);
    args.key_bits = bits_of(args.most + static_lift(0, args.most)) + 1;
    args.static_fallback =
        options_.static_fallback && options_.static_uniform_frames > 0 && random_access_frames < length_;
    args.static_abs_thresh = options_.static_abs_thresh;
    args.static_rel_thresh = options_.static_rel_thresh;
    args.static_uniform_frames = options_.static_uniform_frames;
  }
  args.ranks = ranks_.as<int64_t>();
  args.selected = selected_.as<int64_t>();
  args.selected_count = args.selected + count_;
  return device_.launch("cps_clip_select", {}, kSelectThreads, 0, &args);
}

bool PatchSelector::read_count() {
  int64_t units = 0;
  if (!device_.download(&units, selected_.address() + static_cast<size_t>(count_) * sizeof(int64_t), sizeof units))
    return false;
  count_ = units * patches_of_unit(options_.unit);
  return true;
}

bool PatchSelector::select(int64_t &count) {
  count_ = std::max<int64_t>(selection_count(options_, length_, frame_.grid), 0);
  if (count_ > 0) {
    const auto units = static_cast<size_t>(length_ * units_per_frame());
    if (!ranks_.reserve(device_, units * sizeof(int64_t)) ||
        !selected_.reserve(device_, (static_cast<size_t>(count_) + 1) * sizeof(int64_t)) ||
        (options_.ranking == Ranking::Replenishment && !score_replenishment()) || !launch_select() ||
        (options_.min_score > 0 && !read_count()))
      return false;
  }
  count = count_;
  return true;
}

bool PatchSelector::cut(const ColorTransform &color, const OutputScaling &scaling, PixelType type,
                        const PatchOutputs &out) {
  if (count_ == 0)
    return true;
  CutArgs cut;
  cut.selected = selected_.as<int64_t>();
  cut.frames = frame_.frames;
  cut.planes = frame_.planes;
  cut.target = frame_.target;
  cut.layout = {out.layout, frame_.grid, options_.patch_size};
  cut.color = color;
  cut.scaling = scaling;
  cut.type = type;
  cut.pixels = out.pixels;
  cut.fields = out.fields;
  cut.meta_scores = out.scores;
  const int64_t pixels = static_cast<int64_t>(options_.patch_size) * options_.patch_size;
  const Grid grid = {static_cast<unsigned>(count_), blocks_of(pixels, kCutPixels)};
  return device_.launch("cps_clip_cut", grid, kCutThreads, 0, &cut);
}

} // namespace cps::cuda
