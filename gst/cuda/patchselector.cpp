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

bool PatchSelector::prepare(const PictureView &layout, Size target, int patch) {
  patch_ = 0; // until everything is prepared
  frame_ = {};
  frame_.planes = layout.planes();
  frame_.target = target;
  frame_.map = small_size(layout.size);
  frame_.grid = {target.width / patch, target.height / patch};

  TableBuilder tables;
  const BandedMatrix columns = score_matrix(frame_.map.width, layout.size.width, target.width, patch);
  const TableBuilder::Bands row_bands =
      tables.add(score_matrix(frame_.map.height, layout.size.height, target.height, patch));
  const TableBuilder::Bands column_bands = tables.add(columns);
  const PictureTaps picture(layout, target);
  std::vector<TableBuilder::Taps> x, y;
  for (int kind = 0; kind < picture.kinds; ++kind) {
    x.push_back(tables.add(picture.x[kind]));
    y.push_back(tables.add(picture.y[kind]));
  }
  if (!tables.upload(device_, tables_))
    return false;
  frame_.rows = row_bands.on(tables_);
  frame_.columns = column_bands.on(tables_);
  for (size_t kind = 0; kind < x.size(); ++kind) {
    frame_.x[kind] = x[kind].on(tables_);
    frame_.y[kind] = y[kind].on(tables_);
  }

  frame_.score_blocks = frame_.grid.height * static_cast<int>(blocks_of(frame_.grid.width, kScorePatches));
  frame_shared_ = static_cast<unsigned>(columns_of_block(columns) * sizeof(double));
  frame_blocks_ = static_cast<unsigned>(frame_.score_blocks) + blocks_of(samples_per_frame(), kFrameThreads);
  layout_ = layout;
  patch_ = patch;
  return true;
}

bool PatchSelector::begin(const PictureView &layout, Size target, int patch, int frames) {
  const bool prepared = patch_ == patch && frame_.target == target && same_layout(layout_, layout);
  if (!prepared && !prepare(layout, target, patch))
    return false;
  const auto count = static_cast<size_t>(frames);
  if (!pixels_.reserve(device_, count * static_cast<size_t>(samples_per_frame()) * sizeof(uint16_t)) ||
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

bool PatchSelector::select(const SelectOptions &options, int64_t count) {
  const bool blocks = options.unit == SelectionUnit::Block2x2;
  const int patches_per_unit = blocks ? 4 : 1;
  const int64_t random_access_frames = std::max(random_access_frames_, 1);

  SelectArgs args;
  args.frames = frame_.frames;
  args.length = length_;
  args.first_frame_counts = random_access_frames_ == 0;
  args.grid = frame_.grid;
  args.blocks = blocks;
  args.count = count / patches_per_unit;
  args.random_access_units = random_access_frames * patches_per_frame() / patches_per_unit;
  args.unit_pixels = static_cast<double>(patch_) * patch_ * patches_per_unit;
  // Energies are at most 1 per pixel, and rounding adds far less than one quantum per patch.
  args.most = (static_cast<int64_t>(patch_) * patch_ * static_cast<int64_t>(kScoreQuanta) + 1) * patches_per_unit;
  args.key_bits = bits_of(args.most + static_lift(0, args.most)) + 1; // a key is at most 1 << (key_bits - 1)
  args.static_fallback = options.static_fallback && options.static_uniform_frames > 0 && random_access_frames < length_;
  args.static_abs_thresh = options.static_abs_thresh;
  args.static_rel_thresh = options.static_rel_thresh;
  args.static_uniform_frames = options.static_uniform_frames;
  args.ranks = ranks_.as<int64_t>();
  args.selected = selected_.as<int64_t>();
  return device_.launch("cps_clip_select", {}, kSelectThreads, 0, &args);
}

bool PatchSelector::finish(const SelectOptions &options, const ColorTransform &color, const OutputScaling &scaling,
                           PixelType type, const PatchOutputs &out) {
  const int64_t count = selection_count(options, length_, frame_.grid);
  if (count <= 0)
    return true;
  const auto units = static_cast<size_t>(length_ * patches_per_frame());
  if (!ranks_.reserve(device_, units * sizeof(int64_t)) ||
      !selected_.reserve(device_, static_cast<size_t>(count) * sizeof(int64_t)) || !select(options, count))
    return false;

  CutArgs cut;
  cut.selected = selected_.as<int64_t>();
  cut.frames = frame_.frames;
  cut.planes = frame_.planes;
  cut.target = frame_.target;
  cut.grid = frame_.grid;
  cut.patch = patch_;
  cut.color = color;
  cut.scaling = scaling;
  cut.type = type;
  cut.patches = out.patches;
  cut.fields = out.fields;
  cut.meta_scores = out.scores;
  const Grid grid = {static_cast<unsigned>(count), blocks_of(static_cast<int64_t>(patch_) * patch_, kCutPixels)};
  return device_.launch("cps_clip_cut", grid, kCutThreads, 0, &cut);
}

} // namespace cps::cuda
