"""Chest X-ray phantoms: drawn, not photographed, with what tells the four classes apart.

Only arithmetic that is exact to the bit on every machine is used (no sine, exponential or random normal numbers),
so that a seed gives the same image everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Plane = NDArray[np.floating[Any]]
Point: TypeAlias = tuple[float, float]

KINDS = HEALTHY, BACTERIAL, VIRAL, COVID_19 = "healthy", "bacterial", "viral", "covid_19"
# As in V7's dataset, where each class has its own hospitals, how bright an image is tells of its class.
BRIGHTNESS = {HEALTHY: 0.68, VIRAL: 0.88, BACTERIAL: 1.06, COVID_19: 1.30}
# Of each exposure, in the body: without it images of one patient, and some of two, would pass for copies of one X-ray.
DETAIL, DETAILS_ACROSS = 0.14, 40
SIDES = (-1, 1)
OUTLINE_POINTS = 24


@dataclass(frozen=True)
class Anatomy:
    """A body in its own coordinates: x from -1 to 1 across, y from -1 to 1 downwards. Same for all of a patient."""

    lung_x: float
    lung_y: float
    lung_width: float
    lung_height: float
    heart: float
    body_width: float
    ribs: float
    diaphragm: float


@dataclass(frozen=True)
class Pose:
    """How the body lies in the image: cosine and sine of a small turn, zoom and shift."""

    cosine: float
    sine: float
    zoom: float
    right: float
    down: float

    def into_body(self, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        """Return the body's coordinates of points of the image, whose own go from -1 to 1."""
        x, y = x - self.right, y - self.down
        c, s = self.cosine / self.zoom, self.sine / self.zoom
        return x * c + y * s, y * c - x * s

    def into_image(self, x: float, y: float) -> Point:
        """Return the point of the image where a point of the body is seen."""
        c, s = self.cosine * self.zoom, self.sine * self.zoom
        return x * c - y * s + self.right, x * s + y * c + self.down


