// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/cuda/energy.h"

#include "gst/cuda/tables.h"
#include "kernels/smallluma.h"

#include <utility>

namespace cps::cuda {

static const char *luma_kernel(const PictureView &layout, bool quads) {
  const bool words = layout.plane[0].bits > 8;
  if (layout.model == ColorModel::Rgb)
    return "cps_energy_rgb8";
  if (quads)
    return words ? "cps_energy_quads16" : "cps_energy_quads8";
  return words ? "cps_energy_codes16" : "cps_energy_codes8";
}

bool Energy::prepare(const PictureView &layout, const EnergyOptions &options) {
  small_ = small_size(layout.size);
  quads_ = has_quad_sums(layout, small_);
  kernel_ = luma_kernel(layout, quads_);
  const int64_t count = int64_t{small_.width} * small_.height;
  const auto samples = static_cast<size_t>(count);

  search_ = {};
  search_.small = small_;
  search_.radius = search_radius(small_);
  search_.rank = static_cast<uint32_t>(rank_index(count, options.percentile));
  search_.full = options.mode == EnergyMode::FrameDifference ? full_luma(layout.plane[0].bits, quads_) : 0.0f;
  search_.key_bits = quads_ ? layout.plane[0].bits + 2 : 31; // a non-negative float

  TableBuilder tables;
  const TableBuilder::Taps x = tables.add(bilinear_taps(layout.size.width, 1, 0, layout.size.width, small_.width));
  const TableBuilder::Taps y = tables.add(bilinear_taps(layout.size.height, 1, 0, layout.size.height, small_.height));
  if (!tables.upload(device_, tables_) || !current_.reserve(device_, samples * sizeof(float)) ||
      !previous_.reserve(device_, samples * sizeof(float)) || !residual_.reserve(device_, samples * sizeof(float)) ||
      !motion_.reserve(device_, samples) || !ranks_.reserve(device_, sizeof(EnergyRanks)) ||
      !device_.clear(ranks_.address(), sizeof(EnergyRanks)) ||
      (search_.key_bits > kRankBits && !candidates_.reserve(device_, samples * sizeof(uint32_t))))
    return false;
  search_.x = x.on(tables_);
  search_.y = y.on(tables_);
  search_.residual = residual_.as<float>();
  search_.motion = motion_.as<uint8_t>();
  search_.ranks = ranks_.as<EnergyRanks>();
  return true;
}

bool Energy::next(const PictureView &picture, bool first, float *energy) {
  std::swap(current_, previous_);
  search_.picture = picture;
  return compare(kernel_, first ? nullptr : previous_.as<float>(), energy);
}

bool Energy::repeat(float *energy) {
  return compare(quads_ ? "cps_energy_stored_quads" : "cps_energy_stored", current_.as<float>(), energy);
}

bool Energy::compare(const char *kernel, const float *previous, float *energy) {
  search_.current = current_.as<float>();
  search_.previous = previous;
  search_.energy = energy;
  const Grid tiles = {blocks_of(small_.width, kSearchTileWidth), blocks_of(small_.height, kSearchTileHeight)};
  if (!device_.launch(kernel, tiles, kSearchThreads, 0, &search_))
    return false;
  if (!previous || search_.full > 0)
    return true;

  const int samples = small_.width * small_.height;
  if (search_.key_bits > kRankBits) {
    const EnergyRefineArgs refine = {
        search_.residual, candidates_.as<uint32_t>(), static_cast<uint32_t>(samples), search_.key_bits, quads_,
        search_.ranks};
    if (!device_.launch("cps_energy_refine", {blocks_of(samples, kRefineKeys)}, kRefineThreads, 0, &refine))
      return false;
  }
  const EnergyNormaliseArgs normalise = {search_.residual, search_.motion, search_.ranks, samples, energy};
  return device_.launch("cps_energy_normalise", {blocks_of(samples, kNormaliseThreads)}, kNormaliseThreads, 0,
                        &normalise);
}

} // namespace cps::cuda
