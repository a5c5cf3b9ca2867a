// SPDX-License-Identifier: LGPL-2.1-or-later
// Truth under damage. One access unit of a file is damaged or lost, or the file ends within it. Frames that have
// nothing to do with it are those of the whole file, bit by bit. The others are told of, or look as they do in a full
// decode of the damaged file. None stands in the place of another.
#include "tests/matrix/damaged.h"
#include "tests/matrix/oracle.h"
#include "tests/pipelines/ffmpegfiles.h"

#include <algorithm>
#include <map>

namespace {

using namespace matrix;

constexpr int kCount = 48; // three GOPs of 16, and more than a second behind the damage

struct Decoder {
  const char *line;
  bool tells_errors = false; // of bits within a picture
};

// Each with one thread: what decoders make up in place of what is lost depends on which of them comes first.
constexpr Decoder kAvH264 = {"avdec_h264 max-threads=1"}, kAvH265 = {"avdec_h265 max-threads=1"},
                  kAvMpeg2 = {"avdec_mpeg2video max-threads=1"}, kAvMpeg4 = {"avdec_mpeg4 max-threads=1"},
                  kAvVp8 = {"avdec_vp8 max-threads=1"}, kAvVp9 = {"avdec_vp9 max-threads=1"},
                  kAvMjpeg = {"avdec_mjpeg"}, kDe265 = {"libde265dec"}, kVp8 = {"vp8dec"}, kVp9 = {"vp9dec"},
                  kAv1 = {"av1dec"}, kOursAv1 = {"avcodecdec max-threads=1"}, kOurs = {kOursAv1.line, true};

struct Codec {
  const char *name, *encoder; // options of ffmpeg
  const char *container;      // the ending of the file's name
  const char *reading;        // behind a filesrc
  std::vector<Decoder> decoders;
  Kind kind = {};
};

// GOPs of 16.
#define X264 "-c:v libx264 -preset veryfast -g 16 -x264-params scenecut=0:b-adapt=0:b-pyramid=none"
#define X265                                                                                                           \
  "-c:v libx265 -preset ultrafast -qp 12 -x265-params log-level=none:pools=1:frame-threads=1:keyint=16:min-keyint=16:" \
  "scenecut=0:bframes=2:b-adapt=0:b-pyramid=0"
#define MPEG(name) "-c:v " name " -bf 2 -g 16 -b:v 800k"
#define VPX(name) "-c:v " name " -cpu-used 5 -lag-in-frames 0 -auto-alt-ref 0 -b:v 400k -g 16"

const std::vector<Codec> &codecs() {
  static const std::vector<Codec> all = {
      {"H.264", X264 " -bf 0", "mp4", "qtdemux ! h264parse", {kAvH264, kOurs}},
      {"H.264", X264 " -bf 0", "h264", "h264parse", {kAvH264}, {true}},
      {"H.264 with B", X264 " -bf 2", "mkv", "matroskademux ! h264parse", {kAvH264}},
      {"H.264 with B", X264 " -bf 2", "ts", "tsdemux ! h264parse", {kOurs}, {true}},
      {"H.264, open GOP", X264 ":open-gop=1 -bf 2", "mp4", "qtdemux ! h264parse", {kAvH264, kOurs}},
      {"H.265", X265 ":open-gop=0", "mkv", "matroskademux ! h265parse", {kAvH265}},
      {"H.265, open GOP", X265, "mp4", "qtdemux ! h265parse", {kAvH265, kDe265}},
      {"MPEG-2", MPEG("mpeg2video"), "ts", "tsdemux ! mpegvideoparse", {kAvMpeg2}, {true, true}},
      {"MPEG-2", MPEG("mpeg2video"), "mkv", "matroskademux ! mpegvideoparse", {kOurs}, {false, true}},
      {"MPEG-4", MPEG("mpeg4"), "mp4", "qtdemux ! mpeg4videoparse", {kAvMpeg4, kOurs}, {false, true}},
      {"VP8", VPX("libvpx"), "webm", "matroskademux", {kAvVp8, kVp8}},
      {"VP9", VPX("libvpx-vp9"), "webm", "matroskademux", {kAvVp9, kVp9}},
      {"AV1",
       "-c:v libaom-av1 -usage realtime -cpu-used 8 -b:v 400k -g 16",
       "webm",
       "matroskademux ! av1parse",
       {kAv1, kOursAv1}},
      {"MJPEG", "-c:v mjpeg -q:v 4", "avi", "avidemux ! jpegparse", {kAvMjpeg}},
      {"FFV1", "-c:v ffv1 -level 3 -slicecrc 1 -g 16", "mkv", "matroskademux", {kOurs}},
  };
  return all;
}

// --- What is expected ---

// The frames of a file as ffmpeg shows them, by their pixels.
std::vector<std::string> frames_of_ffmpeg(const std::string &path) {
  std::istringstream lines(test::output_of(
      {"ffmpeg", "-v", "error", "-i", path, "-fps_mode", "passthrough", "-f", "framehash", "-hash", "sha256", "-"}));
  std::vector<std::string> frames;
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && line[0] != '#')
      frames.push_back(line.substr(line.rfind(' ') + 1));
  return frames;
}

