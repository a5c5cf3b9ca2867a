// SPDX-License-Identifier: LGPL-2.1-or-later
// Connects the pad of a coded video to the bin's source pad: planner, decoder, sampler, copies between CPU and GPU
// memory, and the stages after them.
#pragma once

#include "gst/elements/bins/backend.h"
#include "gst/elements/bins/decoders.h"
#include "gst/elements/bins/keptdecoders.h"

#include <string>
#include <vector>

namespace cps {

// The bin's settings.
struct RouteSettings {
  bool apply_rotation = true; // marks frames for our own elements; rotates frames for other elements
  int decode_device_id = 0;
  int process_device_id = 0;
  guint decode_threads = 0;
  ThreadType decode_thread_type = ThreadType::Auto;
  guint64 max_source_pixels = 0; // see sizelimit.h
};

struct VideoRoute {
  // Owned by the bin
  GstBin *bin = nullptr;
  GstElement *planner = nullptr;
  GstElement *sampler = nullptr;
  std::vector<GstElement *> stages; // after the sampler, of those in use
  GstPad *srcpad = nullptr;         // a ghost pad without target

  RouteSettings settings;

  // The settings resolved for this machine
  bool decode_on_gpu = false;
  bool may_decode_on_cpu = true; // streams that the GPU does not decode
  bool process_on_gpu = false;
};

// The result of link_video(). `decode` is Auto after an error, which has been posted.
struct LinkedVideo {
  Backend decode = Backend::Auto;
  std::string decoder; // empty for raw video
  KeptDecoder to_keep;
};

// Links all elements, on the streaming thread of the video. Leaves out the planner if it does not accept the video.
LinkedVideo link_video(const VideoRoute &route, GstPad *video);

// Links the pad of a video that is read again to the existing planner. False if link_video() has not linked one.
bool relink_video(const VideoRoute &route, GstPad *video);

// Posts the error that no decoder accepts these caps.
void refuse_codec(const VideoRoute &route, GstCaps *caps);

// Undoes link_video(), except for the parts that drop_parts() removes. Call once no more data arrive.
void unlink_video(const VideoRoute &route);

} // namespace cps
