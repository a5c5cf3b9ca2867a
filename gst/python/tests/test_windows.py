# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many clips of one reading: windows, clip_length, and what waits while nobody takes them."""

from __future__ import annotations

import contextlib
import gc
import io
import itertools
import os
import pickle
import re
import signal
import threading
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import codecpatch
import numpy
import pytest
import support
from codecpatch import CodecPatchError, ErrorCode
from support import array, assert_same, checksum, run_python
from test_isolation import children, workers
from test_threads import threads_of_ours

pytestmark = pytest.mark.filterwarnings("ignore:.*estimate:codecpatch.CodecPatchWarning")

FRAME = Fraction(1, 30)  # how long each of the 60 frames of the clip lasts


def read_windows(source, **options) -> list[codecpatch.Clip]:
    with codecpatch.open(source, **options) as session:
        return list(session)


def assert_equal(one: codecpatch.Clip, other: codecpatch.Clip, *differs: str) -> None:
    assert_same(one.tensors, other.tensors)
    metadata = [{**found.metadata, **dict.fromkeys(differs)} for found in (one, other)]
    assert metadata[0] == metadata[1]


class Gate(support.NoSeek):
    """The data of a file that cannot seek. What is behind `share` of it comes when the gate opens."""

    def __init__(self, data: bytes, share: float) -> None:
        super().__init__(data)
        self.open = threading.Event()
        self._left = int(share * len(data))

    def readinto(self, target):
        if self._left <= 0:
            self.open.wait()
        count = super().readinto(memoryview(target)[:4096])
        self._left -= count
        return count


@pytest.fixture(scope="module")
def stream(clip, tmp_path_factory):
    """The clip in a container that need not seek."""
    path = tmp_path_factory.mktemp("clips") / "clip.mkv"
    support.launch(
        *("filesrc", f"location={clip}", "!", "qtdemux", "!", "h264parse", "!", "matroskamux", "!"),
        *("filesink", f"location={path}"),
    )
    return path.read_bytes()


# A clip for each frame. The plan is an estimate, and says so, because there is only one pass.
EACH_FRAME = {
    **{"frame_indices": range(60), "clip_length": 1, "k_keep": 4},
    **{"uniform_strategy": "stream", "total_frames": 60, "stall_timeout": 0},
}


@pytest.fixture
def gate(stream, request):
    """It lets the first part of the clip through; or nothing, if the test says so."""
    gate = Gate(stream, getattr(request, "param", 0.7))
    yield gate
    gate.open.set()


shut = pytest.mark.parametrize("gate", [0], indirect=True)


@pytest.fixture
def session_of_gate(gate):
    with codecpatch.open(gate, **EACH_FRAME) as session:
        yield session


# --- Clips ---

SETTINGS = [
    {"k_keep": 50},
    {"k_keep": 50, "sequence_length": 16},
    {"ranking": "replenishment", "k_keep": 48, "selection_unit": "block2x2", "output_dtype": "u8"},
    {"output": "frames", "width": 112, "height": 84, "sequence_length": 16},
    {"output": "frames", "width": 112, "height": 84, "fps": 7, "max_frames": 3},
]


@pytest.mark.parametrize("options", SETTINGS, ids=lambda options: "-".join(map(str, options.values())))
@pytest.mark.parametrize(
    "plan, starts",
    [
        ({"window": 0.5}, [0, 0.5, 1, 1.5]),
        ({"window": 0.8, "hop": 0.3}, [0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8]),
        ({"window": 0.25, "hop": 0.75}, [0, 0.75, 1.5]),
        ({"window": Fraction(1, 3), "hop": Fraction(1, 2), "start": 0.7, "stop": 1.9}, [0.7, 1.2, 1.7]),
        ({"window": 100}, [0]),
    ],
    ids=["side by side", "overlapping", "gaps", "section", "one"],
)
def test_clips_are_those_of_sections(clip, plan, starts, options):
    options = {"sequence_length": 4, **options}
    found = read_windows(clip, **plan, **options)
    assert [result.start for result in found] == starts
    for number, result in enumerate(found):
        assert result.clip_index == number
        assert result.stop == pytest.approx(min(result.start + float(plan["window"]), plan.get("stop", 1000)), abs=1e-9)
        assert not {"window", "hop"} & set(result.metadata)
        assert_equal(result, codecpatch.read(clip, start=result.start, stop=result.stop, **options), "clip_index")


