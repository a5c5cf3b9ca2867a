// SPDX-License-Identifier: LGPL-2.1-or-later
// What frameplanner saves, and how far it is from the least that a decoder has to do.
//
//   bench-planner [--rounds N] [--sampler PROPERTIES] [FILE...]
//
// With --sampler, the properties of uniformsampler instead of sequence-length=16, only the line with `auto` and its
// floor are measured.
//
// FILE is MP4 with H.264; without any, clips are made here, which takes some minutes. Of each clip it measures
//
//   full decode   the line up to the decoder, without a planner
//   stream, ...   the line up to the sampler (n = 16) with each strategy of the planner
//   index pass    the planner's first reading, from the first access unit until it asks for the way back; CPU time is
//                 that of the streaming thread, since nothing else runs then. It is part of the rows above
//   libavcodec    libavcodec alone, from memory: all packets of the clip, and only those that `auto` lets through. The
//                 second is the floor: neither demuxing, parsing, indexing nor GStreamer, nor emptying the decoder
//                 where the planner has it emptied
//
// all with the same number of decoding threads. Times are those of this process between setting the line to PLAYING and
// having it back in NULL, or opening and closing the decoder; medians of N rounds, in each of which every row runs
// once, so that other load on the machine hits all alike. Taking down what the floor decodes warms up.
//
// Memory is how the heap grows from the shortest to the longest clip, when the planner passes on the first access unit,
// less the same of a line without planner that has read to the end and gone back to the start.
#ifdef HAVE_LIBAVCODEC
#include "tests/benchmarks/floor.h"
#else
#include "tests/benchmarks/clips.h"
#endif

#include <functional>
#include <malloc.h>
#include <optional>
#include <unistd.h>

namespace {

using namespace bench;

struct Clip {
  std::string path;
  double target = 0; // for `auto`, as a part of full decode; 0: none
};

struct Cost {
  double wall, cpu;
  size_t units = 0; // that got to the decoder
};

struct Row {
  std::string name;
  std::function<Cost()> run;
  std::vector<Cost> costs = {};

  double wall() const {
    return median_of(costs, [](const Cost &cost) { return cost.wall; });
  }
  double cpu() const {
    return median_of(costs, [](const Cost &cost) { return cost.cpu; });
  }
};

// What avdec_h264 takes where nobody says; said all the same, so that all rows have as many.
int threads() {
  return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_CONF)));
}

// Takes GstVideoMeta, as patchenergy does: for fakesink avdec_h264 would copy every frame.
const std::string kSink = " ! fakevideosink sync=false";

std::string sampler_properties; // of --sampler

std::string reading(const std::string &file) {
  return "filesrc location=\"" + file + "\" ! qtdemux ! h264parse";
}

std::string full_line(const std::string &file) {
  return reading(file) + " ! avdec_h264 name=decoder max-threads=" + std::to_string(threads()) + kSink;
}

// `planner` may be something else than a planner, to compare with.
std::string sampling_line(const std::string &file, const std::string &planner) {
  return reading(file) + " ! " + planner +
         " name=planner ! avdec_h264 name=decoder max-threads=" + std::to_string(threads()) + " ! uniformsampler " +
         (sampler_properties.empty() ? "sequence-length=16" : sampler_properties) + kSink;
}

std::string strategy_line(const std::string &file, const std::string &strategy) {
  return sampling_line(file, "frameplanner uniform-strategy=" + strategy);
}

// The first reading of the planner at hand. Its pad function has nowhere else to put what it finds.
struct IndexPass {
  std::optional<Stopwatch> stopwatch;
  std::optional<Cost> cost;
  GstPadEventFunction event = nullptr;
};
IndexPass index_pass;

GstPadProbeReturn start_index_pass(GstPad *, GstPadProbeInfo *, gpointer) {
  index_pass.stopwatch.emplace(CLOCK_THREAD_CPUTIME_ID);
  return GST_PAD_PROBE_REMOVE;
}

// The planner sorts its index and asks for the seek back when the first reading ends.
gboolean timed_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  const bool end = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
  const gboolean done = index_pass.event(pad, parent, event);
  if (end && index_pass.stopwatch && !index_pass.cost)
    index_pass.cost = {index_pass.stopwatch->wall(), index_pass.stopwatch->cpu()};
  return done;
}

void watch_index_pass(GstElement *pipeline) {
  const Owned<GstPad> pad = pad_of(pipeline, "planner", "sink");
  index_pass = IndexPass();
  index_pass.event = GST_PAD_EVENTFUNC(pad.get());
  gst_pad_set_event_function(pad.get(), timed_event);
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, start_index_pass, nullptr, nullptr);
}

