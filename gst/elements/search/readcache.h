// SPDX-License-Identifier: LGPL-2.1-or-later
// What has been read of a source first, kept so that it is not read again.
#pragma once

#include <gst/gst.h>

#include <map>
#include <string>

namespace cps {

// Type finders, demuxers and the index read the same bytes one after the other, and once more where the source is
// opened anew. Whoever pulls gets what the source would give; only the source is asked less. Nothing is read ahead, and
// data that are pushed are not kept. For one pad at a time.
class ReadCache {
public:
  ReadCache() = default;
  ReadCache(const ReadCache &) = delete;
  ReadCache &operator=(const ReadCache &) = delete;

  // Stands before `source`, which gives no data any more when this goes.
  void serve(GstPad *source);

  // Another source comes.
  void forget();

private:
  using Runs = std::map<guint64, std::string>; // by offset; no two touch each other

  Runs::iterator run_up_to(guint64 offset);
  void read_missing(GstPad *source, guint64 offset, size_t size);
  void keep(guint64 offset, GstBuffer *buffer);
  GstBuffer *find(guint64 offset, size_t size);

  static GstPadProbeReturn on_pull(GstPad *source, GstPadProbeInfo *info, gpointer self);

  // All under the stream lock of the pad.
  Runs runs_;
  size_t kept_ = 0;
  guint64 end_ = G_MAXUINT64;                    // of the source, where a pull has met it
  GstClockTime first_dts_ = GST_CLOCK_TIME_NONE; // that the source gives to its beginning
};

} // namespace cps
