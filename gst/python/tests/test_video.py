# SPDX-License-Identifier: LGPL-2.1-or-later
"""Videos as objects. The oracle is a session that reads all frames."""

from __future__ import annotations

import io
import os
import pickle
import threading

import codecpatch
import numpy
import pytest
from codecpatch import CodecPatchError, ErrorCode, Video
from support import NoSeek, OnlyRead, assert_same, launch, run_python

COUNT = 60  # frames of the clip, at 30 a second


@pytest.fixture(scope="module")
def frames(clip):
    """All frames of the clip, by a full decode."""
    return codecpatch.read(clip, output="frames", sequence_length=COUNT, uniform_strategy="stream").frames


@pytest.fixture(scope="module")
def video(clip):
    with Video(clip) as video:
        yield video


def test_facts(video):
    assert len(video) == COUNT
    assert (video.width, video.height, video.rotation) == (320, 240, 0)
    assert (video.fps, video.duration_sec, video.codec) == (30.0, 2.0, "video/x-h264")
    assert video.key_frames == [0, 30]
    assert video.pts_seconds == pytest.approx([index / 30 for index in range(COUNT)], abs=2e-9)
    assert repr(video) == f"<codecpatch.Video {video.name!r}: 60 frames, 320x240, 30 fps>"


@pytest.mark.slow
def test_rate_that_a_demuxer_guesses(tmp_path):
    """mp4mux counts the delay of B frames in the duration, so that qtdemux takes 30 for 30000/1001."""
    path = tmp_path / "minute.mp4"
    launch(
        *("videotestsrc", "num-buffers=1800", "!", "video/x-raw,format=I420,width=32,height=32,framerate=30/1", "!"),
        *("x264enc", "bframes=3", "b-pyramid=true", "speed-preset=veryfast", "!", "h264parse", "!", "mp4mux", "!"),
        *("filesink", f"location={path}"),
    )
    with Video(path) as video:
        assert len(video) == 1800
        assert video.fps == pytest.approx(30, abs=1e-6) and video.duration_sec == pytest.approx(60, abs=1e-6)


@pytest.mark.parametrize("index", [0, 29, 30, 59, -1, -60, numpy.int64(7), numpy.uint8(7), 7.0, numpy.array(7)])
def test_one_frame(video, frames, index):
    assert_same({"frame": video[index]}, {"frame": frames[int(index)]})


@pytest.mark.parametrize(
    "key",
    [slice(None), slice(10, 20, 2), slice(20, 10, -3), slice(-5, None), slice(5, 5), slice(50, 1000)],
)
def test_slices(video, frames, key):
    assert_same({"frames": video[key]}, {"frames": frames[list(range(*key.indices(COUNT)))]})


@pytest.mark.parametrize(
    "key",
    [[3], [5, 3, 3, -1], (0, 59), range(40, 45), numpy.array([59, 0], "i2"), [1.0, numpy.int32(2)], []],
)
def test_lists(video, frames, key):
    assert_same({"frames": video[key]}, {"frames": frames[[int(index) for index in key]]})


def test_lists_of_tensors(video, frames):
    torch = pytest.importorskip("torch")
    assert_same({"frames": video[torch.tensor([2, 1])]}, {"frames": frames[[2, 1]]})
    assert_same({"frame": video[torch.tensor(2)]}, {"frame": frames[2]})


@pytest.mark.parametrize("index", [60, -61, [0, 60]])
def test_frames_that_do_not_exist(video, index):
    with pytest.raises(IndexError, match="there is no frame -?6[01], only 60 frames"):
        video[index]


@pytest.mark.parametrize("index", [1.5, "1", None, True, [True] * COUNT, [[1]], {"a": 1}.keys(), float("nan")])
def test_no_indices(video, index):
    with pytest.raises(TypeError):
        video[index]


