// SPDX-License-Identifier: LGPL-2.1-or-later
// What patchselect and framestack are made from: an element that turns each sequence of frames into one buffer of
// tensors.
#pragma once

#include "gst/elements/process/stages.h"

namespace cps {

// What all frames of a sequence have in common.
struct SequenceFormat {
  GstVideoInfo info = {};
  ReadRegion crop;
  guint length = 0; // frames
};

// What becomes of a sequence, in one kind of memory. Not thread-safe.
class ClipAssembler {
public:
  ClipAssembler() = default;
  virtual ~ClipAssembler() = default;
  ClipAssembler(const ClipAssembler &) = delete;
  ClipAssembler &operator=(const ClipAssembler &) = delete;

  // Is all there that this needs of a frame, beside its pixels? Asked before begin(), too.
  virtual bool accepts(GstBuffer *frame, const ReadRegion &crop, ElementError &error) const = 0;

  // Starts a sequence, in the memory of the one before. `options`: the element's properties.
  virtual bool begin(const GstStructure *options, const SequenceFormat &format, ElementError &error) = 0;

  // What the tensors will be, in the order of their memories; known from begin() on.
  virtual const std::vector<CpsTensor> &tensors() const = 0;

  // Adds frame `position`, 0 to length - 1 in turn. It may change once the next call has returned, and but for the last
  // frame once this one has.
  virtual bool add(guint position, GstBuffer *frame, ElementError &error) = 0;

  // A buffer with the memories of tensors(), without metas. nullptr: see `error`.
  virtual Owned<GstBuffer> finish(const std::vector<CpsClipFrame> &frames, ElementError &error) = 0;

  // Adds what this alone knows to the clip's metadata: target size and grid, and options that are no properties.
  virtual void fill_clip(CpsClip &clip) const = 0;
};

CpsTensor make_tensor(const char *name, CpsDtype dtype, std::initializer_list<gint64> dims, guint memory);

} // namespace cps

#define CPS_TYPE_TENSOR_CLIP (cps_tensor_clip_get_type())
G_DECLARE_DERIVABLE_TYPE(CpsTensorClip, cps_tensor_clip, CPS, TENSOR_CLIP, GstElement)

// A class installs the properties, cuda_device_id_spec() among them. They are the options that a clip is made with.
struct _CpsTensorClipClass {
  GstElementClass parent_class;

  GstDebugCategory *category;
  const char *entry; // the element that a sampler has to be before
  std::unique_ptr<cps::ClipAssembler> (*make)(bool cuda, cps::StageContext &context);
  // Bytes that a clip takes at most: its tensors, and what is kept of its frames until they are made. `options`: the
  // element's properties.
  guint64 (*memory)(const GstStructure *options, cps::Size frame, guint length);
};

namespace cps {

// The first thing that a class does when it is initialised. `tensors`: the fields of the tensors' caps.
void setup_tensor_clip(CpsTensorClipClass *klass, const char *tensors);

// Frames will be of this size, by the word of the stream's header, so that a clip that takes too much memory is refused
// before anything is decoded.
void expect_frames(CpsTensorClip *self, Size frame);

} // namespace cps
