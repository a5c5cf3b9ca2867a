// SPDX-License-Identifier: LGPL-2.1-or-later
// CUDA functions for elements, in builds with CUDA (cudasupport.cpp) and without it (nocudasupport.cpp).
#pragma once

#include "gst/elements/common/elementtools.h"

#include <memory>
#include <string>

namespace cps {

// True if this build has CUDA and this machine has a driver. Does not initialise the driver.
bool cuda_available();

// True if this GPU works and elements that copy to and from it are installed; otherwise `why_not` is the reason.
// Initialises the driver.
bool gpu_works(int device_id, std::string &why_not);

// Gives a GPU element the primary context of its device, because frameworks use that context, too.
void give_primary_context(GstElement *element, int device_id);

// The property that selects the device of a stage in CUDA memory.
inline GParamSpec *cuda_device_id_spec() {
  return g_param_spec_int(
      "cuda-device-id", "CUDA device", "CUDA device that the frames must be on, where they are on one (-1 = any)", -1,
      G_MAXINT, -1, static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
}

// The CUDA context that an element shares with its peers: that of the frames or, before the first frame, the one that
// the application or a peer has set. Thread-safe. Does nothing in builds without CUDA.
class StageContext {
public:
  explicit StageContext(GstElement *element); // must have a property cuda-device-id
  ~StageContext();
  StageContext(const StageContext &) = delete;
  StageContext &operator=(const StageContext &) = delete;

  // For GstElement's set_context and a pad's query function. answer() returns true if it has answered `query`.
  void set_context(GstContext *context);
  bool answer(GstQuery *query);

  void release();

  struct State;
  State *state() const { return state_.get(); }

private:
  std::unique_ptr<State> state_;
};

} // namespace cps
