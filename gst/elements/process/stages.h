// SPDX-License-Identifier: LGPL-2.1-or-later
// What patchenergy, patchselect and framestack compute with, in the kind of memory that their frames have:
// systemstages.cpp and cudastages.cpp, or nocudastages.cpp where the build has no CUDA.
#pragma once

#include "gst/codecpatch/cpsenergymeta.h"
#include "gst/codecpatch/cpstensormeta.h"
#include "gst/elements/common/cudasupport.h"
#include "gst/elements/common/elementerror.h"
#include "gst/elements/common/picture.h"
#include "kernels/pixels.h"
#include "kernels/select.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cps {

// How a frame follows the one before: as the first of a sequence, as another picture, or as the same once more.
enum class EnergyStep { First, Next, Repeat };

// Energy maps of the frames of a sequence, in order. Not thread-safe.
class EnergyStage {
public:
  EnergyStage() = default;
  virtual ~EnergyStage() = default;
  EnergyStage(const EnergyStage &) = delete;
  EnergyStage &operator=(const EnergyStage &) = delete;

  // For frames like `info` and `crop` say; the next one is the first of a sequence.
  virtual bool begin(const GstVideoInfo &info, const ReadRegion &crop, double percentile, ElementError &error) = 0;

  // The frame's energy map as CpsEnergyMeta has it, finished. nullptr: see `error`.
  virtual Owned<GstBuffer> next(GstBuffer *frame, EnergyStep step, ElementError &error) = 0;
};

// What a sequence of frames becomes tensors with, once it is whole.
struct PatchRecipe {
  SelectOptions select;
  std::vector<uint8_t> random_access; // one a frame
  std::vector<int64_t> frame_ids;
  ColorTransform color;
  OutputScaling scaling;
  PixelType type = PixelType::U8;
};

// The scores and planes at target size of one sequence of frames at a time. Not thread-safe.
class PatchStage {
public:
  PatchStage() = default;
  virtual ~PatchStage() = default;
  PatchStage(const PatchStage &) = delete;
  PatchStage &operator=(const PatchStage &) = delete;

  // Starts a sequence of `length` frames like `info` and `crop` say, in the memory of the one before.
  virtual bool begin(const GstVideoInfo &info, const ReadRegion &crop, Size target, int patch, guint length,
                     ElementError &error) = 0;

  // Frame `position`, 0 to length - 1 in turn. It may change once the next call has returned, and but for the last
  // frame once this one has.
  virtual bool add(guint position, GstBuffer *frame, const CpsEnergyMeta &energy, ElementError &error) = 0;

  // Selects and cuts: a buffer with the memories of `tensors`, finished. nullptr: see `error`.
  virtual Owned<GstBuffer> finish(const PatchRecipe &recipe, const std::vector<CpsTensor> &tensors,
                                  ElementError &error) = 0;
};

// Whole frames as RGB, one behind the other. Not thread-safe.
class StackStage {
public:
  StackStage() = default;
  virtual ~StackStage() = default;
  StackStage(const StackStage &) = delete;
  StackStage &operator=(const StackStage &) = delete;

  // Starts a sequence of `length` frames like `info` and `crop` say.
  virtual bool begin(const GstVideoInfo &info, const ReadRegion &crop, const ColorTransform &color, guint length,
                     ElementError &error) = 0;

  // Frame `position`, 0 to length - 1 in turn, is converted into its place. It may change once this has returned.
  virtual bool add(guint position, GstBuffer *frame, ElementError &error) = 0;

  // The sequence: one memory, [length, height, width, 3].
  virtual Owned<GstBuffer> finish() = 0;
};

// Stages for frames in CUDA memory, or for those in system memory.
std::unique_ptr<EnergyStage> make_energy_stage(bool cuda, StageContext &context);
std::unique_ptr<PatchStage> make_patch_stage(bool cuda, StageContext &context);
std::unique_ptr<StackStage> make_stack_stage(bool cuda, StageContext &context);

std::unique_ptr<EnergyStage> make_system_energy_stage();
std::unique_ptr<PatchStage> make_system_patch_stage();
std::unique_ptr<StackStage> make_system_stack_stage();

} // namespace cps
