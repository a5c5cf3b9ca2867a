// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of VideoSearch for sources in which parsebin finds no video: it tries libavformat, or reports why there is
// none.
#include "gst/elements/common/streamdebug.h"
#include "gst/elements/search/encryption.h"
#include "gst/elements/search/silentend.h"
#include "gst/elements/search/videosearch.h"

#include <utility>

#define GST_CAT_DEFAULT cps::stream_debug()

namespace cps {

VideoSearch::Report VideoSearch::no_decoder(Owned<GstCaps> owned) {
  const std::shared_ptr<GstCaps> caps(owned.release(), gst_caps_unref);
  return [this, caps] { outcome_.unreadable(caps.get()); };
}

// For an encrypted video there is no fallback, because libavformat does not decrypt either.
void VideoSearch::refuse(Owned<GstCaps> caps) {
  const bool encrypted = is_encrypted_video(caps.get());
  const Report report = no_decoder(std::move(caps));
  if (encrypted)
    report();
  else
    give_up(report);
}

// Excludes network sources, because they may deliver their data only once.
bool VideoSearch::may_fall_back() const {
  const Owned<GstElementFactory> demuxer(gst_element_factory_find("avformatdemux"));
  if (!demuxer)
    return false;
  return stream_ ? G_IS_SEEKABLE(stream_.get()) && g_seekable_can_seek(G_SEEKABLE(stream_.get()))
                 : gst_uri_has_protocol(uri_.c_str(), "file") && !comes_once(uri_);
}

// Call if the current reader finds no video; `report` posts the reason. If both readers fail, the error of the first is
// posted, because it describes the source; that of the second only describes its attempts.
void VideoSearch::give_up(Report report) {
  if (outcome_.comes_back() || fall_back(report))
    return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (first_error_)
      report = std::exchange(first_error_, nullptr);
  }
  report();
}

// Returns true if libavformat takes over, now or by a change that is in progress. `report` is used if it finds no video
// either.
bool VideoSearch::fall_back(Report report) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (reader_ == Reader::Changing)
      return true;
    if (reader_ == Reader::Libavformat || has_found_ || !may_fall_back())
      return false;
    reader_ = Reader::Changing;
    first_error_ = std::move(report);
  }
  GST_INFO_OBJECT(bin_, "parsebin finds no video that can be read: avformatdemux reads the source from its start");
  restart([this] {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      reader_ = Reader::Libavformat;
    }
    return rewind_stream();
  });
  return true;
}

void VideoSearch::report_first_error() {
  Report report;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    report = std::exchange(first_error_, nullptr);
  }
  if (report)
    report();
}

bool VideoSearch::handle_parsebin_error(GstMessage *message) {
  if (Owned<GstCaps> encrypted = encrypted_by_request(message)) {
    const std::lock_guard<std::mutex> lock(mutex_);
    unknown_ = std::move(encrypted);
    return false;
  }
  // QuickTime reference movies cause this message, which contains the address of the actual movie.
  if (gst_message_has_name(message, "redirect") && !may_refer()) {
    refuse_reference("a movie that stands for another (a redirection)");
    return true;
  }
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR)
    return false;
  return reader() == Reader::Changing || explain_error(message);
}

// True if the error concerns the format, so that another reader may succeed.
static bool is_of_format(const GError *error) {
  if (error->domain == GST_STREAM_ERROR)
    return error->code != GST_STREAM_ERROR_DECRYPT && error->code != GST_STREAM_ERROR_DECRYPT_NOKEY;
  return g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN);
}

bool VideoSearch::explain_error(GstMessage *message) {
  GError *parsed = nullptr;
  gchar *details = nullptr;
  gst_message_parse_error(message, &parsed, &details);
  const Owned<GError> error(parsed);
  const Owned<gchar> owned(details); // cppcheck-suppress unreadVariable ; it owns
  if (!is_of_format(parsed))
    return false;
  if (Owned<GstCaps> unknown = take_unknown()) {
    refuse(std::move(unknown));
    return true;
  }
  GstObject *source = GST_MESSAGE_SRC(message);
  const bool by_libavformat = GST_IS_ELEMENT(source) && is_made_by(GST_ELEMENT(source), "avformatdemux");
  if (has_found() || (by_libavformat && reader() == Reader::Parsebin)) // it has failed within parsebin already
    return false;
  GST_DEBUG_OBJECT(bin_, "%s: %s (%s)", GST_OBJECT_NAME(source), parsed->message, details ? details : "no details");
  // Copies the message's contents, because the message holds its element, and that holds the application's stream.
  const std::string name = GST_OBJECT_NAME(source);
  const std::string said = details ? details : "";
  const std::shared_ptr<GError> kept(g_error_copy(parsed), g_error_free);
  const bool failed = g_error_matches(parsed, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED);
  give_up([bin = bin_, name, said, kept, failed] {
    if (failed)
      GST_ELEMENT_ERROR(
          bin, STREAM, DEMUX,
          ("%s cannot read the source: its data are damaged, cut off, or of a kind that it does not know.",
           name.c_str()),
          ("%s %s", kept->message, said.c_str()));
    else
      gst_element_post_message(GST_ELEMENT(bin), gst_message_new_error(GST_OBJECT(bin), kept.get(), said.c_str()));
  });
  return true;
}

void VideoSearch::look_for_silence() {
  if (has_found())
    return;
  std::string silent;
  for (const Owned<GstElement> &parsebin : parsebins())
    if (silent.empty())
      silent = silent_element(parsebin.get());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool is_same = std::exchange(silent_, silent) == silent;
    if (silent.empty() || !is_same || has_found_ || stopping_ || reader_ != Reader::Parsebin)
      return;
  }
  give_up([bin = bin_, silent] {
    GST_ELEMENT_ERROR(
        bin, STREAM, DEMUX,
        ("%s has read the source to its end and found nothing: its data are damaged or cut off.", silent.c_str()),
        (nullptr));
  });
}

} // namespace cps
