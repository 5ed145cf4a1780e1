"""The samples that the browser's planes are tested with are what the server cuts: one geometry in both.

`PLANE_SAMPLES=write` writes them anew.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from imageserver.dicom.padding import Padding
from imageserver.dicom.planes import grid_of, planes_of
from imageserver.dicom.reslicing import Projection, Voxels, reslice
from tests.builders import SAGITTAL
from tests.dicom.test_planes import stack_of

STACKS: dict[str, dict[str, Any]] = {
    "straight": {"spacing": 1.2},
    "tilted": {"step": (0.0, 0.35, 1.1)},
    "sagittal": {"orientation": SAGITTAL, "PixelSpacing": [0.8, 0.5]},
    "oblique and sheared": {"orientation": (1, 0, 0, 0, 0.8, 0.6), "step": (0.2, -0.5, 0.9)},
}


def sample(name: str, options: dict[str, Any]) -> dict[str, Any]:
    stack = stack_of(3, pixels=np.zeros((4, 5), np.int16), **options)
    shape = (stack.count, stack.rows, stack.columns)
    values = np.random.default_rng(len(name)).integers(-50, 200, shape).astype(np.int16)
    values[1, 2, 2] = -1000
    grid = grid_of(stack)
    planes = planes_of(grid)
    voxels = Voxels(values, padding=Padding(-1000, -1000))
    cuts = []
    for plane in planes.values():
        middle = plane.count // 2
        for slab, projection in (
            ((middle, middle), "average"),
            ((0, plane.count - 1), "maximum"),
            ((0, 1), "average"),
            ((1, 2), "minimum"),
        ):
            picture = reslice(voxels, grid, plane, slab, Projection(projection))
            rows = [[None if np.isnan(v) else round(float(v), 3) for v in row] for row in picture]
            cuts.append({"plane": plane.name, "slab": list(slab), "projection": projection, "values": rows})
    assert stack.affine is not None
    return {
        "name": name,
        "rows": stack.rows,
        "columns": stack.columns,
        "count": stack.count,
        "affine": [list(row) for row in stack.affine],
        "values": values.tolist(),
        "padding": {"low": -1000, "high": -1000},
        "planes": {name.value: plane.as_dict() for name, plane in planes.items()},
        "cuts": cuts,
    }


def test_the_samples_of_the_browser_are_cut_here(root: Path) -> None:
    path = root / "frontend" / "src" / "lib" / "viewer" / "planeSamples.json"
    samples = [sample(name, options) for name, options in STACKS.items()]
    text = json.dumps(samples, separators=(",", ":")) + "\n"
    if os.environ.get("PLANE_SAMPLES") == "write":
        path.write_text(text, "utf-8")
    assert json.loads(path.read_text("utf-8")) == json.loads(text)
