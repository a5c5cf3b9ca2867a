// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of sessions that need no elements: error codes, what a pipeline tells, streams of the application's
// functions.
#include "gst/codecpatch/session/sessionerror.h"
#include "gst/codecpatch/session/sessioninbox.h"
#include "gst/codecpatch/session/streaminput.h"

#include "tests/common/text.h"

#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

namespace {

using cps::Owned;
using cps::SessionInbox;
using Event = SessionInbox::Event;

Owned<GError> make_error(const char *text, GQuark domain = GST_STREAM_ERROR, gint code = GST_STREAM_ERROR_DECODE) {
  return Owned<GError>(g_error_new_literal(domain, code, text));
}

void post(SessionInbox &inbox, GstMessage *message) {
  inbox.handle_message(message);
  gst_message_unref(message);
}
void post_error(SessionInbox &inbox, const char *text) {
  post(inbox, gst_message_new_error(nullptr, make_error(text).get(), "details"));
}
void post_warning(SessionInbox &inbox, const std::string &text) {
  post(inbox, gst_message_new_warning(nullptr, make_error(text.c_str()).get(), nullptr));
}

void check_event(SessionInbox &inbox, Event expected) {
  fail_unless_equals_int(static_cast<int>(inbox.wait()), static_cast<int>(expected));
}

// A stream of ten bytes, from '0' to '9', that does what it is told.
struct Application {
  gint64 position = 0;
  gssize read_result = 0; // in place of what it has read, if it is not 0
  gint64 seek_offset = 0; // added to where it says it is
  bool seeks = true;
  int released = 0;
  std::vector<std::string> failures;

  Owned<GInputStream> open(bool can_seek = true) {
    Owned<GInputStream> stream(cps::stream_input_new({read, can_seek ? seek : nullptr, release, nullptr, this},
                                                     [this](const std::string &text) { failures.push_back(text); }));
    cps::stream_input_rewind(stream.get());
    return stream;
  }
  static gssize read(gpointer data, gpointer to, gsize size) {
    auto &self = *static_cast<Application *>(data);
    if (self.read_result != 0)
      return self.read_result;
    gsize count = 0;
    for (auto *byte = static_cast<char *>(to); count < size && self.position < 10; count++)
      byte[count] = static_cast<char>('0' + self.position++);
    return static_cast<gssize>(count);
  }
  static gint64 seek(gpointer data, gint64 offset, gint whence) {
    auto &self = *static_cast<Application *>(data);
    if (!self.seeks)
      return -1;
    self.position = whence == SEEK_SET ? offset : (whence == SEEK_CUR ? self.position : 10) + offset;
    return self.position + self.seek_offset;
  }
  static void release(gpointer data) { static_cast<Application *>(data)->released++; }
};

std::string read_text(GInputStream *stream, gsize size) {
  std::vector<char> bytes(size + 1);
  const gssize count = g_input_stream_read(stream, bytes.data(), size, nullptr, nullptr);
  return count < 0 ? "failed" : std::string(bytes.data(), static_cast<size_t>(count));
}

bool seek_to(GInputStream *stream, goffset offset, GSeekType type) {
  return g_seekable_seek(G_SEEKABLE(stream), offset, type, nullptr, nullptr);
}

} // namespace

GST_START_TEST(test_error_codes) {
  fail_unless_equals_string(g_quark_to_string(CPS_SESSION_ERROR), "cps-session-error-quark");
  const struct {
    GQuark domain;
    gint code;
    CpsSessionError expected;
  } cases[] = {
      {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, CPS_SESSION_ERROR_SOURCE},
      {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, CPS_SESSION_ERROR_SOURCE},
      {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, CPS_SESSION_ERROR_SOURCE},
      {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK, CPS_SESSION_ERROR_SOURCE},
      {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED, CPS_SESSION_ERROR_SOURCE},
      {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, CPS_SESSION_ERROR_MEMORY},
      {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, CPS_SESSION_ERROR_OPTION},
      {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED, CPS_SESSION_ERROR_FAILED},
      {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE, CPS_SESSION_ERROR_FAILED},
      {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, CPS_SESSION_ERROR_OPTION},
      {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT, CPS_SESSION_ERROR_BACKEND},
      {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED, CPS_SESSION_ERROR_FAILED},
      {GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND, CPS_SESSION_ERROR_STREAM},
      {GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, CPS_SESSION_ERROR_STREAM},
      {GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN, CPS_SESSION_ERROR_SETUP},
      {GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION, CPS_SESSION_ERROR_FAILED},
      {G_IO_ERROR, G_IO_ERROR_NOT_FOUND, CPS_SESSION_ERROR_FAILED},
      {CPS_SESSION_ERROR, CPS_SESSION_ERROR_CLOSED, CPS_SESSION_ERROR_CLOSED},
  };
  for (const auto &mapped : cases)
    fail_unless_equals_int(cps::session_error_code(*make_error("x", mapped.domain, mapped.code)), mapped.expected);
  GError *error = nullptr;
  cps::wrap_session_error(&error, "v.mp4", *make_error("It is damaged."));
  assert_text(std::string(cps_error_get_message(error)), "v.mp4: It is damaged.");
  fail_unless_equals_int(cps_error_get_code(error), CPS_SESSION_ERROR_STREAM);
  cps_error_free(error);
  cps_error_free(nullptr);
  cps_free(nullptr);
}
GST_END_TEST;

