// SPDX-License-Identifier: LGPL-2.1-or-later
// Among the pads that a parsebin shows, the one of the video to read.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

namespace cps {

// parsebin (1.22) does not say when it has shown all pads, and some appear, or have caps, only with their first data.
// Until those of the video come, all other data are dropped, so that nothing upstream waits for somebody to take them.
class PadSearch {
public:
  // What there is instead of a video.
  struct Rest {
    std::vector<std::string> streams; // for people
    Owned<GstCaps> encrypted;         // of a video among them
    Owned<GstSample> picture;         // that their tags have, such as the cover of an album
  };

  class Listener {
  public:
    // The first data of the video come, on this thread, once this has returned. The pad has fixed caps.
    virtual void on_found(GstPad *video, GstBuffer *first) = 0;
    // There is no video, or it has not come within reason.
    virtual void on_none(Rest rest) = 0;
    // There are videos, but not `track`; or else its data end before they have begun.
    virtual void on_no_track(size_t videos) = 0;
    virtual void on_no_data() = 0;

  protected:
    virtual ~Listener() = default;
  };

  // `track` counts videos from 0; -1 is the best one.
  PadSearch(int track, Listener &listener) : track_(track), listener_(listener) {}
  PadSearch(const PadSearch &) = delete;
  PadSearch &operator=(const PadSearch &) = delete;

  // The parsebin shows a pad, takes one away. Neither may outlive the search.
  void add(GstPad *pad);
  void remove(GstPad *pad);

  // No more answers.
  void stop();

  // Which of the videos it was that has been found; -1 where none has.
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

  std::mutex mutex_; // all below: some demuxers have a thread for each pad
  std::vector<Stream> streams_;
  const GstPad *chosen_ = nullptr; // among them, and compared only; its data are waited for
  bool answered_ = false;
  std::atomic<bool> lets_go_{false}; // of what is not the video
  int found_track_ = -1;
  guint64 dropped_ = 0; // bytes, while there is no video to wait for
  GstClockTime earliest_ = GST_CLOCK_TIME_NONE, latest_ = GST_CLOCK_TIME_NONE; // times of these
};

} // namespace cps
