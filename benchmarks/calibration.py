"""How near `physadv calibrate fit` comes to devices whose numbers are hidden from it.

`python benchmarks/calibration.py` draws two printers with their phones from a seed, prints the target for
them, photographs it, twice from one place, fits a profile and compares. The first device is of the family
that a profile can describe; the second has halftone, a strong tone curve, local tone mapping and sharpening.
Devices are simulated by code of their own: they share no line with the package's virtual printer and phone.
Prints a table and, as its last line, one JSON object. `--quick` takes smaller photos.
"""

import argparse
import io
import json
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from physadv.profiles import fit_profile, read_target, write_profile
from physadv.profiles.fitting import Fit
from physadv.profiles.reading import Reading
from physadv.profiles.target import Target, make_target, print_target
from physadv.sheets.pdf import page_pixels

LIMITS = {"family": (1.2, 3.0), "outside": (2.5, 6.0)}
"""Held-out ΔE2000, mean and 95th percentile, that a device of each kind may have."""
SIGMA_WITHIN, NOISE_WITHIN, SECONDS = 0.05, 0.10, 60.0
REPEATS = 4
"""Exposures of one scene, over which the standard deviation of every pixel is the true noise."""

Image32 = NDArray[np.float32]


@dataclass(frozen=True)
class Device:
    """A printer and a phone with hidden numbers.

    Attributes:
        kind: `family` or `outside`, what a profile can describe.
        inks: light (3, 3) that each ink, row, lets through in R, G, B.
        paper: light (3,) of bare paper.
        dot_gain: exponent of ink coverage, below 1 for dots that grow.
        spread_mm: gaussian spread of ink, mm.
        lines_per_mm: of the halftone screen, 0 for continuous tones.
        colours: matrix (3, 3) from the light on paper to the camera's R, G, B.
        exposure: light of white paper.
        blur_px: gaussian sigma of lens and focus, pixels.
        shot: variance of the noise per unit of light.
        read: standard deviation of the noise without light.
        grain_px: gaussian sigma over which the noise is spread, pixels.
        tone: exponent of a sigmoid through code values, 1 for none.
        local: exponent of the local tone mapping, 0 for none.
        sharpening: strength of an unsharp mask with a sigma of 1.5 pixels.
        quality: JPEG quality.
    """

    kind: str
    inks: NDArray[np.float64]
    paper: NDArray[np.float64]
    dot_gain: float
    spread_mm: float
    lines_per_mm: float
    colours: NDArray[np.float64]
    exposure: float
    blur_px: float
    shot: float
    read: float
    grain_px: float
    tone: float
    local: float
    sharpening: float
    quality: int

    def printed(self, page: NDArray[np.uint8], dots_per_mm: float) -> Image32:
        """Return the light (H, W, 3) that a page of sRGB pixels sends back from paper."""
        light = np.ones((*page.shape[:2], 3), np.float32) * self.paper.astype(np.float32)
        tint = ((page / 255.0) ** 2.2).astype(np.float32)
        y, x = np.indices(page.shape[:2], np.float32) / np.float32(dots_per_mm)
        for ink in range(3):
            cover = (1 - tint[..., ink]) ** np.float32(self.dot_gain)
            if self.lines_per_mm:
                turn = np.radians((15, 75, 45)[ink])
                across, down = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
                spot = sum(np.cos(2 * np.pi * self.lines_per_mm * each) for each in (across, down))
                cover = (cover > (spot + 2) / 4 * 0.998 + 0.001).astype(np.float32)
            light *= 1 - cover[..., None] * (1 - self.inks[ink]).astype(np.float32)
        return np.asarray(cv2.GaussianBlur(light, (0, 0), self.spread_mm * dots_per_mm))

    def developed(self, light: Image32, seed: int) -> NDArray[np.uint8]:
        """Return the pixels (H, W, 3) that the phone makes of light on its sensor."""
        white = np.random.default_rng(seed).standard_normal(light.shape, np.float32)
        noise = cv2.GaussianBlur(white, (0, 0), self.grain_px)
        noise /= noise.std()
        signal = (light + noise * np.sqrt(self.shot * light.clip(0) + self.read**2)).clip(0, 1)
        code = encoded(signal)
        if self.local:
            mean = cv2.GaussianBlur(code.mean(axis=2), (0, 0), light.shape[1] / 12)
            code = code * (mean[..., None] / 0.45) ** -self.local
        if self.tone != 1:
            rising, falling = code.clip(0, 1) ** self.tone, (1 - code.clip(0, 1)) ** self.tone
            code = rising / (rising + falling)
        if self.sharpening:
            code = code + self.sharpening * (code - cv2.GaussianBlur(code, (0, 0), 1.5))
        return np.asarray((code.clip(0, 1) * 255).round(), np.uint8)

    def jpeg(self, pixels: NDArray[np.uint8], name: str = "") -> bytes:
        """Return the file of a photo."""
        exif = Image.Exif()
        exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "hidden device", f"{name} (simulated)"
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=self.quality, subsampling="4:2:0", exif=exif)
        return buffer.getvalue()