Cost run_line(const std::string &description, bool plans) {
  const Owned<GstElement> pipeline = make_line(description);
  if (plans)
    watch_index_pass(pipeline.get());
  size_t units = 0;
  gst_pad_add_probe(
      pad_of(pipeline.get(), "decoder", "sink").get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad *, GstPadProbeInfo *, gpointer count) {
        ++*static_cast<size_t *>(count);
        return GST_PAD_PROBE_OK;
      },
      &units, nullptr);
  const Stopwatch stopwatch;
  play(pipeline.get());
  const double wall = stopwatch.wall(), cpu = stopwatch.cpu();
  return {wall, cpu, units};
}

// --- The table ---

void print_head(const std::string &path, size_t units, int rounds) {
  std::printf("\n%s: %zu access units, %d threads, medians of %d\n", std::filesystem::path(path).filename().c_str(),
              units, threads(), rounds);
  std::printf("%-18s%8s%12s%8s%12s%8s\n", "", "decoded", "wall ms", "ratio", "CPU ms", "ratio");
}

void print_row(const Row &row, const Row &full) {
  const size_t units = row.costs.front().units;
  const double wall = row.wall(), cpu = row.cpu();
  std::printf("%-18s%8s%12.1f%8.3f%12.1f%8.3f\n", row.name.c_str(), units ? std::to_string(units).c_str() : "-",
              1e3 * wall, wall / full.wall(), 1e3 * cpu, cpu / full.cpu());
}

// A figure of wall time and one of CPU time, each a part of what another row takes.
void print_target(const char *what, const Row &row, const Row &of, double target) {
  std::printf("  %-28s wall %6.3f   CPU %6.3f", what, row.wall() / of.wall(), row.cpu() / of.cpu());
  if (target > 0)
    std::printf("   (<= %.2f)", target);
  std::printf("\n");
}

struct Measured {
  size_t units;
  std::vector<Row> rows; // full decode first
  Row index = {"index pass", nullptr};

  const Row *find(const std::string &name) const {
    const auto is_it = [&name](const Row &row) { return row.name == name; };
    const auto found = std::find_if(rows.begin(), rows.end(), is_it);
    return found == rows.end() ? nullptr : &*found;
  }
};

Measured measure(const Clip &clip, int rounds) {
  Measured measured;
  const bool only_auto = !sampler_properties.empty();
  std::vector<const char *> strategies = {"auto"};
  if (!only_auto) {
    measured.rows.push_back({"full decode", [&] { return run_line(full_line(clip.path), false); }});
    strategies.insert(strategies.begin(), {"stream", "skip", "seek"});
  }
  for (const char *strategy : strategies)
    measured.rows.push_back({strategy, [&, strategy] { return run_line(strategy_line(clip.path, strategy), true); }});

  Units all = all_units(clip.path);
  measured.units = all.buffers.size();
#ifdef HAVE_LIBAVCODEC
  const auto time = [](const Packets &packets) {
    const Stopwatch stopwatch;
    decode(packets, threads());
    const double wall = stopwatch.wall(), cpu = stopwatch.cpu();
    return Cost{wall, cpu, packets.packets.size()};
  };
  const Packets everything = packets_of(std::move(all));
  const Packets needed = packets_of(collect(strategy_line(clip.path, "auto"), "decoder", "sink"));
  if (!only_auto)
    measured.rows.push_back({"libavcodec, all", [&] { return time(everything); }});
  measured.rows.push_back({"libavcodec, auto's", [&] { return time(needed); }});
#endif
  for (int i = 0; i < rounds; i++)
    for (Row &row : measured.rows) {
      index_pass = IndexPass();
      row.costs.push_back(row.run());
      if (index_pass.cost)
        measured.index.costs.push_back(*index_pass.cost);
    }

  print_head(clip.path, measured.units, rounds);
  for (const Row &row : measured.rows)
    print_row(row, measured.rows.front());
  if (!measured.index.costs.empty())
    print_row(measured.index, measured.rows.front());
  std::fflush(stdout);
  return measured;
}

