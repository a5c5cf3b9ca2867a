// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/ticker.h"

#include "gst/elements/common/elementtools.h"

#include <utility>

namespace cps {

void Ticker::start(GstClockTime interval, std::function<void()> tick) {
  stop();
  using Tick = std::function<void()>;
  const auto call = [](GstClock *, GstClockTime, GstClockID, gpointer data) -> gboolean {
    (*static_cast<Tick *>(data))();
    return TRUE;
  };
  const Owned<GstClock> clock(gst_system_clock_obtain());
  id_ = gst_clock_new_periodic_id(clock.get(), gst_clock_get_time(clock.get()) + interval, interval);
  auto owned = std::make_unique<Tick>(std::move(tick));
  gst_clock_id_wait_async(id_, call, owned.release(),
                          [](gpointer data) { const std::unique_ptr<Tick> dropped(static_cast<Tick *>(data)); });
}

void Ticker::stop() {
  if (!id_)
    return;
  gst_clock_id_unschedule(id_);
  gst_clock_id_unref(std::exchange(id_, nullptr));
}

} // namespace cps
