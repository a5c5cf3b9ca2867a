// SPDX-License-Identifier: LGPL-2.1-or-later
// output-layout=canvas.
#include "tests/elements/patchselect/fixture.h"

using namespace patchselect;

namespace {

// With kSmall's properties, those that canvases need, and these.
void set_canvases(const Harness &select, const char *canvases, test::Properties properties = {}) {
  select.set("output-layout", "canvas");
  select.set("selection-unit", "block2x2");
  select.set("canvases", canvases);
  for (const auto &[name, value] : properties)
    select.set(name, value);
}

Owned<GstBuffer> run_canvases(const char *canvases, const Clip &clip, test::Properties properties = {}) {
  Harness select("patchselect", kSmall);
  set_canvases(select, canvases, properties);
  select.start(test::video_caps(clip.info).get());
  return run(select, clip);
}

using Position = std::vector<gint64>; // t, h, w

// One patch as a reader of docs/formats.md finds it: RGB per pixel, row by row.
struct Patch {
  Position position;
  std::vector<guint8> pixels;
  float score;
  bool operator==(const Patch &o) const { return position == o.position && pixels == o.pixels && score == o.score; }
};

gint64 dim_of(GstBuffer *tensors, const char *name, guint dim) {
  const CpsTensor *tensor = cps_tensor_meta_find(cps_buffer_get_tensor_meta(tensors), name);
  fail_unless(tensor != nullptr && dim < tensor->n_dims, "no %s", name);
  return tensor->dims[dim];
}

// Canvases as a reader of docs/formats.md finds them.
struct Canvases {
  explicit Canvases(GstBuffer *tensors)
      : count(dim_of(tensors, "canvases", 0)), height(dim_of(tensors, "canvases", 1)),
        width(dim_of(tensors, "canvases", 2)), rows(clip_of(tensors)->grid_height),
        columns(clip_of(tensors)->grid_width), rgb(test::elements_of<guint8>(tensors, "canvases")),
        positions(test::elements_of<gint64>(tensors, "patch_positions")),
        scores(test::elements_of<float>(tensors, "meta_scores")) {
    assert_equals_int64(dim_of(tensors, "canvases", 3), 3);
    assert_equals_int64(dim_of(tensors, "patch_positions", 0), count * rows * columns);
    assert_equals_int64(dim_of(tensors, "patch_positions", 1), 3);
    assert_equals_int64(dim_of(tensors, "meta_scores", 0), count * rows * columns);
    fail_unless(width == clip_of(tensors)->target_width && height == clip_of(tensors)->target_height);
  }

  Position position(gint64 canvas, gint64 row, gint64 column) const {
    const auto at = 3 * static_cast<size_t>((canvas * rows + row) * columns + column);
    return {positions[at], positions[at + 1], positions[at + 2]};
  }

  Patch patch(gint64 canvas, gint64 row, gint64 column) const {
    const gint64 side = width / columns;
    Patch out = {
        position(canvas, row, column), {}, scores[static_cast<size_t>((canvas * rows + row) * columns + column)]};
    for (gint64 y = row * side; y < (row + 1) * side; ++y)
      for (gint64 x = column * side; x < (column + 1) * side; ++x)
        for (gint64 c = 0; c < 3; ++c)
          out.pixels.push_back(rgb[static_cast<size_t>(((canvas * height + y) * width + x) * 3 + c)]);
    return out;
  }

  // All patches, block by block: top left, top right, bottom left, bottom right.
  std::vector<Patch> by_blocks() const {
    std::vector<Patch> out;
    for (gint64 canvas = 0; canvas < count; ++canvas)
      for (gint64 row = 0; row < rows; row += 2)
        for (gint64 column = 0; column < columns; column += 2)
          for (gint64 corner = 0; corner < 4; ++corner)
            out.push_back(patch(canvas, row + corner / 2, column + corner % 2));
    return out;
  }

