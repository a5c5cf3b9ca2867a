#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes each rule by which frameplanner drops access units wrong, and checks that a test of the matrix fails. Does the
same for the assumptions of the CUDA kernels, with tests on the simulated driver, and for the rules of rotation, of
damage, of repeated frames, of the ranking of patches, and of canvases.

    ci/mutations.py [NAME...]     all rules, or those whose names contain one of the words

Works on a copy of the tree, in a temporary folder. Takes about twenty minutes on two cores. Exits non-zero if no test
fails for a wrong rule.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NEEDED, H264, H265 = (f"gst/bitstream/{name}.cpp" for name in ("neededunits", "h264", "h265"))
AV1, VP8, VP9, MPEG, MPEG4, KEYS = (f"gst/bitstream/{name}.cpp" for name in
                                    ("av1", "vp8", "vp9", "mpegvideo", "mpeg4", "keyframes"))
VC1, KIND, NALS = "gst/bitstream/vc1.cpp", "gst/bitstream/picturekind.h", "gst/bitstream/nalpictureparser.cpp"
RUN, LIVE = "gst/elements/sampler/samplingrun.cpp", "gst/elements/sampler/livewindows.cpp"
READING, SEQUENCE, AVCODEC = (f"gst/elements/{name}.cpp" for name in
                              ("planner/secondpass", "sampler/sequence", "libav/avcodecdec"))
ENERGY, RANK, FRAME, CLIP = "kernels/energy.cu", "kernels/rank.cuh", "kernels/frame.cu", "kernels/clip.cu"
RGB, LUMA = "kernels/rgb.cu", "kernels/smallluma.h"
PLACE, PLACES, SELECT = "kernels/placescores.h", "kernels/replenishment.cpp", "kernels/select.cpp"
PICTURE, TURNED, TAGS = "gst/elements/common/picture.cpp", "kernels/orientation.cpp", "gst/elements/common/tagorientation"
STAGES, ASSEMBLY, SEARCH = "gst/elements/process/systemstages.cpp", "gst/elements/process/tensorclip.cpp", "kernels/energy.cpp"
LAYOUT, PIXELS, ASSEMBLER = "kernels/patchlayout.h", "kernels/pixels.cpp", "gst/elements/process/patchassembler.cpp"
SIMULATION = "tests/cudasim/libcuda.so.1"  # the only target to rebuild for a test of a kernel

