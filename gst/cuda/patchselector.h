// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#scores to #outputs on the device, for one sequence of frames, with the same results as PatchScorer,
// PictureResizer, select_patches() and PatchCutter in system memory.
#pragma once

#include "gst/cuda/device.h"
#include "kernels/kernelargs.h"
#include "kernels/ranking.h"
#include "kernels/select.h"

namespace cps::cuda {

// Outputs of finish() in device memory: [K,3,P,P], [K,6] and [K].
struct PatchOutputs {
  void *patches = nullptr;
  int64_t *fields = nullptr;
  float *scores = nullptr;
};

// Functions enqueue on the device's stream; the caller makes its context current and synchronises. Functions that
// return false set the device's error().
class PatchSelector {
public:
  explicit PatchSelector(Device &device) : device_(device) {}

  // Starts a sequence of `frames` pictures like `layout`. Reuses the memory of the previous sequence.
  bool begin(const PictureView &layout, Size target, int patch, int frames);

  Size map_size() const { return frame_.map; } // size of the energy maps passed to add()

  // Adds the next frame: keeps its planes at target size and its scores. `picture` and `energy` are in device memory
  // and may change once the stream is synchronised.
  bool add(const PictureView &picture, const float *energy, int64_t frame_id, bool random_access);

  // Writes as many patches as selection_count() returns for the options. If no frame was a random-access frame, the
  // first counts as one.
  bool finish(const SelectOptions &options, const ColorTransform &color, const OutputScaling &scaling, PixelType type,
              const PatchOutputs &out);

private:
  bool prepare(const PictureView &layout, Size target, int patch);
  bool select(const SelectOptions &options, int64_t count);
  int64_t samples_per_frame() const { return int64_t{frame_.planes} * frame_.target.width * frame_.target.height; }
  int64_t patches_per_frame() const { return int64_t{frame_.grid.width} * frame_.grid.height; }

  Device &device_;
  int length_ = 0; // frames
  int random_access_frames_ = 0;
  int patch_ = 0;
  PictureView layout_;
  FrameArgs frame_; // common to all frames of that layout
  unsigned frame_blocks_ = 0, frame_shared_ = 0;
  Memory tables_, pixels_, scores_, ids_, flags_, ranks_, selected_;
};

} // namespace cps::cuda
