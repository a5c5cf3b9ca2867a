#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The checks of ci/soak.sh, which describes them."""

import argparse
import functools
import http.server
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

RATE = 25
WINDOW = 2 * Gst.SECOND
PAUSE = 15  # seconds from the end of a server to the next one
FILM = f"testsrc2=rate={RATE}:size=640x360"
CODER = f"-c:v libx264 -preset ultrafast -tune zerolatency -g {RATE} -pix_fmt yuv420p"
RTSP = (
    f"( videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=640,height=360,framerate={RATE}/1 "
    f"! x264enc tune=zerolatency speed-preset=ultrafast key-int-max={RATE} ! rtph264pay name=pay0 )"
)
GROWTH = 8 << 20  # bytes that caches and allocators may take later


def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def mebibytes(size):
    return f"{size / (1 << 20):.1f}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# Sources


class Server:
    """A process that sends the film, and its URI."""

    properties = ""
    reopened = True  # it may be killed

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Rtsp(Server):
    def __init__(self, folder):
        port = free_port()
        self.uri = f"rtsp://127.0.0.1:{port}/film"
        self.command = [sys.executable, __file__, "serve", "--port", str(port)]


class Udp(Server):
    properties = "allow-uri-schemes=udp"

    def __init__(self, folder):
        self.uri = f"udp://127.0.0.1:{free_port()}"
        sent = f"{CODER} -f mpegts {self.uri}?pkt_size=1316"
        self.command = f"ffmpeg -v error -re -f lavfi -i {FILM} {sent}".split()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


class Hls(Server):
    properties = "allow-playlists=true"
    reopened = False

    def __init__(self, folder):
        target = pathlib.Path(folder) / "hls"
        target.mkdir()
        self.playlist = target / "film.m3u8"
        sent = f"{CODER} -f hls -hls_time 1 -hls_list_size 6 -hls_flags delete_segments"
        self.command = f"ffmpeg -v error -re -f lavfi -i {FILM} {sent} {self.playlist}".split()
        handler = functools.partial(Quiet, directory=str(target))
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.uri = f"http://127.0.0.1:{self.web.server_port}/film.m3u8"
        threading.Thread(target=self.web.serve_forever, daemon=True).start()

    def start(self):
        super().start()
        while not self.playlist.exists() or self.playlist.read_text().count(".ts") < 3:
            time.sleep(0.1)


def serve(args):
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GstRtspServer

    server = GstRtspServer.RTSPServer(address="127.0.0.1", service=str(args.port))
    factory = GstRtspServer.RTSPMediaFactory(launch=RTSP, shared=True)
    server.get_mount_points().add_factory("/film", factory)
    server.attach(None)
    GLib.MainLoop().run()


# Checks


class Lateness:
    """How much later clips come than their last frames are decoded."""

    def __init__(self, pipeline):
        self.decoded = {}  # running time of a frame: when it came
        self.last = None  # running time of the last frame that the sampler sent
        self.late = []  # seconds
        sampler = pipeline.get_by_name("sampler")
        for pad, watch in (
            (sampler.get_static_pad("sink"), self.on_decoded),
            (sampler.get_static_pad("src"), self.on_sampled),
            (pipeline.get_by_name("bin").get_static_pad("src"), self.on_clip),
        ):
            pad.add_probe(Gst.PadProbeType.BUFFER, watch)

    def on_decoded(self, pad, info):
        segment = pad.get_sticky_event(Gst.EventType.SEGMENT, 0).parse_segment()
        running = segment.to_running_time(Gst.Format.TIME, info.get_buffer().pts)
        self.decoded[running] = time.monotonic()
        for old in list(self.decoded)[: -100 * RATE]:
            del self.decoded[old]
        return Gst.PadProbeReturn.OK

    def on_sampled(self, pad, info):
        self.last = info.get_buffer().pts
        return Gst.PadProbeReturn.OK

    def on_clip(self, pad, info):
        if self.last in self.decoded:  # not if the times of the source have gone back
            self.late.append(time.monotonic() - self.decoded[self.last])
        return Gst.PadProbeReturn.OK


