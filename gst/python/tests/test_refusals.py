"""What is refused by name, before it costs anything."""

from __future__ import annotations

import http.server
import threading

import codecpatch
import pytest
from codecpatch import CodecPatchError

PLAYLISTS = {
    "an HLS playlist": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\n{url}/part.ts\n#EXT-X-ENDLIST\n",
    "a DASH manifest": (
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S" '
        'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation '
        'id="1" bandwidth="1"><BaseURL>{url}/part.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>\n'
    ),
    "a Smooth Streaming manifest": (
        '<?xml version="1.0"?>\n<SmoothStreamingMedia MajorVersion="2" MinorVersion="0" Duration="40000000"><StreamIndex '
        'Type="video" Url="{url}/{{bitrate}}" Chunks="1"><c d="40000000"/></StreamIndex></SmoothStreamingMedia>\n'
    ),
    "a session description (SDP)": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n",
}


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
        yield server.server_port, asked
        server.shutdown()


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_files_do_not_open_others(kind, server, tmp_path):
    port, asked = server
    text = PLAYLISTS[kind].format(url=f"http://127.0.0.1:{port}", port=port).encode()
    path = tmp_path / "video.mp4"
    path.write_bytes(text)
    for source in (path, text):
        with pytest.raises(CodecPatchError, match=r"This is .*names other sources: give its URL|Could not determine type"):
            codecpatch.read(source)
    assert asked == []


def test_pictures_of_any_size(clip):
    with pytest.raises(CodecPatchError, match="320x240 pixels, more than max-source-pixels, which is 76799"):
        codecpatch.read(clip, max_source_pixels=320 * 240 - 1)
    assert len(codecpatch.read(clip, max_source_pixels=320 * 240, k_keep=4).sampled_frame_ids) == 16