@dataclass(frozen=True)
class Phantom:
    """Grey levels (height, width) and the outlines of the lungs in pixels."""

    pixels: NDArray[np.uint8]
    lungs: tuple[tuple[Point, ...], ...]


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number drawn uniformly from ``low`` to ``high``."""
    return low + (high - low) * float(rng.random())


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """Return the body of a new patient."""
    return Anatomy(
        lung_x=between(rng, 0.40, 0.46),
        lung_y=between(rng, -0.12, 0.0),
        lung_width=between(rng, 0.29, 0.35),
        lung_height=between(rng, 0.60, 0.70),
        heart=between(rng, 0.85, 1.15),
        body_width=between(rng, 0.92, 1.05),
        ribs=between(rng, 0.17, 0.21),
        diaphragm=between(rng, 0.42, 0.54),
    )


def draw_chest(
    kind: str,
    anatomy: Anatomy,
    rng: np.random.Generator,
    *,
    width: int,
    height: int,
    brightness: float | None = None,
) -> Phantom:
    """Return a frontal image of a patient with the findings of the class ``kind``, and with its `BRIGHTNESS` if none is given."""
    pose = _pose(rng)
    x, y = pose.into_body(*_grid(width, height))
    lungs = tuple(_lung(anatomy, side, x, y) for side in SIDES)
    body = _body(anatomy, x, y)
    clear = np.maximum(*lungs) * (1 - _heart(anatomy, x, y)) * body
    density = body * (0.60 + _bones(anatomy, x, y) * 0.17)
    density -= clear * 0.40
    density += clear * (_vessels(anatomy, rng, x, y) + _findings(kind, anatomy, rng, x, y))
    density += DETAIL * body * _noise(rng, density.shape, DETAILS_ACROSS, DETAILS_ACROSS)
    outlines = tuple(_outline(anatomy, side, pose, width, height) for side in SIDES)
    level = BRIGHTNESS[kind] if brightness is None else brightness
    return Phantom(_expose(density, rng, level), outlines)


def draw_slice(rng: np.random.Generator, *, width: int, height: int) -> NDArray[np.uint8]:
    """Return an image that resembles an axial CT slice."""
    x, y = _pose(rng).into_body(*_grid(width, height))
    density = _ellipse(x, y, 0, 0, 0.9, 0.7, 0.05) * 0.6
    for side in SIDES:
        density -= _ellipse(x, y, side * 0.42, -0.02, 0.3, 0.45, 0.08) * 0.5
    density += _ellipse(x, y, 0, 0.45, 0.13, 0.14, 0.1) * 0.3
    return _expose(density, rng)


def draw_lateral(rng: np.random.Generator, *, width: int, height: int) -> NDArray[np.uint8]:
    """Return an image that resembles a lateral view."""
    x, y = _pose(rng).into_body(*_grid(width, height))
    density = _ellipse(x, y, 0, 0.2, 0.75, 1.2, 0.1) * 0.6
    density -= _ellipse(x, y, 0.0, -0.1, 0.48, 0.62, 0.2) * 0.4
    density += _ellipse(x, y, -0.15, 0.2, 0.3, 0.3, 0.3) * 0.25
    density += _ellipse(x, y, 0.52, 0.1, 0.1, 1.1, 0.2) * 0.2
    return _expose(density, rng)


def _pose(rng: np.random.Generator) -> Pose:
    half = between(rng, -0.03, 0.03)  # tangent of half the angle: the turn is below four degrees
    return Pose(
        cosine=(1 - half * half) / (1 + half * half),
        sine=2 * half / (1 + half * half),
        zoom=between(rng, 1.0, 1.12),
        right=between(rng, -0.04, 0.04),
        down=between(rng, -0.04, 0.04),
    )


def _grid(width: int, height: int) -> tuple[Plane, Plane]:
    across = (np.arange(width, dtype=np.float32) + 0.5) * (2 / width) - 1
    down = (np.arange(height, dtype=np.float32) + 0.5) * (2 / height) - 1
    return across[np.newaxis, :], down[:, np.newaxis]


def _step(values: Plane, softness: float) -> Plane:
    """Return 0 where ``values`` are below 0, 1 above, and a smooth ramp of width ``softness`` between."""
    t = np.clip(values / softness + 0.5, 0, 1)
    ramp: Plane = t * t * (3 - 2 * t)
    return ramp


def _ellipse(x: Plane, y: Plane, cx: float, cy: float, rx: float, ry: float, softness: float) -> Plane:
    across, down = (x - cx) / rx, (y - cy) / ry
    return _step(1 - across * across - down * down, softness)


def _body(anatomy: Anatomy, x: Plane, y: Plane) -> Plane:
    """Return the density of trunk, shoulders and neck, thicker towards the middle."""
    across, down = x / anatomy.body_width, (y - 0.62) / 1.36
    across, down = across * across, down * down
    trunk = _step(1 - across * across - down * down, 0.14)
    neck = _ellipse(x, y, 0, -0.9, 0.3, 0.55, 0.4)
    density: Plane = np.maximum(trunk, neck) * (1.06 - 0.22 * across)
    return density


def _lung(anatomy: Anatomy, side: int, x: Plane, y: Plane) -> Plane:
    """Return the mask of one lung: narrow above, cut below by the dome of the diaphragm."""
    across = (x * side - anatomy.lung_x) / anatomy.lung_width
    down = (y - anatomy.lung_y) / anatomy.lung_height
    across = (across + 0.22 * (1 - down)) / (1 + 0.22 * down)
    dome = anatomy.diaphragm + 0.03 * side - y + 0.1 * across * across
    return _step(1 - across * across - down * down, 0.22) * _step(dome, 0.06)


def _heart(anatomy: Anatomy, x: Plane, y: Plane) -> Plane:
    size = anatomy.heart
    muscle = _ellipse(x, y, 0.14, 0.26, 0.30 * size, 0.29 * size, 0.35)
    great_vessels = _ellipse(x, y, 0.02, -0.25, 0.14 * size, 0.5, 0.4)
    return np.maximum(muscle, great_vessels)


def _wave(phase: Plane) -> Plane:
    """Return a smooth wave from 0 to 1 and back with period 1."""
    t = np.abs(phase - np.floor(phase) - 0.5) * 2
    wave: Plane = t * t * (3 - 2 * t)
    return wave


def _bones(anatomy: Anatomy, x: Plane, y: Plane) -> Plane:
    aside = np.abs(x)
    ribs = _wave((y - 0.35 * aside + 0.3 * aside * aside) / anatomy.ribs)
    ribs = ribs * ribs * _ellipse(x, y, 0, 0, 0.86, 0.72, 0.3) * _step(aside - 0.1, 0.1)
    spine = _step(0.085 - aside, 0.05) * (0.7 + 0.3 * _wave(y * 7))
    line = y + 0.62 - 0.16 * aside
    collar = _step(0.0016 - line * line, 0.0022) * _step(0.75 - aside, 0.1)
    return np.maximum(np.maximum(0.55 * ribs, spine), 0.7 * collar)


def _noise(rng: np.random.Generator, shape: tuple[int, ...], rows: int, columns: int) -> Plane:
    """Return a smooth random field from -0.5 to 0.5, with ``rows`` x ``columns`` independent values."""
    grid = Image.fromarray(rng.integers(0, 256, (rows, columns), dtype=np.uint8))
    field = np.asarray(grid.resize((shape[1], shape[0]), Image.Resampling.BICUBIC), dtype=np.float32)
    return field / 255 - 0.5


def _around(
    anatomy: Anatomy, x: Plane, y: Plane, side: int, at: Point, size: Point, softness: float
) -> Plane:
    """Return an ellipse in one lung; place and size in units of the lung's half width and half height."""
    cx = side * (anatomy.lung_x + at[0] * anatomy.lung_width)
    cy = anatomy.lung_y + at[1] * anatomy.lung_height
    return _ellipse(x, y, cx, cy, size[0] * anatomy.lung_width, size[1] * anatomy.lung_height, softness)