def test_times(video, frames):
    # At a frame's time, just before the next one, and at the very end.
    for seconds, index in ((0, 0), (1.0, 30), (0.99999, 29), (1.0333, 30), (59 / 30, 59), (1.9999, 59)):
        assert_same({"frame": video.frames_at(seconds)}, {"frame": frames[index]})
    for index, seconds in enumerate(video.pts_seconds):
        assert video._displayed(seconds) == index
    assert_same({"frames": video.frames_at([1.5, 0.5, 0.5])}, {"frames": frames[[45, 15, 15]]})
    for seconds in (-0.1, 2.1):
        with pytest.raises(IndexError, match="the video is from 0 to 2 s"):
            video.frames_at(seconds)
    with pytest.raises(ValueError):
        video.frames_at(float("nan"))


def test_sections(video, frames):
    assert_same({"frames": video.frames_between(0.5, 0.6)}, {"frames": frames[15:18]})
    assert_same({"frames": video.frames_between(-1, 100)}, {"frames": frames})
    assert tuple(video.frames_between(0.51, 0.52).shape) == (0, 240, 320, 3)


def test_iteration(video, frames):
    assert_same(dict(zip(map(str, range(COUNT)), video)), {str(index): frames[index] for index in range(COUNT)})


def test_clips(video, clip):
    options = {"sequence_length": 4, "k_keep": 50}
    assert_same(video.patches(**options).tensors, codecpatch.read(clip, **options).tensors)
    assert_same(codecpatch.read(video, **options).tensors, codecpatch.read(clip, **options).tensors)
    expected = list(codecpatch.open(clip, window=0.5, **options))
    actual = list(video.clips(window=0.5, **options))
    assert len(actual) == 4
    for one, other in zip(actual, expected):
        assert_same(one.tensors, other.tensors)
        assert one.metadata == other.metadata
    for result in codecpatch.iter_clips([video, video], workers=2, **options):
        assert_same(result.tensors, codecpatch.read(clip, **options).tensors)


def test_sizes(clip):
    with Video(clip, size=(120, 100)) as video:
        assert tuple(video[3].shape) == (120, 100, 3)
        assert tuple(video[[]].shape) == (0, 120, 100, 3)
        expected = codecpatch.read(clip, output="frames", frame_indices=[3], height=120, width=100).frames
        assert_same({"frames": video[3:4]}, {"frames": expected})
    with Video(clip, max_pixels=20000, align=28) as video:
        height, width = video[3].shape[:2]
        assert height * width <= 20000 and height % 28 == width % 28 == 0
    with Video(clip, layout="NCHW") as video, Video(clip) as other:
        assert tuple(video[3].shape) == (3, 240, 320)
        assert numpy.array_equal(numpy.asarray(video[2:4]).transpose(0, 2, 3, 1), numpy.asarray(other[2:4]))


@pytest.mark.parametrize(
    "options",
    [
        {"size": (0, 5)},
        {"size": (5, 5), "max_pixels": 100},
        {"max_pixels": 0},
        {"align": 4},
        {"layout": "CHW"},
        {"output": "frames"},
        {"frame_indices": [1]},
        {"timeout": -1},
        {"no_such_option": 1},
    ],
)
def test_invalid_options(clip, options):
    with pytest.raises(ValueError):
        Video(clip, **options)


@pytest.mark.parametrize(
    "source",
    [
        lambda path, data: path.as_uri(),
        lambda path, data: data,
        lambda path, data: io.BytesIO(data),
        lambda path, data: NoSeek(data),
        lambda path, data: OnlyRead(data),
        lambda path, data: open(path, "rb"),
    ],
    ids=["URI", "bytes", "BytesIO", "without seek", "only read", "file"],
)
def test_sources(source, clip, data, frames):
    opened = source(clip, data)
    with Video(opened) as video:
        assert_same({"frames": video[[59, 1]]}, {"frames": frames[[59, 1]]})
        assert_same({"frame": video[30]}, {"frame": frames[30]})
    if hasattr(opened, "close"):
        opened.close()


