// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#scores to #replenishment, and #canvases, on the device, for one sequence of frames, with the same
// results as PatchScorer, ReplenishmentScorer, PictureResizer, select_patches() and PatchCutter in system memory.
#pragma once

#include "gst/cuda/resizer.h"
#include "kernels/kernelargs.h"
#include "kernels/ranking.h"
#include "kernels/select.h"

namespace cps::cuda {

// Outputs of cut() in device memory, the tensors of this layout.
struct PatchOutputs {
  void *pixels = nullptr;
  int64_t *fields = nullptr;
  float *scores = nullptr;
  OutputLayout layout = OutputLayout::Patches;
};

// Functions enqueue on the device's stream; the caller makes its context current and synchronises. Functions that
// return false set the device's error().
class PatchSelector {
public:
  explicit PatchSelector(Device &device) : device_(device), resizer_(device) {}

  // Starts a sequence of `frames` pictures like `layout`. Reuses the memory of the previous sequence.
  bool begin(const PictureView &layout, const Target &target, const SelectOptions &options, int frames);

  Size map_size() const { return frame_.map; } // size of the energy maps passed to add()

  // Adds the next frame: keeps its planes at target size and its scores. `picture` and `energy`, which only
  // Ranking::Energy reads, are in device memory and may change once the stream is synchronised.
  bool add(const PictureView &picture, const float *energy, int64_t frame_id, bool random_access);

  // Selects patches when all frames have been added. Sets `count` to their number, for which it waits if min_score is
  // set. If no frame was a random-access frame, the first counts as one.
  bool select(int64_t &count);

  // Writes the selected patches.
  bool cut(const ColorTransform &color, const OutputScaling &scaling, PixelType type, const PatchOutputs &out);

private:
  bool prepare(const PictureView &layout, const Target &target, const SelectOptions &options);
  bool prepare_scores(Size source, Size target, int patch);
  bool score_replenishment();
  bool launch_select();
  bool read_count();
  int64_t units_per_frame() const { return patches_per_frame() / patches_of_unit(options_.unit); }
  int64_t patches_per_frame() const { return int64_t{frame_.grid.width} * frame_.grid.height; }

  Device &device_;
  Resizer resizer_;
  int length_ = 0; // frames
  int random_access_frames_ = 0;
  int64_t count_ = 0; // patches to cut; before read_count() at most
  SelectOptions options_;
  bool prepared_ = false; // for layout_, and the options' patch size and ranking
  PictureView layout_;
  FrameArgs frame_; // common to all frames of that layout
  unsigned frame_blocks_ = 0, frame_shared_ = 0;
  Memory tables_, pixels_, scores_, ids_, flags_, kept_, gains_, ranks_, selected_;
};

} // namespace cps::cuda