GST_START_TEST(test_clips_before_the_end) {
  SessionInbox inbox;
  post(inbox, gst_message_new_eos(nullptr));
  inbox.clip_queued();
  inbox.clip_queued();
  check_event(inbox, Event::Clip);
  check_event(inbox, Event::Clip);
  check_event(inbox, Event::End);
  check_event(inbox, Event::End);
  fail_if(inbox.error());
}
GST_END_TEST;

GST_START_TEST(test_clips_before_the_error) {
  SessionInbox inbox;
  inbox.clip_queued();
  post_error(inbox, "The first.");
  post_error(inbox, "Its consequence.");
  post(inbox, gst_message_new_eos(nullptr));
  inbox.clip_queued(); // of what was left
  check_event(inbox, Event::Clip);
  check_event(inbox, Event::Error);
  check_event(inbox, Event::Error);
  assert_text(std::string(inbox.error()->message), "The first.");

  inbox.close();
  check_event(inbox, Event::Closed);
}
GST_END_TEST;

GST_START_TEST(test_warnings) {
  SessionInbox inbox;
  fail_if(inbox.pop_warning().has_value());
  for (int i = 0; i < 150; i++)
    post_warning(inbox, std::to_string(i));
  for (int i = 0; i < 100; i++)
    assert_text(inbox.pop_warning().value_or("none"), std::to_string(i));
  fail_if(inbox.pop_warning().has_value());
}
GST_END_TEST;

// Of a live source.
GST_START_TEST(test_dropped_clips) {
  SessionInbox inbox;
  post(inbox, gst_message_new_element(nullptr, gst_structure_new("clip-dropped", "clip-index", G_TYPE_UINT, 7u,
                                                                 "dropped", G_TYPE_UINT64, guint64{3}, nullptr)));
  post(inbox, gst_message_new_element(nullptr, gst_structure_new_empty("other")));
  const std::string warning = inbox.pop_warning().value_or("none");
  fail_unless(warning.find("Clip 7 is dropped") == 0, "%s", warning.c_str());
  fail_if(inbox.pop_warning().has_value());
}
GST_END_TEST;

GST_START_TEST(test_no_warnings_of_consequences) {
  SessionInbox failed, closed;
  post_error(failed, "It cannot be read.");
  closed.close();
  for (SessionInbox *inbox : {&failed, &closed}) {
    post_warning(*inbox, "It cannot seek.");
    fail_if(inbox->pop_warning().has_value());
  }
}
GST_END_TEST;

GST_START_TEST(test_waiting_ends) {
  for (int round = 0; round < 4; round++) {
    SessionInbox inbox;
    auto event = Event::End;
    std::thread waiter([&] { event = inbox.wait(); });
    post_warning(inbox, "which wakes nobody up");
    if (round == 0)
      inbox.close();
    else if (round == 1)
      inbox.clip_queued();
    else if (round == 2)
      post_error(inbox, "x");
    else
      post(inbox, gst_message_new_eos(nullptr));
    waiter.join();
    const Event expected[] = {Event::Closed, Event::Clip, Event::Error, Event::End};
    fail_unless(event == expected[round]);
  }
}
GST_END_TEST;