@pytest.mark.parametrize("window", [1, 1.0, Fraction(1), Decimal("1"), numpy.int8(1), numpy.float32(1), True])
def test_kinds_of_windows(clip, window):
    found = read_windows(clip, window=window, hop=window, sequence_length=1, k_keep=1)
    assert [(result.metadata["start"], result.metadata["stop"]) for result in found] == [(0, 10**9), (10**9, 2 * 10**9)]


def test_windows_are_exact_to_the_nanosecond(clip):
    first = read_windows(clip, window=Fraction(1, 3), hop=0.7, start=0.1, sequence_length=1, k_keep=1)[1]
    assert (first.metadata["start"], first.metadata["stop"]) == (800_000_000, 1_133_333_333)
    assert (first.start, first.stop) == (0.8, 1.133333333)


def test_lengths(clip):
    """Of clips, of which the last is shorter."""
    options = {"output": "frames", "width": 112, "height": 84}
    whole = codecpatch.read(clip, sequence_length=7, **options)
    found = read_windows(clip, sequence_length=7, clip_length=3, **options)
    assert [result.sampled_frame_ids for result in found] == [[0, 9, 19], [29, 39, 49], [59]]
    numpy.testing.assert_array_equal(numpy.concatenate([array(result.frames) for result in found]), array(whole.frames))
    assert [result.metadata["clip_length"] for result in found] == [3, 3, 3]
    assert "clip_length" not in whole.metadata
    assert all(result.start is result.stop is None for result in found)


def test_lengths_of_windows(clip):
    found = read_windows(clip, window=1, sequence_length=3, clip_length=2, k_keep=1)
    assert [(result.start, result.stop) for result in found] == [(0, 1), (0, 1), (1, 2), (1, 2)]
    assert [result.sampled_frame_ids for result in found] == [[0, 14], [29], [30, 44], [59]]
    assert [result.clip_index for result in found] == [0, 1, 2, 3]


def test_lengths_of_lists(clip):
    found = read_windows(clip, frame_indices=[5, 3, 5, 9], clip_length=2, k_keep=1)
    assert [result.sampled_frame_ids for result in found] == [[5, 3], [5, 9]]


@pytest.mark.parametrize(
    "options, limits",
    [({}, (None, None)), ({"start": 0.5}, (0.5, None)), ({"stop": 1}, (None, 1)), ({"start": 0, "stop": 9}, (0, 9))],
)
def test_limits_of_sections(clip, options, limits):
    result = codecpatch.read(clip, k_keep=1, **options)
    assert (result.start, result.stop) == limits


def test_reading_gives_the_first_window(clip):
    options = {"sequence_length": 2, "k_keep": 5}
    result = codecpatch.read(clip, window=0.5, start=1, **options)
    assert_equal(result, codecpatch.read(clip, start=1, stop=1.5, **options))


def test_best_of_a_window(clip):
    options = {"ranking": "replenishment", "sequence_length": 4}
    result = read_windows(clip, window=0.5, k_keep=100, **options)[2]
    assert_equal(result.best(30), codecpatch.read(clip, start=1, stop=1.5, k_keep=30, **options), "clip_index")


def test_windows_pickle(clip):
    result = read_windows(clip, window=0.5, k_keep=5)[3]
    again = pickle.loads(pickle.dumps(result))
    assert_equal(again, result)
    assert (again.start, again.stop, again.clip_index) == (1.5, 2, 3)


# --- Refusals ---


def read_one_of(source, **options):
    (found,) = codecpatch.iter_clips([source], **options)
    raise found


