// SPDX-License-Identifier: LGPL-2.1-or-later
// The stages in system memory.
#include "gst/elements/common/memorykind.h"
#include "gst/elements/process/stages.h"
#include "kernels/cliptensors.h"
#include "kernels/replenishment.h"
#include "kernels/rgb.h"
#include "kernels/scores.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sys/mman.h>

namespace cps {

namespace {

// Checks energy maps only, because every frame whose caps say system memory can be mapped there, as those of
// cudadownload.
bool in_system_memory(GstBuffer *buffer) {
  for (guint i = 0; i < gst_buffer_n_memory(buffer); i++)
    if (is_cuda_memory(gst_buffer_peek_memory(buffer, i)))
      return false;
  return true;
}

class SystemEnergyStage final : public EnergyStage {
public:
  ~SystemEnergyStage() override { release_maps(); }

  bool begin(const GstVideoInfo &info, const ReadRegion &crop, const EnergyOptions &options,
             ElementError &error) override {
    info_ = info;
    crop_ = crop;
    energy_.emplace(picture_layout(info, crop), options);
    release_maps();
    maps_.reset(gst_buffer_pool_new());
    GstStructure *config = gst_buffer_pool_get_config(maps_.get());
    const Size size = energy_->map_size();
    const size_t bytes = static_cast<size_t>(size.width) * static_cast<size_t>(size.height) * sizeof(float);
    gst_buffer_pool_config_set_params(config, nullptr, static_cast<guint>(bytes), 1, 0);
    return (gst_buffer_pool_set_config(maps_.get(), config) && gst_buffer_pool_set_active(maps_.get(), TRUE)) ||
           set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "Could not allocate energy maps.");
  }

  Owned<GstBuffer> next(GstBuffer *frame, EnergyStep step, ElementError &error) override {
    const MappedPicture picture(frame, info_, crop_);
    GstBuffer *acquired = nullptr;
    if (picture)
      gst_buffer_pool_acquire_buffer(maps_.get(), &acquired, nullptr);
    Owned<GstBuffer> map(acquired);
    GstMapInfo info;
    if (!map || !gst_buffer_map(map.get(), &info, GST_MAP_WRITE)) {
      refuse_frame(error);
      return nullptr;
    }
    auto *out = reinterpret_cast<float *>(info.data);
    if (step == EnergyStep::Repeat)
      energy_->repeat(out);
    else
      energy_->next(picture.view(), step == EnergyStep::First, out);
    gst_buffer_unmap(map.get(), &info);
    return map;
  }

private:
  void release_maps() {
    if (maps_)
      gst_buffer_pool_set_active(maps_.get(), FALSE);
    maps_.reset();
  }

