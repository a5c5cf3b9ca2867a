// SPDX-License-Identifier: LGPL-2.1-or-later
// Base class of patchselect and framestack: converts each sequence of frames to one buffer of tensors.
#pragma once

#include "gst/elements/process/stages.h"

namespace cps {

// What all frames of a sequence have in common.
struct SequenceFormat {
  GstVideoInfo info = {};
  ReadRegion crop;
  guint length = 0; // frames
};

// Converts sequences in one kind of memory. Not thread-safe.
class ClipAssembler {
public:
  ClipAssembler() = default;
  virtual ~ClipAssembler() = default;
  ClipAssembler(const ClipAssembler &) = delete;
  ClipAssembler &operator=(const ClipAssembler &) = delete;

  // Starts a sequence, and reuses the memory of the previous one. `options`: the element's properties.
  virtual bool begin(const GstStructure *options, const SequenceFormat &format, ElementError &error) = 0;

  // Describes the tensors in the order of their memories. Valid after begin().
  virtual const std::vector<CpsTensor> &tensors() const = 0;

  // Adds frame `position`: 0 to length - 1, in order. `repeated`: its pixels are those of the frame before it. Memory
  // of `frame` must not change until this call has returned; that of the last frame, until finish() has.
  virtual bool add(guint position, GstBuffer *frame, bool repeated, ElementError &error) = 0;

  // Returns a buffer with the memories of tensors(), without metas. nullptr: see `error`.
  virtual Owned<GstBuffer> finish(const std::vector<CpsClipFrame> &frames, ElementError &error) = 0;

  // Adds this object's part of the clip's metadata: target size, grid, and options that are not properties.
  virtual void fill_clip(CpsClip &clip) const = 0;
};

CpsTensor make_tensor(const char *name, CpsDtype dtype, std::initializer_list<gint64> dims, guint memory);

} // namespace cps

#define CPS_TYPE_TENSOR_CLIP (cps_tensor_clip_get_type())
G_DECLARE_DERIVABLE_TYPE(CpsTensorClip, cps_tensor_clip, CPS, TENSOR_CLIP, GstElement)

// Subclasses install the properties, including cuda_device_id_spec(). The properties are the options of a clip.
struct _CpsTensorClipClass {
  GstElementClass parent_class;

  GstDebugCategory *category;
  const char *entry; // the element upstream of which a sampler must be
  std::unique_ptr<cps::ClipAssembler> (*make)(bool cuda, cps::StageContext &context);
  // Maximum bytes of a clip: its tensors, and the frame data kept until they are made. `options`: the element's
  // properties.
  guint64 (*memory)(const GstStructure *options, cps::Size frame, guint length);
};

namespace cps {

// Call first in class_init. `tensors`: the fields of the tensor caps.
void setup_tensor_clip(CpsTensorClipClass *klass, const char *tensors);

// Announces the frame size from the stream's header, so that a clip that needs too much memory is refused before
// decoding.
void expect_frames(CpsTensorClip *self, Size frame);

} // namespace cps