# The wrong rule, the tests that should fail (group of the matrix: part of a stream's name; or a test of gst/bitstream,
# for streams that no encoder writes, or of the kernels), the file, the text to replace, and its replacement.
MUTATIONS = [
    ("references are dropped", ["h264:I and P"], NEEDED,
     "const bool refers = unit.reference &&", "const bool refers = i % 7 != 6 && unit.reference &&"),
    ("known references are dropped", ["h265:I and P", "vpx-av1:AV1 of hidden"], NEEDED,
     "index_.visit_references(i, [this](size_t reference) { needed_[reference] = true; });", ";"),
    ("the entry point is dropped", ["vpx-av1:AV1"], NEEDED, "needed_[entries_[i].start] = true;", ""),
    ("the tail of a stream begins too early", ["h264:I and P"], NEEDED, "units.end = std::max(units.end, i + 1);", "units.end = std::max(units.end, i);"),
    ("leading pictures start at the entry point that they precede", ["h264:open GOP"], NEEDED,
     "held < References::kMax && start", "held < 0 && start"),
    ("the order of pictures becomes ambiguous", ["neededunits"], NEEDED,
     "(unit.anchors_order && bridges_order(i))", "false"),
    ("what precedes a loss is dropped", ["damaged:without"], NEEDED, "everything_ |= entries_[i].lossy;", ""),
    ("decoders are not drained before a jump", ["synthetic:any", "h264:open GOP", "h265:open GOP"], READING,
     "needed_.drain[unit] ? Action::DrainAndPush : Action::Push", "Action::Push"),
    ("H.264: reference pictures count as others", ["h264:pyramid of three"], H264,
     "coded.reference = picture.reference;", "coded.reference = picture.idr;"),
    ("H.264: any I picture is an entry point", ["h264:scene cuts", "synthetic:any"], H264,
     "(recovery_point_ && intra && !coded.second_field)", "(intra && !coded.second_field)"),
    ("H.264: gradual recovery points are entry points", ["h264:intra refresh", "synthetic:any"], H264,
     "point.recovery_frame_cnt == 0 && point.exact_match_flag", "point.exact_match_flag"),
    ("H.264: recovery points that are not exact are entry points", ["synthetic:any"], H264,
     "&& point.exact_match_flag", ""),
    ("H.264: recovery points of P pictures are entry points", ["synthetic:any"], H264,
     "(recovery_point_ && intra &&", "(recovery_point_ &&"),
    ("H.264: gaps of frame_num mean nothing", ["damaged:H.264"], H264, "coded.after_loss = follows_gap(picture);", ""),
    ("H.264: operation 5 does not start a sequence", ["h264"], H264,
     "coded.starts_sequence = picture.idr || picture.resets_order;", "coded.starts_sequence = picture.idr;"),
    ("H.264: fields are frames", ["synthetic:any"], H264, "coded.second_field = completes_frame(picture);", ""),
    ("H.265: backward references are forgotten", ["h265:pyramid of three"], H265,
     "refer(set.DeltaPocS1[i], set.UsedByCurrPicS1[i]);", "refer(set.DeltaPocS1[i], false);"),
    ("H.265: the first forward reference is forgotten", ["h265:I and P"], H265,
     "refer(set.DeltaPocS0[i], set.UsedByCurrPicS0[i]);", "refer(set.DeltaPocS0[i], i > 0 && set.UsedByCurrPicS0[i]);"),
    ("H.265: RASL pictures count as decodable", ["h265:open GOP"], H265,
     "picture.decodable_leading = GST_H265_IS_NAL_TYPE_RADL(header.type);",
     "picture.decodable_leading = header.is_rasl() || GST_H265_IS_NAL_TYPE_RADL(header.type);"),
    ("H.265: any picture of the lowest layer is an entry point", ["h265:I and P"], H265,
     "picture.random_access = header.is_irap();", "picture.random_access = header.anchors_order();"),
    ("H.265: holes in reference picture sets mean nothing", ["damaged:H.265"], H265,
     "picture.after_loss |= picture.output;", ""),
    ("parameter sets of dropped units are lost", ["synthetic:any"], "gst/elements/planner/parametersets.cpp",
     "gst_buffer_prepend_memory(unit.get(), gst_buffer_get_all_memory(header->get()));", ""),
    ("AV1: a slot's writer is forgotten", ["vpx-av1:AV1"], AV1, "slots_.write(frame.refresh_frame_flags, number());",
     "slots_.write(shown_key ? 0xff : frame.refresh_frame_flags & 0xaa, number());"),
    ("AV1: shown existing frames refer to nothing", ["vpx-av1:AV1"], AV1, "if (frame.show_existing_frame) {",
     "if (frame.show_existing_frame) {\n    return;"),
    ("AV1: only the first reference counts", ["vpx-av1:AV1"], AV1,
     "gatherer.add(slot < 0 ? Slots::kUnknown : slots_.writer(static_cast<unsigned>(slot)));",
     "if (&slot == &frame.ref_frame_idx[0])\n      gatherer.add(slots_.writer(static_cast<unsigned>(slot)));"),
    ("VP9: frames that refresh no reference are dropped", ["vpx-av1:VP9"], VP9,
     "picture.output |= frame.show_frame || frame.show_existing_frame;",
     "picture.output |= frame.show_frame || frame.show_existing_frame;\n"
     "    picture.reference = i > 0 || frame.refresh_frame_flags != 0 || frame.frame_type == GST_VP9_KEY_FRAME;"),
    ("VP8: frames that refresh no reference are dropped", ["vpx-av1:VP8"], VP8,
     "picture.output = frame.show_frame;",
     "picture.output = frame.show_frame;\n  picture.reference = frame.key_frame || frame.refresh_golden_frame || "
     "frame.refresh_alternate_frame || frame.refresh_last;"),
    ("MPEG-2: B pictures refer to the anchor before alone", ["others:MPEG-2"], MPEG,
     "  if (picture.is_bidirectional()) {\n    add_anchor(last_);", "  if (picture.is_bidirectional()) {"),
    ("MPEG-2: P pictures refer to nothing", ["others:MPEG-2"], MPEG, "} else if (!picture.is_intra()) {",
     "} else if (false) {"),
    ("MPEG-2: the end of the sequence is not told", ["others:MPEG-2"], MPEG, 'return {"\\0\\0\\1\\xb7", 4};', "return {};"),
    ("MPEG-4: P planes are no references", ["others:MPEG-4"], MPEG4, "picture.reference = anchor || packed_;",
     "picture.reference = picture.random_access;"),
    ("keys by their pictures: every frame is one", ["others:Theora", "older:msmpeg4"], KEYS,
     "!kinds_.holds_last ? kind == PictureKind::I : first;", "!kinds_.holds_last ? true : first;"),
    ("unknown codecs: the container's flags count", ["keyframes"], KEYS, "!std::exchange(begun_, true)", "!unit.delta"),
    ("VC-1: every I picture is an entry point", ["vc1"], VC1, "(contents.entry_point || !in_band_)", "true"),
    ("B pictures at the head of a stream are shown", ["vc1", "keyframes"], KIND,
     "picture.output = anchor || anchors_ > 1;", ""),
    ("slices behind start codes in units with a length are not found", ["h264"], NALS, "      reader.split(nal);\n", ""),
    ("damage: a lost IDR picture begins nothing", ["damage:H.265"], NALS,
     "recent_orders_.contradict(picture.order)", "false"),
    ("damage: decoders are drained where nothing is left out", ["damage:H.264, open"], NEEDED,
     "gap <= i + 1", "(gap > 0 || i > 0)"),
    ("damage: what decoders say is ignored", ["damage:MPEG-4"], "gst/elements/sampler/clipsource.h",
     "? CPS_FRAME_STATUS_DAMAGED : CPS_FRAME_STATUS_OK", "? CPS_FRAME_STATUS_OK : CPS_FRAME_STATUS_OK"),
    ("damage: what libavcodec says is ignored", ["damage:MPEG-4"], AVCODEC, "picture->decode_error_flags || ", ""),
    ("damage: checksums of FFV1 are ignored", ["damage:FFV1"], "gst/elements/libav/ffv1checksums.cpp",
     "data + end, slice) != 0;", "data + end, slice) == 1;"),
    ("damage: stand-ins are called ok", ["damage:VP9"], SEQUENCE,
     "earlier ? CPS_FRAME_STATUS_SUBSTITUTED : CPS_FRAME_STATUS_MISSING", "CPS_FRAME_STATUS_OK"),
    ("damage: later frames stand in first", ["damage:VP9"], SEQUENCE, "earlier ? earlier : later", "later ? later : earlier"),
    ("damage: frames that do not come have no number", ["damage:MPEG-4"], RUN,
     "    meta->frame_id = frame.frame_id;\n", ""),
    ("search: the last of equal candidates wins", ["cuda-energy"], ENERGY,
     "tried && error < best[i].residual", "tried && error <= best[i].residual"),
    ("search: small maps are searched as far as large ones", ["cuda-energy"], ENERGY, "abs(dy) <= radius && ", ""),
    ("search: candidates wrap around the sides", ["cuda-energy"], ENERGY,
     "x >= 0 && x < args.small.width && y >= 0", "y >= 0"),
    ("search: tiles are read before they are there", ["cuda-energy"], ENERGY,
     "    shared.motion_bins[threadIdx.x] = 0;\n  __syncthreads();\n  Match", "    shared.motion_bins[threadIdx.x] = 0;\n  Match"),
    ("search: counts of motion add up over frames", ["cuda-energy"], ENERGY, "    ranks.motion_bins[threadIdx.x] = 0;\n", ""),
    ("search: the last block is never found again", ["cuda-energy"], ENERGY, "    ranks.blocks_done = 0;\n    ranks.candidates", "    ranks.candidates"),
    ("ranks: bins are counted in before they are empty", ["cuda-energy"], RANK,
     "    clear_bins(shared, bins);\n    __syncthreads();", "    clear_bins(shared, bins);"),
    ("ranks: candidates of blocks overwrite each other", ["cuda-energy"], ENERGY, "  position += first_candidate;\n", ""),
    ("scores: sums are read before they are there", ["cuda-clip"], FRAME, "  __syncthreads();\n", ""),
    ("planes: chroma is resized like luma", ["cuda-clip"], FRAME, "plane_index == 0 ? 0 : 1", "0"),
    ("selection: one of equal patches is lost", ["cuda-clip"], CLIP,
     "equal_until_here <= last.rank)", "equal_until_here < last.rank)"),
    ("selection: the scan's memory is used again too early", ["cuda-clip"], CLIP,
     "    equal_before += static_cast<uint32_t>(total >> 32);\n    __syncthreads();",
     "    equal_before += static_cast<uint32_t>(total >> 32);"),
    ("selection: static clips favour all frames", ["cuda-clip"], CLIP,
     "if (units.is_on(unit, kFavouredFrame))", "if (!units.is_on(unit, kRandomAccessFrame))"),
    ("selection: foul energies lead out of the arrays", ["cuda-clip"], CLIP,
     "rank < 0 ? 0 : rank < args.most ? rank : args.most", "rank"),
    ("selection: the first frame is as good as others on a GPU", ["cuda-clip"], CLIP,
     "args_.replenishment ? unit < per_frame_ :", "args_.replenishment ? unit < 0 :"),
    ("replenishment: of equal gains the earlier frame is dropped", ["kernels-replenishment"], PLACE,
     "gain_a < gain_b : a > b;", "gain_a < gain_b : a < b;"),
    ("replenishment: scores of a place are equal", ["kernels-replenishment"], PLACE,
     "score = gain > score + 1 ? gain : score + 1;", "score = gain > score ? gain : score;"),
    ("replenishment: the frame after a dropped one keeps its gain", ["kernels-replenishment"], PLACE,
     "gains[next] = of_next - kept[next].own;", ""),
    ("replenishment: the frame before a dropped one keeps its gain", ["kernels-replenishment"], PLACE,
     "gains[previous] = kept[previous].without - kept[kept[previous].previous].own - until_next;", ""),
    ("replenishment: samples are cut to code values", ["kernels-replenishment"], PLACE,
     "(stored + 128u) >> 8", "stored >> 8"),
    ("replenishment: chroma is left out", ["kernels-replenishment"], PLACES,
     "plane < planes; ++plane", "plane < 1; ++plane"),
    ("replenishment: the first frame is as good as others", ["kernels-replenishment"], SELECT, "preferred[0] = 1;", ""),
    ("replenishment: random-access frames come first", ["kernels-select"], SELECT,
     "preferred.assign(static_cast<size_t>(frames), 0);", ""),
    ("min-score: the first frame is left out, too", ["kernels-select"], SELECT,
     "if (preferred[units.frame(unit)])",
     "if (preferred[units.frame(unit)] && (units.too_low.empty() || !units.too_low[static_cast<size_t>(unit)]))"),
    ("min-score: units with that score are left out", ["kernels-select"], SELECT,
     "blocks, grid.width) < options.min_score", "blocks, grid.width) <= options.min_score"),
    ("frame-difference: sums of four count as two", ["kernels-energy"], LUMA, "(quad_sums ? 4 : 1)", "(quad_sums ? 2 : 1)"),
    ("whole frames: chroma lies where luma does", ["cuda-tensorclip"], RGB,
     "source_tap(x, args.sub_x_bits, picture.phase_x, plane.width)",
     "source_tap(x, args.sub_x_bits, 0, plane.width)"),
    ("whole frames: blocks write into the next row", ["cuda-tensorclip"], RGB,
     "  if (x >= args.picture.size.width)\n    return;\n", ""),
    ("rotation: clockwise is counter-clockwise", ["pipelines-rotation"], PICTURE,
     "  case CPS_ORIENTATION_90R:\n    return {true, true, false};", "  case CPS_ORIENTATION_90R:\n    return {true, false, true};"),
    ("rotation: crops lie in the turned frame", ["elements-patchenergy"], PICTURE,
     "crop = {turned(stored, whole, kernel_orientation(orientation)), orientation, whole};", "crop = {stored, orientation, whole};"),
    ("rotation: chroma is subsampled as it was stored", ["kernels-orientation"], TURNED,
     "    std::swap(view.sub_x, view.sub_y);\n", ""),
    ("rotation: energy of frames shown otherwise is taken", ["elements-patchselect"], "gst/elements/process/patchassembler.cpp",
     "energy->orientation != crop.orientation", "false"),
    ("rotation: frames are shown as the last one that came", ["elements-uniformsampler"], RUN,
     "  meta->status = item.status;\n",
     "  meta->status = item.status;\n  meta->orientation = apply_rotation_ ? stream_.orientation.now() : CPS_ORIENTATION_IDENTITY;\n"),
    ("rotation: tags of the container come first", ["elements-uniformsampler"], TAGS + ".h",
     "of_stream_.known ? of_stream_.orientation : of_container_.orientation",
     "of_container_.known ? of_container_.orientation : of_stream_.orientation"),
    ("rotation: a stream is shown like the one before", ["elements-uniformsampler"], TAGS + ".cpp",
     "    of_stream_ = of_container_ = {};\n", ""),
    ("windows: substitutes are of the clip before", ["elements-uniformsampler"], SEQUENCE, "  last_ = {}; // a clip", "  // a clip"),
    ("windows: pools are drained", ["elements-uniformsampler"], "gst/elements/sampler/holdlimit.cpp", "if (held > spare_)", "if (held > 1000)"),
    ("windows: the options are of the whole stream", ["elements-uniformsampler"], RUN,
     '  set_time(options, "start", clip_->clips[0].start);\n', ""),
    ("windows: clips of two formats", ["elements-uniformsampler"], RUN, "return pushed_ > 0 && several_", "return pushed_ > 1000 && several_"),
    ("windows: they end after the section", ["kernels-sampling"], "kernels/sampling.cpp",
     "window.start + plan.window : plan.stop", "window.start + plan.window : kNoTime"),
    ("live: the later frame on a tie", ["elements-uniformsampler"], LIVE, "position - before <= now - position",
     "position - before < now - position"),
    ("live: gaps are bridged", ["elements-uniformsampler"], LIVE, "time - last_time_ > window_", "time - last_time_ > 1000 * window_"),
    ("live: times go back", ["elements-uniformsampler"], "gst/elements/sampler/liveclock.cpp", "      time = expected;\n", ""),
    ("live: too many clips are dropped", ["elements-uniformsampler"], "gst/elements/sampler/clipoutput.cpp", "begins) < 2", "begins) < 1"),
    ("repeats: pixels are read again", ["elements-repeats"], ASSEMBLY, "state.held && cps::same_memory", "false && cps::same_memory"),
    ("repeats: all frames are held", ["elements-repeats"], ASSEMBLY,
     "state.plan->frames[next].frame_id == state.plan->frames[next - 1].frame_id", "true"),
    ("repeats: copies of frames count", ["elements-repeats"], PICTURE,
     "gst_buffer_peek_memory(a, i) != gst_buffer_peek_memory(b, i)", "false"),
    ("repeats: other pictures in the same memory count", ["elements-repeats"], PICTURE,
     "std::equal(of_a->offset, of_a->offset + planes, of_b->offset)", "true"),
    ("repeats: planes are those of the first frame", ["elements-repeats"], STAGES,
     "std::copy_n(out - resizer_->samples(),", "std::copy_n(pixels_.at(0),"),
    ("repeats: whole frames are the first one", ["elements-repeats"], STAGES,
     "std::copy_n(out - frame_bytes_,", "std::copy_n(frames_,"),
    ("repeats: a frame has the map of the repeat before it", ["elements-patchenergy"], "gst/elements/process/patchenergy.cpp",
     "again && state.repeat ?", "state.repeat ?"),
    ("repeats: the last of equal candidates wins", ["kernels-energy"], SEARCH,
     "which = value == own ? candidate : which;",
     "which = value == own && which == static_cast<Index>(candidate_index(0, 0)) ? candidate : which;"),
    ("repeats: candidates below are not tried", ["kernels-energy"], SEARCH,
     "stride_, lanes_, std::max(-radius_, y - (size().height - 1)), radius_,", "stride_, lanes_, 0, radius_,"),
    ("canvases: the patches of a block follow each other", ["kernels-canvases"], LAYOUT,
     "return patch_of_block(first_patch_of_block(i / 4, grid.width), grid.width, i % 4);", "return i;"),
    ("canvases: blocks change their inner order", ["kernels-canvases"], "kernels/ranking.h",
     "first + corner / 2 * grid_width + corner % 2", "first + corner % 2 * grid_width + corner / 2"),
    ("canvases: frames are counted in the sequence", ["kernels-canvases"], LAYOUT,
     "out[0] = frame_id;", "out[0] = index / per_frame;"),
    ("canvases: columns of the image are those of a patch", ["kernels-canvases"], LAYOUT,
     "row % grid.width * patch * strides().column", "row % grid.width * strides().column"),
    ("canvases: parts of large patches begin at the left", ["kernels-canvases"], PIXELS,
     "ptrdiff_t x = begin % patch;\n  for (Out *row", "ptrdiff_t x = 0;\n  for (Out *row"),
    ("canvases: pixels lie as in patches on a GPU", ["cuda-clip"], CLIP,
     "const PixelStrides strides = args.layout.strides();", "const PixelStrides strides = patch_strides(patch);"),
    ("canvases: scores are in the order of the selection on a GPU", ["cuda-clip"], CLIP,
     "args.meta_scores[row] =", "args.meta_scores[blockIdx.x] ="),
    ("canvases: k-keep says how many", ["elements-patchselect"], ASSEMBLER,
     "options.canvases * patches_per_frame : options.select.k_keep", "options.select.k_keep : options.select.k_keep"),
    ("canvases: min-score leaves places empty", ["elements-patchselect"], ASSEMBLER,
     "else if (options.select.min_score > 0)", "else if (false)"),
    ("canvases: memory is that of output-dtype", ["elements-patchselect"], ASSEMBLER,
     "canvas ? CPS_DTYPE_U8 : static_cast", "static_cast"),
]


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)