def encoded(light: Image32) -> Image32:
    """Return sRGB code values of light from 0 to 1 (IEC 61966-2-1)."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-6) ** (1 / 2.4) - 0.055)


def draw_device(seed: int, kind: str) -> Device:
    """Draw a device; all numbers but what it has at all are random."""
    rng = np.random.default_rng((seed, kind == "outside"))
    outside = kind == "outside"
    inks = np.full((3, 3), 0.92) - np.eye(3) * 0.86 - rng.uniform(0, 0.12, (3, 3))
    mix = rng.uniform(-0.12, 0.04, (3, 3))
    colours = mix + np.diag(1 - mix.sum(axis=1))
    return Device(
        kind=kind,
        inks=inks.clip(0.02, 0.98),
        paper=rng.uniform((0.80, 0.80, 0.76), (0.9, 0.9, 0.9)),
        dot_gain=float(rng.uniform(0.75, 1.0)),
        spread_mm=float(rng.uniform(0.03, 0.06)),
        lines_per_mm=float(rng.uniform(3.8, 4.6)) if outside else 0.0,
        colours=colours,
        exposure=float(rng.uniform(0.68, 0.8)) / (1.5 if outside else 1.0),
        blur_px=float(rng.uniform(0.9, 1.4)),
        shot=float(np.exp(rng.uniform(*np.log((1e-4, 4e-4))))),
        read=float(rng.uniform(0.002, 0.005)),
        grain_px=float(rng.uniform(0.45, 0.8)),
        tone=float(rng.uniform(1.35, 1.5)) if outside else 1.0,
        local=float(rng.uniform(0.08, 0.15)) if outside else 0.0,
        sharpening=float(rng.uniform(0.2, 0.5)) if outside else 0.0,
        quality=int(rng.integers(90, 97)),
    )


@dataclass(frozen=True)
class Shot:
    """Light on the sensor of one photo without noise, (H, W, 3), and the true blur of its edges, pixels."""

    light: Image32
    sigma_px: float


def shoot(device: Device, paper: Image32, page_mm: tuple[float, float], width: int, seed: int) -> Shot:
    """Photograph a print of 4:3 from a random place under random, uneven light."""
    rng = np.random.default_rng((seed, 1))
    height = width * 4 // 3
    dots = paper.shape[1] / page_mm[0]
    fill = rng.uniform(0.84, 0.92) * min(width / page_mm[0], height / page_mm[1])
    turn, lean = np.radians(rng.uniform(-2, 2)), rng.uniform(-1e-4, 1e-4, 2)
    half_w, half_h = page_mm[0] / 2, page_mm[1] / 2
    to_middle = np.array([[1, 0, -half_w], [0, 1, -half_h], [0, 0, 1]])
    pose = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [lean[0], lean[1], 1]]
    )
    place = np.array([[fill, 0, (width - 1) / 2], [0, fill, (height - 1) / 2], [0, 0, 1]])
    back = np.linalg.inv(place @ pose @ to_middle)
    bend = rng.uniform(-0.01, 0.01)
    y, x = np.indices((height, width), np.float32)
    u, v = (x - (width - 1) / 2) / (0.75 * height), (y - (height - 1) / 2) / (0.75 * height)
    stretch = 1 + np.float32(bend) * (u * u + v * v)
    x, y = u * stretch * 0.75 * height + (width - 1) / 2, v * stretch * 0.75 * height + (height - 1) / 2
    w = back[2, 0] * x + back[2, 1] * y + back[2, 2]
    page_x, page_y = ((back[k, 0] * x + back[k, 1] * y + back[k, 2]) / w * dots - 0.5 for k in (0, 1))
    # Half of the blur before sampling, so that dots of ink are not sampled once a pixel.
    per_pixel = dots / fill
    before = device.blur_px / np.sqrt(2)
    soft = cv2.GaussianBlur(paper, (0, 0), before * per_pixel)
    maps = page_x.astype(np.float32), page_y.astype(np.float32)
    light = cv2.remap(
        soft, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0.2, 0.15, 0.1)
    )
    light = cv2.GaussianBlur(light, (0, 0), before)
    falls = rng.uniform(-0.15, 0.15, 2)
    even = (1 + falls[0] * u + falls[1] * v) * (1 - rng.uniform(0.05, 0.2) * (u * u + v * v))
    gains = device.exposure * np.exp(rng.normal(0, 0.08)) * (1 + rng.normal(0, 0.02, 3) * (1, 0, 1))
    light = (light / device.paper.max()) @ device.colours.T.astype(np.float32) * (even[..., None] * gains)
    spread = device.spread_mm * fill
    # Dots are squares, and sampled linearly: a twelfth and a sixth of a dot's square.
    sigma = float(np.sqrt(device.blur_px**2 + spread**2 + 1 / 4 / per_pixel**2))
    return Shot(light.astype(np.float32).clip(0), sigma)


def photographs(
    device: Device, target: Target, folder: Path, *, width: int, dots_per_mm: float, photos: int, seed: int
) -> tuple[list[Path], list[Shot]]:
    """Print the target and photograph it; the first two photos are from one place."""
    pdf = folder / "target.pdf"
    print_target(pdf, target)
    paper = device.printed(page_pixels(pdf, 0, dots_per_mm), dots_per_mm)
    paths, shots = [], []
    for number in range(photos):
        place = max(0, number - 1)
        shot = shots[0] if number == 1 else shoot(device, paper, target.sheet.page_mm, width, seed + place)
        paths.append(folder / f"{device.kind}-{number}.jpg")
        paths[-1].write_bytes(device.jpeg(device.developed(shot.light, seed + number), device.kind))
        shots.append(shot)
    return paths, shots


def true_noise(device: Device, shot: Shot, reading: Reading) -> tuple[NDArray[np.float64], ...]:
    """Return level and standard deviation of every field and channel, 8-bit levels, over exposures."""
    fields = [field for field in reading.fields if field]
    total = [np.zeros(field.pixels.shape) for field in fields]
    squares = [np.zeros(field.pixels.shape) for field in fields]
    for repeat in range(REPEATS):
        with Image.open(io.BytesIO(device.jpeg(device.developed(shot.light, 1000 + repeat)))) as image:
            photo = np.asarray(image, float)
        for number, field in enumerate(fields):
            height, width = field.pixels.shape[:2]
            seen = photo[field.top : field.top + height, field.left : field.left + width]
            total[number] += seen
            squares[number] += seen**2
    levels, sds = [], []
    for mean, square in zip(total, squares, strict=True):
        variance = (square - mean**2 / REPEATS) / (REPEATS - 1)
        levels.append(mean.mean(axis=(0, 1)) / REPEATS)
        sds.append(np.sqrt(variance.mean(axis=(0, 1))))
    return np.concatenate(levels), np.concatenate(sds)


def predicted_noise(fit: Fit, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard deviation that the profile draws at 8-bit levels, 8-bit levels."""
    curve = fit.profile.noise.curve
    return np.interp(levels, np.linspace(0, 255, len(curve)), curve)