  GstVideoInfo info_ = {};
  ReadRegion crop_;
  std::optional<EnergyMaps> energy_;
  Owned<GstBufferPool> maps_;
};

// Uninitialised memory that is reused from clip to clip.
template <typename T> class Scratch {
public:
  // Reserves room for `count` items; earlier contents may be lost. Returns false if there is not enough memory.
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

// Appends memory that starts on a cache line, as consumers of DLPack prefer, or on a huge page, because a large tensor
// is written once, and its page faults take a good part of that time. Returns nullptr if there is not enough memory;
// GStreamer's own allocator would abort.
void *append_memory(GstBuffer *buffer, size_t size) {
  constexpr size_t kLine = 64, kHugePage = 2 << 20;
  if (size > static_cast<size_t>(G_MAXSSIZE))
    return nullptr;
  const bool large = size >= 2 * kHugePage;
  // Not aligned_alloc(), because it accepts only sizes that are multiples of the alignment.
  void *data = nullptr;
  if (posix_memalign(&data, large ? kHugePage : kLine, std::max(kLine, size)) != 0)
    return nullptr;
#ifdef MADV_HUGEPAGE
  if (large)
    madvise(data, size, MADV_HUGEPAGE); // only a hint: small pages work as well
#endif
  gst_buffer_append_memory(
      buffer, gst_memory_new_wrapped(static_cast<GstMemoryFlags>(0), data, size, 0, size, data, std::free));
  return data;
}

class SystemPatchStage final : public PatchStage {
public:
  bool begin(const GstVideoInfo &info, const ReadRegion &crop, const Target &target, const SelectOptions &options,
             guint length, ElementError &error) override {
    info_ = info;
    crop_ = crop;
    target_ = target.size;
    options_ = options;
    patch_ = options.patch_size;
    grid_ = {target_.width / patch_, target_.height / patch_};
    length_ = length;
    resizer_.emplace(picture_layout(info, crop), target);
    scorer_.reset();
    replenishment_.reset();
    if (options.ranking == Ranking::Energy)
      scorer_.emplace(Size{crop.width, crop.height}, target_, patch_);
    else
      replenishment_.emplace(target_, resizer_->planes(), patch_, options.unit, static_cast<int>(length));
    return (pixels_.reserve(resizer_->samples() * length) && scores_.reserve(patches_per_frame() * length)) ||
           set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                     "There is not enough memory for " + std::to_string(length) + " frames of " +
                         std::to_string(target_.width) + "x" + std::to_string(target_.height) +
                         " pixels: sample fewer frames, or lower input-size or max-pixels.");
  }

  bool add(guint position, GstBuffer *frame, bool repeated, const CpsEnergyMeta *energy, ElementError &error) override {
    if (scorer_ && !in_system_memory(energy->map))
      return set_error(
          error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
          "The energy of a frame in system memory is in CUDA memory: put no element between patchenergy and "
          "patchselect.");
    if (scorer_ && !score(*energy, scores_.at(position * patches_per_frame())))
      return refuse_frame_or_energy(error);
    uint16_t *const out = pixels_.at(position * resizer_->samples());
    if (repeated) {
      std::copy_n(out - resizer_->samples(), resizer_->samples(), out);
      return true;
    }
    const MappedPicture picture(frame, info_, crop_);
    if (!picture)
      return scorer_ ? refuse_frame_or_energy(error) : refuse_frame(error);
    resizer_->run(picture.view(), out);
    return true;
  }

  bool select(const PatchRecipe &recipe, int64_t &count, ElementError &) override {
    if (replenishment_)
      replenishment_->run(pixels_.at(0), scores_.at(0));
    selected_ = select_patches(scores_.at(0), static_cast<int>(length_), grid_, recipe.random_access, options_);
    count = static_cast<int64_t>(selected_.size());
    return true;
  }

  Owned<GstBuffer> cut(const PatchRecipe &recipe, const std::vector<CpsTensor> &tensors, ElementError &error) override {
    Owned<GstBuffer> buffer(gst_buffer_new());
    std::vector<void *> data;
    for (const CpsTensor &t : tensors) {
      data.push_back(append_memory(buffer.get(), cps_tensor_get_size(&t)));
      if (!data.back()) {
        set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                  "There is not enough memory for the patches: lower k-keep, canvases or patch-size.");
        return nullptr;
      }
    }
    const KeptFrames frames = {pixels_.at(0), resizer_->samples(), scores_.at(0), recipe.frame_ids.data(),
                               recipe.random_access.data()};
    const PatchLayout layout = {recipe.layout, grid_, patch_};
    const PatchCutter cutter(target_, resizer_->planes(), patch_, recipe.color, recipe.scaling, recipe.type,
                             layout.strides());
    write_patch_tensors(frames, cutter, layout, selected_, data[0], static_cast<int64_t *>(data[1]),
                        static_cast<float *>(data[2]));
    return buffer;
  }

private:
  size_t patches_per_frame() const { return static_cast<size_t>(grid_.width) * static_cast<size_t>(grid_.height); }

