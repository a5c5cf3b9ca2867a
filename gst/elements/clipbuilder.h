// SPDX-License-Identifier: LGPL-2.1-or-later
// One sequence of frames on its way to tensors (spec 2 and 4 to 7): what does not depend on the memory they are in.
#pragma once

#include "gst/elements/stages.h"
#include "kernels/geometry.h"

namespace cps {

// patchselect's properties, checked.
struct ClipOptions {
  TargetOptions target;
  SelectOptions select;
  CpsDtype dtype = CPS_DTYPE_BF16;
  GstVideoColorMatrix matrix = GST_VIDEO_COLOR_MATRIX_UNKNOWN; // unknown: the caps'
  OutputScaling scaling;
};

// False with a sentence in `error` that names the property at fault.
bool read_clip_options(const GstStructure *options, ClipOptions &out, std::string &error);

class ClipBuilder {
public:
  explicit ClipBuilder(std::unique_ptr<ClipStage> stage) : stage_(std::move(stage)) {}

  // Starts a sequence of `length` frames like `info` and `crop` say, in the memory of the one before. False where the
  // options do not fit it.
  bool begin(const ClipOptions &options, const GstVideoInfo &info, const CropRect &crop, guint length,
             StageError &error);

  // Adds the next frame: its scores and its planes at target size are kept. The frame is not, but for the last, which
  // is still read until finish() returns.
  bool add(GstBuffer *buffer, const CpsEnergyMeta &energy, const CpsClipFrame &frame, StageError &error);

  guint length() const { return length_; }
  guint added() const { return static_cast<guint>(frames_.size()); }
  bool whole() const { return added() == length_; }
  const CropRect &crop() const { return crop_; }

  // What the tensors will be, in the order of their memories; known from begin() on.
  const std::vector<CpsTensor> &tensors() const { return tensors_; }

  // Selects and cuts: a buffer with the memories of tensors(), without metas. nullptr: see `error`.
  Owned<GstBuffer> finish(StageError &error);

  // What this knows of the clip's metadata: sizes and frames.
  Owned<CpsClip> describe() const;

private:
  void mark_random_access();

  std::unique_ptr<ClipStage> stage_;
  ClipOptions options_;
  GstVideoInfo info_ = {};
  CropRect crop_;
  guint length_ = 0;
  Size target_, grid_;
  std::vector<CpsTensor> tensors_;
  std::vector<CpsClipFrame> frames_; // so far
};

} // namespace cps
