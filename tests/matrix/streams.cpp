// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/matrix/streams.h"

#include "gst/codecpatch/owned.h"

namespace matrix {

namespace {

using cps::Owned;

// Encoders, with options that are separated by colons

// x264enc lets no option say how long a GOP may be, only its property.
std::string x264(int longest_gop, const std::string &options) {
  return "x264enc name=encoder speed-preset=veryfast pass=quant quantizer=24 b-adapt=false key-int-max=" +
         std::to_string(longest_gop) + " option-string=" + options + " ! ";
}

std::string x265(const std::string &options) {
  return "x265enc name=encoder speed-preset=ultrafast option-string=pools=2:frame-threads=1:rc-lookahead=20:qp=24:" +
         options + " ! ";
}

const std::string kPlain = x264(25, "bframes=0");
const std::string kVp8 = "vp8enc name=encoder deadline=1 target-bitrate=300000 ";
const std::string kVp9 = "vp9enc name=encoder deadline=1 cpu-used=8 target-bitrate=300000 ";
const std::string kAv1 = "av1enc name=encoder cpu-used=10 usage-profile=realtime target-bitrate=300 ";
const std::string kMpeg2 = "mpeg2enc name=encoder format=3 bitrate=800 ";
// Neither an option nor a property makes x264enc code fields, only the caps do.
const std::string kInterlaced = "capssetter caps=video/x-raw,interlace-mode=interleaved ! ";
const std::string kTen = "videoconvert ! video/x-raw,format=I420_10LE ! ";

// Containers

struct Container {
  std::string name, mux, demux;
  int frames = kFrames; // of them; it may end before the last one
};
const Container kMp4 = {"MP4", "mp4mux", "qtdemux"};
const Container kFragmented = {"fragmented MP4", "mp4mux fragment-duration=800", "qtdemux", kFrames - 2};
const Container kMov = {"MOV", "qtmux faststart=true", "qtdemux"};
const Container kMkv = {"Matroska", "matroskamux", "matroskademux"};
const Container kWebm = {"WebM", "webmmux", "matroskademux"};
const Container kTs = {"MPEG-TS", "mpegtsmux", "tsdemux"};
const Container kAvi = {"AVI", "avimux", "avidemux"};
const Container kFlv = {"FLV", "flvmux", "flvdemux"};

struct Codec {
  std::string parser, raw;
  std::vector<std::string> decoders;
};
const Codec kH264 = {"h264parse", "video/x-h264,stream-format=byte-stream", {"avdec_h264"}};
const Codec kH265 = {"h265parse", "video/x-h265,stream-format=byte-stream", {"avdec_h265", "libde265dec"}};

Stream in(const Container &container, const Codec &codec, const std::string &name, const std::string &encoder) {
  Stream stream = {name + " in " + container.name, encoder + codec.parser + " ! " + container.mux,
                   container.demux + " ! " + codec.parser, codec.decoders};
  stream.frames = container.frames;
  return stream;
}

Stream raw(const Codec &codec, const std::string &name, const std::string &encoder) {
  return {name + ", raw", encoder + codec.raw, codec.parser, codec.decoders};
}

template <typename Change> Stream with(Stream stream, Change change) {
  change(stream);
  return stream;
}

void add_h264(std::vector<Stream> &all) {
  const auto add = [&all](const std::string &name, int longest_gop, const std::string &options) {
    all.push_back(in(kMp4, kH264, "H.264 " + name, x264(longest_gop, options)));
  };
  add("I and P", 25, "bframes=0:ref=1");
  add("one B", 25, "bframes=1");
  add("three B", 25, "bframes=3:b-pyramid=none");
  add("pyramid of three B", 40, "bframes=3:b-pyramid=normal");
  add("strict pyramid", 40, "bframes=5:b-pyramid=strict:ref=3");
  add("eight B", 50, "bframes=8:b-pyramid=none:ref=4");
  add("pyramid of eight B, 16 references", 50, "bframes=8:b-pyramid=normal:ref=16");
  add("16 references", 1000, "bframes=2:ref=16");
  add("one GOP", 1000, "bframes=3");
  add("open GOP, one B", 12, "min-keyint=12:scenecut=0:bframes=1:open-gop=1");
  add("open GOP, three B", 12, "min-keyint=12:scenecut=0:bframes=3:open-gop=1:b-pyramid=none");
  add("open GOP, pyramid", 15, "min-keyint=15:scenecut=0:bframes=5:open-gop=1:b-pyramid=normal:ref=5");
  add("open GOP, one reference", 7, "min-keyint=7:scenecut=0:bframes=1:open-gop=1:ref=1:b-pyramid=none");
  all.back().decoders.emplace_back("avcodecdec");
  add("slices", 25, "bframes=2:slices=3");
  add("I slices only", 1, "bframes=0");
  all.push_back(in(kMp4, kH264, "H.264 interlaced", kInterlaced + x264(25, "bframes=3")));
  all.push_back(in(kMp4, kH264, "H.264 interlaced, open GOP",
                   kInterlaced + x264(12, "min-keyint=12:scenecut=0:bframes=2:open-gop=1")));
  all.back().decoders.emplace_back("avcodecdec");
  const std::string cuts = "bframes=3:scenecut=150:min-keyint=", common = x264(25, "bframes=3:b-pyramid=normal");
  all.push_back(with(in(kMp4, kH264, "H.264 scene cuts as IDR", x264(200, cuts + "1")),
                     [](Stream &stream) { stream.content = Content::Cuts; }));
  all.push_back(with(in(kMp4, kH264, "H.264 scene cuts as I", x264(200, cuts + "100")),
                     [](Stream &stream) { stream.content = Content::Cuts; }));
  all.push_back(with(in(kMp4, kH264, "H.264 weighted prediction", x264(40, "bframes=3:weightp=2:weightb=1:ref=3")),
                     [](Stream &stream) { stream.content = Content::Fades; }));
  all.push_back(with(in(kMp4, kH264, "H.264 intra refresh", x264(20, "bframes=0:intra-refresh=1")),
                     [](Stream &stream) { stream.keys = Keys::First; }));
  all.push_back(in(kMp4, kH264, "H.264 10 bit", kTen + common));
  for (const Container &container : {kMp4, kMkv})
    all.push_back(with(in(container, kH264, "H.264 at uneven times", common),
                       [](Stream &stream) { stream.times = Times::Uneven; }));
  for (const Container &container : {kFragmented, kMov, kMkv, kTs, kFlv})
    all.push_back(in(container, kH264, "H.264", common));
  all.push_back(in(kAvi, kH264, "H.264", kPlain));
  all.push_back(raw(kH264, "H.264", common));
  all.push_back({"H.264 as avc3",
                 common + "h264parse ! video/x-h264,stream-format=avc3 ! mp4mux",
                 "qtdemux ! h264parse",
                 {"avdec_h264"}});
  all.push_back({"H.264 as openh264 has it",
                 "openh264enc gop-size=20 ! h264parse ! mp4mux",
                 "qtdemux ! h264parse",
                 {"avdec_h264", "openh264dec"}});
}

void add_h265(std::vector<Stream> &all) {
  const auto add = [&all](const std::string &name, const std::string &options) {
    all.push_back(in(kMp4, kH265, "H.265 " + name, x265(options)));
  };
  add("I and P", "keyint=25:bframes=0:no-open-gop=1:ref=1");
  add("one B", "keyint=25:bframes=1:no-open-gop=1");
  add("three B", "keyint=25:bframes=3:b-pyramid=0:no-open-gop=1:b-adapt=0");
  add("pyramid of three B", "keyint=40:bframes=3:no-open-gop=1:b-adapt=0:ref=4");
  add("pyramid of eight B, 6 references", "keyint=50:bframes=8:no-open-gop=1:b-adapt=0:ref=6");
  add("one GOP", "keyint=-1:bframes=4:b-adapt=0:ref=5");
  add("16 references", "keyint=60:bframes=0:ref=16:allow-non-conformance=1");
  add("open GOP", "keyint=12:min-keyint=12:scenecut=0:bframes=3:b-adapt=0:open-gop=1");
  add("open GOP, no pyramid", "keyint=15:min-keyint=15:scenecut=0:bframes=5:b-adapt=0:open-gop=1:b-pyramid=0");
  add("RADL pictures", "keyint=15:min-keyint=15:scenecut=0:bframes=4:b-adapt=0:no-open-gop=1:radl=3");
  add("temporal layers", "keyint=30:bframes=4:b-adapt=0:temporal-layers=1:no-open-gop=1");
  add("temporal layers, open GOP", "keyint=20:bframes=3:b-adapt=0:temporal-layers=1:open-gop=1");
  add("slices", "keyint=25:bframes=2:slices=3:no-open-gop=1");
  add("short picture order counts", "keyint=100:bframes=3:b-adapt=0:log2-max-poc-lsb=4:no-open-gop=1");
  add("short picture order counts, open GOP", "keyint=30:min-keyint=30:bframes=3:b-adapt=0:log2-max-poc-lsb=4");
  all.push_back(with(in(kMp4, kH265, "H.265 intra refresh", x265("keyint=20:bframes=0:intra-refresh=1")),
                     [](Stream &stream) { stream.keys = Keys::First; }));
  all.push_back({"H.265 of uneven GOPs",
                 "ffmpeg -c:v libx265 -preset ultrafast -x265-params log-level=none:pools=2:keyint=200:bframes=3:qp=24 "
                 "-force_key_frames 0.36,0.8,2.04,3.8 -f mp4",
                 "qtdemux ! h265parse",
                 {"avdec_h265", "libde265dec"},
                 Content::Cuts});
  all.push_back(
      with(in(kMp4, kH265, "H.265 weighted prediction", x265("keyint=40:bframes=3:weightp=1:weightb=1:ref=3")),
           [](Stream &stream) { stream.content = Content::Fades; }));
  const std::string common = "keyint=25:bframes=3:b-adapt=0";
  all.push_back(with(in(kMp4, kH265, "H.265 10 bit", kTen + x265(common)),
                     [](Stream &stream) { stream.decoders = {"avdec_h265"}; })); // libde265dec writes past its frames
  all.push_back(with(in(kMkv, kH265, "H.265 at uneven times", x265(common)),
                     [](Stream &stream) { stream.times = Times::Uneven; }));
  for (const Container &container : {kFragmented, kMkv, kTs})
    all.push_back(in(container, kH265, "H.265", x265(common)));
  all.push_back(raw(kH265, "H.265", x265(common)));
  all.push_back({"H.265 as hev1",
                 x265(common) + "h265parse ! video/x-h265,stream-format=hev1 ! mp4mux",
                 "qtdemux ! h265parse",
                 {"avdec_h265"}});
}

// libvpx and libaom need no parser behind a demuxer.
void add_vpx_and_av1(std::vector<Stream> &all) {
  const auto add = [&all](const std::string &name, const std::string &make, const std::string &reading,
                          const std::vector<std::string> &decoders) {
    all.push_back({name, make, reading, decoders});
  };
  const std::string webm = " ! webmmux", demux = "matroskademux";
  const std::string layers = " -b:v 300k -g 40 -deadline realtime -cpu-used 8 -ts-parameters "
                             "ts_number_layers=3:ts_target_bitrate=100,200,300:ts_rate_decimator=4,2,1:"
                             "ts_periodicity=4:ts_layer_id=0,2,1,2:ts_layering_mode=3 -f webm";
  const std::vector<std::string> vp8 = {"vp8dec", "avdec_vp8"}, vp9 = {"vp9dec", "avdec_vp9"},
                                 av1 = {"av1dec", "avcodecdec"};
  add("VP8", kVp8 + "keyframe-max-dist=20" + webm, demux, vp8);
  add("VP8 with alternate references", kVp8 + "keyframe-max-dist=30 auto-alt-ref=true lag-in-frames=10" + webm, demux,
      vp8);
  add("VP8, one GOP", kVp8 + "keyframe-max-dist=1000 error-resilient=default" + webm, demux, vp8);
  add("VP8 in temporal layers", "ffmpeg -c:v libvpx" + layers, demux, vp8);
  add("VP9", kVp9 + "keyframe-max-dist=20" + webm, demux, vp9);
  add("VP9 with alternate references", kVp9 + "keyframe-max-dist=30 auto-alt-ref=true lag-in-frames=16" + webm, demux,
      vp9);
  add("VP9, one GOP", kVp9 + "keyframe-max-dist=1000" + webm, demux, vp9);
  add("VP9 in temporal layers", "ffmpeg -c:v libvpx-vp9" + layers, demux, vp9);
  add("VP9 10 bit",
      "ffmpeg -c:v libvpx-vp9 -b:v 300k -g 30 -deadline realtime -cpu-used 8 -pix_fmt yuv420p10le -f webm", demux, vp9);
  add("VP9 behind a parser", kVp9 + "keyframe-max-dist=20 ! vp9parse" + webm, demux + " ! vp9parse", vp9);
  add("AV1", kAv1 + "keyframe-max-dist=20 ! av1parse" + webm, demux + " ! av1parse", av1);
  add("AV1 of hidden frames",
      "av1enc name=encoder cpu-used=8 target-bitrate=300 keyframe-max-dist=40 lag-in-frames=19 "
      "! av1parse" +
          webm,
      demux + " ! av1parse", av1);
  add("AV1 in MP4", kAv1 + "keyframe-max-dist=20 ! av1parse ! mp4mux", "qtdemux ! av1parse", av1);
  add("AV1 10 bit", "ffmpeg -c:v libaom-av1 -usage realtime -cpu-used 8 -b:v 300k -g 30 -pix_fmt yuv420p10le -f webm",
      demux + " ! av1parse", av1);
  add("AV1 of SVT", "ffmpeg -c:v libsvtav1 -preset 12 -g 40 -svtav1-params hierarchical-levels=4 -f webm",
      demux + " ! av1parse", av1);
  add("AV1 of SVT with forward key frames",
      "ffmpeg -c:v libsvtav1 -preset 12 -g 24 -svtav1-params hierarchical-levels=3:irefresh-type=1 -f webm",
      demux + " ! av1parse", av1);
  add("AV1 of rav1e", "ffmpeg -c:v librav1e -speed 10 -g 40 -f webm", demux + " ! av1parse", av1);
}

void add_others(std::vector<Stream> &all) {
  const auto add = [&all](const std::string &name, const std::string &make, const std::string &reading,
                          const std::vector<std::string> &decoders) {
    all.push_back({name, make, reading, decoders});
  };
  const std::vector<std::string> mpeg2 = {"avdec_mpeg2video", "mpeg2dec"};
  const std::string parse = "mpegvideoparse";
  add("MPEG-2", kMpeg2 + "min-gop-size=9 max-gop-size=12 b-per-refframe=2", parse, mpeg2);
  add("MPEG-2 of one header", kMpeg2 + "min-gop-size=9 max-gop-size=12 b-per-refframe=2", parse, {"avdec_mpeg2video"});
  all.back().change = Change::OneHeader;
  all.back().keys = Keys::First;
  add("MPEG-2, I and P in MPEG-TS", kMpeg2 + "b-per-refframe=0 ! mpegvideoparse ! mpegtsmux", "tsdemux ! " + parse,
      mpeg2);
  add("MPEG-2, closed GOPs in Matroska", kMpeg2 + "closed-gop=true b-per-refframe=2 ! mpegvideoparse ! matroskamux",
      "matroskademux ! " + parse, mpeg2);
  add("MPEG-2, interlaced in Matroska", kMpeg2 + "interlace-mode=1 b-per-refframe=2 ! mpegvideoparse ! matroskamux",
      "matroskademux ! " + parse, mpeg2);
  add("MPEG-2, interlaced", "ffmpeg -c:v mpeg2video -g 15 -bf 2 -flags +ildct+ilme -b:v 800k -f mpegts",
      "tsdemux ! " + parse, {"avdec_mpeg2video", "avcodecdec"}); // mpeg2dec loses the end of it
  add("MPEG-1", "ffmpeg -c:v mpeg1video -g 15 -bf 2 -b:v 800k -f matroska", "matroskademux ! " + parse,
      {"avdec_mpeg2video"});
  add("MPEG-4", "ffmpeg -c:v mpeg4 -g 25 -bf 2 -b:v 800k -f mp4", "qtdemux ! mpeg4videoparse", {"avdec_mpeg4"});
  add("MPEG-4 in AVI", "ffmpeg -c:v mpeg4 -g 25 -bf 0 -b:v 800k -f avi", "avidemux ! mpeg4videoparse", {"avdec_mpeg4"});
  add("MPEG-4 of packed B", "ffmpeg -c:v libxvid -g 25 -bf 2 -q:v 3 -f avi", "avidemux ! mpeg4videoparse",
      {"avdec_mpeg4"});
  all.back().frames = kFrames - 1;
  all.back().keys = Keys::Unchecked;
  add("MJPEG", "jpegenc ! avimux", "avidemux ! jpegparse", {"jpegdec", "avdec_mjpeg"});
  add("ProRes", "ffmpeg -c:v prores_ks -f mov", "qtdemux", {"avdec_prores"});
  add("FFV1", "ffmpeg -c:v ffv1 -f matroska", "matroskademux", {"avdec_ffv1"});
  add("Theora", "theoraenc keyframe-force=20 ! matroskamux", "matroskademux", {"theoradec"});
}

// Codecs whose pictures do not refer to each other in ways that are known here.
void add_older(std::vector<Stream> &all) {
  const struct {
    const char *encoder, *decoder;
    Keys keys;
    std::vector<const char *> containers;
  } codecs[] = {
      {"msmpeg4v2", "avdec_msmpeg4v2", Keys::Libav, {"avi", "asf", "matroska"}},
      {"msmpeg4", "avdec_msmpeg4", Keys::Libav, {"avi", "asf", "mov", "matroska"}},
      {"wmv1", "avdec_wmv1", Keys::Libav, {"avi", "asf", "matroska"}},
      {"wmv2", "avdec_wmv2", Keys::Libav, {"avi", "asf", "matroska"}},
      {"mpeg4 -bf 2", "avdec_mpeg4", Keys::Libav, {"asf"}},
      {"flv1", "avdec_flv", Keys::Libav, {"flv", "avi", "matroska"}},
      {"h263p", "avdec_h263", Keys::Libav, {"avi", "mov"}},
      {"ffv1", "avdec_ffv1", Keys::Libav, {"avi", "mov", "matroska"}},
      {"ffv1 -level 3 -coder 1", "avdec_ffv1", Keys::Libav, {"matroska"}},
      {"libtheora", "theoradec", Keys::Libav, {"ogg", "matroska"}},
      {"huffyuv -pix_fmt yuv422p", "avdec_huffyuv", Keys::Libav, {"avi", "matroska"}},
      {"asv1", "avdec_asv1", Keys::Libav, {"avi"}},
      {"asv2", "avdec_asv2", Keys::Libav, {"avi"}},
      {"cfhd", "avdec_cfhd", Keys::Libav, {"avi", "mov"}},
      {"cinepak", "avdec_cinepak", Keys::First, {"avi", "mov"}},
      {"flashsv", "avdec_flashsv", Keys::First, {"flv"}},
      {"zmbv", "avdec_zmbv", Keys::First, {"avi"}},
      {"qtrle", "avdec_qtrle", Keys::First, {"mov"}},
  };
  for (const auto &[encoder, decoder, keys, containers] : codecs)
    for (const std::string container : containers) {
      const std::string name = encoder, demuxer = container == "mov" ? "qtdemux" : container + "demux";
      const std::string parser = name == "h263p" ? " ! h263parse" : name == "mpeg4 -bf 2" ? " ! mpeg4videoparse" : "";
      all.push_back({name + " in " + container,
                     "ffmpeg -c:v " + name + " -g 20 -b:v 800k -f " + container,
                     demuxer + parser,
                     {decoder}});
      all.back().keys = keys;
    }
}

void add_files(std::vector<Stream> &all) {
  const std::string x264 = "ffmpeg -c:v libx264 -preset veryfast -g 30 -bf 3 ";
  const auto add = [&all](const std::string &name, const std::string &make, const std::string &reading) {
    all.push_back({name, make, reading, {"avdec_h264"}});
  };
  add("H.264 with an edit list", x264 + "-f mp4", "qtdemux ! h264parse");
  add("H.264 with an edit list that begins later", x264 + "-f mp4", "qtdemux ! h264parse");
  all.back().change = Change::LaterStart;
  add("H.264 with an empty edit", x264 + "-output_ts_offset 0.7 -f mp4", "qtdemux ! h264parse");
  add("H.264 with negative composition offsets", x264 + "-movflags negative_cts_offsets -f mp4", "qtdemux ! h264parse");
  add("H.264 of libavformat, fragmented", x264 + "-movflags frag_keyframe+empty_moov -f mp4", "qtdemux ! h264parse");
  add("H.264 of libavformat in AVI", x264 + "-f avi", "avidemux ! h264parse");
  all.push_back(in(kAvi, kH264, "H.264 that promises more", kPlain));
  all.back().change = Change::PromisesMore;
  all.back().may_warn = true;
  add("H.264 of libavformat in MPEG-TS", x264 + "-f mpegts", "tsdemux ! h264parse");
  add("H.264 of libavformat in FLV", x264 + "-f flv", "flvdemux ! h264parse");
}

Stream lossy(Stream stream, const std::vector<int> &lost) {
  stream.name += " without";
  for (const int unit : lost)
    stream.name += " " + std::to_string(unit);
  stream.lost = lost;
  stream.frames -= static_cast<int>(lost.size());
  return stream;
}

void add_damaged(std::vector<Stream> &all) {
  const std::string avc = x264(25, "bframes=3:b-pyramid=normal"), one = x264(1000, "bframes=2"),
                    hevc = x265("keyint=25:bframes=3:b-adapt=0");
  for (const std::vector<int> &lost : std::vector<std::vector<int>>{{10}, {11}, {12, 13}, {60, 61, 62}, {5, 50, 90}}) {
    all.push_back(lossy(in(kMp4, kH264, "H.264", avc), lost));
    all.push_back(lossy(in(kTs, kH264, "H.264 of one GOP", one), lost));
    all.push_back(lossy(in(kMkv, kH265, "H.265", hevc), lost));
  }
  for (const std::vector<int> &lost : std::vector<std::vector<int>>{{7}, {30, 31}}) {
    all.push_back(
        lossy({"VP8", kVp8 + "keyframe-max-dist=20 ! webmmux", "matroskademux", {"vp8dec", "avdec_vp8"}}, lost));
    all.push_back(
        lossy({"VP9", kVp9 + "keyframe-max-dist=20 ! webmmux", "matroskademux", {"vp9dec", "avdec_vp9"}}, lost));
    all.back().out_of_order = all.back().may_warn = true; // vp9dec shows nothing more up to the next key frame
    all.back().keys = Keys::Unchecked;
    all.push_back(lossy({"AV1",
                         kAv1 + "keyframe-max-dist=20 ! av1parse ! webmmux",
                         "matroskademux ! av1parse",
                         {"av1dec", "avcodecdec"}},
                        lost));
    all.push_back(lossy({"MPEG-2",
                         kMpeg2 + "b-per-refframe=2 ! mpegvideoparse ! matroskamux",
                         "matroskademux ! mpegvideoparse",
                         {"avdec_mpeg2video"}},
                        lost));
  }
  for (const int first : {25, 50}) { // IDR pictures
    all.push_back(lossy(in(kMp4, kH264, "H.264", avc), {first}));
    all.back().out_of_order = true;
    all.push_back(lossy(in(kMkv, kH265, "H.265", hevc), {first}));
    all.back().out_of_order = true;
  }
  const auto cut_off = [&all](Stream stream, Change change) {
    stream.name += ", cut off";
    stream.change = change;
    stream.may_warn = true;
    all.push_back(stream);
  };
  for (const Container &container : {kMkv, kFlv, kMov})
    cut_off(in(container, kH264, "H.264", avc), Change::CutOff);
  // These do not tell how long an access unit is.
  for (const Stream &stream : {raw(kH264, "H.264", avc), in(kTs, kH264, "H.264", avc), raw(kH265, "H.265", hevc),
                               in(kTs, kH265, "H.265", hevc)})
    cut_off(stream, Change::Torn);
  for (Stream stream : {raw(kH264, "H.264", avc), in(kTs, kH264, "H.264", avc), raw(kH265, "H.265", hevc)}) {
    stream.name += ", wider in the middle";
    stream.decoders.resize(1); // libde265dec announces the new size before the last frames of the old
    stream.wide_from = 70;
    all.push_back(stream);
  }
}

void add_given(std::vector<Stream> &all) {
  for (const char *name : {"demo.mp4", "bt709_full_range.mp4", "nasa_13013.mp4"})
    all.push_back({name, "", "qtdemux ! h264parse", {"avdec_h264"}});
  all.push_back({"h265_10bits.mp4", "", "qtdemux ! h265parse", {"avdec_h265"}});
  all.push_back({"corrupted.mp4", "", "qtdemux ! h264parse", {"avdec_h264"}});
  Stream &corrupted = all.back(); // frame 32 does not come
  corrupted.frames = 50;
  corrupted.keys = Keys::Unchecked;
  corrupted.out_of_order = corrupted.may_warn = true;
}

// The decoders of NVIDIA, where there is a GPU. What is not as it should be is left to those that define what comes of
// it.
void add_nvidia_decoders(std::vector<Stream> &all) {
  constexpr struct {
    const char *software, *nvidia;
  } decoders[] = {{"avdec_h264", "nvh264sldec"}, {"avdec_h264", "nvh264dec"}, {"avdec_h265", "nvh265sldec"},
                  {"avdec_h265", "nvh265dec"},   {"vp8dec", "nvvp8sldec"},    {"vp9dec", "nvvp9sldec"},
                  {"av1dec", "nvav1dec"}};
  for (Stream &stream : all)
    for (const auto &[software, nvidia] : decoders) {
      const bool ten_bit_h264 = stream.name.rfind("H.264 10 bit", 0) == 0; // no GPU has it
      const Owned<GstElementFactory> factory(gst_element_factory_find(nvidia));
      if (factory && stream.decoders[0] == software && !ten_bit_h264 && !stream.may_warn)
        stream.decoders.emplace_back(nvidia);
    }
}

} // namespace

std::vector<Stream> streams(const std::string &group) {
  constexpr struct {
    const char *name;
    void (*add)(std::vector<Stream> &);
  } groups[] = {{"h264", add_h264},   {"h265", add_h265},   {"vpx-av1", add_vpx_and_av1}, {"others", add_others},
                {"older", add_older}, {"files", add_files}, {"damaged", add_damaged},     {"given", add_given}};
  std::vector<Stream> all;
  for (const auto &[name, add] : groups)
    if (group == name)
      add(all);
  if (group != "damaged")
    add_nvidia_decoders(all);
  return all;
}

} // namespace matrix
