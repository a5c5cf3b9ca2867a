# SPDX-License-Identifier: LGPL-2.1-or-later
"""The second half of ci/corpus.sh: selects files of the corpus, runs ../shared/tools/corpus.py on them, and checks the
results.

  corpus.py SHARED [--part N] [--launch N] [--jobs N] [--out RESULT.jsonl]

Fails if a file hangs, crashes the process, or gives other frames than a full decode by PyAV, except files that
ci/corpus-known.txt explains; and if fewer than 93 % of the files that PyAV decodes are right (for all files, not for a
part).
"""

from __future__ import annotations

import argparse
import collections
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MUST_BE_RIGHT = 0.93


def known() -> dict[str, str]:
    """Returns the explained files: a part of the name, and the reason."""
    lines = (HERE / "corpus-known.txt").read_text().splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))


def small_files_of_all_kinds(files: list[dict], folder: Path, count: int) -> list[dict]:
    """Returns the smallest file of each kind, then the second smallest, ...; files that once failed come first."""
    kinds = collections.defaultdict(list)
    for file in sorted(files, key=lambda file: (folder / file["name"]).stat().st_size):
        decodable = file["was"] not in ("refused by both", "only ours")
        kinds[not file["cause"], not decodable, file["cause"], file["container"], file["cause"] or file["codec"]].append(file)
    ordered = [kinds[kind] for kind in sorted(kinds, key=lambda kind: kind[:2])]
    return [kind[i] for i in range(len(files)) for kind in ordered if i < len(kind)][:count]


def run_tool(shared: Path, files: list[dict], jobs: int, out: Path) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "expect.json").write_text(json.dumps(files))
        (Path(folder) / "files").symlink_to(shared / "corpus" / "files")
        tool = [sys.executable, shared / "tools" / "corpus.py", "--corpus", folder, "--jobs", str(jobs), "--out", out]
        subprocess.run([str(part) for part in tool], check=False)
    return [json.loads(line) for line in out.read_text().splitlines()]


def judge(results: list[dict], whole: bool) -> int:
    explained, bad = known(), 0
    counts = collections.Counter(result["verdict"] for result in results)
    for result in results:
        if result["verdict"] in ("right", "only ours", "refused", "refused by both"):
            continue
        reason = next((why for part, why in explained.items() if part in result["name"]), None)
        print(f"{'known' if reason else 'BAD'}: {result['verdict']}: {result['name']}: {reason or result['why']}")
        bad += reason is None
    decodable = len(results) - counts["refused by both"] - counts["only ours"]
    share = counts["right"] / max(1, decodable)
    print(f"right: {counts['right']} of {decodable} that PyAV decodes, {100 * share:.1f} %; {bad} unexplained")
    return bad + (whole and share < MUST_BE_RIGHT)


def launched_ids(path: Path, to: Path) -> list[int]:
    """Returns the frames that the README's gst-launch line with patchstreambin samples."""
    line = ["gst-launch-1.0", "-q", "patchstreambin", f"uri={path.as_uri()}", "k-keep=256", "on-error=fail", "!"]
    subprocess.run([*line, "tensormetasink", f"location={to}"], check=True, timeout=60, capture_output=True)
    data = to.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return json.loads(header["__metadata__"]["sampled_frame_ids"])


def compare_launch(shared: Path, names: list[str]) -> int:
    import codecpatch

    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            path = shared / "corpus" / "files" / name
            ours = codecpatch.read(path, k_keep=256, output_dtype="u8", decode_backend="cpu").sampled_frame_ids
            try:
                launched = launched_ids(path, Path(folder) / "clip.safetensors")
            except subprocess.CalledProcessError as error:
                launched = error.stderr.decode(errors="replace")[-300:]
            if launched != ours:
                print(f"BAD: {name}: gst-launch-1.0 samples {launched}, the session {ours}")
                bad += 1
    print(f"gst-launch-1.0: the same frames of {len(names) - bad} of {len(names)} files")
    return bad


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("shared", type=Path)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--launch", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    shared = options.shared.resolve()
    files = json.loads((shared / "corpus" / "expect.json").read_text())
    if options.part:
        files = small_files_of_all_kinds(files, shared / "corpus" / "files", options.part)
    with tempfile.TemporaryDirectory() as folder:
        results = run_tool(shared, files, options.jobs, options.out or Path(folder) / "results.jsonl")
    bad = judge(results, whole=not options.part)
    right = [result["name"] for result in results if result["verdict"] == "right"]
    if options.launch:
        bad += compare_launch(shared, right[:: max(1, len(right) // options.launch)][: options.launch])
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
