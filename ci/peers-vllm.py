# SPDX-License-Identifier: LGPL-2.1-or-later
# For ci/peers-vllm.sh: peers-vllm.py FOLDER_OF_VLLM VIDEO...
import sys
import types
from pathlib import Path

import codecpatch.vllm
import numpy

CASES = [{}, {"num_frames": 8}, {"num_frames": 32, "fps": 2}, {"fps": 1}, {"num_frames": 1}, {"num_frames": 100000}]


def import_loaders(folder):
    """Imports the loaders of vLLM without the rest of it, which needs a hundred packages."""
    for name in ("vllm", "vllm.multimodal"):
        package = types.ModuleType(name)
        package.__path__ = [str(Path(folder, *name.split(".")[1:]))]
        sys.modules[name] = package
    from vllm.multimodal import video

    return video.VIDEO_LOADER_REGISTRY


def result_of(loader, data, options):
    try:
        return loader.load_bytes(data, **options)
    except Exception as error:
        return type(error).__name__


def main():
    folder, *videos = sys.argv[1:]
    registry = import_loaders(folder)
    codecpatch.vllm.register()
    names = [name for name in registry.name2class if name.startswith("codecpatch")]
    print("| video | loader | calls | same frames, by number, size and index | same metadata | mean difference |")
    print("|---|---|---|---|---|---|", flush=True)
    failed = False
    for path in videos:
        data = Path(path).read_bytes()
        for name in names:
            theirs = registry.load(name.removeprefix("codecpatch_") if "_" in name else "opencv")
            ours = registry.load(name)
            frames_equal = metadata_equal = 0
            differences = []
            for options in CASES:
                expected, found = (result_of(loader, data, options) for loader in (theirs, ours))
                if isinstance(expected, str) or isinstance(found, str):
                    frames_equal += expected == found
                    metadata_equal += expected == found
                    continue
                suffix = found[1].pop("video_backend"), expected[1].pop("video_backend")
                same = suffix[0].removeprefix("codecpatch") == suffix[1].removeprefix("opencv")
                same = same and list(found[1]) == list(expected[1]) and found[1]["fps"] == expected[1]["fps"]
                metadata_equal += same and found[1] == expected[1]
                alike = found[0].shape == expected[0].shape and found[0].dtype == expected[0].dtype
                frames_equal += alike and found[1]["frames_indices"] == expected[1]["frames_indices"]
                if alike and len(found[0]):
                    differences.append(float(numpy.abs(found[0].astype(int) - expected[0]).mean()))
                elif not alike:
                    print(name, options, found[0].shape, expected[0].shape, found[1], expected[1], file=sys.stderr)
            failed |= frames_equal < len(CASES) or metadata_equal < len(CASES)
            mean = f"{max(differences):.2f}" if differences else ""
            cells = Path(path).name, name, len(CASES), frames_equal, metadata_equal, mean
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    sys.exit(1 if failed else 0)


main()
