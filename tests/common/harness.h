// SPDX-License-Identifier: LGPL-2.1-or-later
// A GstHarness around one element, with its bus and with answers to the element's upstream queries.
#pragma once

#include "gst/codecpatch/owned.h"
#include "tests/common/suite.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include <cstring>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace test {

using cps::Owned;

using Properties = std::initializer_list<std::pair<const char *, const char *>>;

inline Owned<GstElement> make_element(const char *factory, Properties properties = {}) {
  GstElement *element = gst_element_factory_make(factory, nullptr);
  fail_unless(element != nullptr, "no element %s", factory);
  gst_object_ref_sink(element);
  for (const auto &[name, value] : properties)
    gst_util_set_object_arg(G_OBJECT(element), name, value);
  return Owned<GstElement>(element);
}

// Pops a message of the type. Returns its text, "" if there is none. Sets `code` to that of GST_RESOURCE_ERROR, or to
// -1 if the error is of another domain.
inline std::string pop_report(GstBus *bus, GstMessageType type, gint *code = nullptr) {
  GstMessage *message = gst_bus_pop_filtered(bus, type);
  if (!message)
    return "";
  GError *error = nullptr;
  gchar *details = nullptr;
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error(message, &error, &details);
  else
    gst_message_parse_warning(message, &error, &details);
  const std::string text = error->message;
  if (code)
    *code = error->domain == GST_RESOURCE_ERROR ? error->code : -1;
  g_error_free(error);
  g_free(details);
  gst_message_unref(message);
  return text;
}

inline bool contains(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

class Harness {
public:
  explicit Harness(const char *factory, Properties properties = {}, bool has_src = true)
      : element_(make_element(factory, properties)), bus_(gst_bus_new()) {
    gst_element_set_bus(element(), bus_.get());
    harness_ = gst_harness_new_with_element(element(), "sink", has_src ? "src" : nullptr);
    gst_pad_add_probe(
        harness_->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM,
        [](GstPad *, GstPadProbeInfo *info, gpointer self) {
          const auto &answer = static_cast<Harness *>(self)->on_query;
          const bool answered = answer && answer(GST_PAD_PROBE_INFO_QUERY(info));
          return answered ? GST_PAD_PROBE_HANDLED : GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }
  ~Harness() {
    gst_element_set_bus(element(), nullptr);
    gst_harness_teardown(harness_);
  }
  Harness(const Harness &) = delete;
  Harness &operator=(const Harness &) = delete;

  // Answers the element's upstream queries; returns false if it has no answer.
  std::function<bool(GstQuery *)> on_query;

  GstHarness *get() const { return harness_; }
  GstElement *element() const { return element_.get(); }
  GstBus *bus() const { return bus_.get(); }

  void set(const char *property, const char *value) const {
    gst_util_set_object_arg(G_OBJECT(element()), property, value);
  }

  // Begins a stream: pushes the events that precede the first buffer.
  void start(GstCaps *caps, const GstSegment *segment = nullptr, const char *stream_id = "test") const {
    GstSegment whole;
    gst_segment_init(&whole, GST_FORMAT_TIME);
    event(gst_event_new_stream_start(stream_id));
    event(gst_event_new_caps(caps)); // a refusal appears in the flow of the first buffer
    event(gst_event_new_segment(segment ? segment : &whole));
  }

  bool event(GstEvent *event) const { return gst_harness_push_event(harness_, event); }

  void flush(const GstSegment *segment = nullptr) const {
    GstSegment whole;
    gst_segment_init(&whole, GST_FORMAT_TIME);
    fail_unless(event(gst_event_new_flush_start()));
    fail_unless(event(gst_event_new_flush_stop(TRUE)));
    fail_unless(event(gst_event_new_segment(segment ? segment : &whole)));
  }

  // Sets the element and its upstream to `state` and back to PLAYING. A stream must be started again afterwards.
  void restart(GstState state) const {
    fail_unless(gst_element_set_state(element(), state) == GST_STATE_CHANGE_SUCCESS);
    fail_unless(gst_pad_set_active(harness_->srcpad, FALSE) && gst_pad_set_active(harness_->srcpad, TRUE));
    fail_unless(gst_element_set_state(element(), GST_STATE_PLAYING) == GST_STATE_CHANGE_SUCCESS);
  }

  GstFlowReturn push(Owned<GstBuffer> buffer) const { return gst_harness_push(harness_, buffer.release()); }

  // The output buffers, in order; nullptr if there is none.
  Owned<GstBuffer> pull() const { return Owned<GstBuffer>(gst_harness_try_pull(harness_)); }
  std::vector<Owned<GstBuffer>> pull_all() const {
    std::vector<Owned<GstBuffer>> buffers;
    while (Owned<GstBuffer> buffer = pull())
      buffers.push_back(std::move(buffer));
    return buffers;
  }

  // The next output event of the type; nullptr if there is none. Discards the events before it.
  Owned<GstEvent> pull_event(GstEventType type) const {
    while (Owned<GstEvent> event{gst_harness_try_pull_event(harness_)})
      if (GST_EVENT_TYPE(event.get()) == type)
        return event;
    return nullptr;
  }

  std::string error() const { return pop_report(bus_.get(), GST_MESSAGE_ERROR); }
  std::string warning() const { return pop_report(bus_.get(), GST_MESSAGE_WARNING); }

  // Checks that the bus has no error and no warning.
  void check_quiet() const {
    const std::string text = error(), mild = warning();
    fail_unless(text.empty(), "error: %s", text.c_str());
    fail_unless(mild.empty(), "warning: %s", mild.c_str());
  }

  // Checks that the bus has exactly one error, with `part` in its text.
  void check_error(const char *part) const {
    const std::string text = error();
    fail_unless(contains(text, part), "\"%s\" has no \"%s\"", text.c_str(), part);
    fail_unless(error().empty());
  }

private:
  Owned<GstElement> element_;
  Owned<GstBus> bus_;
  GstHarness *harness_;
};

} // namespace test
