// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/owned.h"

#include "tests/common/text.h"

#include <gst/check/gstcheck.h>
#include <gst/codecpatch/codecpatch.h>

#include <clocale>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using cps::Owned;

namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

Entries entries_of(const CpsClip *clip) {
  Entries entries;
  cps_clip_foreach_metadata(
      clip,
      [](const gchar *key, const gchar *value, gpointer out) { static_cast<Entries *>(out)->emplace_back(key, value); },
      &entries);
  return entries;
}

std::string value_of(const CpsClip *clip, const char *key) {
  for (const auto &[name, value] : entries_of(clip))
    if (name == key)
      return value;
  return "(none)";
}

Owned<CpsClip> some_clip() {
  CpsClip *clip = cps_clip_new(3);
  clip->frames[0] = {5, 200 * GST_MSECOND, TRUE, CPS_FRAME_STATUS_OK};
  clip->frames[1] = {G_MAXUINT64 - 1, GST_CLOCK_TIME_NONE, FALSE, CPS_FRAME_STATUS_SUBSTITUTED};
  clip->frames[2] = {7, 0, FALSE, CPS_FRAME_STATUS_MISSING};
  clip->clip_index = 1;
  clip->fps = 30000.0 / 1001.0;
  clip->duration = 2500 * GST_MSECOND;
  clip->source = g_strdup("/videos/v.mp4");
  clip->source_width = 2;
  clip->source_height = 3;
  clip->target_width = 4;
  clip->target_height = 5;
  clip->grid_width = 6;
  clip->stream_frames = 70000000000;
  clip->grid_height = 7;
  return Owned<CpsClip>(clip);
}

// Options of each type that properties have.
void add_options(CpsClip *clip) {
  GValue list = G_VALUE_INIT, item = G_VALUE_INIT;
  gst_value_array_init(&list, 2);
  g_value_init(&item, G_TYPE_DOUBLE);
  for (const double value : {0.5, -1.25}) {
    g_value_set_double(&item, value);
    gst_value_array_append_value(&list, &item);
  }
  GstStructure *options = clip->options;
  gst_structure_set(options, "k-keep", G_TYPE_INT, -7, "sequence-length", G_TYPE_UINT, 16u, "total-frames",
                    G_TYPE_UINT64, G_MAXUINT64, "start", G_TYPE_INT64, G_GINT64_CONSTANT(-1), "static-rel-thresh",
                    G_TYPE_DOUBLE, 0.15, "static-fallback", G_TYPE_BOOLEAN, TRUE, "sample-fps", GST_TYPE_FRACTION, 5, 2,
                    "energy-mode", G_TYPE_STRING, "motion-residual", "a-state", GST_TYPE_STATE, GST_STATE_PAUSED,
                    nullptr);
  gst_structure_set_value(options, "mean", &list);
  g_value_unset(&item);
  g_value_reset(&list);
  gst_structure_set_value(options, "frame-ids", &list);
  g_value_unset(&list);
}

// The first locale there is that writes 0,5.
bool set_decimal_comma() {
  for (const char *name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "de_DE", "fr_FR", "nl_NL.UTF-8",
                           "pl_PL.UTF-8", "ru_RU.UTF-8", "it_IT.UTF-8", "es_ES.UTF-8"})
    if (setlocale(LC_ALL, name) && std::string(localeconv()->decimal_point) == ",")
      return true;
  return false;
}

const Entries kEntries = {
    {"sampled_frame_ids", "[5, 18446744073709551614, 7]"},
    {"pts_ns", "[200000000, null, 0]"},
    {"is_i", "[true, false, false]"},
    {"frame_status", "[\"ok\", \"substituted\", \"missing\"]"},
    {"stream_frames", "70000000000"},
    {"fps", "29.97002997002997"},
    {"duration_sec", "2.5"},
    {"source", "/videos/v.mp4"},
    {"source_width", "2"},
    {"source_height", "3"},
    {"target_width", "4"},
    {"target_height", "5"},
    {"grid_height", "7"},
    {"grid_width", "6"},
    {"clip_index", "1"},
    {"spec_version", "1"},
    {"k_keep", "-7"},
    {"sequence_length", "16"},
    {"total_frames", "18446744073709551615"},
    {"start", "-1"},
    {"static_rel_thresh", "0.15"},
    {"static_fallback", "true"},
    {"sample_fps", "5/2"},
    {"energy_mode", "motion-residual"},
    {"a_state", "paused"},
    {"mean", "[0.5, -1.25]"},
    {"frame_ids", "[]"},
};

