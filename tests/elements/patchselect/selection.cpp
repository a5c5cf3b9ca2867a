// SPDX-License-Identifier: LGPL-2.1-or-later
// Which patches are kept.
#include "tests/elements/patchselect/fixture.h"

using namespace patchselect;

GST_START_TEST(test_random_access_frames) {
  Clip clip = noise_clip("I420", 4);
  for (const std::vector<bool> &flags : {std::vector<bool>{false, false, true, false},
                                         {true, false, true, true},
                                         {false, true, true, false},
                                         {true, true, true, true}}) {
    clip.random_access = flags;
    const auto tensors = run_with({}, clip);
    check_fields(tensors.get(), clip, expect(clip, keep(20), kTarget));
    for (guint i = 0; i < 4; ++i)
      assert_equals_int(clip_of(tensors.get())->frames[i].is_i, flags[i]);
  }
}
GST_END_TEST;

// Where no sampled frame is one, the first counts.
GST_START_TEST(test_no_random_access_frame) {
  const Clip clip = noise_clip("I420", 4);
  const auto tensors = run_with({}, clip);
  check_fields(tensors.get(), clip, expect(clip, keep(20), kTarget));
  for (guint i = 0; i < 4; ++i)
    assert_equals_int(clip_of(tensors.get())->frames[i].is_i, i == 0);
}
GST_END_TEST;

GST_START_TEST(test_blocks) {
  Clip clip = noise_clip();
  clip.random_access[1] = true;
  cps::SelectOptions options = keep(24);
  options.unit = cps::SelectionUnit::Block2x2;
  const auto tensors = run_with({{"selection-unit", "block2x2"}, {"k-keep", "24"}}, clip);
  const Expected expected = expect(clip, options, kTarget);
  check_fields(tensors.get(), clip, expected);
  check_pixels(tensors.get(), clip, expected, kBt709);
}
GST_END_TEST;

GST_START_TEST(test_blocks_that_do_not_divide) {
  check_refused({{"selection-unit", "block2x2"}, {"k-keep", "22"}}, "block2x2");
  check_refused({{"selection-unit", "block2x2"}, {"k-keep", "22"}}, "k-keep is 22");
  const Clip clip = noise_clip(); // more than there are is all there are, and those divide
  const auto tensors = run_with({{"selection-unit", "block2x2"}, {"k-keep", "50"}}, clip);
  assert_equals_int(test::elements_of<float>(tensors.get(), "meta_scores").size(), 48);
}
GST_END_TEST;

// Frames without energy, of any format; those that have it, too. Random-access frames are not favoured.
GST_START_TEST(test_replenishment) {
  for (const char *format : {"I420", "P010_10LE", "GRAY8", "RGB"}) {
    Clip clip = noise_pictures(test::video_info(format, 96, 80, "bt709"), {0, 0, 96, 80}, 4);
    for (const bool energy : {false, true}) {
      clip.random_access[2] = energy;
      cps::SelectOptions options = keep(30);
      const auto tensors =
          run_with({{"ranking", "replenishment"}, {"k-keep", "30"}}, energy ? with_energy(clip) : clip);
      check_fields(tensors.get(), clip, expect_replenished(clip, options, kTarget));
      options.unit = cps::SelectionUnit::Block2x2;
      options.k_keep = 24;
      const auto blocks = run_with({{"ranking", "replenishment"}, {"selection-unit", "block2x2"}, {"k-keep", "24"}},
                                   energy ? with_energy(clip) : clip);
      const Expected expected = expect_replenished(clip, options, kTarget);
      check_fields(blocks.get(), clip, expected);
      if (std::string(format) == "I420")
        check_pixels(blocks.get(), clip, expected, kBt709);
      const Metadata metadata = metadata_of(blocks.get());
      fail_unless(metadata.at("ranking") == "replenishment" && metadata.count("energy_mode") == 0);
    }
  }
}
GST_END_TEST;

// With min-score, clips of one stream have different numbers of patches, and their caps say so. At least those that
// rank above all others are left.
GST_START_TEST(test_min_score) {
  const Clip clip = noise_clip();
  for (const char *ranking : {"energy", "replenishment"})
    for (const char *unit : {"patch", "block2x2"}) {
      Harness select("patchselect", kSmall);
      select.set("ranking", ranking);
      select.set("selection-unit", unit);
      select.set("k-keep", "40");
      select.start(test::video_caps(clip.info).get());
      const bool energy = ranking[0] == 'e';
      guint number = 0;
      size_t most = 100;
      for (const char *least : {"0", "20", "50", "1500", "30000", "1000000000"}) {
        select.set("min-score", least);
        cps::SelectOptions options = keep(40);
        options.unit = unit[0] == 'p' ? cps::SelectionUnit::Patch : cps::SelectionUnit::Block2x2;
        options.min_score = g_ascii_strtod(least, nullptr);
        if (!energy)
          options.ranking = cps::Ranking::Replenishment;
        const Expected expected = energy ? expect(clip, options, kTarget) : expect_replenished(clip, options, kTarget);
        const auto tensors = run(select, clip, number++);
        check_fields(tensors.get(), clip, expected);
        fail_unless(expected.selected.size() <= most);
        most = expected.selected.size();
        const Metadata metadata = metadata_of(tensors.get());
        fail_unless(g_ascii_strtod(metadata.at("min_score").c_str(), nullptr) == options.min_score);
      }
      assert_equals_int(most, 16); // one frame
    }
}
GST_END_TEST;

