# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files, bytes and objects open nothing but themselves, whatever they name."""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import codecpatch
import pytest
import references
from codecpatch import CodecPatchError

WAYS = ("path", "bytes", "object")

# Opens what the first argument lists in all three ways. Before each it opens a file that is not there, which tells the
# trace where the next one begins.
READER = """
import io, json, sys
import codecpatch

codecpatch.read(sys.argv[2], k_keep=4)
outcomes = []
for number, source in enumerate(json.load(open(sys.argv[1]))):
    for way in ("path", "bytes", "object"):
        data = open(source, "rb").read()
        try:
            open(f"/next-source/{number}/{way}")
        except OSError:
            pass
        what = {"path": source, "bytes": data, "object": io.BytesIO(data)}[way]
        try:
            codecpatch.read(what, k_keep=4)
            outcomes.append("")
        except (codecpatch.CodecPatchError, ValueError) as error:
            outcomes.append(str(error))
print(json.dumps(outcomes))
"""

# Code that is loaded late, and what the system tells of itself.
SYSTEM = ("/usr/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/", "/run/", sys.prefix, sys.base_prefix)


@pytest.fixture
def server():
    """Its address, and what it has been asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.fixture
def sources(server, clip, tmp_path):
    """The kinds, what errors say of each, and the files."""
    victim = tmp_path / "victim" / "other.mp4"
    victim.parent.mkdir()
    shutil.copy(clip, victim)
    listed = []
    for number, (kind, (says, data)) in enumerate(references.make(tmp_path, clip, server[0], victim).items()):
        path = tmp_path / f"source-{number}.mp4"
        path.write_bytes(data)
        listed.append((kind, says, path))
    return listed


def is_system(path: str) -> bool:
    own = [os.environ.get(name, "") for name in ("CODECPATCH_LIBRARY", "GST_PLUGIN_PATH_1_0", "GST_PLUGIN_PATH", "GST_REGISTRY")]
    package = str(Path(codecpatch.__file__).parent)
    return path.startswith((*SYSTEM, *filter(None, own), package, str(Path.home() / ".cache")))


def violations(trace: str, listed) -> list[str]:
    """Sockets of the network, and files that are neither the source nor the system's."""
    found, current, source = [], None, ""
    for line in trace.splitlines():
        if marker := re.search(r'"/next-source/(\d+)/(\w+)"', line):
            kind, _, path = listed[int(marker[1])]
            current, source = f"{kind}, by {marker[2]}", str(path)
            continue
        if current is None:
            continue
        opened = re.search(r'\b(?:open|openat|openat2|creat)\((?:[^,"]*, )?"([^"]*)"', line)
        if opened and opened[1] != source and not is_system(opened[1]) and "/source-" not in opened[1]:
            found.append(f"{current}: opens {opened[1]}")
        if re.search(r"\b(connect|sendto|bind)\(", line) and re.search("AF_INET6?", line):
            found.append(f"{current}: {line}")
    assert current is not None, "the trace shows nothing"
    return found


def can_trace(strace: str | None) -> bool:
    return strace is not None and subprocess.run([strace, "true"], capture_output=True).returncode == 0


def test_traces_are_read():
    listed = [("hls", "", Path("/tmp/a.mp4"))]
    trace = "\n".join(
        [
            '7 connect(4, {sa_family=AF_INET, sin_port=htons(80)}, 16) = 0',  # before it begins
            '7 openat(AT_FDCWD, "/next-source/0/path", O_RDONLY) = -1 ENOENT',
            '7 openat(AT_FDCWD, "/tmp/a.mp4", O_RDONLY) = 3',
            '7 openat(AT_FDCWD, "/usr/lib/libx.so", O_RDONLY) = 4',
            '7 openat(AT_FDCWD, "/tmp/victim/other.mp4", O_RDONLY <unfinished ...>',
            '8 connect(4, {sa_family=AF_INET, sin_port=htons(80)}, 16) = -1 EINPROGRESS',
            '8 connect(4, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = 0',
            '8 bind(4, {sa_family=AF_INET6, sin6_port=htons(80)}, 28) = 0',
        ]
    )
    found = violations(trace, listed)
    assert len(found) == 3 and found[0] == "hls, by path: opens /tmp/victim/other.mp4"


@pytest.mark.slow
def test_nothing_else_is_opened(sources, server, clip, tmp_path):
    strace = shutil.which("strace")
    if not can_trace(strace):
        pytest.skip("there is no strace, or it may not trace here")
    manifest, trace = tmp_path / "manifest.json", tmp_path / "trace"
    manifest.write_text(json.dumps([str(path) for _, _, path in sources]))
    done = subprocess.run(
        [strace, "-f", "-qq", "-o", trace, "-e", "trace=open,openat,openat2,creat,connect,sendto,bind"]
        + [sys.executable, "-c", READER, manifest, clip],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=140,
    )
    assert done.returncode == 0, done.stderr
    assert violations(trace.read_text(errors="replace"), sources) == []
    assert server[1] == []
    outcomes = iter(json.loads(done.stdout.splitlines()[-1]))
    wrong = [
        f"{kind}, by {way}: {error or 'no error'}"
        for kind, says, _ in sources
        for way, error in zip(WAYS, outcomes)
        if says and not re.search(says, error)
    ]
    assert wrong == []


def test_nobody_is_asked(sources, server):
    """The same without strace, and by path alone."""
    for kind, says, path in sources:
        try:
            codecpatch.read(path, k_keep=4)
        except (CodecPatchError, ValueError) as error:
            assert re.search(says, str(error)), f"{kind}: {error}"
        else:
            assert not says, f"{kind}: no error"
    assert server[1] == []


def test_playlists_by_address(server, tmp_path):
    """Not even those, unless that is allowed: then the server is asked for it, and whatever it names."""

    class Handler(http.server.BaseHTTPRequestHandler):
        asked: list[str] = []

        def do_GET(self):
            self.asked.append(self.path)
            if self.path != "/a.m3u8":
                self.send_error(404)
                return
            text = references.TEXTS["hls"][1].format(url=server[0]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/vnd.apple.mpegurl")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as own:
        threading.Thread(target=own.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{own.server_port}/a.m3u8"
        with pytest.raises(CodecPatchError, match="an HLS playlist.*allow-playlists"):
            codecpatch.read(url)
        assert Handler.asked and server[1] == []
        with pytest.raises(CodecPatchError) as refused:
            codecpatch.read(url, allow_playlists=True)
        own.shutdown()
    assert "allow-playlists" not in str(refused.value)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("udp://127.0.0.1:5004", "allow-uri-schemes"),
        ("fd://0", "allow-uri-schemes"),
        ("file://elsewhere/clip.mp4", "the machine \"elsewhere\""),
        ("ftp://me:secret@127.0.0.1/clip.mp4", "allow-uri-schemes"),
        ("http://me:secret@127.0.0.1:1/clip.mp4", ""),
    ],
)
def test_uris(uri, says):
    with pytest.raises(CodecPatchError, match=says) as refused:
        codecpatch.read(uri)
    assert "secret" not in str(refused.value)


def test_schemes_that_are_allowed(clip):
    uri = clip.as_uri()
    assert len(codecpatch.read(uri, k_keep=4, allow_uri_schemes="file,https").sampled_frame_ids) == 16
    with pytest.raises(CodecPatchError, match='allow-uri-schemes is "https": add "file"'):
        codecpatch.read(uri, allow_uri_schemes="https")