def measure(kind: str, seed: int, *, width: int, dots_per_mm: float, photos: int) -> dict[str, object]:
    """Return how a device was met by its profile."""
    device, target = draw_device(seed, kind), make_target(f"hidden-{kind}")
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths, shots = photographs(
            device, target, folder, width=width, dots_per_mm=dots_per_mm, photos=photos, seed=100 * seed
        )
        started = time.perf_counter()
        readings = [read_target(path, target.name) for path in paths]
        fit = fit_profile(target.name, readings)
        write_profile(folder / "profile.json", fit.profile)
        seconds = time.perf_counter() - started
        levels, sds = true_noise(device, shots[0], readings[0])
    profile = fit.profile
    true_sigma = float(np.median([shot.sigma_px for shot in shots]))
    wrong = predicted_noise(fit, levels) / sds - 1
    mean, p95 = LIMITS[kind]
    row: dict[str, object] = {
        "device": kind,
        "colours": profile.colour.kind,
        "delta_e_mean": profile.held_out.mean,
        "delta_e_p95": profile.held_out.p95,
        "affine_mean": profile.held_out.affine_mean,
        "sigma_px": profile.blur.sigma_px,
        "true_sigma_px": true_sigma,
        "sigma_error": profile.blur.sigma_px / true_sigma - 1,
        "noise_error": float(np.sqrt(np.mean(wrong**2))),
        "noise_bias": float(wrong.mean()),
        "seconds": seconds,
    }
    row["met"] = bool(
        profile.held_out.mean <= mean
        and profile.held_out.p95 <= p95
        and profile.held_out.mean <= profile.held_out.affine_mean
        and abs(profile.blur.sigma_px / true_sigma - 1) <= SIGMA_WITHIN
        and float(np.sqrt(np.mean(wrong**2))) <= NOISE_WITHIN
        and (seconds <= SECONDS)
    )
    return row


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0, help="of the devices")
    parser.add_argument("--photos", type=int, default=5, help="of each device, two of them from one place")
    parser.add_argument("--quick", action="store_true", help="photos of 2 megapixels instead of 12")
    chosen = parser.parse_args()
    size = {"width": 1224, "dots_per_mm": 10.0} if chosen.quick else {"width": 3024, "dots_per_mm": 20.0}
    rows = []
    for kind in LIMITS:
        rows.append(measure(kind, chosen.seed, photos=chosen.photos, **size))
        shown = (f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in rows[-1].items())
        print(", ".join(shown), flush=True)
    print(
        json.dumps(
            {f"{row['device']}_{key}": value for row in rows for key, value in row.items() if key != "device"}
        )
    )


if __name__ == "__main__":
    main()
