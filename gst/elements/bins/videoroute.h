// SPDX-License-Identifier: LGPL-2.1-or-later
// From the pad of a coded video to the bin's own: planner, decoder and sampler, copies between the CPU and the GPU, and
// the stages behind them.
#pragma once

#include "gst/elements/bins/backend.h"
#include "gst/elements/bins/decoders.h"

#include <string>
#include <vector>

namespace cps {

// What the bin is asked for.
struct RouteSettings {
  bool apply_rotation = true; // by marking frames for our own elements, by turning them for others
  int decode_device_id = 0;
  int process_device_id = 0;
  guint decode_threads = 0;
  ThreadType decode_thread_type = ThreadType::Auto;
  guint64 max_source_pixels = 0; // see sizelimit.h
};

struct VideoRoute {
  // The bin's own
  GstBin *bin = nullptr;
  GstElement *planner = nullptr;
  GstElement *sampler = nullptr;
  std::vector<GstElement *> stages; // behind the sampler
  GstPad *srcpad = nullptr;         // a ghost pad without a target

  RouteSettings settings;

  // What that comes to on this machine
  bool decode_on_gpu = false;
  bool may_decode_on_cpu = true; // what the GPU does not decode
  bool process_on_gpu = false;
};

// What became of it. Auto: nothing, after an error message.
struct LinkedVideo {
  Backend decode = Backend::Auto;
  std::string decoder; // none for raw video
};

// Links everything, on the thread of the video's data. Where the planner does not take the video, it is left out.
LinkedVideo link_video(const VideoRoute &route, GstPad *video);

// Where that has been done, for another reading of the video: links its pad to the planner. False where it has not.
bool relink_video(const VideoRoute &route, GstPad *video);

// Posts that nothing decodes what has these caps.
void refuse_codec(const VideoRoute &route, GstCaps *caps);

// Undoes it, once no data comes any more, but for what is dropped with the bin's parts.
void unlink_video(const VideoRoute &route);

} // namespace cps