def targets_of(file, tests):
    """What to build again for the tests; everything if empty."""
    if file.endswith((".cu", ".cuh")):
        return [SIMULATION]
    return [f"tests/kernels/{test}" for test in tests] if all(test.startswith("kernels-") for test in tests) else []


def first_failure(build, tests):
    for test in tests:
        group, _, stream = test.partition(":")
        result = run(["meson", "test", "-C", build, "--no-rebuild", f"matrix-{group}" if stream else group],
                     env={**os.environ, "CPS_STREAM": stream})
        if result.returncode != 0:
            log = open(os.path.join(build, "meson-logs", "testlog.txt"), encoding="utf-8", errors="replace").read()
            line = re.search(r":[FE]:[\w-]+:\w+:\d+: (.*)", log)
            return line.group(1) if line else f"{test} fails without a message"
    return None


def main():
    wanted = [m for m in MUTATIONS if len(sys.argv) == 1 or any(word in m[0] for word in sys.argv[1:])]
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        tree, build = os.path.join(folder, "codecpatch", "tree"), os.path.join(folder, "build")
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("build*", ".git"))
        shared = os.path.join(os.path.dirname(ROOT), "shared")
        if os.path.exists(shared):
            os.symlink(shared, os.path.join(os.path.dirname(tree), "shared"))
        for command in (["meson", "setup", build, tree, "-Dtests=enabled"], ["ninja", "-C", build]):
            result = run(command)
            if result.returncode != 0:
                sys.exit(result.stdout)
        for name, tests, file, old, new in wanted:
            path = os.path.join(tree, file)
            text = open(path, encoding="utf-8").read()
            if text.count(old) != 1:
                sys.exit(f"{name}: {file} has {text.count(old)} times: {old}")
            with open(path, "w", encoding="utf-8") as out:
                out.write(text.replace(old, new))
            result = run(["ninja", "-C", build] + targets_of(file, tests))
            if result.returncode != 0:
                sys.exit(f"{name}: does not compile\n{result.stdout}")
            failure = first_failure(build, tests)
            missed += failure is None
            print(f"{'caught' if failure else 'MISSED'}  {name}\n        {failure or ''}", flush=True)
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
        print(f"{len(wanted)} rules made wrong, {missed} of them unnoticed")
    return missed > 0


sys.exit(main())