@pytest.mark.parametrize("read", [codecpatch.read, read_one_of])
@pytest.mark.parametrize(
    "options, message",
    [
        ({"window": 0}, "window is a length in seconds, more than 0"),
        ({"window": -1}, "window"),
        ({"window": 1e-10}, "window"),
        ({"window": float("nan")}, "window"),
        ({"window": float("inf")}, "window"),
        ({"window": 1e12}, "window"),
        ({"window": 1, "hop": 0}, "hop is a length in seconds, more than 0"),
        ({"window": 1, "hop": -0.5}, "hop"),
        ({"hop": 1}, "hop needs window"),
        ({"window": 1, "frame_indices": [0]}, "frame_indices and window exclude each other"),
        ({"window": 1, "hop": 1e-9}, "window and hop"),
        ({"clip_length": 0}, "clip_length must be more than 0"),
        ({"clip_length": -1}, "clip_length"),
        ({"clip_length": 1 << 40}, "clip-length"),
        ({"window": 1, "start": 5}, "window"),
    ],
)
def test_refusals(clip, read, options, message):
    with pytest.raises(ValueError, match=message):
        read(clip, **options)


@pytest.mark.parametrize("options", [{"window": "1"}, {"window": [1]}, {"clip_length": 2.5}, {"clip_length": "2"}])
def test_odd_types(clip, options):
    with pytest.raises(TypeError):
        codecpatch.read(clip, **options)


# --- What waits ---


def test_clips_come_while_the_rest_is_missing(session_of_gate, gate):
    """The last part of the file has not been read when the first clips are there."""
    found = [session_of_gate.next() for _ in range(5)]
    assert not gate.open.is_set()
    gate.open.set()
    found += session_of_gate
    assert [result.sampled_frame_ids for result in found] == [[number] for number in range(60)]


def test_slow_consumers_stop_the_session(clip, tmp_path):
    """One clip is queued, whatever there would be time for."""
    log = tmp_path / "log"
    run_python(
        """
import codecpatch, sys, time
sys.modules["torch"] = None  # it takes seconds to import
with codecpatch.open(sys.argv[1], window=1/30, sequence_length=1, k_keep=1, output_dtype="u8") as session:
    for _ in range(3):
        session.next()
        time.sleep(0.2)
""",
        clip,
        GST_DEBUG="codecpatchsession:5",
        GST_DEBUG_NO_COLOR="1",
        GST_DEBUG_FILE=str(log),
    )
    queued = re.findall(r"clip (\d+) of the session is there", log.read_text())
    if not queued:
        pytest.skip("GStreamer was built without its debug log")
    assert len(queued) <= 4  # three were taken
    assert set(queued) == {"0"}  # how many were there already


def test_closing_between_clips(clip):
    with codecpatch.open(clip, window=FRAME, sequence_length=1, k_keep=1) as session:
        for result in itertools.islice(session, 3):
            last = result
        thread = threading.Thread(target=session.close)
        thread.start()
        thread.join()
        with pytest.raises(CodecPatchError) as caught:
            next(session)
    assert caught.value.code == ErrorCode.CLOSED
    assert last.sampled_frame_ids == [2] and array(last.patches).size


def test_closing_during_next(session_of_gate):
    """Of another thread: it yields what there was, and raises."""
    found = []

    def work():
        try:
            found.extend(iter(session_of_gate.next, None))
        except CodecPatchError as error:
            found.append(error)

    session_of_gate.next()
    thread = threading.Thread(target=work)
    thread.start()
    session_of_gate.close()
    thread.join()
    assert found[-1].code == ErrorCode.CLOSED


# --- next(timeout) ---


def check_late(session, seconds):
    with pytest.raises(CodecPatchError, match=rf"no clip within {seconds:g} seconds; next\(\) may") as caught:
        while True:
            session.next(timeout=seconds)
    assert caught.value.code == ErrorCode.TIMEOUT and caught.value.path == session.name


@shut
def test_time_limits(session_of_gate, gate):
    for seconds in (0, 0.01, 0.1, 0):
        check_late(session_of_gate, seconds)
    assert not session_of_gate.closed
    gate.open.set()
    found = [session_of_gate.next(timeout=1e9), session_of_gate.next(None), *session_of_gate]
    assert [result.sampled_frame_ids for result in found] == [[number] for number in range(60)]
    assert session_of_gate.next(timeout=0) is None
    session_of_gate.close()
    with pytest.raises(CodecPatchError) as caught:
        session_of_gate.next(timeout=0)
    assert caught.value.code == ErrorCode.CLOSED


