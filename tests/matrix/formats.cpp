// SPDX-License-Identifier: LGPL-2.1-or-later
// Pixel formats and ranges: whole frames through uniformdecodebin against what ffmpeg makes of the same file.
#include "gst/common/objectlock.h"
#include "tests/matrix/oracle.h"
#include "tests/pipelines/ffmpegfiles.h"

namespace {

using pipes::Line;
using pipes::Outcome;
using pipes::Owned;

constexpr int kCount = 3;

struct Row {
  const char *file;
  const char *options;         // of ffmpeg, for a file of that name
  bool converted = false;      // no view expresses the format
  double tolerance = 1.5;      // of the mean error: chroma is scaled in another way than swscale has it
  const char *size = "144x96"; // some encoders have a smallest one
  const char *refused = "";    // part of the error
};

// Full range without a word of the matrix, with one, and where the container loses it.
constexpr Row kFullRange[] = {
    {"h264.mkv", "-c:v libx264 -pix_fmt yuvj420p"},
    {"h264.mp4", "-c:v libx264 -pix_fmt yuvj420p"},
    {"h264.ts", "-c:v libx264 -pix_fmt yuvj420p"},
    {"h264-709.mp4", "-c:v libx264 -pix_fmt yuvj420p -colorspace bt709 -color_primaries bt709 -color_trc bt709"},
    {"h264-grey.mkv", "-c:v libx264 -pix_fmt gray -color_range pc"},
    {"h265.mkv", "-c:v libx265 -pix_fmt yuvj420p -x265-params log-level=none:range=full"},
    {"h265.mp4", "-c:v libx265 -tag:v hvc1 -pix_fmt yuvj420p -x265-params log-level=none:range=full:"
                 "colormatrix=smpte170m:colorprim=smpte170m:transfer=smpte170m -colorspace smpte170m -color_primaries "
                 "smpte170m -color_trc smpte170m"},
    {"vp9.webm", "-c:v libvpx-vp9 -pix_fmt yuv420p -color_range pc"},
    {"av1.webm", "-c:v libaom-av1 -cpu-used 8 -usage realtime -pix_fmt yuv420p -color_range pc"},
    {"av1.mp4", "-c:v libaom-av1 -cpu-used 8 -usage realtime -pix_fmt yuv420p -color_range pc"},
    {"mjpeg.avi", "-c:v mjpeg -pix_fmt yuvj420p -q:v 2"},
    {"mjpeg-444.mov", "-c:v mjpeg -pix_fmt yuvj444p -q:v 2"},
    {"mjpeg-limited.mov", "-c:v mjpeg -pix_fmt yuv420p -color_range tv -q:v 2"},
    {"ffv1.mkv", "-c:v ffv1 -pix_fmt yuv420p -color_range pc"},
};

constexpr Row kAlpha[] = {
    {"vp8.webm", "-c:v libvpx -pix_fmt yuva420p -auto-alt-ref 0"},
    {"vp9.webm", "-c:v libvpx-vp9 -pix_fmt yuva420p"},
    {"a420.mkv", "-c:v ffv1 -pix_fmt yuva420p"},
    {"a422.mkv", "-c:v ffv1 -pix_fmt yuva422p10le"},
    {"a444.mkv", "-c:v ffv1 -pix_fmt yuva444p10le"},
    {"prores.mov", "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le"},
    {"gbra12.mkv", "-c:v ffv1 -pix_fmt gbrap12le"},
    {"qtrle.mov", "-c:v qtrle -pix_fmt argb"},
    {"png.mov", "-c:v png -pix_fmt rgba"},
};

constexpr Row kOthers[] = {
    {"yuv9.mkv", "-c:v ffv1 -pix_fmt yuv410p", false, 2.5},
    {"svq1.mov", "-c:v svq1", false, 2.5},
    {"y41b.mkv", "-c:v ffv1 -pix_fmt yuv411p"},
    {"gbr10.mkv", "-c:v ffv1 -pix_fmt gbrp10le"},
    {"gbr12.mkv", "-c:v ffv1 -pix_fmt gbrp12le"},
    {"cfhd.mov", "-c:v cfhd -pix_fmt gbrp12le", false, 1.5, "512x288"},
    {"h265-12.mkv", "-c:v libx265 -pix_fmt yuv422p12le -x265-params log-level=none"},
    {"msvideo1.avi", "-c:v msvideo1", true},
    {"v210.mov", "-c:v v210", true},
    {"palette.mkv", "-c:v png -pix_fmt pal8"},
    // GStreamer 1.22 has no name for these.
    {"gbr16.mkv", "-c:v ffv1 -pix_fmt gbrp16le"},
    {"a444-8.mkv", "-c:v ffv1 -pix_fmt yuva444p"},
    {"grey10.mkv", "-c:v ffv1 -pix_fmt gray10le"},
    {"440-10.webm", "-c:v libvpx-vp9 -pix_fmt yuv440p10le", false, 2.5},
    // GStreamer's demuxer takes the palettes for frames.
    {"palettes.avi", "-vf gblur=sigma=4,split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1 "
                     "-c:v rawvideo -pix_fmt pal8 -strict normal"},
    {"avui.mov", "-c:v avui"},
    {"png48.mov", "-c:v png -pix_fmt rgb48be", false, 0, "144x96", "16 bits"},
};

// False with a message where ffmpeg here cannot make it.
bool make(const Row &row, const std::string &path) {
  return pipes::can_ffmpeg(std::string("-f lavfi -i testsrc2=rate=5:size=") + row.size +
                           " -vf gblur=sigma=4 -frames:v " + std::to_string(kCount) + " -strict -2 " + row.options +
                           " " + path);
}

std::string frames_of_ffmpeg(const std::string &path) {
  const std::string raw = path + ".rgb";
  matrix::output_of({"ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-sws_flags",
                     "bilinear+accurate_rnd+full_chroma_int", raw});
  return pipes::read_file(raw);
}

double mean_error(const std::string &expected, const std::vector<uint8_t> &frames) {
  double sum = 0;
  for (size_t i = 0; i < frames.size(); i++)
    sum += std::abs(static_cast<int>(static_cast<uint8_t>(expected[i])) - static_cast<int>(frames[i]));
  return sum / static_cast<double>(frames.size());
}

bool has_converter(const Line &line) {
  const Owned<GstElement> bin = line.get("bin");
  const cps::ObjectLock lock(bin.get());
  for (const GList *item = GST_BIN(bin.get())->children; item; item = item->next)
    if (g_str_has_prefix(GST_OBJECT_NAME(item->data), "videoconvert"))
      return true;
  return false;
}

void check(const Row &row, const std::string &path) {
  Line line("uniformdecodebin name=bin decode-backend=cpu sequence-length=" + std::to_string(kCount) +
            " ! framestack name=stack ! tensormetasink name=out");
  g_object_set(line.get("bin").get(), "uri", Owned<gchar>(gst_filename_to_uri(path.c_str(), nullptr)).get(), nullptr);
  bool converted = false;
  line.on_buffer("stack", "sink", [&](GstPad *, GstBuffer *) { converted = has_converter(line); });
  const Outcome outcome = line.run();
  if (*row.refused) {
    fail_unless(outcome.failed() && outcome.error.find(row.refused) != std::string::npos, "%s: %s", row.file,
                outcome.error.c_str());
    return;
  }
  fail_unless(outcome.eos && !outcome.failed(), "%s: %s (%s)", row.file, outcome.error.c_str(), outcome.debug.c_str());
  fail_unless(converted == row.converted, "%s: %s", row.file, converted ? "converted" : "not converted");
  GstSample *pulled = nullptr;
  g_signal_emit_by_name(line.get("out").get(), "try-pull-tensors", guint64{0}, &pulled);
  fail_unless(pulled != nullptr);
  const Owned<GstSample> sample(pulled);
  const std::vector<uint8_t> frames = pipes::tensor_values<uint8_t>(gst_sample_get_buffer(sample.get()), "frames");
  const std::string expected = frames_of_ffmpeg(path);
  fail_unless(frames.size() == expected.size(), "%s: %zu bytes, not %zu", row.file, frames.size(), expected.size());
  const double error = mean_error(expected, frames);
  fail_unless(error <= row.tolerance, "%s: %.2f off", row.file, error);
}

template <size_t kRows> void check_all(const Row (&rows)[kRows]) {
  const test::TempDir folder;
  for (const Row &row : rows)
    if (const std::string path = folder.file(row.file); make(row, path))
      check(row, path);
}

} // namespace

GST_START_TEST(test_full_range) {
  check_all(kFullRange);
}
GST_END_TEST;

GST_START_TEST(test_alpha) {
  check_all(kAlpha);
}
GST_END_TEST;

GST_START_TEST(test_others) {
  check_all(kOthers);
}
GST_END_TEST;

static Suite *formats_suite() {
  Suite *suite = suite_create("matrix-formats");
  TCase *tests = pipes::make_tests(suite, 300);
  tcase_add_test(tests, test_full_range);
  tcase_add_test(tests, test_alpha);
  tcase_add_test(tests, test_others);
  return suite;
}

GST_CHECK_MAIN(formats)
