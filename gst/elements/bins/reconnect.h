// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens a live source again that has failed or ended.
#pragma once

#include "gst/elements/common/ticker.h"
#include "gst/elements/search/videosearch.h"

#include <atomic>
#include <memory>
#include <mutex>

namespace cps {

// Only a source that is live and has delivered data is opened again, because any other would begin anew. Thread-safe.
class Reconnect : public std::enable_shared_from_this<Reconnect> {
public:
  explicit Reconnect(GstBin *bin) : bin_(bin) {}
  Reconnect(const Reconnect &) = delete;
  Reconnect &operator=(const Reconnect &) = delete;

  // `interval`: seconds from a failure to the next attempt; 0: none is made.
  void start(std::shared_ptr<VideoSearch> search, double interval);
  void stop();

  void set_live() { live_ = true; }
  // The source has delivered data.
  void note_data();
  // The bin has posted an error: nothing is opened again.
  void note_failure() { failed_ = true; }
  // What downstream of the bin has answered. If it refuses data, the source fails or ends for that reason.
  void note_flow(GstFlowReturn flow) { refused_ = flow != GST_FLOW_OK && flow != GST_FLOW_FLUSHING; }

  // True if the source will be opened again because of this error of an element in the bin, or of the end of its
  // stream. Nobody else must then see it.
  bool handle_error(GstMessage *message);
  bool handle_end();
  // The same for a source that has no video now.
  bool handle_no_video();

private:
  bool may_return() const { return live_ && has_come_ && !failed_ && !refused_; }
  bool schedule(const std::string &reason);
  void attempt();

  GstBin *const bin_;
  std::atomic<bool> live_{false}, has_come_{false}, interrupted_{false}, failed_{false}, refused_{false};
  std::atomic<bool> closing_{false}; // the old source is being stopped; its errors mean nothing

  std::mutex mutex_;                    // protects the members below
  std::shared_ptr<VideoSearch> search_; // nullptr once stopped
  double interval_ = 0;
  Ticker ticker_;
};

} // namespace cps
