// SPDX-License-Identifier: LGPL-2.1-or-later
// Caches the first reads from a source, so that the source is not read again.
#pragma once

#include <gst/gst.h>

#include <map>
#include <string>

namespace cps {

// Type finders, demuxers and the index read the same bytes one after the other, and again if the source is reopened.
// Pulls return the same data as the source would, with fewer reads from it. The cache does not read ahead, and does not
// keep pushed data. For one pad at a time.
class ReadCache {
public:
  ReadCache() = default;
  ReadCache(const ReadCache &) = delete;
  ReadCache &operator=(const ReadCache &) = delete;

  // Serves pulls from `source`, which must not deliver data once this object is destroyed.
  void serve(GstPad *source);

  // Call before the source changes.
  void forget();

private:
  using Runs = std::map<guint64, std::string>; // by offset; adjacent runs are merged

  Runs::iterator run_up_to(guint64 offset);
  void read_missing(GstPad *source, guint64 offset, size_t size);
  void keep(guint64 offset, GstBuffer *buffer);
  GstBuffer *find(guint64 offset, size_t size);

  static GstPadProbeReturn on_pull(GstPad *source, GstPadProbeInfo *info, gpointer self);

  // Protected by the stream lock of the pad.
  Runs runs_;
  size_t kept_ = 0;
  guint64 end_ = G_MAXUINT64;                    // of the source, once a pull has reached it
  GstClockTime first_dts_ = GST_CLOCK_TIME_NONE; // of the source's first buffer
};

} // namespace cps