struct Case {
  std::string what, path, reading;
  Decoder decoder;
  const std::vector<std::string> &whole; // the frames of the whole file
  const Victim &victim;
  bool timed;                     // the container has time stamps, which go on as the frames do
  std::map<size_t, Picture> full; // what a full decode of the damaged file shows, by number of the whole file
};

// --- What comes ---

struct Result {
  Outcome outcome;
  std::vector<Sampled> frames;
};

// Options of a sampler.
std::string options_of(const std::vector<size_t> &ids, const char *on_error) {
  std::string list;
  for (const size_t id : ids)
    list += (list.empty() ? "" : ",") + std::to_string(id);
  return "frame-ids=\"<" + list + ">\" on-error=" + on_error;
}

Result sample_ids(const Case &one, const char *strategy, const std::vector<size_t> &ids, const char *on_error) {
  Result result;
  Line line(planned(one.reading, strategy, one.decoder.line) + " ! uniformsampler name=sampler " +
            options_of(ids, on_error) + " ! fakesink");
  result.outcome = run_sampler(line, result.frames);
  line.stop();
  return result;
}

// By the bin, which looks for the decoder itself.
Result sample_by_bin(const Case &one, const std::vector<size_t> &ids, const char *on_error) {
  Result result;
  Line line(pipes::frames_of(one.path, options_of(ids, on_error)));
  result.outcome = run_sampler(line, result.frames, "sink", "sink");
  line.stop();
  return result;
}

// What of the frames that may be different is compared with a full decode.
enum class Compared { Nothing, Status, Pixels };

struct Told {
  int ok = 0, damaged = 0, others = 0; // of the frames that may be different
};

// Sampled without an error.
Told check_frames(const Case &one, const Result &result, const std::vector<size_t> &ids, Compared compared) {
  const char *what = one.what.c_str();
  fail_unless(result.outcome.eos, "%s: %s (%s)", what, result.outcome.error.c_str(), result.outcome.debug.c_str());
  const std::vector<Sampled> &frames = result.frames;
  fail_unless(frames.size() == ids.size(), "%s: %zu frames instead of %zu", what, frames.size(), ids.size());
  Told told;
  for (size_t i = 0; i < frames.size(); i++) {
    const Sampled &frame = frames[i];
    const auto id = static_cast<int>(ids[i]);
    fail_unless(frame.total == one.victim.frames.size(), "%s: %d frames in all, not %zu", what,
                static_cast<int>(frame.total), one.victim.frames.size());
    fail_unless(frame.frame_id == ids[i], "%s: frame %d instead of %d", what, static_cast<int>(frame.frame_id), id);
    const size_t number = one.victim.frames[ids[i]];
    if (one.timed) {
      const auto since_first = static_cast<gint64>(frame.pts - frames[0].pts);
      const auto expected = static_cast<gint64>((number - one.victim.frames[ids[0]]) * GST_SECOND / pipes::kClipRate);
      fail_unless(std::abs(since_first - expected) < GST_SECOND / pipes::kClipRate / 2,
                  "%s: frame %d is at another time", what, id);
    }
    if (!one.victim.affected[number]) {
      fail_unless(frame.status == CPS_FRAME_STATUS_OK, "%s: frame %d is told of", what, id);
      fail_unless(frame.picture.pixels == one.whole[number], "%s: frame %d is another (%d)", what, id,
                  frame.picture.number);
      continue;
    }
    if (compared == Compared::Nothing)
      continue;
    const auto full = one.full.find(number);
    const bool own = frame.status == CPS_FRAME_STATUS_OK || frame.status == CPS_FRAME_STATUS_DAMAGED;
    fail_unless(own == (full != one.full.end()), "%s: frame %d %s", what, id, own ? "comes" : "does not come");
    if (!own) {
      told.others++;
      const size_t stand_in = frame.status == CPS_FRAME_STATUS_SUBSTITUTED ? i - 1 : i + 1;
      fail_unless(stand_in < frames.size() && frame.picture.pixels == frames[stand_in].picture.pixels,
                  "%s: what stands in for frame %d is not its neighbour", what, id);
      continue;
    }
    const bool damaged = frame.status == CPS_FRAME_STATUS_DAMAGED;
    (damaged ? told.damaged : told.ok)++;
    fail_unless(damaged == full->second.damaged, "%s: frame %d is%s damaged", what, id, damaged ? "" : " not");
    fail_unless(compared != Compared::Pixels || frame.picture.pixels == full->second.pixels,
                "%s: frame %d differs from a full decode", what, id);
  }
  return told;
}

