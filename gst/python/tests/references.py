# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sources that name other sources: one of each kind, made here. Each names {url} and {path}, which nobody may open."""

from __future__ import annotations

import struct
from pathlib import Path

from support import launch

TEXTS = {
    "hls": (
        "an HLS playlist",
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\n{url}/part.ts\n#EXT-X-ENDLIST\n",
    ),
    "hls of files": (
        "an HLS playlist",
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\nfile://{path}\n#EXT-X-ENDLIST\n",
    ),
    "hls of streams": (
        "an HLS playlist",
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000,RESOLUTION=64x64\n{url}/a.m3u8\n",
    ),
    "dash": (
        "a DASH manifest",
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S" '
        'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4">'
        '<Representation id="1" bandwidth="1"><BaseURL>{url}/part.mp4</BaseURL></Representation></AdaptationSet></Period>'
        "</MPD>\n",
    ),
    "smooth streaming": (
        "a Smooth Streaming manifest",
        '<?xml version="1.0"?>\n<SmoothStreamingMedia MajorVersion="2" MinorVersion="0" Duration="40000000"><StreamIndex '
        'Type="video" Url="{url}/{{bitrate}}" Chunks="1"><c d="40000000"/></StreamIndex></SmoothStreamingMedia>\n',
    ),
    "sdp": (
        "a session description",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"
        "a=rtpmap:96 H264/90000\n",
    ),
    "sdp of rtsp": ("a session description", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\na=control:rtsp://127.0.0.1:{port}/x\n"),
    "uri list": ("a list of URIs", "{url}/a.mp4\r\n{url}/b.mp4\r\n"),
    "ram": ("a list of URIs", "rtsp://127.0.0.1:{port}/a.rm\n"),
    "m3u": ("M3U|a list of URIs", "#EXTM3U\n#EXTINF:1,a\n{path}\n"),
    "ffconcat": ("ffconcat", "ffconcat version 1.0\nfile {path}\n"),
    "concat": ("", "file '{path}'\n"),
    "pls": ("a PLS playlist", "[playlist]\nFile1={url}/a.mp4\nFile2={path}\nNumberOfEntries=2\n"),
    "asx": ("an ASX playlist", '<asx version="3.0"><entry><ref href="{url}/a.wmv"/></entry></asx>\n'),
    "asx, the older": ("an ASX playlist", "[Reference]\r\nRef1={url}/a.asf\r\n"),
    "smil": ("a SMIL presentation", '<smil><body><video src="{url}/a.mp4"/><video src="{path}"/></body></smil>\n'),
    "rtsptext": ("RTSPtext", "RTSPtextrtsp://127.0.0.1:{port}/a\r\n"),
    "xspf": (
        "an XSPF playlist",
        '<?xml version="1.0"?>\n<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track>'
        "<location>{url}/a.mp4</location></track></trackList></playlist>\n",
    ),
    "desktop file": ("a desktop file", "[Desktop Entry]\nType=Link\nURL=file://{path}\n"),
    "shortcut": ("a internet shortcut|an internet shortcut", "[InternetShortcut]\r\nURL={url}/a.mp4\r\n"),
    "editing project": (
        "",
        "<ges version='0.7'><project><ressources><asset id='file://{path}' extractable-type-name='GESUriClip'/>"
        "</ressources><timeline><track caps='video/x-raw' track-type='4' track-id='0'/><layer priority='0'>"
        "<clip id='0' asset-id='file://{path}' type-name='GESUriClip' layer-priority='0' track-types='4' start='0' "
        "duration='1000000000' inpoint='0' rate='0'/></layer></timeline></project></ges>\n",
    ),
    "svg": (
        "",
        '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'width="64" height="64"><image width="32" height="32" xlink:href="file://{path}"/>'
        '<image width="32" height="32" xlink:href="{url}/a.png"/></svg>\n',
    ),
    "xml entity": (
        "",
        '<?xml version="1.0"?>\n<!DOCTYPE MPD [<!ENTITY a SYSTEM "file://{path}">]>\n'
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><BaseURL>&a;</BaseURL></Period></MPD>\n',
    ),
    "html": ("", '<!DOCTYPE html>\n<html><body><video src="{url}/a.mp4"></video></body></html>\n'),
    "subtitles": ("", "1\n00:00:00,000 --> 00:00:04,000\n<img src='{url}/a.png'> {url}\n"),
}


def _box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + kind + content


def _reference_movie(url: str) -> bytes:
    address = url.encode() + b"/real.mov\0"
    reference = _box(b"rdrf", struct.pack(">I4sI", 0, b"url ", len(address)), address)
    return _box(b"ftyp", b"qt  \0\0\0\0qt  ") + _box(b"moov", _box(b"rmra", _box(b"rmda", reference)))


def _with_data_elsewhere(movie: bytes, entry: bytes) -> bytes:
    """The movie, with its data reference another one of the same size: what points behind it stays right."""
    at = movie.index(b"dref") + 12
    size = struct.unpack(">I", movie[at : at + 4])[0]
    grown = entry.ljust(size, b"\0")
    assert movie[at + 4 : at + 8] in (b"url ", b"alis")
    difference = len(grown) - size
    out = bytearray(movie[:at] + struct.pack(">I", len(grown)) + grown[4:] + movie[at + size :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        where = out.index(name) - 4
        out[where : where + 4] = struct.pack(">I", struct.unpack(">I", out[where : where + 4])[0] + difference)
    return bytes(out)


def _ebml(identity: str, content: bytes) -> bytes:
    return bytes.fromhex(identity) + (len(content) | 1 << 56).to_bytes(8, "big") + content


def _linked_segment(path: Path) -> bytes:
    name = str(path).encode()
    info = _ebml("1549a966", _ebml("2ad7b1", b"\x0f\x42\x40") + _ebml("3eb923", bytes(16)) + _ebml("3e83bb", name))
    return _ebml("1a45dfa3", _ebml("4282", b"matroska")) + _ebml("18538067", info)


def _cover_by_address(url: str) -> bytes:
    content = b"\0-->\0\3\0" + url.encode() + b"/cover.jpg"
    frame = b"APIC" + struct.pack(">IH", len(content), 0) + content
    size = len(frame)
    tag = b"ID3\3\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + frame
    return tag + (b"\xff\xfb\x90\x64" + bytes(413)) * 40


def _payloaded(folder: Path, playlist: bytes) -> bytes:
    """An HLS playlist as GStreamer's own protocol carries it."""
    plain, packed = folder / "plain.m3u8", folder / "packed.gdp"
    plain.write_bytes(playlist)
    launch("filesrc", f"location={plain}", "!", "application/x-hls", "!", "gdppay", "!", "filesink", f"location={packed}")
    return packed.read_bytes()


def make(folder: Path, clip: Path, url: str, victim: Path) -> dict[str, tuple[str, bytes]]:
    """What errors say (a regular expression; empty: whatever), and the bytes, by the name of the kind."""
    port = url.rpartition(":")[2]
    sources = {
        kind: (says, text.format(url=url, path=victim, port=port).encode()) for kind, (says, text) in TEXTS.items()
    }
    sources["hls, behind a byte order mark"] = ("playlist", b"\xef\xbb\xbf" + sources["hls"][1])
    movie = clip.read_bytes()
    address, name = f"{url}/data.mp4".encode(), str(victim).encode()
    sources |= {
        "quicktime reference movie": ("a movie that stands for another", _reference_movie(url)),
        "data at an address": ("", _with_data_elsewhere(movie, b"\0\0\0\0url \0\0\0\0" + address + b"\0")),
        "data in a file": ("", _with_data_elsewhere(movie, b"\0\0\0\0url \0\0\0\0file://" + name + b"\0")),
        "data behind an alias": ("", _with_data_elsewhere(movie, b"\0\0\0\0alis\0\0\0\0" + bytes(150) + name)),
        "matroska, linked": ("", _linked_segment(victim)),
        "cover by its address": ("", _cover_by_address(url)),
        "hls in gdp": ("", _payloaded(folder, sources["hls"][1])),
    }
    return sources
