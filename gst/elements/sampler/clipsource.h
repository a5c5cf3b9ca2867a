// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the sampler gets its clips from.
#pragma once

#include "gst/codecpatch/cpsframemeta.h"
#include "gst/elements/sampler/holdlimit.h"

#include <cstdint>
#include <optional>

namespace cps {

// A decoded frame and its format.
struct Frame {
  Owned<GstBuffer> buffer;
  Owned<GstCaps> caps;

  Frame share() const {
    return {Owned<GstBuffer>(buffer ? gst_buffer_ref(buffer.get()) : nullptr),
            Owned<GstCaps>(caps ? gst_caps_ref(caps.get()) : nullptr)};
  }
};

// The status of a frame that is not a substitute.
inline CpsFrameStatus own_status(GstBuffer *frame) {
  return GST_BUFFER_FLAG_IS_SET(frame, GST_BUFFER_FLAG_CORRUPTED) ? CPS_FRAME_STATUS_DAMAGED : CPS_FRAME_STATUS_OK;
}

// Takes frames in the order in which they are decoded, and returns those of one clip after the other.
class ClipSource {
public:
  // The next output. If `loss` is set, there is no frame: the rest of the clip is lost for that reason, and skip_clip()
  // continues.
  struct Item {
    guint clip;
    guint position; // in the clip
    uint64_t id;    // the frame that belongs there
    Frame frame;
    CpsFrameStatus status;
    const char *loss = nullptr;
  };

  ClipSource() = default;
  virtual ~ClipSource() = default;
  ClipSource(const ClipSource &) = delete;
  ClipSource &operator=(const ClipSource &) = delete;

  // The plan of a clip alone, once pop() has returned an item of it.
  virtual Owned<CpsPlan> plan_of(guint clip) const = 0;

  // Adds a decoded frame with a CpsFrameMeta, and holds it as long as a later position needs it.
  virtual void arrive(Frame frame) = 0;
  // No further frame will arrive.
  virtual void finish() = 0;

  // Returns the next position once its frame is known.
  virtual std::optional<Item> pop() = 0;
  // Continues with the next clip.
  virtual void skip_clip() = 0;
  // True if all positions of all clips have been returned.
  virtual bool done() const = 0;

  // Frames that are held.
  virtual size_t held() const = 0;

protected:
  // Call with each frame that will be held.
  void hold(Frame &frame) { limit_.keep_apart(frame.buffer, held() + 1); }

private:
  HoldLimit limit_;
};

} // namespace cps
