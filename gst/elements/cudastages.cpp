// SPDX-License-Identifier: LGPL-2.1-or-later
// The stages in CUDA memory.
#include "gst/cuda/clip.h"
#include "gst/cuda/context.h"
#include "gst/cuda/energy.h"
#include "gst/cuda/memory.h"
#include "gst/elements/stages.h"

#include <algorithm>
#include <optional>

namespace cps {

bool cuda_available() {
  return cuda::installed();
}

struct StageContext::State {
  // With the device that the element's property names now.
  cuda::ElementContext &context() {
    gint device_id = -1;
    g_object_get(element, "cuda-device-id", &device_id, nullptr);
    shared.set_device_id(device_id);
    return shared;
  }

  GstElement *element;
  cuda::ElementContext shared;
};

StageContext::StageContext(GstElement *element) : state_(new State{element, {}}) {}
StageContext::~StageContext() = default;
void StageContext::set_context(GstContext *context) {
  state_->context().set_context(state_->element, context);
}
bool StageContext::answer(GstQuery *query) {
  return GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT && state_->context().answer(state_->element, query);
}
void StageContext::release() {
  state_->shared.release();
}

namespace {

bool fail(StageError &error, GQuark domain, gint code, std::string text) {
  error = {domain, code, std::move(text)};
  return false;
}

bool fail(StageError &error, const cuda::Error &reason) {
  return fail(error, GST_RESOURCE_ERROR,
              reason.out_of_memory ? GST_RESOURCE_ERROR_NO_SPACE_LEFT : GST_RESOURCE_ERROR_FAILED, reason.text + ".");
}

bool refuse_frame(StageError &error) {
  return fail(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
              "Could not read a frame: its memory is smaller than its caps say.");
}

// The one memory of a frame, nullptr where that is no CUDA video memory.
GstCudaMemory *video_memory(GstBuffer *frame) {
  GstMemory *memory = gst_buffer_n_memory(frame) == 1 ? gst_buffer_peek_memory(frame, 0) : nullptr;
  return memory && gst_is_cuda_memory(memory) ? GST_CUDA_MEMORY_CAST(memory) : nullptr;
}

// A frame that kernels may read as long as this lives.
class CudaPicture {
public:
  CudaPicture(GstBuffer *frame, const GstVideoInfo &info, const CropRect &crop)
      : frame_(gst_buffer_ref(frame)), picture_(frame, layout_of(frame, info), crop, GST_MAP_CUDA) {
    if (picture_)
      cuda::wait_for_memory(gst_buffer_peek_memory(frame, 0));
  }

  explicit operator bool() const { return static_cast<bool>(picture_); }
  const PictureView &view() const { return picture_.view(); }

private:
  // Where no meta tells how the memory is laid out, it knows so itself.
  static const GstVideoInfo &layout_of(GstBuffer *frame, const GstVideoInfo &info) {
    const GstVideoInfo &own = video_memory(frame)->info;
    return gst_buffer_get_video_meta(frame) || !same_layout(own, info) ? info : own;
  }

  Owned<GstBuffer> frame_;
  MappedPicture picture_;
};

// A linear memory that kernels may use as long as this lives.
class CudaMap {
public:
  CudaMap(GstMemory *memory, GstMapFlags flags)
      : memory_(memory),
        mapped_(memory && gst_memory_map(memory, &info_, static_cast<GstMapFlags>(flags | GST_MAP_CUDA))) {}
  ~CudaMap() {
    if (mapped_)
      gst_memory_unmap(memory_, &info_);
  }
  CudaMap(const CudaMap &) = delete;
  CudaMap &operator=(const CudaMap &) = delete;

  explicit operator bool() const { return mapped_; }
  size_t size() const { return info_.size; }
  template <typename T> T *as() const { return reinterpret_cast<T *>(info_.data); }

private:
  GstMemory *memory_;
  GstMapInfo info_ = {};
  bool mapped_;
};

// The device that the frames are on.
class FrameDevice {
public:
  explicit FrameDevice(StageContext &context) : context_(*context.state()) {}

  cuda::Device &operator*() const { return *device_; }
  cuda::Device *operator->() const { return device_.get(); }

