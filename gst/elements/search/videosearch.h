// SPDX-License-Identifier: LGPL-2.1-or-later
// From a URI or a stream to the pad of the video to read: the source, and a parsebin for whatever it puts out. Where
// that finds no video, avformatdemux reads the source once more.
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

// Lives in a shared_ptr, for it may be reading anew on a thread of its own.
class VideoSearch : public std::enable_shared_from_this<VideoSearch> {
public:
  // All are called on threads that bring data.
  struct Outcome {
    std::function<void(GstPad *)> found;           // links the pad; once for each reading
    std::function<void(GstCaps *)> unreadable;     // a video is all there is, and nothing here takes it
    std::function<bool(const GstCaps *)> readable; // whether something here takes a video of these caps
    std::function<void()> progress;                // data have come, of which no video is known yet
  };

  VideoSearch(GstBin *bin, int track, Outcome outcome);
  ~VideoSearch();
  VideoSearch(const VideoSearch &) = delete;
  VideoSearch &operator=(const VideoSearch &) = delete;

  // Puts the elements into the bin, whose change of state starts them when its own pads are active. Reads `stream`
  // where there is one, else `uri`. False after an error message. Without a video, that is posted later.
  bool start(const std::string &uri, GInputStream *stream, const SourcePolicy &policy);

  // Opens the source once more and finds the same video, for what cannot be rewound. `closed` is called in between,
  // when nothing is read. Not on a thread that brings data. False where the source cannot be read again.
  bool read_again(const std::function<void()> &closed);

  // Ends the threads that read. To be called before the bin goes to READY: parsebin 1.22 frees then what they may be
  // about to use, where they are still finding out what there is.
  void stop();

  // Elements within have no clear word for what we know to be wrong. True where another error has been posted in place
  // of the message.
  bool handle_parsebin_error(GstMessage *message);

  // A change of state that is none of the bin's: it has long had what is only read again.
  static bool is_own_affair(GstMessage *message);

private:
  // A parsebin, and what it has shown.
  struct Container : PadSearch::Listener {
    Container(VideoSearch &owner, int track, GstElement *element);
    ~Container() override;
    void on_found(GstPad *video, GstBuffer *first) override;
    void on_none(PadSearch::Rest rest) override;
    void on_no_track(size_t videos) override;
    void on_no_data() override;

    VideoSearch &search;
    Owned<GstElement> parsebin;             // or avformatdemux
    std::vector<Owned<GstElement>> parsers; // of ours, behind it
    PadSearch pads;
    bool typed = false; // its own type is known; its thread
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

  std::mutex opening_; // held while the source is opened or closed; all below
  std::string uri_;
  SourcePolicy policy_;
  Owned<GInputStream> stream_;
  Owned<GstElement> source_;
  ReadCache cache_; // of the source; what it has is its thread's
  bool stopped_ = false;
  Ticker silence_;

  std::mutex linking_; // held while the bin links a video

  std::mutex mutex_; // all below
  int track_;
  bool stopping_ = false; // nothing is to be linked
  int searching_ = 0;     // parts of the source that may still show pads
  bool has_found_ = false;
  PadSearch::Rest rest_;   // what there is instead of a video
  Owned<GstCaps> unknown_; // those of a video that no element here takes
  Reader reader_ = Reader::Parsebin;
  Report first_error_; // of parsebin, while libavformat has found nothing either
  std::string silent_; // the element that was so when it was looked for last
  std::list<Container> containers_;
};

} // namespace cps