def test_threads(clip, data, frames):
    for source in (clip, io.BytesIO(data)):
        with Video(source) as video:
            wrong = []

            def read(index, video=video, wrong=wrong):
                if not (numpy.asarray(video[index]) == numpy.asarray(frames[index])).all():
                    wrong.append(index)

            threads = [threading.Thread(target=read, args=(index,)) for index in range(0, COUNT, 7)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert not wrong


def test_one_reading_of_a_file_object(data):
    with Video(io.BytesIO(data)) as video:
        clips = video.clips(clip_length=2, k_keep=4)
        next(clips)
        with pytest.raises(CodecPatchError, match="Another session reads this stream"):
            video[1]
        clips.close()
        assert video[1].shape == (240, 320, 3)


def test_pickle(clip, data, frames):
    for source in (clip, str(clip), data, memoryview(data)):
        video = pickle.loads(pickle.dumps(Video(source, size=(48, 64), on_error="fail")))
        assert len(video) == COUNT and video.key_frames == [0, 30]
        expected = codecpatch.read(clip, output="frames", frame_indices=[5], height=48, width=64).frames[0]
        assert_same({"frame": video[5]}, {"frame": expected})
    with pytest.raises(TypeError, match="a file object cannot be pickled"):
        pickle.dumps(Video(io.BytesIO(data)))


@pytest.mark.slow
def test_pickle_in_a_new_process(clip, frames, tmp_path):
    """Where no session has started GStreamer."""
    (tmp_path / "video").write_bytes(pickle.dumps(Video(clip)))
    code = "import pickle, sys; video = pickle.load(open(sys.argv[1], 'rb')); print(len(video), int(video[7].sum()))"
    assert run_python(code, tmp_path / "video").split() == [str(COUNT), str(int(numpy.asarray(frames[7], "i8").sum()))]


def test_source_that_changes(clip, tmp_path):
    path = tmp_path / "clip"
    path.write_bytes(clip.read_bytes())
    video = Video(path)
    os.replace(_other_clip(tmp_path), path)
    with pytest.raises(CodecPatchError, match="not the one that was indexed") as raised:
        video[3]
    assert raised.value.code == ErrorCode.STREAM
    os.remove(path)
    with pytest.raises(CodecPatchError) as raised:
        video[3]
    assert raised.value.code == ErrorCode.SOURCE


def _other_clip(folder):
    import support

    path = folder / "other.mp4"
    support.launch(
        *("videotestsrc", "num-buffers=30", "pattern=snow", "!", "video/x-raw,format=I420,width=64,height=64", "!"),
        *("x264enc", "!", "h264parse", "!", "mp4mux", "!", "filesink", f"location={path}"),
    )
    return path


def test_closed(clip):
    video = Video(clip)
    video.close()
    video.close()
    assert video.closed
    assert "closed" in repr(video)
    for use in (lambda: len(video), lambda: video[0], lambda: video.fps, lambda: video.patches(), lambda: video.key_frames):
        with pytest.raises(CodecPatchError) as raised:
            use()
        assert raised.value.code == ErrorCode.CLOSED


def test_no_video(tmp_path):
    path = tmp_path / "text.mp4"
    path.write_text("no video")
    with pytest.raises(CodecPatchError, match="text.mp4"):
        Video(path)
    with pytest.raises(CodecPatchError):
        Video(tmp_path / "none.mp4")


class _Failing(io.BytesIO):
    fails = False

    def readinto(self, buffer):
        if self.fails:
            raise OSError("the disk is gone")
        return super().readinto(buffer)


def test_file_object_that_fails(data, frames):
    source = _Failing(data)
    video = Video(source)
    source.fails = True
    with pytest.raises(CodecPatchError, match="the disk is gone"):
        video[1]
    source.fails = False
    assert_same({"frame": video[1]}, {"frame": frames[1]})


def test_index_cache(clip, tmp_path, frames):
    folder = tmp_path / "cache"
    with Video(clip, index_cache=folder) as video:
        assert_same({"frame": video[33]}, {"frame": frames[33]})
    (file,) = folder.iterdir()
    before = file.read_bytes()
    with Video(str(clip), index_cache=str(folder)) as video:
        assert len(video) == COUNT
        assert_same({"frame": video[33]}, {"frame": frames[33]})
    expected = codecpatch.read(clip, k_keep=8)
    cached = codecpatch.read(clip, k_keep=8, index_cache=folder)
    assert_same(cached.tensors, expected.tensors)
    assert cached.metadata == expected.metadata
    assert [path.read_bytes() for path in folder.iterdir()] == [before]