  // Is it that of `frame`? A sequence may begin on another one: what was made for the device before goes first, by
  // `forget`.
  template <typename Forget> bool follow(GstBuffer *frame, bool first, StageError &error, const Forget &forget) {
    GstCudaMemory *memory = video_memory(frame);
    if (!memory)
      return fail(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                  "A frame is not in CUDA memory, though its caps say so: put a cudaupload before patchenergy.");
    if (device_ && device_->context() == memory->context)
      return true;
    if (!first)
      return fail(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                  "The CUDA context changed in the middle of a sequence: all frames must come from one.");
    forget();
    device_.reset();
    return adopt(memory->context, error);
  }

private:
  bool adopt(GstCudaContext *context, StageError &error) {
    cuda::Error reason;
    if (!context_.context().adopt(context, reason))
      return fail(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, reason.text + ".");
    device_ = cuda::Device::create(context, reason);
    return device_ || fail(error, reason);
  }

  StageContext::State &context_;
  std::unique_ptr<cuda::Device> device_;
};

class CudaEnergyStage final : public EnergyStage {
public:
  explicit CudaEnergyStage(StageContext &context) : device_(context) {}

  bool begin(const GstVideoInfo &info, const CropRect &crop, double percentile, StageError &) override {
    info_ = info;
    crop_ = crop;
    percentile_ = percentile;
    prepared_ = false;
    return true;
  }

