// SPDX-License-Identifier: LGPL-2.1-or-later
// The stages for patches in CUDA memory; cudastack.cpp has the stage for whole frames.
#include "gst/cuda/energy.h"
#include "gst/cuda/patchselector.h"
#include "gst/elements/process/cudaframes.h"

#include <algorithm>
#include <optional>

namespace cps {

namespace {

class CudaEnergyStage final : public EnergyStage {
public:
  explicit CudaEnergyStage(StageContext &context) : device_(context) {}

  bool begin(const GstVideoInfo &info, const ReadRegion &crop, const EnergyOptions &options, ElementError &) override {
    info_ = info;
    crop_ = crop;
    options_ = options;
    prepared_ = false;
    return true;
  }

  Owned<GstBuffer> next(GstBuffer *frame, EnergyStep step, ElementError &error) override {
    if (!device_.follow(frame, step == EnergyStep::First, error, [this] { forget(); }))
      return nullptr;
    const cuda::CurrentContext current(*device_);
    if (!prepare(error))
      return nullptr;
    const Size size = energy_->map_size();
    Owned<GstMemory> memory =
        device_->allocate(static_cast<size_t>(size.width) * static_cast<size_t>(size.height) * sizeof(float));
    if (!memory) {
      set_error(error, device_->error());
      return nullptr;
    }
    if (!compute(frame, step, memory.get(), error))
      return nullptr;
    Owned<GstBuffer> map(gst_buffer_new());
    gst_buffer_append_memory(map.get(), memory.release());
    return map;
  }

private:
  void forget() {
    energy_.reset();
    prepared_ = false;
  }

  bool prepare(ElementError &error) {
    if (!energy_)
      energy_.emplace(*device_);
    if (!prepared_ && !energy_->prepare(picture_layout(info_, crop_), options_))
      return set_error(error, device_->error());
    prepared_ = true;
    return true;
  }

  bool compute(GstBuffer *frame, EnergyStep step, GstMemory *memory, ElementError &error) {
    const CudaPicture picture(frame, info_, crop_);
    if (!picture)
      return refuse_frame(error);
    const CudaMap map(memory, GST_MAP_WRITE);
    if (!map)
      return set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                       "There is not enough GPU memory for an energy map.");
    const bool good = step == EnergyStep::Repeat
                          ? energy_->repeat(map.as<float>())
                          : energy_->next(picture.view(), step == EnergyStep::First, map.as<float>());
    return device_.settle(good || set_error(error, device_->error()), error);
  }

  GstVideoInfo info_ = {};
  ReadRegion crop_;
  EnergyOptions options_;
  FrameDevice device_;
  std::optional<cuda::Energy> energy_;
  bool prepared_ = false; // for info and crop
};

class CudaPatchStage final : public PatchStage {
public:
  explicit CudaPatchStage(StageContext &context) : device_(context) {}

  // The other functions use the first frame's device.
  bool begin(const GstVideoInfo &info, const ReadRegion &crop, const Target &target, const SelectOptions &options,
             guint length, ElementError &) override {
    info_ = info;
    crop_ = crop;
    target_ = target;
    options_ = options;
    length_ = length;
    return true;
  }

  // A repeated frame is read again, because a launch takes longer than its reads.
  bool add(guint position, GstBuffer *frame, bool, const CpsEnergyMeta *energy, ElementError &error) override {
    if (!device_.follow(frame, position == 0, error, [this] { clip_.reset(); }))
      return false;
    const cuda::CurrentContext current(*device_);
    if (!clip_)
      clip_.emplace(*device_);
    if (position == 0 && !clip_->begin(picture_layout(info_, crop_), target_, options_, static_cast<int>(length_)))
      return set_error(error, device_->error());
    if (!take(frame, energy, error))
      return false;
    const CpsFrameMeta &meta = *cps_buffer_get_frame_meta(frame);
    const bool good =
        clip_->add(in_flight_->picture.view(), in_flight_->energy ? in_flight_->energy->as<float>() : nullptr,
                   static_cast<int64_t>(meta.frame_id), (meta.flags & CPS_FRAME_FLAG_RANDOM_ACCESS) != 0);
    if (!good)
      set_error(error, device_->error());
    else if (position + 1 == length_) // cut() follows and waits
      return true;
    return settle(good, error);
  }

