#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ci/includes.py: fails if a file includes a header of a folder that its own folder does not build on.

The table is the order of the folders. A folder may include itself and the folders of its row.
"""

import os
import re
import subprocess
import sys

LIBRARY = ("gst/common", "gst/codecpatch")
ELEMENT = ("kernels", "gst/bitstream", "gst/cuda", "gst/elements/common", *LIBRARY)

FOLDERS = {
    "kernels": (),
    "gst/common": (),
    "gst/bitstream": ("gst/common",),
    "gst/codecpatch": ("kernels", "gst/common"),
    "gst/codecpatch/session": LIBRARY,
    "gst/cuda": ("kernels", *LIBRARY),
    "gst/elements/common": ("kernels", "gst/bitstream", "gst/cuda", *LIBRARY),
    "gst/elements/planner": ELEMENT,
    "gst/elements/sampler": ELEMENT,
    "gst/elements/process": ELEMENT,
    "gst/elements/render": ELEMENT,
    "gst/elements/sink": ELEMENT,
    "gst/elements/libav": ELEMENT,
    "gst/elements/search": ELEMENT,
    "gst/elements/bins": (
        *(f"gst/elements/{name}" for name in ("planner", "sampler", "process", "libav", "search")),
        *ELEMENT,
    ),
    "gst/elements": tuple(
        f"gst/elements/{name}" for name in ("planner", "sampler", "process", "render", "sink", "libav", "search", "bins", "common")
    ),
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def find_cycle():
    """Returns a cycle of folders in the table, or None."""
    done = set()

    def visit(folder, above):
        if folder in above:
            return above[above.index(folder):] + [folder]
        if folder in done:
            return None
        for below in FOLDERS[folder]:
            found = visit(below, above + [folder])
            if found:
                return found
        done.add(folder)
        return None

    return next(filter(None, (visit(folder, []) for folder in FOLDERS)), None)


def findings(root):
    for path in subprocess.check_output(["find", "gst", "kernels", "-name", "*.*"], cwd=root, text=True).splitlines():
        folder = os.path.dirname(path)
        if not path.endswith((".h", ".cpp", ".cu", ".cuh")):
            continue
        if folder not in FOLDERS:
            yield f"{path}: its folder is not in the table of ci/includes.py"
            continue
        with open(os.path.join(root, path)) as file:
            included = INCLUDE.findall(file.read())
        for name in included:
            target = os.path.dirname(name)
            if name.endswith(".fatbin.h") or name == "tests/cudasim/simt.h":  # made by the build; instead of nvcc
                continue
            if target != folder and target not in FOLDERS[folder]:
                yield f"{path} includes {name}: {folder} does not build on {target or 'that'}"


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    cycle = find_cycle()
    found = [f"a cycle: {' -> '.join(cycle)}"] if cycle else sorted(findings(root))
    print("\n".join(found) or f"{len(FOLDERS)} folders, no include against their order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