  Owned<GstBuffer> next(GstBuffer *frame, EnergyStep step, StageError &error) override {
    if (!device_.follow(frame, step == EnergyStep::First, error, [this] { forget(); }))
      return nullptr;
    const cuda::Current current(*device_);
    if (!prepare(error))
      return nullptr;
    const Size size = energy_->map_size();
    Owned<GstMemory> memory =
        device_->allocate(static_cast<size_t>(size.width) * static_cast<size_t>(size.height) * sizeof(float));
    if (!memory) {
      fail(error, device_->error());
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

  bool prepare(StageError &error) {
    if (!energy_)
      energy_.emplace(*device_);
    if (!prepared_ && !energy_->prepare(picture_layout(info_, crop_), percentile_))
      return fail(error, device_->error());
    prepared_ = true;
    return true;
  }

  bool compute(GstBuffer *frame, EnergyStep step, GstMemory *memory, StageError &error) {
    const CudaPicture picture(frame, info_, crop_);
    if (!picture)
      return refuse_frame(error);
    const CudaMap map(memory, GST_MAP_WRITE);
    if (!map)
      return fail(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                  "There is not enough GPU memory for an energy map.");
    const bool good = step == EnergyStep::Repeat
                          ? energy_->repeat(map.as<float>())
                          : energy_->next(picture.view(), step == EnergyStep::First, map.as<float>());
    if (!good)
      fail(error, device_->error());
    if (!device_->synchronise() && good) // also after an error, for the frame must not go while kernels read it
      return fail(error, device_->error());
    return good;
  }

  GstVideoInfo info_ = {};
  CropRect crop_;
  double percentile_ = 0;
  FrameDevice device_;
  std::optional<cuda::Energy> energy_;
  bool prepared_ = false; // for info and crop
};

class CudaClipStage final : public ClipStage {
public:
  explicit CudaClipStage(StageContext &context) : device_(context) {}

  bool begin(const GstVideoInfo &info, const CropRect &crop, Size target, int patch, guint length,
             StageError &) override { // the memory is that of the first frame's device
    info_ = info;
    crop_ = crop;
    target_ = target;
    patch_ = patch;
    length_ = length;
    return true;
  }

  bool add(guint position, GstBuffer *frame, const CpsEnergyMeta &energy, StageError &error) override {
    if (!device_.follow(frame, position == 0, error, [this] { clip_.reset(); }))
      return false;
    const cuda::Current current(*device_);
    if (!clip_)
      clip_.emplace(*device_);
    if (position == 0 && !clip_->begin(picture_layout(info_, crop_), target_, patch_, static_cast<int>(length_)))
      return fail(error, device_->error());
    if (!take(frame, energy, error))
      return false;
    const CpsFrameMeta &meta = *cps_buffer_get_frame_meta(frame);
    const bool good = clip_->add(in_flight_->picture.view(), in_flight_->energy.as<float>(),
                                 static_cast<int64_t>(meta.frame_id), (meta.flags & CPS_FRAME_FLAG_RANDOM_ACCESS) != 0);
    if (!good)
      fail(error, device_->error());
    else if (position + 1 == length_) // finish() is next, and waits
      return true;
    return settle(good, error);
  }

  Owned<GstBuffer> finish(const ClipRecipe &recipe, const std::vector<CpsTensor> &tensors, StageError &error) override {
    // cppcheck-suppress unreadVariable ; it holds the context
    const cuda::Current current(*device_);
    Owned<GstBuffer> buffer(gst_buffer_new());
    return settle(cut(recipe, tensors, buffer.get(), error), error) ? std::move(buffer) : nullptr;
  }

private:
  // What the kernels read until the stream has been synchronised.
  struct InFlight {
    InFlight(GstBuffer *frame, const CpsEnergyMeta &meta, const GstVideoInfo &info, const CropRect &crop)
        : picture(frame, info, crop), energy(gst_buffer_peek_memory(meta.map, 0), GST_MAP_READ) {}
    CudaPicture picture; // and with it the frame, its metas and their maps
    CudaMap energy;
  };

  bool take(GstBuffer *frame, const CpsEnergyMeta &energy, StageError &error) {
    if (gst_buffer_n_memory(energy.map) != 1 || !cuda::is_linear_memory(gst_buffer_peek_memory(energy.map, 0)))
      return fail(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                  "The energy of a frame in CUDA memory is not in CUDA memory: put no element between patchenergy and "
                  "patchselect.");
    const Size size = clip_->map_size();
    in_flight_.emplace(frame, energy, info_, crop_);
    if (in_flight_->picture && in_flight_->energy && static_cast<int>(energy.width) == size.width &&
        static_cast<int>(energy.height) == size.height &&
        in_flight_->energy.size() >= sizeof(float) * energy.width * energy.height)
      return true;
    in_flight_.reset();
    return fail(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
                "Could not read a frame or its energy: the memory does not fit its caps.");
  }

  // Waits for the device, whatever came before, and lets go of what it read. `good`: nothing went wrong so far.
  bool settle(bool good, StageError &error) {
    if (!device_->synchronise() && good)
      good = fail(error, device_->error());
    in_flight_.reset();
    written_.clear();
    return good;
  }

  bool cut(const ClipRecipe &recipe, const std::vector<CpsTensor> &tensors, GstBuffer *buffer, StageError &error) {
    for (const CpsTensor &tensor : tensors) {
      Owned<GstMemory> memory = device_->allocate(cps_tensor_get_size(&tensor));
      if (!memory)
        return fail(error, device_->error());
      written_.push_back(std::make_unique<CudaMap>(memory.get(), GST_MAP_WRITE));
      if (!*written_.back())
        return fail(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                    "There is not enough GPU memory for the patches: lower k-keep or patch-size.");
      gst_buffer_append_memory(buffer, memory.release());
    }
    const cuda::ClipTensors out = {written_[0]->as<void>(), written_[1]->as<int64_t>(), written_[2]->as<float>()};
    return clip_->finish(recipe.select, recipe.color, recipe.scaling, recipe.type, out) ||
           fail(error, device_->error());
  }

  GstVideoInfo info_ = {};
  CropRect crop_;
  Size target_;
  int patch_ = 0;
  guint length_ = 0;
  FrameDevice device_;
  std::optional<cuda::Clip> clip_;
  std::optional<InFlight> in_flight_;
  std::vector<std::unique_ptr<CudaMap>> written_;
};

} // namespace

std::unique_ptr<EnergyStage> make_energy_stage(bool cuda, StageContext &context) {
  if (cuda)
    return std::make_unique<CudaEnergyStage>(context);
  return make_system_energy_stage();
}

std::unique_ptr<ClipStage> make_clip_stage(bool cuda, StageContext &context) {
  if (cuda)
    return std::make_unique<CudaClipStage>(context);
  return make_system_clip_stage();
}

} // namespace cps
