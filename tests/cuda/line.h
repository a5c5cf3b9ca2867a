// SPDX-License-Identifier: LGPL-2.1-or-later
// The elements that make tensors, in a line, fed with the same frames in system memory or in CUDA memory.
#pragma once

#include "gst/codecpatch/cpsenergymeta.h"
#include "tests/common/frames.h"
#include "tests/common/tensors.h"
#include "tests/cuda/common.h"

#include <gst/cuda/gstcudabufferpool.h>

#include <deque>
#include <string>
#include <vector>

namespace test {

// What GStreamer has in CUDA memory.
constexpr const char *kCudaFormats[] = {
    "NV12", "P010_10LE", "I420", "YV12", "NV21", "P016_LE", "I420_10LE", "Y42B", "I422_10LE", "I422_12LE", "Y444",
    "GBR",  "RGBA",      "BGRA", "RGBx", "BGRx", "ARGB",    "ABGR",      "RGB",  "BGR",       "YUY2",      "UYVY"};

inline Owned<GstCaps> caps_in(const GstVideoInfo &info, bool cuda) {
  Owned<GstCaps> caps = video_caps(info);
  if (cuda)
    gst_caps_set_features(caps.get(), 0, gst_caps_features_new("memory:CUDAMemory", nullptr));
  return caps;
}

// Copies of frames in CUDA memory, with their metas, as an element that uploads makes them.
class Uploader {
public:
  Uploader(GstCudaContext *context, const GstVideoInfo &info)
      : info_(info), context_(context), pool_(gst_cuda_buffer_pool_new(context)) {
    GstStructure *config = gst_buffer_pool_get_config(pool_.get());
    const Owned<GstCaps> caps = caps_in(info, true);
    gst_buffer_pool_config_set_params(config, caps.get(), static_cast<guint>(info.size), 0, 0);
    fail_unless(gst_buffer_pool_set_config(pool_.get(), config) && gst_buffer_pool_set_active(pool_.get(), TRUE),
                "no CUDA memory for %s", GST_VIDEO_INFO_NAME(&info));
  }
  ~Uploader() { gst_buffer_pool_set_active(pool_.get(), FALSE); }
  Uploader(const Uploader &) = delete;
  Uploader &operator=(const Uploader &) = delete;

  Owned<GstBuffer> operator()(const Owned<GstBuffer> &frame) {
    GstBuffer *copy = nullptr;
    fail_unless(gst_buffer_pool_acquire_buffer(pool_.get(), &copy, nullptr) == GST_FLOW_OK);
    write(copy, frame.get());
    gst_buffer_copy_into(copy, frame.get(), GST_BUFFER_COPY_METADATA, 0, static_cast<gsize>(-1));
    return Owned<GstBuffer>(copy);
  }

  void write(GstBuffer *copy, GstBuffer *frame) {
    GstVideoFrame from, to;
    fail_unless(gst_video_frame_map(&from, &info_, frame, GST_MAP_READ));
    fail_unless(gst_video_frame_map(&to, &info_, copy, kCudaWrite));
    copy_planes(to, from);
    gst_video_frame_unmap(&to);
    gst_video_frame_unmap(&from);
  }

private:
  // Plane by plane: the staging memory of 1.22 leaves out the last plane of I420 with an odd height.
  void copy_planes(GstVideoFrame &to, GstVideoFrame &from) const {
    fail_unless(gst_cuda_context_push(context_));
    for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS(&from); ++c) {
      const guint plane = GST_VIDEO_FRAME_COMP_PLANE(&from, c);
      CUDA_MEMCPY2D copy = {};
      copy.srcMemoryType = CU_MEMORYTYPE_HOST;
      copy.srcHost = GST_VIDEO_FRAME_PLANE_DATA(&from, plane);
      copy.srcPitch = static_cast<size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&from, plane));
      copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
      copy.dstDevice = reinterpret_cast<CUdeviceptr>(GST_VIDEO_FRAME_PLANE_DATA(&to, plane));
      copy.dstPitch = static_cast<size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&to, plane));
      copy.WidthInBytes = std::min(copy.srcPitch, copy.dstPitch);
      copy.Height = static_cast<size_t>(GST_VIDEO_FRAME_COMP_HEIGHT(&from, c));
      fail_unless(CuMemcpy2D(&copy) == CUDA_SUCCESS);
    }
    gst_cuda_context_pop(nullptr);
  }

  GstVideoInfo info_;
  GstCudaContext *context_;
  Owned<GstBufferPool> pool_;
};