  gint64 count, height, width, rows, columns;
  std::vector<guint8> rgb;
  std::vector<gint64> positions;
  std::vector<float> scores;
};

// The tensors of the default layout, of type u8, in the same terms.
std::vector<Patch> patches_of(GstBuffer *tensors) {
  const auto planar = test::elements_of<guint8>(tensors, "patches");
  const auto fields = test::elements_of<gint64>(tensors, "meta_fields");
  const auto scores = test::elements_of<float>(tensors, "meta_scores");
  const auto area = static_cast<size_t>(dim_of(tensors, "patches", 2) * dim_of(tensors, "patches", 3));
  std::vector<Patch> out;
  for (size_t k = 0; k < scores.size(); ++k) {
    out.push_back({{fields[6 * k + 1], fields[6 * k + 4], fields[6 * k + 5]}, {}, scores[k]});
    for (size_t i = 0; i < area; ++i)
      for (size_t c = 0; c < 3; ++c)
        out.back().pixels.push_back(planar[(3 * k + c) * area + i]);
  }
  return out;
}

// Each frame has the colour of its number, each patch that of its place.
Clip painted_clip() {
  Clip clip = noise_pictures(test::video_info("RGB", 56, 56, "sRGB"), {0, 0, 56, 56}, 3);
  for (int t = 0; t < 3; ++t)
    clip.pictures[static_cast<size_t>(t)].fill([t](int p, int x, int y) {
      return p == 0 ? 50 + t : p == 1 ? y / 14 : x / 14;
    });
  return clip;
}

} // namespace

// Of the second and the third frame, two blocks each have energy; all of the first one rank above them.
GST_START_TEST(test_golden) {
  Clip clip = painted_clip();
  const bool moves[3][2][2] = {
      {{false, false}, {false, false}}, {{false, true}, {true, false}}, {{true, false}, {false, true}}};
  for (const auto &frame : moves) {
    clip.maps.emplace_back();
    for (int y = 0; y < 32; ++y)
      for (int x = 0; x < 32; ++x)
        clip.maps.back().push_back(frame[y / 16][x / 16] ? 1.0f : 0.0f);
  }
  const auto tensors = run_canvases("2", clip);
  const Canvases canvases(tensors.get());
  const Position expected[2][4][4] = {{{{2, 0, 0}, {2, 0, 1}, {2, 0, 2}, {2, 0, 3}},
                                       {{2, 1, 0}, {2, 1, 1}, {2, 1, 2}, {2, 1, 3}},
                                       {{2, 2, 0}, {2, 2, 1}, {2, 2, 2}, {2, 2, 3}},
                                       {{2, 3, 0}, {2, 3, 1}, {2, 3, 2}, {2, 3, 3}}},
                                      {{{5, 0, 2}, {5, 0, 3}, {5, 2, 0}, {5, 2, 1}},
                                       {{5, 1, 2}, {5, 1, 3}, {5, 3, 0}, {5, 3, 1}},
                                       {{8, 0, 0}, {8, 0, 1}, {8, 2, 2}, {8, 2, 3}},
                                       {{8, 1, 0}, {8, 1, 1}, {8, 3, 2}, {8, 3, 3}}}};
  assert_equals_int64(canvases.count, 2);
  for (int n = 0; n < 2; ++n)
    for (int row = 0; row < 4; ++row)
      for (int column = 0; column < 4; ++column) {
        const Patch patch = canvases.patch(n, row, column);
        fail_unless(patch.position == expected[n][row][column], "canvas %d, row %d, column %d", n, row, column);
        const guint8 color[] = {static_cast<guint8>(50 + patch.position[0] / 3), static_cast<guint8>(patch.position[1]),
                                static_cast<guint8>(patch.position[2])};
        for (size_t i = 0; i < patch.pixels.size(); ++i)
          fail_unless(patch.pixels[i] == color[i % 3]);
        fail_unless(n == 0 ? patch.score == 0 : patch.score > 100);
      }
}
GST_END_TEST;

