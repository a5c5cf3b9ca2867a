// SPDX-License-Identifier: LGPL-2.1-or-later
// The synthetic clip as RGB frames through the elements: the results of the original, patch for patch.
#include "tests/golden/golden.h"
#include "tests/kernels/synthclip.h"

namespace {

using pipes::Owned;

// All frames, each with its identity.
std::vector<Owned<GstBuffer>> stamped_frames() {
  std::vector<Owned<GstBuffer>> frames;
  for (int t = 0; t < synth::kFrames; t++) {
    const std::vector<uint8_t> pixels = synth::draw(t);
    Owned<GstBuffer> buffer(gst_buffer_new_memdup(pixels.data(), pixels.size()));
    GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(t) * 40 * GST_MSECOND;
    cps_buffer_add_frame_meta(buffer.get(), static_cast<guint64>(t), synth::kFrames, GST_BUFFER_PTS(buffer.get()),
                              t % synth::kKeyInterval == 0 ? CPS_FRAME_FLAG_RANDOM_ACCESS : CPS_FRAME_FLAG_NONE);
    frames.push_back(std::move(buffer));
  }
  return frames;
}

void check_configuration(const std::string &name, JsonObject *result) {
  const char *upload = g_getenv("CPS_UPLOAD"); // an element that takes the frames elsewhere
  pipes::Line line("appsrc name=in ! " + (upload ? upload + std::string(" ! ") : "") +
                   golden::elements(golden::config_of(result)));
  const Owned<GstCaps> caps(gst_caps_new_simple(
      "video/x-raw", "format", G_TYPE_STRING, "RGB", "width", G_TYPE_INT, synth::kWidth, "height", G_TYPE_INT,
      synth::kHeight, "framerate", GST_TYPE_FRACTION, 25, 1, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr));
  line.feed(caps.get(), stamped_frames());
  const pipes::Outcome outcome = line.run();
  const pipes::Tensors &clip = outcome.only_clip();

  golden::check_frame_ids(name, clip, result);
  const golden::Agreement agreement = golden::compare(name, clip, result);
  g_print("%s: IoU %.4f, scores within %.2g\n", name.c_str(), agreement.iou, agreement.score_error);
  fail_unless(agreement.iou == 1.0, "%s: IoU %g", name.c_str(), agreement.iou);
  fail_unless(agreement.score_error < 1e-3, "%s: scores differ by %g", name.c_str(), agreement.score_error);
  for (size_t i = 0; i < clip.count(); i++) {
    fail_unless(clip.index(i) == golden::golden_fields(result, i)[3], "%s: patch %zu is out of order", name.c_str(), i);
    const double mean = golden::mean_of(clip.values(i)), expected = golden::golden_number(result, "patch_means", i);
    fail_unless(std::fabs(mean - expected) < 2e-2, "%s: mean of patch %zu is %g instead of %g", name.c_str(), i, mean,
                expected);
  }
  fail_unless_equals_float(clip.clip->fps, 25.0);
}

} // namespace

GST_START_TEST(test_synthetic_clip) {
  const std::string path = pipes::shared_file("golden/synth.json");
  if (path.empty())
    return;
  const golden::Results results(path);
  fail_unless_equals_int(static_cast<int>(results.configurations().size()), 8);
  for (const auto &[name, result] : results.configurations())
    check_configuration(name, result);
}
GST_END_TEST;

static Suite *synth_suite() {
  Suite *suite = suite_create("golden-synth");
  TCase *tests = pipes::make_tests(suite);
  tcase_add_test(tests, test_synthetic_clip);
  return suite;
}

int main(int argc, char **argv) {
  gst_check_init(&argc, &argv);
  const char *upload = g_getenv("CPS_UPLOAD");
  if (upload && !pipes::have_elements({upload}))
    return 77; // as Meson has it
  return gst_check_run_suite(synth_suite(), "synth", __FILE__);
}