// A frame as a sampler leaves it.
inline Owned<GstBuffer> noise_frame(const GstVideoInfo &info, const Region &region, unsigned seed) {
  Owned<GstBuffer> frame = noise_buffer(info.size);
  write_picture(frame.get(), info, noise_picture(format_named(GST_VIDEO_INFO_NAME(&info)), region, seed), region.x,
                region.y);
  if (region.width != info.width || region.height != info.height)
    add_crop(frame.get(), region);
  return frame;
}

using Frames = std::vector<Owned<GstBuffer>>;

inline Frames noise_frames(const GstVideoInfo &info, guint length, unsigned seed = 1, guint clip_index = 0,
                           const Region *region = nullptr) {
  const Region whole = {0, 0, info.width, info.height};
  Frames frames;
  for (guint i = 0; i < length; ++i)
    frames.push_back(sampled(noise_frame(info, region ? *region : whole, 100 * seed + i), 3 * i, i, length,
                             i == 0 ? CPS_FRAME_FLAG_RANDOM_ACCESS : CPS_FRAME_FLAG_NONE, clip_index));
  return frames;
}

inline Frames noise_frames(const GstVideoInfo &info, guint length, const Shown &shown, const Region *region) {
  Frames frames = noise_frames(info, length, 1, 0, region);
  for (const Owned<GstBuffer> &frame : frames)
    cps_buffer_get_frame_meta(frame.get())->orientation = shown.orientation;
  return frames;
}

enum class Output { Patches, WholeFrames };

// patchenergy and patchselect, or framestack alone.
class Line {
public:
  explicit Line(bool cuda, Properties properties = {}, Output output = Output::Patches) : cuda_(cuda) {
    if (output == Output::Patches) {
      elements_.emplace_back("patchenergy");
      elements_.emplace_back("patchselect",
                             Properties{{"input-size", "56"}, {"k-keep", "20"}, {"output-dtype", "f32"}});
    } else {
      elements_.emplace_back("framestack");
    }
    for (const auto &[name, value] : properties)
      last().set(name, value);
  }

  const Harness &first() const { return elements_.front(); } // the frames come to it
  const Harness &last() const { return elements_.back(); }   // the tensors come from it
  const Harness &energy() const { return first(); }
  const Harness &select() const { return last(); }

  void start(const GstVideoInfo &info) const {
    const Owned<GstCaps> caps = caps_in(info, cuda_);
    for (const Harness &element : elements_)
      element.start(caps.get());
  }

  void change_caps(const GstVideoInfo &info, bool cuda) const {
    const Owned<GstCaps> caps = caps_in(info, cuda);
    for (const Harness &element : elements_)
      fail_unless(element.event(gst_event_new_caps(caps.get())));
  }

  void flush() const {
    for (const Harness &element : elements_)
      element.flush();
  }

  // Down to READY and back. The stream has to be started anew.
  void restart() const {
    for (const Harness &element : elements_)
      element.restart(GST_STATE_READY);
  }

  // Pushes frames that are in the line's memory. What the last element says to the last of them.
  GstFlowReturn push(Frames frames) const {
    GstFlowReturn flow = GST_FLOW_OK;
    for (Owned<GstBuffer> &frame : frames) {
      flow = push(std::move(frame));
      if (flow != GST_FLOW_OK)
        break;
    }
    return flow;
  }

