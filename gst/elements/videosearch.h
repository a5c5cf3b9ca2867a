// SPDX-License-Identifier: LGPL-2.1-or-later
// From a URI or a stream to the pad of the video to read: the source, and a parsebin for whatever it puts out.
#pragma once

#include "gst/elements/private.h"

#include <atomic>
#include <functional>
#include <gio/gio.h>
#include <list>
#include <mutex>
#include <string>
#include <vector>

namespace cps {

class VideoSearch {
public:
  // `found` is called once, on the thread that brings the first data, with the pad, which it links; or else
  // `undecodable`, where a video is all there is that no element here takes.
  VideoSearch(GstBin *bin, int track, std::function<void(GstPad *)> found, std::function<void(GstCaps *)> undecodable);
  VideoSearch(const VideoSearch &) = delete;
  VideoSearch &operator=(const VideoSearch &) = delete;

  // Puts the elements into the bin, whose change of state starts them when its own pads are active. Reads `stream`
  // where there is one, else `uri`. False after an error message. Without a video, that is posted later.
  bool start(const std::string &uri, GInputStream *stream);

  // Ends the threads that read. To be called before the bin goes to READY: parsebin 1.22 frees then what they may be
  // about to use, where they are still finding out what there is.
  void stop();

  // parsebin has no word for a video that no element here takes where there is nothing else: its error says that
  // something is missing. True where that is so, and `undecodable` has been called.
  bool explain(GstMessage *message);

private:
  // What a parsebin has shown. Filled in on its thread.
  struct Container {
    VideoSearch *search = nullptr;
    Owned<GstElement> parsebin;
    std::vector<Owned<GstPad>> videos;
    std::vector<std::string> others;   // for people
    bool typed = false;                // its own type is known
    std::atomic<bool> complete{false}; // some demuxers have a thread for each pad
  };

  GstElement *make_source(const std::string &uri, GInputStream *stream);
  GstElement *parse(GstPad *pad);
  void complete(Container &container);
  GstPad *choose(const std::vector<Owned<GstPad>> &videos) const;
  void end(const std::vector<std::string> &others);

  static void on_source_pad(GstElement *, GstPad *pad, VideoSearch *self);
  static void on_no_more_source_pads(GstElement *, VideoSearch *self);
  static void on_parsed_pad(GstElement *, GstPad *pad, Container *container);
  static gboolean on_autoplug_continue(GstElement *, GstPad *, GstCaps *caps, Container *container);
  static void on_unknown_type(GstElement *, GstPad *, GstCaps *caps, VideoSearch *self);
  static GstPadProbeReturn on_data(GstPad *, GstPadProbeInfo *info, gpointer data);

  GstBin *const bin_;
  const int track_;
  const std::function<void(GstPad *)> found_;
  const std::function<void(GstCaps *)> undecodable_;

  std::mutex mutex_;  // all below
  int searching_ = 0; // parts of the source that may still show pads
  bool has_found_ = false;
  std::vector<std::string> others_; // than videos
  Owned<GstCaps> unknown_;          // those of a video that no element here takes
  std::list<Container> containers_; // each belongs to its parsebin's thread
};

} // namespace cps
