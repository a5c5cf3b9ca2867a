// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the pad of the video to read among the pads of a parsebin.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

namespace cps {

// parsebin (1.22) does not report that it has added all pads, and some pads appear, or get caps, only with their first
// data. Until the video's data arrive, all other data are dropped, so that no upstream thread blocks.
class PadSearch {
public:
  // The contents of a source without video.
  struct Rest {
    std::vector<std::string> streams; // descriptions for users
    Owned<GstCaps> encrypted;         // caps of an encrypted video
    Owned<GstSample> picture;         // picture in the tags, such as an album cover
  };

  class Listener {
  public:
    // The video's first data follow, on this thread, after this returns. The pad has fixed caps.
    virtual void on_found(GstPad *video, GstBuffer *first) = 0;
    // There is no video, or none has appeared within the limits.
    virtual void on_none(Rest rest) = 0;
    // on_no_track(): there are videos, but not `track`. on_no_data(): the video ended before its first data.
    virtual void on_no_track(size_t videos) = 0;
    virtual void on_no_data() = 0;

  protected:
    virtual ~Listener() = default;
  };

  // `track` counts videos from 0; -1 selects the best one.
  PadSearch(int track, Listener &listener) : track_(track), listener_(listener) {}
  PadSearch(const PadSearch &) = delete;
  PadSearch &operator=(const PadSearch &) = delete;

  // The parsebin has added or removed a pad. No pad may outlive the search.
  void add(GstPad *pad);
  void remove(GstPad *pad);

  // Prevents further calls of the listener.
  void stop();

  // The number of the video that has been found; -1 if none.
  int found_track() const { return found_track_; }

private:
  struct Stream {
    Owned<GstPad> pad;
    bool ended;
  };

  enum class Answer { Wait, Found, None, NoTrack, NoData };

  static GstPadProbeReturn on_probe(GstPad *pad, GstPadProbeInfo *info, gpointer data);
  Answer look_at_data(GstPad *pad, gsize bytes, GstClockTime time);
  Answer look_at_end(const GstPad *pad);
  Answer give_up();
  void tell(Answer answer, GstPad *pad = nullptr, GstBuffer *first = nullptr);
  void tell_rest();
  std::vector<Owned<GstPad>> videos() const;
  size_t count_videos();
  bool is_in_sight() const;
  bool is_too_much(gsize bytes, GstClockTime time);

  const int track_;
  Listener &listener_;

  std::mutex mutex_; // protects the members below, because some demuxers have a thread per pad
  std::vector<Stream> streams_;
  const GstPad *chosen_ = nullptr; // one of streams_, only compared; waiting for its data
  bool answered_ = false;
  std::atomic<bool> lets_go_{false}; // data of other streams pass
  int found_track_ = -1;
  guint64 dropped_ = 0; // bytes, while there is no video to wait for
  GstClockTime earliest_ = GST_CLOCK_TIME_NONE, latest_ = GST_CLOCK_TIME_NONE; // of the dropped data
};

} // namespace cps