def test_time_limits_lose_no_clips(session_of_gate, gate):
    """Whenever they come; the gate opens after the first that does."""
    found = []
    while True:
        try:
            result = session_of_gate.next(timeout=0.01)
        except CodecPatchError as error:
            assert error.code == ErrorCode.TIMEOUT
            gate.open.set()
            continue
        if result is None:
            break
        found.append(result)
    assert [result.sampled_frame_ids for result in found] == [[number] for number in range(60)]


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), 1e10])
def test_odd_time_limits(clip, timeout):
    with codecpatch.open(clip, k_keep=1) as session:
        with pytest.raises(ValueError, match="timeout"):
            session.next(timeout)
        with pytest.raises(TypeError):
            session.next("1")
        assert session.next(timeout=Fraction(60)).clip_index == 0


@shut
def test_options_end_the_session(gate):
    """Unlike the argument of next()."""
    with codecpatch.open(gate, timeout=0.3, **EACH_FRAME) as session:
        with pytest.raises(CodecPatchError, match="timeout sets how long"):
            session.next(timeout=100)
        gate.open.set()
        with pytest.raises(CodecPatchError, match="timeout sets how long"):
            session.next()


@contextlib.contextmanager
def waiting(session):
    """While another thread waits for a clip."""

    def work():
        with pytest.raises(CodecPatchError, match="closed"):
            session.next()

    thread = threading.Thread(target=work)
    thread.start()
    while not session._reading.locked():
        pass
    yield
    session.close()
    thread.join()


@shut
def test_time_limits_while_another_thread_waits(session_of_gate):
    with waiting(session_of_gate):
        check_late(session_of_gate, 0)


@shut
def test_signals_during_a_time_limit(session_of_gate, gate):
    """Their handlers run, and may raise."""

    class Handled(Exception):
        pass

    def handle(*_):
        raise Handled

    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Handled):
            session_of_gate.next(timeout=1e9)
    finally:
        signal.signal(signal.SIGALRM, before)
    gate.open.set()
    assert len(list(session_of_gate)) == 60


# --- Progress ---


def test_progress(clip):
    """It grows, if the library tells it."""
    with codecpatch.open(clip, window=0.5, sequence_length=2, k_keep=1) as session:
        seen = [session.progress for _ in session]
    assert session.progress is None
    known = [value for value in seen if value is not None]
    assert known == sorted(known) and all(0 <= value <= 1 for value in known)


@pytest.mark.parametrize("text, value", [("-1", None), (None, None), ("0", 0.0), ("0.25", 0.25), ("1", 1.0)])
def test_values_of_progress(clip, monkeypatch, text, value):
    monkeypatch.setattr(codecpatch.Session, "get", lambda _, name: text if name == "progress" else None)
    with codecpatch.open(clip, k_keep=1) as session:
        assert session.progress == value


@shut
def test_asking_while_another_thread_waits(session_of_gate):
    with waiting(session_of_gate):
        assert session_of_gate.progress is None or 0 <= session_of_gate.progress <= 1
        assert session_of_gate.get("k_keep") == "4"


# --- iter_clips ---


def assert_results(found, expected, *differs):
    assert [type(result) for result in found] == [type(result) for result in expected]
    for one, other in zip(found, expected):
        if isinstance(one, Exception):
            assert str(one) == str(other)
        else:
            assert_equal(one, other, *differs)