  // False if the energy map is not one of the frame.
  bool score(const CpsEnergyMeta &energy, double *scores) {
    const Size map_size = scorer_->map_size();
    GstMapInfo map;
    if (static_cast<int>(energy.width) != map_size.width || static_cast<int>(energy.height) != map_size.height ||
        !gst_buffer_map(energy.map, &map, GST_MAP_READ))
      return false;
    const bool whole = map.size >= sizeof(float) * energy.width * energy.height;
    if (whole)
      scorer_->run(reinterpret_cast<const float *>(map.data), scores);
    gst_buffer_unmap(energy.map, &map);
    return whole;
  }

  GstVideoInfo info_ = {};
  ReadRegion crop_;
  Size target_, grid_;
  int patch_ = 0;
  guint length_ = 0;
  std::optional<PictureResizer> resizer_;
  std::optional<PatchScorer> scorer_;                // for Ranking::Energy
  std::optional<ReplenishmentScorer> replenishment_; // for Ranking::Replenishment
  Scratch<uint16_t> pixels_;                         // of all frames, in the resizer's layout
  Scratch<double> scores_;                           // of all frames
  SelectOptions options_;
  std::vector<int64_t> selected_;
};

class SystemStackStage final : public StackStage {
public:
  bool begin(const GstVideoInfo &info, const ReadRegion &crop, const std::optional<Target> &target,
             const ColorTransform &color, guint length, ElementError &error) override {
    info_ = info;
    crop_ = crop;
    const PictureView layout = picture_layout(info, crop);
    size_ = target ? target->size : Size{crop.width, crop.height};
    frame_bytes_ = 3 * static_cast<size_t>(size_.width) * static_cast<size_t>(size_.height);
    buffer_.reset(gst_buffer_new());
    size_t bytes = 0;
    frames_ = g_size_checked_mul(&bytes, frame_bytes_, length)
                  ? static_cast<uint8_t *>(append_memory(buffer_.get(), bytes))
                  : nullptr;
    resizer_.reset();
    if (target)
      resizer_.emplace(layout, *target);
    if (!frames_ || (target && !resized_.reserve(resizer_->samples())))
      return set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                       "There is not enough memory for " + std::to_string(length) + " frames of " +
                           std::to_string(size_.width) + "x" + std::to_string(size_.height) +
                           " pixels: sample fewer frames, or scale them down.");
    converter_.emplace(target ? stored_picture(layout, size_, resized_.at(0)) : layout, color);
    return true;
  }

  bool add(guint position, GstBuffer *frame, bool repeated, ElementError &error) override {
    uint8_t *const out = frames_ + position * frame_bytes_;
    if (repeated) {
      std::copy_n(out - frame_bytes_, frame_bytes_, out);
      return true;
    }
    const MappedPicture picture(frame, info_, crop_);
    if (!picture)
      return refuse_frame(error);
    if (resizer_) {
      resizer_->run(picture.view(), resized_.at(0));
      converter_->run(stored_picture(picture.view(), size_, resized_.at(0)), out);
    } else {
      converter_->run(picture.view(), out);
    }
    return true;
  }

  Owned<GstBuffer> finish() override { return std::move(buffer_); }

private:
  GstVideoInfo info_ = {};
  ReadRegion crop_;
  Size size_;
  std::optional<PictureResizer> resizer_;
  Scratch<uint16_t> resized_; // one frame
  std::optional<RgbConverter> converter_;
  size_t frame_bytes_ = 0;
  Owned<GstBuffer> buffer_;
  uint8_t *frames_ = nullptr; // in the buffer's memory
};

} // namespace

std::unique_ptr<EnergyStage> make_system_energy_stage() {
  return std::make_unique<SystemEnergyStage>();
}

std::unique_ptr<PatchStage> make_system_patch_stage() {
  return std::make_unique<SystemPatchStage>();
}

std::unique_ptr<StackStage> make_system_stack_stage() {
  return std::make_unique<SystemStackStage>();
}

} // namespace cps