GST_START_TEST(test_stream_reads_and_seeks) {
  Application app;
  app.position = 7;
  Owned<GInputStream> stream = app.open();
  fail_unless(g_seekable_can_seek(G_SEEKABLE(stream.get())));
  assert_text(read_text(stream.get(), 4), "0123");
  fail_unless_equals_int(static_cast<int>(g_seekable_tell(G_SEEKABLE(stream.get()))), 4);
  fail_unless(seek_to(stream.get(), 2, G_SEEK_CUR));
  assert_text(read_text(stream.get(), 2), "67");
  fail_unless(seek_to(stream.get(), -1, G_SEEK_END));
  assert_text(read_text(stream.get(), 5), "9");
  assert_text(read_text(stream.get(), 5), "");
  fail_unless(seek_to(stream.get(), 3, G_SEEK_SET));
  assert_text(read_text(stream.get(), 1), "3");
  fail_if(g_seekable_can_truncate(G_SEEKABLE(stream.get())));
  fail_if(g_seekable_truncate(G_SEEKABLE(stream.get()), 0, nullptr, nullptr));
  fail_unless(app.failures.empty());
  fail_unless_equals_int(app.released, 0);
  stream.reset();
  fail_unless_equals_int(app.released, 1);
}
GST_END_TEST;

GST_START_TEST(test_stream_without_seeking) {
  for (const bool has_function : {true, false}) {
    Application app;
    app.position = 7;
    app.seeks = false;
    const Owned<GInputStream> stream = app.open(has_function);
    fail_if(g_seekable_can_seek(G_SEEKABLE(stream.get())));
    fail_if(seek_to(stream.get(), 0, G_SEEK_SET));
    assert_text(read_text(stream.get(), 2), "78");
    fail_unless(app.failures.empty());
  }
}
GST_END_TEST;

// Told once, and then left alone.
GST_START_TEST(test_stream_that_fails) {
  const struct {
    gssize read_result;
    gint64 seek_offset;
    goffset offset;
    GSeekType type;
    const char *text;
  } cases[] = {
      {-1, 0, 0, G_SEEK_SET, "The stream could not be read."},
      {-5, 0, 0, G_SEEK_SET, "Reading 4 bytes of the stream gave -5."},
      {5, 0, 0, G_SEEK_SET, "Reading 4 bytes of the stream gave 5."},
      {G_MAXSSIZE, 0, 0, G_SEEK_SET, "Reading 4 bytes of the stream gave 9223372036854775807."},
      {0, 1, 3, G_SEEK_SET, "Seeking to 3 from the beginning of the stream gave 4."},
      {0, -20, 0, G_SEEK_END, "Seeking to 0 from the end of the stream gave -10."},
  };
  for (const auto &failing : cases) {
    Application app;
    const Owned<GInputStream> stream = app.open();
    app.read_result = failing.read_result;
    app.seek_offset = failing.seek_offset;
    if (failing.read_result != 0)
      assert_text(read_text(stream.get(), 4), "failed");
    else
      fail_if(seek_to(stream.get(), failing.offset, failing.type));
    fail_unless_equals_int(static_cast<int>(g_seekable_tell(G_SEEKABLE(stream.get()))), 0);
    app.read_result = 4;
    assert_text(read_text(stream.get(), 4), "");
    fail_if(seek_to(stream.get(), 1, G_SEEK_SET));
    fail_unless_equals_int(static_cast<int>(app.failures.size()), 1);
    assert_text(app.failures[0], failing.text);
  }
}
GST_END_TEST;

GST_START_TEST(test_cancelled) {
  Application app;
  const Owned<GInputStream> stream = app.open();
  const Owned<GCancellable> cancellable(g_cancellable_new());
  g_cancellable_cancel(cancellable.get());
  char byte = 0;
  fail_unless(g_input_stream_read(stream.get(), &byte, 1, cancellable.get(), nullptr) == -1);
  fail_if(g_seekable_seek(G_SEEKABLE(stream.get()), 0, G_SEEK_SET, cancellable.get(), nullptr));
  fail_unless(app.failures.empty()); // the session itself did it

  fail_unless(read_text(stream.get(), 1) == "0");
  cps::stream_input_stop(stream.get());
  assert_text(read_text(stream.get(), 1), "failed");
  fail_if(seek_to(stream.get(), 0, G_SEEK_SET));
  fail_unless_equals_int(static_cast<int>(app.position), 1); // not called
  fail_unless(app.failures.empty());
}
GST_END_TEST;

static Suite *session_suite() {
  Suite *suite = suite_create("session");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_error_codes);
  tcase_add_test(tests, test_clips_before_the_end);
  tcase_add_test(tests, test_clips_before_the_error);
  tcase_add_test(tests, test_warnings);
  tcase_add_test(tests, test_dropped_clips);
  tcase_add_test(tests, test_no_warnings_of_consequences);
  tcase_add_test(tests, test_waiting_ends);
  tcase_add_test(tests, test_stream_reads_and_seeks);
  tcase_add_test(tests, test_stream_without_seeking);
  tcase_add_test(tests, test_stream_that_fails);
  tcase_add_test(tests, test_cancelled);
  return suite;
}

GST_CHECK_MAIN(session)
