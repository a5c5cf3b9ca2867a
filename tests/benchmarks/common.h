// SPDX-License-Identifier: LGPL-2.1-or-later
// What the benchmarks share: clocks, lines and medians.
#pragma once

#include "gst/codecpatch/owned.h"
#include "tests/common/tempdir.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <time.h>
#include <vector>

namespace bench {

using cps::Owned;
using test::TempDir;

[[noreturn]] inline void stop(const std::string &why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

inline double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Counts from when it is made.
class Stopwatch {
public:
  // The CPU time of the process, or CLOCK_THREAD_CPUTIME_ID.
  explicit Stopwatch(clockid_t cpu = CLOCK_PROCESS_CPUTIME_ID)
      : clock_(cpu), wall_(seconds(CLOCK_MONOTONIC)), cpu_(seconds(cpu)) {}

  double wall() const { return seconds(CLOCK_MONOTONIC) - wall_; }
  double cpu() const { return seconds(clock_) - cpu_; }

private:
  clockid_t clock_;
  double wall_, cpu_;
};

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <typename Cost, typename Get> double median_of(const std::vector<Cost> &costs, Get get) {
  std::vector<double> values;
  for (const Cost &cost : costs)
    values.push_back(get(cost));
  return median(values);
}

inline Owned<GstElement> make_line(const std::string &description) {
  GError *error = nullptr;
  Owned<GstElement> pipeline(gst_parse_launch(description.c_str(), &error));
  if (!pipeline || error)
    stop(error ? error->message : "no pipeline");
  return pipeline;
}

inline Owned<GstElement> element_of(GstElement *pipeline, const char *element) {
  return Owned<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline), element));
}

inline Owned<GstPad> pad_of(GstElement *pipeline, const char *element, const char *pad) {
  return Owned<GstPad>(gst_element_get_static_pad(element_of(pipeline, element).get(), pad));
}

// Waits for the end of stream.
inline void wait(GstElement *pipeline) {
  const Owned<GstBus> bus(gst_element_get_bus(pipeline));
  GstMessage *message = gst_bus_timed_pop_filtered(bus.get(), GST_CLOCK_TIME_NONE,
                                                   static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError *error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    stop(std::string("the line fails: ") + error->message);
  }
  gst_message_unref(message);
}

// The same, and takes the line down.
inline void finish(GstElement *pipeline) {
  wait(pipeline);
  gst_element_set_state(pipeline, GST_STATE_NULL);
}

// Runs to the end of stream.
inline void play(GstElement *pipeline) {
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  finish(pipeline);
}

} // namespace bench