void check_entries() {
  const Owned<CpsClip> clip = some_clip();
  add_options(clip.get());
  const Entries entries = entries_of(clip.get());
  for (size_t i = 0; i < std::min(entries.size(), kEntries.size()); ++i) {
    assert_text(entries[i].first, kEntries[i].first);
    assert_text(entries[i].second, kEntries[i].second);
  }
  assert_equals_int(entries.size(), kEntries.size());
}

} // namespace

GST_START_TEST(test_metadata) {
  check_entries();
}
GST_END_TEST;

GST_START_TEST(test_metadata_with_decimal_comma) {
  if (!set_decimal_comma()) {
    g_print("skipped: no locale with a decimal comma\n");
    return;
  }
  check_entries();
  setlocale(LC_ALL, "C");
}
GST_END_TEST;

GST_START_TEST(test_nothing_known) {
  const Owned<CpsClip> clip(cps_clip_new(1));
  assert_text(value_of(clip.get(), "sampled_frame_ids"), "[0]");
  assert_text(value_of(clip.get(), "pts_ns"), "[0]");
  assert_text(value_of(clip.get(), "fps"), "0");
  assert_text(value_of(clip.get(), "duration_sec"), "0");
  assert_text(value_of(clip.get(), "source"), "");
  const Owned<CpsClip> none(cps_clip_new(0));
  assert_text(value_of(none.get(), "sampled_frame_ids"), "[]");
  assert_text(value_of(none.get(), "frame_status"), "[]");
}
GST_END_TEST;

// Numbers read back as they were, and there is no JSON for those that are none.
GST_START_TEST(test_numbers) {
  const Owned<CpsClip> clip(cps_clip_new(0));
  const auto text = [&](double value) {
    clip->fps = value;
    return value_of(clip.get(), "fps");
  };
  assert_text(text(25.0), "25");
  assert_text(text(23.976), "23.976");
  assert_text(text(-0.25), "-0.25");
  for (const double value : {1.0 / 3.0, 0.1 + 0.2, 1e300, 4.9e-324, 16777217.0, 30000.0 / 1001.0})
    fail_unless(g_ascii_strtod(text(value).c_str(), nullptr) == value, "%s", text(value).c_str());
  for (const double value : {HUGE_VAL, -HUGE_VAL, std::nan("")})
    assert_text(text(value), "0");
}
GST_END_TEST;

// Text is itself, whatever it holds: escapes are the file's matter. Text in a list is JSON.
GST_START_TEST(test_text) {
  const Owned<CpsClip> clip(cps_clip_new(0));
  clip->source = g_strdup("a \"b\"\\\n\xff");
  assert_text(value_of(clip.get(), "source"), "a \"b\"\\\n\xff");

  GValue list = G_VALUE_INIT, item = G_VALUE_INIT;
  gst_value_array_init(&list, 1);
  g_value_init(&item, G_TYPE_STRING);
  g_value_set_string(&item, "a \"b\"\\\n\x01 \xff \xc3\xa9");
  gst_value_array_append_value(&list, &item);
  gst_structure_set_value(clip->options, "names", &list);
  g_value_unset(&item);
  g_value_unset(&list);
  assert_text(value_of(clip.get(), "names"), "[\"a \\\"b\\\"\\\\\\u000a\\u0001 \xef\xbf\xbd \xc3\xa9\"]");
}
GST_END_TEST;

static Suite *clip_suite() {
  Suite *suite = suite_create("clip");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_metadata);
  tcase_add_test(tests, test_metadata_with_decimal_comma);
  tcase_add_test(tests, test_nothing_known);
  tcase_add_test(tests, test_numbers);
  tcase_add_test(tests, test_text);
  return suite;
}

GST_CHECK_MAIN(clip)