@pytest.mark.parametrize("isolate", [False, True])
def test_all_clips_of_all_sources(clip, data, isolate):
    sources = [
        clip,
        (clip, {"window": None, "hop": None}),
        "/no/such/file.mp4",
        (data, {"hop": None}),
        (clip, {"window": None, "hop": None, "clip_length": 2}),
        (clip, {"window": 0}),
        (clip, {"output": "frames", "k_keep": None, "width": 112, "height": 84}),
        data,
    ]
    common = {"window": 1, "hop": 0.4, "sequence_length": 3, "k_keep": 7}
    expected = []
    for item in sources:
        source, own = item if isinstance(item, tuple) else (item, {})
        try:
            expected += read_windows(source, **{**common, **own})
        except (CodecPatchError, ValueError) as error:
            expected.append(error)
    found = list(codecpatch.iter_clips(sources, workers=2, isolate=isolate, **common))
    assert len(found) == 5 + 1 + 1 + 2 + 2 + 1 + 5 + 5
    assert_results(found, expected, "source")
    places = [getattr(result, "path", getattr(result, "source", None)) for result in found]
    names = [*[str(clip)] * 6, "/no/such/file.mp4", *["<bytes 3>"] * 2, *[str(clip)] * 2, None, *[str(clip)] * 5]
    assert places == [*names, *["<bytes 7>"] * 5]
    assert not threads_of_ours() and not children()


def test_names_of_sources_without_windows(data):
    """They are what they were."""
    found = codecpatch.iter_clips([data, io.BytesIO(data)], workers=1, k_keep=1)
    assert [result.source for result in found] == ["<bytes>", "<file object>"]


def test_names_of_file_objects(data):
    found = codecpatch.iter_clips([io.BytesIO(data), io.BytesIO(data)], workers=2, k_keep=1, window=1)
    assert [result.source for result in found] == ["<file object 0>"] * 2 + ["<file object 1>"] * 2


@pytest.mark.parametrize("isolate", [False, True])
def test_errors_in_the_middle(clip, damaged, isolate):
    """End their source: what was before them comes, and the other sources do."""
    options = {"window": 0.2, "sequence_length": 2, "k_keep": 3}
    before = []
    with codecpatch.open(damaged, **options) as session, pytest.raises(CodecPatchError) as caught:
        before.extend(session)
    assert before
    expected = [*before, caught.value, *read_windows(clip, **options), *before, caught.value]
    found = list(codecpatch.iter_clips([damaged, clip, damaged], workers=2, isolate=isolate, **options))
    assert_results(found, expected)


SUBSTITUTES = {"window": 0.2, "sequence_length": 2, "k_keep": 3, "on_error": "substitute"}


def test_each_warning_comes_once(damaged):
    """From processes, too."""
    told = []
    for isolate in (False, True):
        with pytest.warns(codecpatch.CodecPatchWarning) as caught:
            found = list(codecpatch.iter_clips([damaged], isolate=isolate, **SUBSTITUTES))
        assert all(isinstance(result, codecpatch.Clip) for result in found)
        told.append([str(warning.message) for warning in caught])
    assert told[0] == told[1]


@pytest.mark.parametrize("isolate", [False, True])
def test_warnings_that_are_errors(clip, damaged, isolate):
    """They end their source, and its worker reads the next one."""
    options = {**SUBSTITUTES, "isolate": isolate}
    found = list(codecpatch.iter_clips([damaged, clip], workers=1, **options))
    last = next(number for number, result in enumerate(found) if isinstance(result, Exception))
    assert isinstance(found[last], codecpatch.CodecPatchWarning)
    assert [result.source for result in found[:last]] == [str(damaged)] * last
    assert [result.start for result in found[last + 1 :]] == [number / 5 for number in range(10)]


class Watched(codecpatch.parallel._Results):
    """Keeps the most that has waited."""

    most = 0

    def add(self, result, is_last=False):
        super().add(result, is_last)
        Watched.most = max(Watched.most, len(self._waiting))


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(codecpatch.parallel, "_Results", Watched)
    monkeypatch.setattr(Watched, "most", 0)
    return Watched


@pytest.mark.parametrize("isolate", [False, True])
@pytest.mark.parametrize("limit, value, most", [("_WAITING_CLIPS", 3, 3), ("_WAITING_LIMIT", 1, 1)])
def test_no_more_waits_than_the_limit(clip, monkeypatch, watched, isolate, limit, value, most):
    monkeypatch.setattr(codecpatch.parallel, limit, value)
    options = {"window": FRAME, "sequence_length": 1, "k_keep": 1}
    found = list(codecpatch.iter_clips([clip] * 2, workers=2, isolate=isolate, **options))
    assert [result.sampled_frame_ids[0] for result in found] == [*range(60)] * 2
    assert 1 <= watched.most <= most  # the second source waits for the first