  GstFlowReturn push(Owned<GstBuffer> frame) const {
    for (const Harness &element : elements_) {
      const GstFlowReturn flow = element.push(std::move(frame));
      if (&element == &last())
        return flow;
      fail_unless(flow == GST_FLOW_OK, "%s, %s", gst_flow_get_name(flow), element.error().c_str());
      frame = element.pull();
    }
    return GST_FLOW_ERROR; // not reached
  }

  Owned<GstBuffer> run(Frames frames) const {
    const GstFlowReturn flow = push(std::move(frames));
    fail_unless(flow == GST_FLOW_OK, "%s, %s", gst_flow_get_name(flow), last().error().c_str());
    Owned<GstBuffer> tensors = last().pull();
    fail_unless(tensors != nullptr && last().pull() == nullptr);
    for (const Harness &element : elements_)
      element.check_quiet();
    return tensors;
  }

private:
  bool cuda_;
  std::deque<Harness> elements_;
};

inline Frames upload(GstCudaContext *context, const GstVideoInfo &info, const Frames &frames) {
  Uploader uploader(context, info);
  Frames copies;
  for (const Owned<GstBuffer> &frame : frames)
    copies.push_back(uploader(frame));
  return copies;
}

inline bool in_device_memory(GstBuffer *buffer) {
  for (guint i = 0; i < gst_buffer_n_memory(buffer); ++i)
    if (!gst_memory_is_type(gst_buffer_peek_memory(buffer, i), CPS_CUDA_MEMORY_TYPE))
      return false;
  return gst_buffer_n_memory(buffer) > 0;
}

inline std::vector<guint8> bytes_of(GstMemory *memory) {
  GstMapInfo map;
  fail_unless(gst_memory_map(memory, &map, GST_MAP_READ));
  std::vector<guint8> bytes(map.data, map.data + map.size);
  gst_memory_unmap(memory, &map);
  return bytes;
}

// The same tensors with the same metadata, one in each kind of memory.
inline void check_equal(GstBuffer *cuda, GstBuffer *system, const char *what) {
  fail_unless(in_device_memory(cuda) && !in_device_memory(system));
  const CpsTensorMeta *a = cps_buffer_get_tensor_meta(cuda), *b = cps_buffer_get_tensor_meta(system);
  fail_unless(a->n_tensors == b->n_tensors && gst_buffer_n_memory(cuda) == b->n_tensors);
  for (guint i = 0; i < b->n_tensors; ++i) {
    fail_unless(a->tensors[i].id == b->tensors[i].id && a->tensors[i].dtype == b->tensors[i].dtype &&
                std::equal(a->tensors[i].dims, a->tensors[i].dims + CPS_TENSOR_MAX_DIMS, b->tensors[i].dims));
    fail_unless(bytes_of(gst_buffer_peek_memory(cuda, i)) == bytes_of(gst_buffer_peek_memory(system, i)),
                "%s: %s differs", what, g_quark_to_string(a->tensors[i].id));
  }
  const auto metadata = [](const CpsTensorMeta *meta) {
    std::string text;
    cps_clip_foreach_metadata(
        meta->clip,
        [](const gchar *key, const gchar *value, gpointer out) {
          *static_cast<std::string *>(out) += std::string(key) + "=" + value + "\n";
        },
        &text);
    return text;
  };
  fail_unless(metadata(a) == metadata(b), "%s: %s", what, metadata(a).c_str());
}

// For tests that need no context to themselves: to make one takes a real driver a quarter of a second.
inline GstCudaContext *shared_context() {
  static GstCudaContext *const context = new_context().release();
  return context;
}

// The frames of one clip become the same tensors in both kinds of memory.
inline void check_clip(Output output, const char *format, int width, int height, const Region *region = nullptr,
                       Properties properties = {}, const Shown &shown = kShown[0]) {
  const GstVideoInfo info = video_info(format, width, height, "1:4:0:0");
  const Line cuda(true, properties, output), system(false, properties, output);
  cuda.start(info);
  system.start(info);
  Frames frames = noise_frames(info, 3, shown, region);
  const auto on_device = cuda.run(upload(shared_context(), info, frames));
  check_equal(on_device.get(), system.run(std::move(frames)).get(), format);
}

} // namespace test
