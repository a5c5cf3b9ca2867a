#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trains on batches of patches of many videos, which worker processes decode.

    python3 dataloader.py VIDEO_OR_FOLDER... [--workers 2] [--batch-size 4] [--epochs 2] [--padded]

The toy model learns which video a clip is from. A video that cannot be read does not stop the training: its exception
is returned as a value, in the batch from which its clip is missing. """

import argparse
import os
import time
from pathlib import Path
from typing import NamedTuple, Union

import codecpatch
import torch
from torch.utils.data import DataLoader, Dataset

SUFFIXES = {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".ts", ".webm"}
PATCH_SIZE = 14
OPTIONS = {
    "sequence_length": 16,
    "k_keep": 512,
    "patch_size": PATCH_SIZE,
    "scale": 1 / 255,  # (x * scale - mean) / std, when patches are cut
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
    "decode_backend": "cpu",  # because tensors on a GPU are expensive to send between processes
}


class Videos(Dataset):
    """The clip of each video, or its exception, and the number of the video."""

    def __init__(self, paths, **options):
        self.paths, self.options = paths, options

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        try:
            return codecpatch.read(self.paths[index], **self.options), index
        except codecpatch.CodecPatchError as error:  # not ValueError, because wrong options should end the program
            return error, index


class Batch(NamedTuple):
    clips: Union[codecpatch.PackedClips, codecpatch.PaddedClips]
    labels: torch.Tensor
    errors: list


class Collate:
    """Joins the clips of a batch with `join`, and collects the errors."""

    def __init__(self, join):
        self.join = join

    def __call__(self, items):
        good = [(clip, index) for clip, index in items if isinstance(clip, codecpatch.Clip)]
        errors = [error for error, _ in items if isinstance(error, Exception)]
        return Batch(self.join([clip for clip, _ in good]), torch.tensor([index for _, index in good]), errors)


class Toy(torch.nn.Module):
    """Embeds each patch separately, and classifies the mean over the clip."""

    def __init__(self, classes, width=64):
        super().__init__()
        self.embed = torch.nn.Sequential(torch.nn.Linear(3 * PATCH_SIZE**2, width), torch.nn.ReLU())
        self.head = torch.nn.Linear(width, classes)

    def forward(self, clips):
        tokens = self.embed(clips.patches.flatten(-3).float())
        if isinstance(clips, codecpatch.PaddedClips):  # [B, K, width], padded with zeros after shorter clips
            means = (tokens * clips.mask[..., None]).sum(1) / clips.mask.sum(1, keepdim=True)
        else:  # [sum of K, width]: cu_seqlens has the end of each clip
            means = torch.stack([part.mean(0) for part in tokens.tensor_split(clips.cu_seqlens[1:-1].tolist())])
        return self.head(means)


def find_videos(places):
    inside = [sorted(place.iterdir()) if place.is_dir() else [place] for place in places]
    return [path for paths in inside for path in paths if path.suffix.lower() in SUFFIXES]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--workers", type=int, default=2, help="processes; 0 decodes in this one")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--padded", action="store_true", help="[B, K, ...] and a mask, instead of [sum of K, ...]")
    args = parser.parse_args()
    paths = find_videos(args.videos) or parser.error("there are no videos")

    # The workers share the cores, so more decoding threads would not be faster.
    threads = max(1, (os.cpu_count() or 1) // max(1, args.workers))
    loader = DataLoader(
        Videos(paths, decode_threads=threads, **OPTIONS),
        batch_size=args.batch_size,
        shuffle=True,
        collate_fn=Collate(codecpatch.collate_padded if args.padded else codecpatch.collate_packed),
        num_workers=args.workers,
        # A fork copies the memory of GStreamer, of CUDA and of PyTorch's thread pools, but not their threads. It would
        # work if the workers started before the first session of this process; after it, sessions raise an error.
        multiprocessing_context="spawn" if args.workers else None,
        persistent_workers=args.workers > 0,  # otherwise each epoch imports PyTorch again in each worker
    )
    model = Toy(len(paths))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    for epoch in range(args.epochs):
        started, count, loss = time.perf_counter(), 0, torch.tensor(float("nan"))
        for batch in loader:
            for error in batch.errors:
                print(f"left out: {error}")
            if not len(batch.labels):
                continue
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(batch.clips), batch.labels)
            loss.backward()
            optimizer.step()
            count += len(batch.labels)
        seconds = time.perf_counter() - started
        start = ", the start of the workers included" if args.workers and not epoch else ""
        print(f"epoch {epoch}: {count} clips in {seconds:.2f} s, {count / seconds:.1f} clips/s{start}; loss {loss:.3f}")


if __name__ == "__main__":  # spawn imports this file again in each worker
    main()