// The property may change from clip to clip.
GST_START_TEST(test_ranking_changes) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  select.start(test::video_caps(clip.info).get());
  for (guint i = 0; i < 4; ++i) {
    select.set("ranking", i % 2 ? "replenishment" : "energy");
    const auto tensors = run(select, clip, i);
    check_fields(tensors.get(), clip,
                 i % 2 ? expect_replenished(clip, keep(20), kTarget) : expect(clip, keep(20), kTarget));
  }
}
GST_END_TEST;

GST_START_TEST(test_static_fallback) {
  Clip clip = noise_clip("I420", 5);
  for (auto &map : clip.maps)
    for (float &value : map)
      value *= 0.001f; // hardly moves
  cps::SelectOptions options = keep(20);
  const auto without = run_with({}, clip);
  check_fields(without.get(), clip, expect(clip, options, kTarget));
  options.static_fallback = true;
  options.static_uniform_frames = 1;
  const Expected expected = expect(clip, options, kTarget);
  const auto with = run_with({{"static-fallback", "true"}, {"static-uniform-frames", "1"}}, clip);
  check_fields(with.get(), clip, expected);
  fail_unless(expected.selected != expect(clip, keep(20), kTarget).selected);

  options.static_abs_thresh = 1e-5; // not so still after all
  options.static_rel_thresh = 0;
  const auto moving = run_with({{"static-fallback", "true"},
                                {"static-uniform-frames", "1"},
                                {"static-abs-thresh", "1e-5"},
                                {"static-rel-thresh", "0"}},
                               clip);
  check_fields(moving.get(), clip, expect(clip, options, kTarget));
}
GST_END_TEST;

GST_START_TEST(test_more_than_there_are) {
  const Clip clip = noise_clip();
  const auto tensors = run_with({{"k-keep", "2147483647"}}, clip);
  const auto fields = test::elements_of<gint64>(tensors.get(), "meta_fields");
  assert_equals_int(fields.size(), 6 * 48);
  for (size_t i = 0; i < 48; ++i)
    assert_equals_int64(fields[6 * i + 3], static_cast<gint64>(i));
}
GST_END_TEST;

GST_START_TEST(test_nothing_to_keep) {
  for (const char *count : {"0", "-1", "-2147483648"}) {
    const Clip clip = noise_clip();
    const auto tensors = run_with({{"k-keep", count}}, clip);
    const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(tensors.get());
    assert_equals_int(meta->n_tensors, 3);
    assert_equals_int(gst_buffer_n_memory(tensors.get()), 3);
    for (guint i = 0; i < 3; ++i)
      assert_equals_int64(meta->tensors[i].dims[0], 0);
    fail_unless(test::elements_of<float>(tensors.get(), "patches").empty());
    assert_equals_int(meta->clip->n_frames, 3);
  }
}
GST_END_TEST;

GST_START_TEST(test_sequence_of_one) {
  const Clip clip = noise_clip("I420", 1);
  const auto tensors = run_with({{"k-keep", "5"}}, clip);
  const Expected expected = expect(clip, keep(5), kTarget);
  check_fields(tensors.get(), clip, expected);
  check_pixels(tensors.get(), clip, expected, kBt709);
}
GST_END_TEST;

TCase *patchselect::selection_tests() {
  TCase *tests = test::subject("selection");
  tcase_add_test(tests, test_random_access_frames);
  tcase_add_test(tests, test_no_random_access_frame);
  tcase_add_test(tests, test_blocks);
  tcase_add_test(tests, test_blocks_that_do_not_divide);
  tcase_add_test(tests, test_replenishment);
  tcase_add_test(tests, test_min_score);
  tcase_add_test(tests, test_ranking_changes);
  tcase_add_test(tests, test_static_fallback);
  tcase_add_test(tests, test_more_than_there_are);
  tcase_add_test(tests, test_nothing_to_keep);
  tcase_add_test(tests, test_sequence_of_one);
  return tests;
}
