// SPDX-License-Identifier: LGPL-2.1-or-later
// The computations of patchenergy, patchselect and framestack for each kind of memory: systemstages.cpp and
// cudastages.cpp, or nocudastages.cpp in builds without CUDA.
#pragma once

#include "gst/codecpatch/cpsenergymeta.h"
#include "gst/codecpatch/cpstensormeta.h"
#include "gst/elements/common/cudasupport.h"
#include "gst/elements/common/elementerror.h"
#include "gst/elements/common/picture.h"
#include "kernels/energy.h"
#include "kernels/pixels.h"
#include "kernels/select.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cps {

// Relation of a frame to the previous one: first of a sequence, another picture, or the same picture repeated.
enum class EnergyStep { First, Next, Repeat };

// Computes the energy maps of a sequence's frames, in order. Not thread-safe.
class EnergyStage {
public:
  EnergyStage() = default;
  virtual ~EnergyStage() = default;
  EnergyStage(const EnergyStage &) = delete;
  EnergyStage &operator=(const EnergyStage &) = delete;

  // Prepares for frames described by `info` and `crop`; the next frame is the first of a sequence.
  virtual bool begin(const GstVideoInfo &info, const ReadRegion &crop, const EnergyOptions &options,
                     ElementError &error) = 0;

  // Returns the frame's energy map in CpsEnergyMeta's format, complete. nullptr: see `error`.
  virtual Owned<GstBuffer> next(GstBuffer *frame, EnergyStep step, ElementError &error) = 0;
};

// How a complete sequence of frames is converted to tensors.
struct PatchRecipe {
  std::vector<uint8_t> random_access; // one per frame
  std::vector<int64_t> frame_ids;
  ColorTransform color;
  OutputScaling scaling;
  PixelType type = PixelType::U8;
  OutputLayout layout = OutputLayout::Patches;
};

// Keeps the scores, and the planes at target size, of one sequence of frames at a time. Not thread-safe.
class PatchStage {
public:
  PatchStage() = default;
  virtual ~PatchStage() = default;
  PatchStage(const PatchStage &) = delete;
  PatchStage &operator=(const PatchStage &) = delete;

  // Starts a sequence of `length` frames described by `info` and `crop`. Reuses the memory of the previous sequence.
  virtual bool begin(const GstVideoInfo &info, const ReadRegion &crop, const Target &target,
                     const SelectOptions &options, guint length, ElementError &error) = 0;

  // Adds frame `position`: 0 to length - 1, in order. `repeated`: its pixels are those of the frame before it. Memory
  // of `frame` must not change until this call has returned; that of the last frame, until cut() has. `energy` is used
  // only for Ranking::Energy.
  virtual bool add(guint position, GstBuffer *frame, bool repeated, const CpsEnergyMeta *energy,
                   ElementError &error) = 0;

  // Selects patches of the complete sequence. Sets `count` to their number.
  virtual bool select(const PatchRecipe &recipe, int64_t &count, ElementError &error) = 0;

  // Cuts the selected patches; call it after each select() that has returned true. Returns a buffer with the memories
  // of `tensors`, complete. nullptr: see `error`.
  virtual Owned<GstBuffer> cut(const PatchRecipe &recipe, const std::vector<CpsTensor> &tensors,
                               ElementError &error) = 0;
};

// Converts whole frames to RGB and stacks them. Not thread-safe.
class StackStage {
public:
  StackStage() = default;
  virtual ~StackStage() = default;
  StackStage(const StackStage &) = delete;
  StackStage &operator=(const StackStage &) = delete;

  // Starts a sequence of `length` frames described by `info` and `crop`, to be resized to `target` if there is one.
  virtual bool begin(const GstVideoInfo &info, const ReadRegion &crop, const std::optional<Target> &target,
                     const ColorTransform &color, guint length, ElementError &error) = 0;

  // Converts frame `position`, 0 to length - 1 in order. `repeated`: its pixels are those of the frame before it. The
  // frame may change after this call.
  virtual bool add(guint position, GstBuffer *frame, bool repeated, ElementError &error) = 0;

  // Returns the sequence in one memory, [length, height, width, 3].
  virtual Owned<GstBuffer> finish() = 0;
};

// Create stages for frames in CUDA memory or in system memory.
std::unique_ptr<EnergyStage> make_energy_stage(bool cuda, StageContext &context);
std::unique_ptr<PatchStage> make_patch_stage(bool cuda, StageContext &context);
std::unique_ptr<StackStage> make_stack_stage(bool cuda, StageContext &context);

std::unique_ptr<EnergyStage> make_system_energy_stage();
std::unique_ptr<PatchStage> make_system_patch_stage();
std::unique_ptr<StackStage> make_system_stack_stage();

} // namespace cps