// What a full decode of the damaged file shows, up to its error, where it has one.
std::map<size_t, Picture> full_decode(const Case &one, const Units &units, std::string &error) {
  std::map<size_t, Picture> pictures;
  for (Picture &picture : decode(one.reading, one.decoder.line, &error)) {
    fail_unless(picture.unit < one.victim.units.size(), "%s: an access unit too many", one.what.c_str());
    pictures[units[one.victim.units[picture.unit]].frame] = std::move(picture);
  }
  return pictures;
}

std::vector<size_t> every(size_t step, size_t from, size_t end) {
  std::vector<size_t> ids;
  for (size_t id = from; id < end; id += step)
    ids.push_back(id);
  return ids;
}

// What our elements say of the damage first. Some decoders warn, too, but not of a frame.
std::string first_warning(const Outcome &outcome) {
  for (const std::string &warning : outcome.warnings)
    if (warning.rfind("Frame ", 0) == 0 || warning.rfind("The file is ", 0) == 0)
      return warning;
  return "";
}

// Whoever wants no substitutes gets an error that says the same as the first warning.
void check_failing(const Case &one, const Result &substituted, const std::vector<size_t> &ids) {
  const std::string warning = first_warning(substituted.outcome);
  const Result failing = sample_ids(one, "auto", ids, "fail");
  const Outcome &outcome = failing.outcome;
  fail_unless(outcome.failed() == !warning.empty(), "%s: %s (%s)", one.what.c_str(), outcome.error.c_str(),
              warning.c_str());
  const std::string subject = warning.substr(0, warning.find_first_of(":,")); // "Frame 7 is damaged"
  fail_unless(warning.empty() || (outcome.domain == GST_STREAM_ERROR && outcome.error.rfind(subject, 0) == 0 &&
                                  outcome.error.find("on-error=substitute") != std::string::npos),
              "%s: \"%s\" after \"%s\"", one.what.c_str(), outcome.error.c_str(), warning.c_str());
}

// The decoder gives up: so does whoever wants a frame that it gives up at, and all others are there.
void check_given_up(const Case &one) {
  const Result all = sample_ids(one, "auto", every(1, 0, one.victim.frames.size()), "substitute");
  fail_unless(all.outcome.failed(), "%s: no error", one.what.c_str());
  for (const Sampled &frame : all.frames)
    fail_unless(frame.picture.pixels == one.whole[one.victim.frames[frame.frame_id]], "%s: frame %d is another",
                one.what.c_str(), static_cast<int>(frame.frame_id));
  std::vector<size_t> others;
  for (size_t id = 0; id < one.victim.frames.size(); id++)
    if (!one.victim.affected[one.victim.frames[id]])
      others.push_back(id);
  check_frames(one, sample_ids(one, "auto", others, "fail"), others, Compared::Pixels);
  g_print("%s: the decoder gives up\n", one.what.c_str());
}

class Ranked {
public:
  Ranked(const char *factory, guint rank) : factory_(gst_element_factory_find(factory)) { set(rank); }
  ~Ranked() { set(GST_RANK_NONE); }
  Ranked(const Ranked &) = delete;
  Ranked &operator=(const Ranked &) = delete;

private:
  void set(guint rank) { gst_plugin_feature_set_rank(GST_PLUGIN_FEATURE(factory_.get()), rank); }

  Owned<GstElementFactory> factory_;
};