def test_clips_without_patches_have_a_limit(clip, monkeypatch, watched):
    monkeypatch.setattr(codecpatch.parallel, "_WAITING_CLIPS", 5)
    found = list(codecpatch.iter_clips([clip] * 2, workers=2, window=FRAME, sequence_length=1, k_keep=0))
    assert len(found) == 120 and watched.most <= 5


def test_sources_are_taken_as_they_are_needed(clip, monkeypatch):
    monkeypatch.setattr(codecpatch.parallel, "_WAITING_COUNT", 0)
    taken = 0

    def sources():
        nonlocal taken
        for taken in itertools.count(1):
            yield clip

    iterator = codecpatch.iter_clips(sources(), workers=2, k_keep=1, window=0.5, sequence_length=1)
    for number in range(1, 13):
        next(iterator)
        assert taken <= 4 + number // 4 + 1
    iterator.close()
    assert not threads_of_ours()


@pytest.mark.parametrize("isolate", [False, True])
def test_leaving_in_the_middle(clip, monkeypatch, isolate):
    """Wakes the workers that wait for room, and closes their sessions."""
    monkeypatch.setattr(codecpatch.parallel, "_WAITING_CLIPS", 1)
    options = {"window": FRAME, "sequence_length": 1, "k_keep": 1}
    iterator = codecpatch.iter_clips([clip] * 3, workers=3, isolate=isolate, **options)
    assert [next(iterator).clip_index for _ in range(3)] == [0, 1, 2]
    iterator.close()
    assert not threads_of_ours() and not children()


def test_clips_come_from_iter_clips_while_the_rest_is_missing(gate):
    iterator = codecpatch.iter_clips([gate], **EACH_FRAME)
    found = [next(iterator) for _ in range(5)]
    assert not gate.open.is_set()
    gate.open.set()
    found += iterator
    assert [result.sampled_frame_ids for result in found] == [[number] for number in range(60)]


def test_workers_that_die_in_the_middle(clip, monkeypatch):
    """The clips before are there, and the next source is read."""
    monkeypatch.setattr(codecpatch.parallel, "_WAITING_CLIPS", 1)
    options = {"window": FRAME, "sequence_length": 1, "k_keep": 1}
    iterator = codecpatch.iter_clips([clip, clip], workers=1, isolate=True, **options)
    found = [next(iterator)]
    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    found += iterator
    last = next(number for number, result in enumerate(found) if isinstance(result, Exception))
    assert found[last].code == ErrorCode.CRASHED and "SIGKILL" in str(found[last]) and last < 10
    assert [result.clip_index for result in found if isinstance(result, codecpatch.Clip)] == [*range(last), *range(60)]


def test_workers_read_one_source_after_the_other(clip, damaged):
    """Whether they have read all of it or not."""
    seen = set()
    options = {"window": 0.2, "sequence_length": 2, "k_keep": 3, "isolate": True}
    for _ in codecpatch.iter_clips([clip, damaged, clip], workers=1, **options):
        seen |= set(workers())
    assert len(seen) == 1


def test_kept_clips_of_processes_need_no_file_descriptors(clip):
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    def mappings():
        return Path("/proc/self/maps").read_text().count("memfd:codecpatch")

    gc.collect()
    before, others = descriptors(), mappings()
    kept = list(codecpatch.iter_clips([clip], isolate=True, window=FRAME, sequence_length=1, k_keep=1))
    assert len(kept) == 60 and descriptors() <= before and mappings() == others + 60
    del kept[10:]
    gc.collect()
    assert mappings() == others + 10
    assert checksum(kept[9]) == checksum(codecpatch.read(clip, frame_indices=[9], k_keep=1))


def test_clips_of_processes_are_the_callers(clip):
    one, other, *_ = codecpatch.iter_clips([clip], isolate=True, window=0.5, k_keep=4)
    before = checksum(other)
    one.patches[:] = 0
    assert checksum(other) == before
    assert_equal(pickle.loads(pickle.dumps(other)), other)
