// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts one sequence of frames to tensors (docs/spec.md#target-size, #scores to #outputs): the part that does not
// depend on the kind of memory.
#pragma once

#include "gst/elements/process/tensorclip.h"
#include "kernels/geometry.h"

namespace cps {

// Validated properties of patchselect.
struct PatchOptions {
  TargetOptions target;
  Resample resample = Resample::Bilinear;
  SelectOptions select;
  OutputLayout layout = OutputLayout::Patches;
  guint canvases = 0;                                          // of OutputLayout::Canvas
  CpsDtype dtype = CPS_DTYPE_BF16;                             // u8 of canvases
  GstVideoColorMatrix matrix = GST_VIDEO_COLOR_MATRIX_UNKNOWN; // unknown: that of the caps
  OutputScaling scaling;
};

// Returns false on an invalid property, with a sentence that names it in `error`.
bool read_patch_options(const GstStructure *options, PatchOptions &out, std::string &error);

// Maximum bytes of a clip; 0 if the properties are invalid, which begin() reports.
guint64 patch_memory(const GstStructure *properties, Size frame, guint length);

class PatchAssembler final : public ClipAssembler {
public:
  explicit PatchAssembler(std::unique_ptr<PatchStage> stage) : stage_(std::move(stage)) {}

  bool begin(const GstStructure *properties, const SequenceFormat &format, ElementError &error) override;
  const std::vector<CpsTensor> &tensors() const override { return tensors_; }
  bool add(guint position, GstBuffer *frame, bool repeated, ElementError &error) override;
  Owned<GstBuffer> finish(const std::vector<CpsClipFrame> &frames, ElementError &error) override;
  void fill_clip(CpsClip &clip) const override;

private:
  std::vector<CpsTensor> describe(int64_t count) const;

  std::unique_ptr<PatchStage> stage_;
  PatchOptions options_;
  SequenceFormat format_;
  Size target_, grid_;
  std::vector<CpsTensor> tensors_;
  GQuark energy_mode_ = 0;       // of the last frame; 0 if no energy is used
  double energy_percentile_ = 0; // 0 if none is used
};

} // namespace cps