// With as many threads as there are, and by the decoder of choice.
void check_bin(const Case &one, bool flipped) {
  const std::vector<size_t> all = every(1, 0, one.victim.frames.size());
  check_frames(one, sample_by_bin(one, all, "substitute"), all, Compared::Nothing);
  if (!flipped || !one.decoder.tells_errors)
    return;
  const Ranked ours("avcodecdec", G_MAXINT);
  const Outcome outcome = sample_by_bin(one, all, "fail").outcome;
  fail_unless(outcome.domain == GST_STREAM_ERROR && outcome.error.find(" is damaged") != std::string::npos, "%s: %s",
              one.what.c_str(), outcome.failed() ? outcome.error.c_str() : "no error");
}

// Of the plans it is some, by turns, or all with CPS_ALL in the environment.
void check(Case one, const Units &units, Damage damage, size_t turn) {
  std::string error;
  one.full = full_decode(one, units, error);
  if (!error.empty()) {
    check_given_up(one);
    return;
  }
  const size_t count = one.victim.frames.size();
  const std::vector<size_t> all = every(1, 0, count);
  const Result planned = sample_ids(one, "auto", all, "substitute");
  // Of what ends too early, the pixels are up to what the memory held before.
  const Compared compared = damage == Damage::CutOff ? Compared::Status : Compared::Pixels;
  const Told told = check_frames(one, planned, all, compared);
  fail_unless(told.damaged > 0 || !flips(damage) || !one.decoder.tells_errors, "%s: nothing is told of",
              one.what.c_str());
  const bool everything = g_getenv("CPS_ALL") != nullptr;
  if (everything || turn % 3 == 0)
    check_frames(one, sample_ids(one, "stream", all, "substitute"), all, compared);
  if (everything || turn % 3 == 1)
    check_failing(one, planned, all);
  for (const size_t step : {2, 5, 7}) {
    const std::vector<size_t> some = every(step, 3, count);
    if (everything || (turn % 3 == 2 && step == 5))
      check_frames(one, sample_ids(one, "skip", some, "substitute"), some, Compared::Status);
  }
  if (everything || turn == 0)
    check_bin(one, flips(damage));
  g_print("%s: %d frames may differ, of which %d are told of and %d stand in for others\n", one.what.c_str(),
          told.ok + told.damaged + told.others, told.damaged, told.others);
}

} // namespace

// One codec and container a run.
GST_START_TEST(test_truth) {
  const Codec &codec = codecs()[static_cast<size_t>(__i__)];
  const gchar *only = g_getenv("CPS_STREAM"); // part of a name, to try one
  if ((only && !strstr(codec.name, only)) || !have_elements_of(codec.reading))
    return;
  const test::TempDir folder;
  const std::string container = codec.container, whole = folder.file("whole.") + container,
                    damaged = folder.file("damaged.") + container;
  // A movie whose header comes first can be read up to where it ends.
  const std::string header_first = container == "mp4" ? " -movflags +faststart " : " ";
  if (!pipes::can_ffmpeg(pipes::Pictures(kCount).input() + codec.encoder + header_first + whole))
    return;
  const Units units = units_of(whole);
  const std::vector<std::string> frames = frames_of_ffmpeg(whole);
  fail_unless(frames.size() == units.size(), "%zu frames of %zu units", frames.size(), units.size());
  size_t turn = 0;
  for (const Damage damage : kDamages) {
    const size_t unit = choose(units, damage);
    if (unit == units.size())
      continue;
    damage_file(whole, damaged, units, damage, unit);
    const Victim victim = expect(units, damage, unit, codec.kind);
    const bool timed = container != "h264" && std::is_sorted(victim.frames.begin(), victim.frames.end());
    for (const Decoder &decoder : codec.decoders)
      if (have_elements_of(decoder.line))
        check({std::string(codec.name) + " in " + container + ", " + decoder.line + ", " + name_of(damage), damaged,
               "filesrc location=" + damaged + " ! " + codec.reading, decoder, frames, victim, timed},
              units, damage, turn++);
  }
}
GST_END_TEST;

static Suite *damage_suite() {
  Suite *suite = suite_create("matrix-damage");
  TCase *tests = pipes::make_tests(suite, 300);
  tcase_add_loop_test(tests, test_truth, 0, static_cast<int>(codecs().size()));
  return suite;
}

int main(int argc, char **argv) {
  gst_check_init(&argc, &argv);
  if (!have_program("ffmpeg") || !have_program("ffprobe"))
    return 77; // as Meson has it
  return gst_check_run_suite(damage_suite(), "matrix-damage", __FILE__);
}