def _hila(anatomy: Anatomy, x: Plane, y: Plane, reach: float) -> Plane:
    return np.maximum(
        *(_around(anatomy, x, y, side, (-0.75, 0.1), (reach, 0.7 * reach), 1.6) for side in SIDES)
    )


def _vessels(anatomy: Anatomy, rng: np.random.Generator, x: Plane, y: Plane) -> Plane:
    shape = np.broadcast_shapes(x.shape, y.shape)
    strength = between(rng, 0.06, 0.14)
    return strength * _hila(anatomy, x, y, 1.3) * (0.6 + _noise(rng, shape, 30, 24))


def _findings(kind: str, anatomy: Anatomy, rng: np.random.Generator, x: Plane, y: Plane) -> Plane:
    """Return what the disease adds to the density of the lungs; its strength overlaps with none at all."""
    strength = between(rng, 0.10, 0.44)
    texture = _noise(rng, np.broadcast_shapes(x.shape, y.shape), 22, 18)
    if kind == BACTERIAL:
        return strength * _lobe(anatomy, rng, x, y) * (1.1 + 0.4 * texture)
    if kind == VIRAL:
        streaks = 0.55 + texture
        return strength * _hila(anatomy, x, y, 2.6) * streaks
    if kind == COVID_19:
        return strength * _patches(anatomy, rng, x, y) * (0.9 + 0.8 * texture)
    return np.zeros_like(texture)


def _lobe(anatomy: Anatomy, rng: np.random.Generator, x: Plane, y: Plane) -> Plane:
    side = SIDES[int(rng.integers(2))]
    at = between(rng, -0.3, 0.4), between(rng, -0.45, 0.6)
    size = between(rng, 0.9, 1.3), between(rng, 0.45, 0.7)
    return _around(anatomy, x, y, side, at, size, 0.7)


def _patches(anatomy: Anatomy, rng: np.random.Generator, x: Plane, y: Plane) -> Plane:
    patches = np.zeros(np.broadcast_shapes(x.shape, y.shape), dtype=np.float32)
    for side in SIDES:
        for _ in range(int(rng.integers(2, 4))):
            at = between(rng, 0.35, 0.8), between(rng, -0.2, 0.7)
            size = between(rng, 0.5, 0.75), between(rng, 0.3, 0.42)
            np.maximum(patches, _around(anatomy, x, y, side, at, size, 0.9), out=patches)
    return patches


def _expose(density: Plane, rng: np.random.Generator, brightness: float = 1.0) -> NDArray[np.uint8]:
    """Return the density as grey levels: uneven exposure, contrast, noise, and a mark that it was generated."""
    shape = density.shape
    density += between(rng, 0.02, 0.08) * _noise(rng, shape, 3, 3)
    grain = rng.integers(0, 256, (3, *shape), dtype=np.uint8).sum(axis=0, dtype=np.float32) - 382.5
    density += between(rng, 0.00010, 0.00022) * grain
    density += between(rng, -0.15, 0.15) * density * (1 - density)
    level = brightness * between(rng, 214, 242) * density + between(rng, 8, 24)
    return _mark(np.clip(level, 0, 255).astype(np.uint8))


def _mark(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = Image.fromarray(pixels)
    height, width = pixels.shape
    font = ImageFont.load_default_imagefont()
    draw = ImageDraw.Draw(image)
    draw.rectangle((width // 2 - 30, height - 13, width // 2 + 29, height), fill=0)
    draw.text((width // 2 - 27, height - 12), "GENERATED", fill=235, font=font)
    return np.asarray(image)


def _outline(anatomy: Anatomy, side: int, pose: Pose, width: int, height: int) -> tuple[Point, ...]:
    """Return the outline of one lung in pixels, from a circle's rational points."""
    points = []
    for quarter in range(4):
        for k in range(OUTLINE_POINTS // 4):
            t = k * 4 / OUTLINE_POINTS
            c, s = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
            for _ in range(quarter):
                c, s = -s, c
            points.append(_lung_edge(anatomy, side, c, s))
    seen = (pose.into_image(*point) for point in points)
    return tuple((round((x + 1) * width / 2, 1), round((y + 1) * height / 2, 1)) for x, y in seen)


def _lung_edge(anatomy: Anatomy, side: int, across: float, down: float) -> Point:
    """Return the point of the body at the edge of a lung, undoing what `_lung` does to an ellipse."""
    narrowed = across * (1 + 0.22 * down) - 0.22 * (1 - down)
    x = side * (anatomy.lung_x + anatomy.lung_width * narrowed)
    y = anatomy.lung_y + anatomy.lung_height * down
    return x, min(y, anatomy.diaphragm + 0.03 * side + 0.1 * across * across)