  bool select(const PatchRecipe &, int64_t &count, ElementError &error) override {
    // cppcheck-suppress unreadVariable ; it holds the context
    const cuda::CurrentContext current(*device_);
    return clip_->select(count) || settle(set_error(error, device_->error()), error);
  }

  Owned<GstBuffer> cut(const PatchRecipe &recipe, const std::vector<CpsTensor> &tensors, ElementError &error) override {
    // cppcheck-suppress unreadVariable ; it holds the context
    const cuda::CurrentContext current(*device_);
    Owned<GstBuffer> buffer(gst_buffer_new());
    return settle(write(recipe, tensors, buffer.get(), error), error) ? std::move(buffer) : nullptr;
  }

private:
  // The inputs of the kernels until the stream has been synchronised.
  struct InFlight {
    InFlight(GstBuffer *frame, const GstVideoInfo &info, const ReadRegion &crop) : picture(frame, info, crop) {}
    CudaPicture picture; // holds the frame, and with it its metas and their maps
    std::optional<CudaMap> energy;
  };

  // `energy`: nullptr unless frames are ranked by it.
  bool take(GstBuffer *frame, const CpsEnergyMeta *energy, ElementError &error) {
    in_flight_.emplace(frame, info_, crop_);
    const bool taken = in_flight_->picture ? !energy || take_energy(*energy, error) : refuse_frame(error);
    if (!taken)
      in_flight_.reset();
    return taken;
  }

  bool take_energy(const CpsEnergyMeta &energy, ElementError &error) {
    GstMemory *memory = gst_buffer_n_memory(energy.map) == 1 ? gst_buffer_peek_memory(energy.map, 0) : nullptr;
    if (!memory || !cuda::is_linear_memory(memory))
      return set_error(
          error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
          "The energy of a frame in CUDA memory is not in CUDA memory: put no element between patchenergy and "
          "patchselect.");
    const Size size = clip_->map_size();
    const CudaMap &map = in_flight_->energy.emplace(memory, GST_MAP_READ);
    return (map && static_cast<int>(energy.width) == size.width && static_cast<int>(energy.height) == size.height &&
            map.size() >= sizeof(float) * energy.width * energy.height) ||
           refuse_frame_or_energy(error);
  }

  // Waits for the device in any case, and releases the memory that it used. `good`: no error so far.
  bool settle(bool good, ElementError &error) {
    good = device_.settle(good, error);
    in_flight_.reset();
    written_.clear();
    return good;
  }

  bool write(const PatchRecipe &recipe, const std::vector<CpsTensor> &tensors, GstBuffer *buffer, ElementError &error) {
    for (const CpsTensor &tensor : tensors) {
      Owned<GstMemory> memory = device_->allocate(cps_tensor_get_size(&tensor));
      if (!memory)
        return set_error(error, device_->error());
      written_.push_back(std::make_unique<CudaMap>(memory.get(), GST_MAP_WRITE));
      if (!*written_.back())
        return set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                         "There is not enough GPU memory for the patches: lower k-keep, canvases or patch-size.");
      gst_buffer_append_memory(buffer, memory.release());
    }
    const cuda::PatchOutputs out = {written_[0]->as<void>(), written_[1]->as<int64_t>(), written_[2]->as<float>(),
                                    recipe.layout};
    return clip_->cut(recipe.color, recipe.scaling, recipe.type, out) || set_error(error, device_->error());
  }

  GstVideoInfo info_ = {};
  ReadRegion crop_;
  Target target_;
  SelectOptions options_;
  guint length_ = 0;
  FrameDevice device_;
  std::optional<cuda::PatchSelector> clip_;
  std::optional<InFlight> in_flight_;
  std::vector<std::unique_ptr<CudaMap>> written_;
};

} // namespace

std::unique_ptr<EnergyStage> make_energy_stage(bool cuda, StageContext &context) {
  if (cuda)
    return std::make_unique<CudaEnergyStage>(context);
  return make_system_energy_stage();
}

std::unique_ptr<PatchStage> make_patch_stage(bool cuda, StageContext &context) {
  if (cuda)
    return std::make_unique<CudaPatchStage>(context);
  return make_system_patch_stage();
}

} // namespace cps
