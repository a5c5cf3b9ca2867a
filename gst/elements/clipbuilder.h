// SPDX-License-Identifier: LGPL-2.1-or-later
// One sequence of frames on its way to tensors (spec 2 and 4 to 7), in system memory.
#pragma once

#include "gst/codecpatch/cpstensormeta.h"
#include "gst/elements/picture.h"
#include "gst/elements/private.h"
#include "kernels/geometry.h"
#include "kernels/pixels.h"
#include "kernels/scores.h"
#include "kernels/select.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

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

// Uninitialised memory that is used again from clip to clip.
template <typename T> class Scratch {
public:
  // Room for `count` items, with what was there lost. False where memory cannot be had.
  bool reserve(size_t count) {
    if (count <= capacity_)
      return true;
    data_.reset();
    data_.reset(static_cast<T *>(g_try_malloc_n(count, sizeof(T))));
    capacity_ = data_ ? count : 0;
    return data_ != nullptr;
  }
  T *at(size_t index) const { return data_.get() + index; }

private:
  struct Free {
    void operator()(T *memory) const { g_free(memory); }
  };
  std::unique_ptr<T, Free> data_;
  size_t capacity_ = 0;
};

class ClipBuilder {
public:
  // Starts a sequence of `length` frames like `info` and `crop` say, in the memory of the one before. False with a
  // sentence in `error` where the options do not fit it.
  bool begin(const ClipOptions &options, const GstVideoInfo &info, const CropRect &crop, guint length,
             std::string &error);

  // Adds the next frame: its scores and its planes at target size are kept, the frame is not.
  void add(const PictureView &picture, const float *energy, const CpsClipFrame &frame);

  guint length() const { return length_; }
  guint added() const { return static_cast<guint>(frames_.size()); }
  bool whole() const { return added() == length_; }
  const CropRect &crop() const { return crop_; }
  Size map_size() const { return scorer_->map_size(); } // of the energies that add() wants

  // What the tensors will be, in the order of their memories; known from begin() on.
  const std::vector<CpsTensor> &tensors() const { return tensors_; }

  // Selects and cuts: a buffer with the memories of tensors(), without metas. nullptr where memory cannot be had.
  Owned<GstBuffer> finish();

  // What this knows of the clip's metadata: sizes and frames.
  Owned<CpsClip> describe() const;

private:
  void mark_random_access();
  size_t patches_per_frame() const { return static_cast<size_t>(grid_.width) * static_cast<size_t>(grid_.height); }
  void write_tensors(const std::vector<int64_t> &selected, void *patches, int64_t *fields, float *scores) const;

  ClipOptions options_;
  GstVideoInfo info_ = {};
  CropRect crop_;
  guint length_ = 0;
  Size target_, grid_;
  std::optional<PictureResizer> resizer_;
  std::optional<PatchScorer> scorer_;
  std::vector<CpsTensor> tensors_;
  std::vector<CpsClipFrame> frames_; // so far
  Scratch<uint16_t> pixels_;         // of all frames, as the resizer writes them
  Scratch<double> scores_;           // of all frames
};

} // namespace cps
