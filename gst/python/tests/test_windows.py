# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many clips of one reading: windows, clip_length, and what waits while nobody takes them."""

from __future__ import annotations

import contextlib
import itertools
import pickle
import re
import signal
import threading
from decimal import Decimal
from fractions import Fraction

import codecpatch
import numpy
import pytest
from codecpatch import CodecPatchError, ErrorCode
from support import array, run_python
from windowed import EACH_FRAME, FRAME, assert_equal, read_windows, shut

pytestmark = pytest.mark.filterwarnings("ignore:.*estimate:codecpatch.CodecPatchWarning")


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


PLANS = [
    ({"window": 0.5}, [0, 0.5, 1, 1.5]),
    ({"window": 0.8, "hop": 0.3}, [0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8]),
    ({"window": 0.25, "hop": 0.75}, [0, 0.75, 1.5]),
    ({"window": Fraction(1, 3), "hop": Fraction(1, 2), "start": 0.7, "stop": 1.9}, [0.7, 1.2, 1.7]),
    ({"window": 100}, [0]),
]


# Each setting with two of the plans; ci/windows.py has them all, with long files.
@pytest.mark.parametrize(
    "options, plan, starts",
    [(SETTINGS[i], *PLANS[(i + more) % len(PLANS)]) for i in range(len(SETTINGS)) for more in (0, 1)],
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
