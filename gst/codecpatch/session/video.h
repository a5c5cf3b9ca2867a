// SPDX-License-Identifier: LGPL-2.1-or-later
// The source of sessions, and its index. Internal.
#pragma once

#include "gst/codecpatch/cpsvideo.h"
#include "gst/codecpatch/owned.h"
#include "gst/codecpatch/session/sessionsource.h"

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

struct _CpsVideo {
  // Makes the source of a session, on the session's thread. Owns copies of everything that it needs.
  using Find = std::function<bool(const cps::Opening &, cps::SessionSource &, GError **)>;

  _CpsVideo(const std::string &called, std::optional<std::string> in_metadata, Find find_source);

  std::atomic<int> references{1};
  const std::string name;                  // in messages; valid UTF-8
  const std::optional<std::string> source; // replaces the elements' source in the metadata
  const Find find;

  cps::Owned<CpsIndex> index();
  void set_index(cps::Owned<CpsIndex> index);

private:
  std::mutex mutex_;
  cps::Owned<CpsIndex> index_;
};

namespace cps {

CPS_RELEASE(CpsVideo, cps_video_unref);

inline Owned<CpsVideo> share(CpsVideo *video) {
  return Owned<CpsVideo>(cps_video_ref(video));
}

} // namespace cps