void print_targets(const Clip &clip, const Measured &measured) {
  const Row &full = measured.rows.front(), &planned = *measured.find("auto");
  std::printf("%s\n", std::filesystem::path(clip.path).filename().c_str());
  if (&planned != &full)
    print_target("auto / full decode", planned, full, clip.target);
  if (const Row *floor = measured.find("libavcodec, auto's"))
    print_target("auto / libavcodec", planned, *floor, 1.15);
  if (!measured.index.costs.empty() && &planned != &full)
    print_target("index pass / full decode", measured.index, full, 0.02);
}

// --- Memory ---

double heap() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

// Remembers how much there is when the next access unit leaves the element `planner`.
void note_heap(GstElement *pipeline, double &bytes) {
  gst_pad_add_probe(
      pad_of(pipeline, "planner", "src").get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad *, GstPadProbeInfo *, gpointer data) {
        *static_cast<double *>(data) = heap();
        return GST_PAD_PROBE_REMOVE;
      },
      &bytes, nullptr);
}

double heap_with_planner(const std::string &file) {
  const double before = heap();
  double after = 0;
  const Owned<GstElement> pipeline = make_line(sampling_line(file, "frameplanner"));
  note_heap(pipeline.get(), after);
  play(pipeline.get());
  return after - before;
}

// The demuxer keeps an entry for each access unit, too, and forgets its tables once it has read to the end.
double heap_without_planner(const std::string &file) {
  const double before = heap();
  double after = 0;
  const Owned<GstElement> pipeline = make_line(reading(file) + " ! identity name=planner ! fakesink sync=false");
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  wait(pipeline.get());
  note_heap(pipeline.get(), after);
  gst_element_seek_simple(pipeline.get(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0);
  finish(pipeline.get());
  return after - before;
}

void compare_memory(const std::vector<Clip> &clips, const std::vector<Measured> &measured) {
  const auto shorter = [](const Measured &a, const Measured &b) { return a.units < b.units; };
  const auto [low, high] = std::minmax_element(measured.begin(), measured.end(), shorter);
  const auto bytes_of = [&](auto which) {
    const std::string &file = clips[static_cast<size_t>(which - measured.begin())].path;
    return std::make_pair(heap_with_planner(file), heap_without_planner(file));
  };
  std::printf("memory\n");
  if (low->units == high->units) {
    std::printf("  takes clips of different length\n");
    return;
  }
  bytes_of(low); // what is allocated once
  const auto few = bytes_of(low), many = bytes_of(high);
  const auto units = static_cast<double>(high->units - low->units);
  const double with = (many.first - few.first) / units, without = (many.second - few.second) / units;
  std::printf("  %zu and %zu access units; bytes an access unit, with planner %.1f, without %.1f\n", low->units,
              high->units, with, without);
  std::printf("  %-28s      %6.1f   (<= 64)\n", "bytes an access unit", with - without);
}

// --- Clips ---

std::vector<Clip> make_clips(const TempDir &folder) {
  constexpr size_t kMinute = 60 * kRate;
  const std::string minute = folder.file("minute.mp4");
  std::vector<Clip> clips = {{folder.file("gop250-b3.mp4"), 0.3},
                             {folder.file("gop250-b3-pyramid.mp4"), 0.3},
                             {folder.file("gop60-b3-10min.mp4"), 0.04}};
  make_clip(clips[0].path, kMinute, "bframes=3 option-string=b-pyramid=none key-int-max=250");
  make_clip(clips[1].path, kMinute, "bframes=3 b-pyramid=true key-int-max=250");
  make_clip(minute, kMinute, "bframes=3 key-int-max=60");
  repeat_clip(clips[2].path, minute, 10);
  return clips;
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  int rounds = 3;
  std::vector<Clip> clips;
  for (int i = 1; i < argc; i++) {
    if (std::string(argv[i]) == "--rounds" && i + 1 < argc)
      rounds = std::max(1, std::atoi(argv[++i]));
    else if (std::string(argv[i]) == "--sampler" && i + 1 < argc)
      sampler_properties = argv[++i];
    else
      clips.push_back({argv[i]});
  }
  static std::optional<TempDir> folder; // static: stop() ends the program without unwinding
  if (clips.empty())
    clips = make_clips(folder.emplace());
#ifndef HAVE_LIBAVCODEC
  std::printf("built without libavcodec: no floor to compare with\n");
#endif
  std::vector<Measured> measured;
  for (const Clip &clip : clips)
    measured.push_back(measure(clip, rounds));
  std::printf("\nfigure (target)\n");
  for (size_t i = 0; i < clips.size(); i++)
    print_targets(clips[i], measured[i]);
  if (sampler_properties.empty())
    compare_memory(clips, measured);
  return 0;
}
