// SPDX-License-Identifier: LGPL-2.1-or-later
// What elements ask about CUDA, in builds with it (cudasupport.cpp) and without it (nocudasupport.cpp).
#pragma once

#include "gst/elements/common/elementtools.h"

#include <memory>
#include <string>

namespace cps {

// Is there CUDA in this build, and a driver for it on this machine? Initialises nothing.
bool cuda_available();

// Can this GPU be worked with, and are there elements to copy to it and from it? Initialises the driver. False with the
// reason in `why_not`.
bool gpu_works(int device_id, std::string &why_not);

// Gives an element that works on a GPU its device's primary context, which frameworks share.
void give_primary_context(GstElement *element, int device_id);

// The property that says which device a stage in CUDA memory is to use.
inline GParamSpec *cuda_device_id_spec() {
  return g_param_spec_int(
      "cuda-device-id", "CUDA device", "CUDA device that the frames must be on, where they are on one (-1 = any)", -1,
      G_MAXINT, -1, static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
}

// The CUDA context that an element shares with its neighbours: that of the frames, or before there are any, what the
// application or a neighbour set. Thread-safe. Knows nothing where the build has no CUDA.
class StageContext {
public:
  explicit StageContext(GstElement *element); // which has a property cuda-device-id
  ~StageContext();
  StageContext(const StageContext &) = delete;
  StageContext &operator=(const StageContext &) = delete;

  // What GstElement's set_context and a pad's query function have to do. True: `query` has been answered.
  void set_context(GstContext *context);
  bool answer(GstQuery *query);

  void release();

  struct State;
  State *state() const { return state_.get(); }

private:
  std::unique_ptr<State> state_;
};

} // namespace cps
