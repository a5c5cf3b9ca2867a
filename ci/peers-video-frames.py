# SPDX-License-Identifier: LGPL-2.1-or-later
"""For ci/peers-video.py: peers-video-frames.py PATH COUNT HEIGHT WIDTH LUMA

Decodes all frames from one reading without an index, writes their luma to the file LUMA, row by row, and prints a hash
of the RGB that framestack makes of each. Both are of the same buffers: the luma is taken where framestack takes its
frames. So RGB can be compared with that of another decoder through the luma, without converting anything.
"""

import hashlib
import sys
from pathlib import Path

import gi
import numpy

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import Gst, GstVideo  # noqa: E402


def main():
    path, count, height, width, luma = sys.argv[1:]
    Gst.init(None)
    pipeline = Gst.parse_launch(
        "uniformdecodebin name=source uniform-strategy=stream clip-length=4 decode-backend=cpu ! framestack name=stack"
        " ! appsink name=sink sync=false max-buffers=2"
    )
    source = pipeline.get_by_name("source")
    source.set_property("uri", Path(path).resolve().as_uri())
    source.set_property("sequence-length", int(count))
    with open(luma, "wb") as to:

        def take(pad, info):
            buffer = info.get_buffer()
            video = GstVideo.VideoInfo.new_from_caps(pad.get_current_caps())
            meta = GstVideo.buffer_get_video_meta(buffer)
            stride, begin = (meta.stride[0], meta.offset[0]) if meta else (video.stride[0], video.offset[0])
            size = video.width * (2 if video.finfo.depth[0] > 8 else 1)
            okay, mapped = buffer.map(Gst.MapFlags.READ)
            data = numpy.frombuffer(mapped.data, "u1")
            for row in range(video.height):
                to.write(data[begin + row * stride :][:size].tobytes())
            buffer.unmap(mapped)
            return Gst.PadProbeReturn.OK

        pipeline.get_by_name("stack").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, take)
        pipeline.set_state(Gst.State.PLAYING)
        sink = pipeline.get_by_name("sink")
        frame = 3 * int(height) * int(width)
        while (sample := sink.emit("pull-sample")) is not None:
            buffer = sample.get_buffer()
            data = memoryview(buffer.extract_dup(0, buffer.get_size()))
            for begin in range(0, len(data), frame):
                print(hashlib.blake2b(data[begin : begin + frame], digest_size=16).hexdigest())
    message = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if message:
        sys.exit(str(message.parse_error()))


main()