// What is in the canvases is what the default layout has, of random clips with random properties.
GST_START_TEST(test_against_patches) {
  std::mt19937 random(4);
  const auto draw = [&random](int least, int most) {
    return least + static_cast<int>(random() % static_cast<unsigned>(most - least + 1));
  };
  for (int i = 0; i < 200; ++i) {
    const char *formats[] = {"I420", "NV12", "P010_10LE", "GRAY8", "RGB", "Y42B"};
    const int width = draw(8, 150), height = draw(8, 120);
    Clip clip = noise_clip(test::video_info(formats[draw(0, 5)], width, height, "bt709"), {0, 0, width, height},
                           static_cast<guint>(draw(1, 5)), static_cast<unsigned>(i));
    for (auto &&flag : clip.random_access)
      flag = draw(0, 3) == 0;
    const int wanted = draw(1, 6);
    const auto canvases = std::to_string(wanted), input = std::to_string(draw(20, 90));
    const auto patch = std::to_string(draw(3, 20));
    const char *ranking = draw(0, 1) ? "energy" : "replenishment", *rule = draw(0, 1) ? "round" : "floor",
               *resample = draw(0, 1) ? "area" : "bilinear";
    const test::Properties common = {{"input-size", input.c_str()},
                                     {"patch-size", patch.c_str()},
                                     {"ranking", ranking},
                                     {"size-rule", rule},
                                     {"resample", resample},
                                     {"selection-unit", "block2x2"},
                                     {"static-fallback", draw(0, 1) ? "true" : "false"}};
    Harness select("patchselect", common);
    select.set("output-layout", "canvas");
    select.set("canvases", canvases.c_str());
    select.set("k-keep", "-1"); // is not used
    select.start(test::video_caps(clip.info).get());
    const auto tensors = run(select, clip);
    const Canvases packed(tensors.get());
    assert_equals_int64(packed.count, std::min<gint64>(wanted, clip.length()));
    fail_unless(packed.rows % 2 == 0 && packed.columns % 2 == 0);

    const auto count = std::to_string(packed.count * packed.rows * packed.columns);
    select.set("output-layout", "patches");
    select.set("output-dtype", "u8");
    select.set("k-keep", count.c_str());
    const auto expected = patches_of(run(select, clip, 1).get()), got = packed.by_blocks();
    assert_equals_uint64(got.size(), expected.size());
    for (size_t k = 0; k < got.size(); ++k)
      fail_unless(got[k] == expected[k], "clip %d: patch %zu, of %dx%d, patch-size %s, input-size %s", i, k, width,
                  height, patch.c_str(), input.c_str());
    if (ranking[0] == 'r') // the first canvas is the first frame
      for (gint64 row = 0; row < packed.rows; ++row)
        for (gint64 column = 0; column < packed.columns; ++column)
          fail_unless((packed.position(0, row, column) == Position{static_cast<gint64>(clip.ids[0]), row, column}));
  }
}
GST_END_TEST;

// All frames are all that there is.
GST_START_TEST(test_more_than_there_are) {
  const Clip clip = noise_clip();
  for (const char *canvases : {"3", "4", "4294967295"}) {
    const auto tensors = run_canvases(canvases, clip);
    const Canvases all(tensors.get());
    assert_equals_int64(all.count, 3);
    for (gint64 t = 0; t < 3; ++t)
      for (gint64 row = 0; row < 4; ++row)
        for (gint64 column = 0; column < 4; ++column)
          fail_unless((all.position(t, row, column) == Position{3 * t + 2, row, column}));
    assert_text(metadata_of(tensors.get()).at("canvases"), canvases);
  }
  const auto one = run_canvases("2", noise_clip("I420", 1));
  assert_equals_int64(Canvases(one.get()).count, 1);
}
GST_END_TEST;

// A frame that is sampled twice is two frames, which have one number.
GST_START_TEST(test_repeated_frames) {
  Clip clip = noise_clip();
  clip.ids = {7, 7, 4};
  const auto tensors = run_canvases("3", clip);
  const Canvases all(tensors.get());
  for (gint64 t = 0; t < 3; ++t)
    assert_equals_int64(all.position(t, 3, 3)[0], static_cast<gint64>(clip.ids[static_cast<size_t>(t)]));
}
GST_END_TEST;

