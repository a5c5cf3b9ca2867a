// SPDX-License-Identifier: LGPL-2.1-or-later
// From a URI or a stream to the pad of the video to read: a source, and a parsebin for each of its pads. If parsebin
// finds no video, avformatdemux reads the source again.
#pragma once

#include "gst/elements/common/ticker.h"
#include "gst/elements/search/padsearch.h"
#include "gst/elements/search/readcache.h"
#include "gst/elements/search/sourcepolicy.h"

#include <functional>
#include <gio/gio.h>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cps {

// Lives in a shared_ptr, because it may be reopening the source on a thread of its own.
class VideoSearch : public std::enable_shared_from_this<VideoSearch> {
public:
  // All are called on streaming threads.
  struct Outcome {
    std::function<void(GstPad *)> found;           // links the pad; called once per pass
    std::function<void(GstCaps *)> unreadable;     // the only stream is a video, and no element here accepts it
    std::function<bool(const GstCaps *)> readable; // whether an element here accepts a video of these caps
    std::function<void()> progress;                // data have arrived, but no video is known yet
    std::function<bool()> comes_back;              // there is no video; true if the source is opened again later
  };

  VideoSearch(GstBin *bin, int track, Outcome outcome);
  ~VideoSearch();
  VideoSearch(const VideoSearch &) = delete;
  VideoSearch &operator=(const VideoSearch &) = delete;

  // Adds the elements to the bin; its state change starts them after its own pads are active. Reads `stream` if set,
  // else `uri`. Returns false after posting an error. A missing video is reported later.
  bool start(const std::string &uri, GInputStream *stream, const SourcePolicy &policy);

  // Opens the source again and finds the same video, for sources that are not seekable. Calls `closed` in between, when
  // nothing is read. Must not be called on a streaming thread. False if the source cannot be read again.
  bool read_again(const std::function<void()> &closed);

  // Opens a live source again, which continues where it is now. Calls `closed` in between. Must not be called on a
  // streaming thread. False if that fails, perhaps without an error message.
  bool open_again(const std::function<void()> &closed);

  // Stops the reading threads. Call before the bin goes to READY, because parsebin 1.22 then frees objects that these
  // threads may still use if they are still finding the streams.
  void stop();

  // Replaces vague errors of inner elements by errors that name the known reason. True if another error has been posted
  // instead of the message.
  bool handle_parsebin_error(GstMessage *message);

  // True for a state change that the bin must ignore, because it results from reading the source again.
  static bool is_own_affair(GstMessage *message);

private:
  // A parsebin and its pads.
  struct Container : PadSearch::Listener {
    Container(VideoSearch &owner, int track, GstElement *element);
    ~Container() override;
    void on_found(GstPad *video, GstBuffer *first) override;
    void on_none(PadSearch::Rest rest) override;
    void on_no_track(size_t videos) override;
    void on_no_data() override;

    VideoSearch &search;
    Owned<GstElement> parsebin;             // or avformatdemux
    std::vector<Owned<GstElement>> parsers; // parsers that we add after it
    PadSearch pads;
    bool typed = false; // its type is known; for its thread only
  };

  enum class Reader { Parsebin, Changing, Libavformat };
  using Report = std::function<void()>; // posts an error

  bool open();
  void close();
  bool reopen();
  void stop_reading();
  std::vector<Owned<GstElement>> parsebins();
  GstElement *make_source();
  GstElement *parse(GstPad *pad);
  void watch_parsebin(Container &container);
  void watch_data(GstPad *pad);
  bool may_refer() const;
  void refuse_reference(const std::string &name);
  Owned<GstPad> parse_further(Container &container, GstPad *pad);
  Owned<GstCaps> take_unknown();
  bool has_found();
  void end(PadSearch::Rest rest);
  void give_up(Report report);
  bool may_fall_back() const;
  bool fall_back(Report report);
  Reader reader();
  Report no_decoder(Owned<GstCaps> owned);
  void refuse(Owned<GstCaps> caps);
  void report_first_error();
  bool rewind_stream();
  void read_picture(GstSample *sample);
  void restart(std::function<bool()> prepare);
  bool explain_error(GstMessage *message);
  void look_for_silence();

  static GstPadProbeReturn on_data(GstPad *, GstPadProbeInfo *, gpointer self);
  static void on_source_pad(GstElement *, GstPad *pad, VideoSearch *self);
  static void on_no_more_source_pads(GstElement *, VideoSearch *self);
  static void on_parsed_pad(GstElement *, GstPad *pad, Container *container);
  static void on_parsed_pad_removed(GstElement *, GstPad *pad, Container *container);
  static gboolean on_autoplug_continue(GstElement *, GstPad *, GstCaps *caps, Container *container);
  static GValueArray *on_autoplug_sort(GstElement *, GstPad *, GstCaps *, GValueArray *factories, gpointer);
  static gint on_autoplug_select(GstElement *, GstPad *, GstCaps *caps, GstElementFactory *factory, VideoSearch *self);
  static void on_unknown_type(GstElement *, GstPad *, GstCaps *caps, VideoSearch *self);

  GstBin *const bin_;
  const Outcome outcome_;

  std::mutex opening_; // held while the source is opened or closed; protects the members below
  std::string uri_;
  SourcePolicy policy_;
  Owned<GInputStream> stream_;
  Owned<GstElement> source_;
  ReadCache cache_; // of the source; its contents belong to the source's thread
  bool stopped_ = false;
  Ticker silence_;

  std::mutex linking_; // held while the bin links a video

  std::mutex mutex_; // protects the members below
  int track_;
  bool stopping_ = false; // no more links
  int searching_ = 0;     // parts of the source that may still add pads
  bool has_found_ = false;
  PadSearch::Rest rest_;   // the contents of a source without video
  Owned<GstCaps> unknown_; // caps of a video that no element here accepts
  Reader reader_ = Reader::Parsebin;
  Report first_error_; // from parsebin; used if libavformat finds nothing either
  std::string silent_; // the silent element that the last check found
  std::list<Container> containers_;
};

} // namespace cps
