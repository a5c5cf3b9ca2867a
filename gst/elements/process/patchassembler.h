// SPDX-License-Identifier: LGPL-2.1-or-later
// One sequence of frames on its way to tensors (docs/spec.md#target-size, #scores to #outputs): what does not depend on
// the memory they are in.
#pragma once

#include "gst/elements/process/tensorclip.h"
#include "kernels/geometry.h"

namespace cps {

// patchselect's properties, checked.
struct PatchOptions {
  TargetOptions target;
  SelectOptions select;
  CpsDtype dtype = CPS_DTYPE_BF16;
  GstVideoColorMatrix matrix = GST_VIDEO_COLOR_MATRIX_UNKNOWN; // unknown: the caps'
  OutputScaling scaling;
};

// False with a sentence in `error` that names the property at fault.
bool read_patch_options(const GstStructure *options, PatchOptions &out, std::string &error);

// Bytes that a clip takes at most; 0 where the properties are not in order, which is for begin() to say.
guint64 patch_memory(const GstStructure *properties, Size frame, guint length);

class PatchAssembler final : public ClipAssembler {
public:
  explicit PatchAssembler(std::unique_ptr<PatchStage> stage) : stage_(std::move(stage)) {}

  bool accepts(GstBuffer *frame, const ReadRegion &crop, ElementError &error) const override;
  bool begin(const GstStructure *properties, const SequenceFormat &format, ElementError &error) override;
  const std::vector<CpsTensor> &tensors() const override { return tensors_; }
  bool add(guint position, GstBuffer *frame, ElementError &error) override;
  Owned<GstBuffer> finish(const std::vector<CpsClipFrame> &frames, ElementError &error) override;
  void fill_clip(CpsClip &clip) const override;

private:
  std::unique_ptr<PatchStage> stage_;
  PatchOptions options_;
  SequenceFormat format_;
  Size target_, grid_;
  std::vector<CpsTensor> tensors_;
  GQuark energy_mode_ = 0; // of the last frame
  double energy_percentile_ = 0;
};

} // namespace cps