GST_START_TEST(test_caps_and_metadata) {
  const Clip clip = noise_clip();
  Harness select("patchselect", kSmall);
  set_canvases(select, "2");
  select.start(test::video_caps(clip.info).get());
  const auto caps_are = [&select](const char *types, const char *dimensions) {
    const Owned<GstCaps> caps(gst_pad_get_current_caps(select.get()->sinkpad));
    const GstStructure *structure = gst_caps_get_structure(caps.get(), 0);
    assert_text(gst_structure_get_string(structure, "types"), types);
    assert_text(gst_structure_get_string(structure, "dimensions"), dimensions);
  };
  const auto canvases = run(select, clip);
  caps_are("uint8,int64,float32", "3:56:56:2,3:32,32");
  Metadata metadata = metadata_of(canvases.get());
  assert_text(metadata.at("output_layout"), "canvas");
  assert_text(metadata.at("canvases"), "2");
  assert_text(metadata.at("k_keep"), "20"); // as set
  assert_text(metadata.at("output_dtype"), "f32");

  select.set("output-layout", "patches"); // canvases is not used
  const auto patches = run(select, clip, 1);
  caps_are("float32,int64,float32", "14:14:3:20,6:20,20");
  assert_text(metadata_of(patches.get()).at("output_layout"), "patches");
  select.set("output-layout", "canvas");
  select.set("canvases", "3");
  const auto more = run(select, clip, 2);
  caps_are("uint8,int64,float32", "3:56:56:3,3:48,48");
}
GST_END_TEST;

// Bytes as tests/elements/tensorclip.cpp counts them.
GST_START_TEST(test_memory_limit) {
  const Clip clip = noise_clip();
  for (const int canvases : {1, 2, 3, 9}) {
    const int patches = std::min(canvases, 3) * 16;
    const int bytes = 3 * 56 * 56 * 3 * 2 + 3 * 16 * 24 + patches * (3 * 14 * 14 + 3 * 8 + 4);
    const std::string enough = std::to_string(bytes), less = std::to_string(bytes - 1);
    for (const auto &[limit, fits] : {std::pair(enough, true), std::pair(less, false)}) {
      Harness select("patchselect", kSmall);
      set_canvases(select, std::to_string(canvases).c_str());
      select.set("max-memory", limit.c_str());
      select.start(test::video_caps(clip.info).get());
      fail_unless((select.push(frame(clip, 0)) == GST_FLOW_OK) == fits, "%s", limit.c_str());
      if (!fits)
        select.check_error(("needs " + enough + " bytes").c_str());
    }
  }
}
GST_END_TEST;

GST_START_TEST(test_refusals) {
  const auto refused = [](test::Properties properties, const char *part) {
    Harness select("patchselect", kSmall);
    set_canvases(select, "2", properties);
    const Clip clip = noise_clip();
    select.start(test::video_caps(clip.info).get());
    fail_unless(select.push(frame(clip, 0)) == GST_FLOW_ERROR);
    select.check_error(part);
  };
  refused({{"selection-unit", "patch"}}, "set selection-unit=block2x2");
  refused({{"canvases", "0"}}, "set canvases to 1 or more");
  refused({{"min-score", "1"}}, "min-score does not go with output-layout=canvas");
  refused({{"scale", "0.5"}}, "scale, mean and std do not go with output-layout=canvas");
  refused({{"mean", "<1.0, 0.0, 0.0>"}}, "leave them unset");
  refused({{"std", "<1.0, 1.0, 2.0>"}}, "leave them unset");
  refused({{"mean", "<1.0>"}}, "three numbers");
  refused({{"patch-size", "0"}}, "patch-size is 0");
  run_canvases("1", noise_clip(), {{"scale", "1"}, {"mean", "<0.0, 0.0, 0.0>"}}); // what changes nothing is no matter
}
GST_END_TEST;

TCase *patchselect::canvas_tests() {
  TCase *tests = test::subject("canvases");
  tcase_add_test(tests, test_golden);
  tcase_add_test(tests, test_against_patches);
  tcase_add_test(tests, test_more_than_there_are);
  tcase_add_test(tests, test_repeated_frames);
  tcase_add_test(tests, test_caps_and_metadata);
  tcase_add_test(tests, test_memory_limit);
  tcase_add_test(tests, test_refusals);
  return tests;
}