def live(args):
    server = {"rtsp": Rtsp, "udp": Udp, "hls": Hls}[args.check](args.folder)
    server.start()
    if args.check == "rtsp":
        wait_for_port(server.uri)
    location = f"{args.folder}/{args.check}-%05d.safetensors"
    pipeline = Gst.parse_launch(
        f"patchstreambin name=bin uri={server.uri} {server.properties} window={WINDOW} sequence-length=8 k-keep=256 "
        f"! tensormetasink location={location} max-files=10"
    )
    lateness = Lateness(pipeline)
    bus = pipeline.get_bus()
    pipeline.set_state(Gst.State.PLAYING)
    begin = time.monotonic()
    kill_at, start_at = args.seconds / 5, args.seconds / 5 + PAUSE
    clips = dropped = after = 0
    warnings, problems, memory = [], [], []
    killed = started = not server.reopened
    while (now := time.monotonic() - begin) < args.seconds and not problems:
        if not killed and now > kill_at:
            killed = True
            server.stop()
        if not started and now > start_at:
            started = True
            server.start()
        message = bus.timed_pop(Gst.SECOND // 10)
        if message and message.type == Gst.MessageType.ERROR:
            problems.append(f"error: {message.parse_error()[0].message}")
        elif message and message.type == Gst.MessageType.EOS:
            problems.append("the stream has ended")
        elif message and message.type == Gst.MessageType.WARNING:
            warnings.append(message.parse_warning()[0].message)
        elif message and message.has_name("tensors-written"):
            clips += 1
            after += started
            memory.append(resident())
        elif message and message.has_name("clip-dropped"):
            dropped += 1
    pipeline.set_state(Gst.State.NULL)
    server.stop()
    if not after:
        problems.append("no clip at the end")
    late = [1000 * seconds for seconds in lateness.late] or [0]
    settled = memory[len(memory) // 4 :] or [0]  # decoder and allocators take their shares in the first clips
    if max(late) > 1000 / RATE + args.late:
        problems.append(f"a clip came {max(late):.0f} ms after its last frame")
    if settled[-1] > settled[0] + GROWTH:
        problems.append("memory grows")
    for text in sorted(set(warnings)):
        print(f"  warning, {warnings.count(text)} times: {text}")
    report(
        args.check,
        f"{args.seconds:.0f} s, {clips} clips, {dropped} dropped, ms late: median {statistics.median(late):.0f}, "
        f"most {max(late):.0f}; MiB resident: {mebibytes(settled[0])} to {mebibytes(settled[-1])}",
        problems,
    )


def wait_for_port(uri):
    address = uri.split("/")[2].split(":")
    for _ in range(100):
        try:
            socket.create_connection((address[0], int(address[1])), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not start")


def speed(args):
    frames = int(args.hours * 3600 * RATE)
    pipeline = Gst.parse_launch(
        f"videotestsrc pattern=ball num-buffers={frames} ! video/x-raw,format=I420,width=160,height=96,"
        f"framerate={RATE}/1 ! uniformsampler sequence-length=16 window={8 * Gst.SECOND} hop={4 * Gst.SECOND} "
        "! patchenergy ! patchselect k-keep=64 ! fakesink name=sink sync=false async=false"
    )
    memory = []
    pad = pipeline.get_by_name("sink").get_static_pad("sink")
    pad.add_probe(Gst.PadProbeType.BUFFER, lambda *_: memory.append(resident()) or Gst.PadProbeReturn.OK)
    begin = time.monotonic()
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR
    )
    taken = time.monotonic() - begin
    pipeline.set_state(Gst.State.NULL)
    problems = []
    if message.type == Gst.MessageType.ERROR:
        problems.append(f"error: {message.parse_error()[0].message}")
    settled = memory[len(memory) // 20 :] or [0]
    if max(settled) > settled[0] + GROWTH // 4:
        problems.append("memory grows")
    report(
        "speed",
        f"{args.hours:g} h in {taken:.0f} s, {len(memory)} clips, MiB resident: {mebibytes(settled[0])} to "
        f"{mebibytes(settled[-1])}, most {mebibytes(max(settled))}",
        problems,
    )


def report(name, figures, problems):
    print(f"{name}: {figures}{''.join('; FAILED: ' + problem for problem in problems)}", flush=True)
    sys.exit(bool(problems))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("check", choices=["rtsp", "udp", "hls", "speed", "serve"])
    parser.add_argument("--folder", default=".")
    parser.add_argument("--port", type=int)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--late", type=float, default=100)
    args = parser.parse_args()
    Gst.init(None)
    {"speed": speed, "serve": serve}.get(args.check, live)(args)


if __name__ == "__main__":
    main()
