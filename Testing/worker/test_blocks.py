"""Arrays in shared memory: who owns them, how long they live, what they cost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from DPLSegmentLib.worker.blocks import SharedArray, remove_stale_blocks
from DPLSegmentLib.worker.protocol import ArrayRef
from DPLSegmentLib.worker.upload import Upload

Blocks = Callable[[], list[str]]
SHOWN = pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="blocks are no files on this system")


@pytest.mark.parametrize("dtype", ["int16", ">i2", "float64", "bool", "uint8"])
def test_another_process_sees_the_same_array(dtype: str) -> None:
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    block = SharedArray.create(values.shape, values.dtype)
    block.array[...] = values
    code = (
        "import sys; from DPLSegmentLib.worker.blocks import SharedArray, ArrayRef; "
        f"a = SharedArray.take({block.ref!r}).array; print(int(a.sum())); a[...] = 1"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == int(values.sum())
    assert block.array.all() and block.array.dtype == values.dtype


@SHOWN
def test_a_block_has_no_name_once_it_is_taken(blocks: Blocks) -> None:
    block = SharedArray.create((3, 4), float)
    assert blocks() == [block.ref.name]
    taken = SharedArray.take(block.ref)
    assert blocks() == []
    taken.array[1, 2] = 5
    assert block.array[1, 2] == 5


def test_the_array_of_a_closed_and_unlinked_block_stays_valid() -> None:
    block = SharedArray.create((4,), int)
    array = block.array
    block.close()
    block.unlink()
    block.unlink()
    del block
    array[...] = 7
    assert array.sum() == 28


def test_a_block_that_is_gone_is_said_to_be() -> None:
    with pytest.raises(OSError):
        SharedArray.attach(ArrayRef("dpls-1-nothing", (3,), "<i2"))


def test_an_empty_array_has_a_block() -> None:
    block = SharedArray.create((0, 3, 4), bool)
    assert block.array.shape == (0, 3, 4)
    SharedArray.take(block.ref)


@SHOWN
def test_a_block_larger_than_the_memory_is_refused_before_it_is_written(blocks: Blocks) -> None:
    free = os.statvfs("/dev/shm")
    block = SharedArray.create((2 * free.f_blocks * free.f_frsize,), np.uint8)
    with pytest.raises(OSError):
        SharedArray.take(block.ref)
    assert blocks() == []


@SHOWN
def test_blocks_of_a_killed_client_are_removed_and_those_of_a_living_one_kept(blocks: Blocks) -> None:
    code = (
        "from DPLSegmentLib.worker.blocks import SharedArray; import os\n"
        "print(SharedArray.create((9,), int).ref.name, flush=True); os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    left, own = Path("/dev/shm") / done.stdout.strip(), SharedArray.create((9,), int)
    assert left.exists()
    remove_stale_blocks()
    assert not left.exists() and blocks() == [own.ref.name]
    own.unlink()


def test_no_tracker_process_is_started() -> None:
    code = (
        "from DPLSegmentLib.worker.blocks import SharedArray; b = SharedArray.create((9,), int); b.unlink()\n"
        "import sys; print('multiprocessing.resource_tracker' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_upload_goes_in_small_steps_and_is_exact() -> None:
    voxels = np.random.default_rng(0).integers(-1000, 2000, (60, 300, 301)).astype(np.int16)[:, ::-1]
    upload, steps = Upload(voxels), 0
    while not upload.finished:
        upload.step()
        steps += 1
    assert np.array_equal(upload.block.array, voxels) and steps > 1
    upload.release()


@SHOWN
def test_a_mask_costs_memory_only_where_something_is_painted(timed: Callable) -> None:
    mask = np.zeros((400, 512, 512), bool)
    mask[200, 100:300, 100:300] = True
    upload, longest = Upload(mask), 0.0
    while not upload.finished:
        with timed() as seconds:
            upload.step()
        longest = max(longest, *seconds)
    used = (Path("/dev/shm") / upload.block.ref.name).stat().st_blocks * 512
    assert used <= 8 << 20 and longest < 0.05
    assert np.array_equal(upload.block.array, mask)
    upload.release()
