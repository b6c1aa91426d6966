"""Thumbnails and previews of real camera JPEGs, files in, files out: ours against npm `sharp`.

Whole processes, start-up included, one process for all files, CPU time, alternating runs, medians.
Both bake orientation, convert to sRGB, write the same sizes at the same qualities, and make the
thumbnail from the preview's pixels. Every preview must reach 80 SSIMULACRA2 against a full decode
scaled by Lanczos. Exits 1 below either bar.
"""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

from bench.corpus import camera_photos
from pipeline.stages import derivatives

RATIO_BAR, QUALITY_BAR = 0.50, 80.0
RUNS = 5
SHARP = "sharp@0.35"
OUT = Path(__file__).parent / "out" / "sharp"
ROOT = Path(__file__).resolve().parent.parent

OURS = """
import json, os, sys, time
from pathlib import Path
from pipeline.stages import preview
from pipeline.stages.subject import Subject
out, spent = Path(sys.argv[1]), {}
for name in sys.argv[2:]:
    start = time.process_time()
    path, seen = Path(name), os.stat(name)
    work = out / path.stem
    work.mkdir()
    subject = Subject.open(
        path, path.name, seen.st_size, seen.st_mtime_ns, seen.st_ino, work
    )
    preview.run(subject)
    subject.close()
    spent[path.name] = time.process_time() - start
print(json.dumps(spent))
"""
THEIRS = """
import sharp from 'sharp';
import fs from 'fs';
import path from 'path';
sharp.concurrency(1);
sharp.cache(false);
const [out, side, quality, small, smallQuality, ...files] = process.argv.slice(2);
const inside = n => ({ width: +n, height: +n, fit: 'inside', withoutEnlargement: true });
const spent = {};
for (const file of files) {
  const start = process.cpuUsage();
  const work = path.join(out, path.parse(file).name);
  fs.mkdirSync(work);
  const { data, info } = await sharp(file).rotate().resize(inside(side)).raw()
    .toBuffer({ resolveWithObject: true });
  const raw = { raw: { width: info.width, height: info.height, channels: info.channels } };
  await sharp(data, raw).jpeg({ quality: +quality }).toFile(path.join(work, 'preview.jpg'));
  await sharp(data, raw).resize(inside(small)).jpeg({ quality: +smallQuality })
    .toFile(path.join(work, 'thumbnail.jpg'));
  const { user, system } = process.cpuUsage(start);
  spent[path.basename(file)] = (user + system) / 1e6;
}
console.log(JSON.stringify(spent));
"""


def main() -> int:
    """Measure both, then look at what ours wrote; the exit status."""
    photos = camera_photos()
    if not photos or not install_sharp():
        print("previews: needs the corpus' camera photos and npm")
        return 1
    ratio = compare_speed(photos)
    worst = compare_quality(photos)
    passed = ratio <= RATIO_BAR and worst >= QUALITY_BAR
    print(f"ratio {ratio:.2f} (bar {RATIO_BAR}), worst preview {worst:.1f} (bar {QUALITY_BAR:.0f})")
    print("passed" if passed else "FAILED")
    return 0 if passed else 1


def install_sharp() -> bool:
    """Put `sharp` and the script that drives it into the bench's own ignored folder."""
    npm = shutil.which("npm")
    if npm is None:
        return False
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "package.json").write_text('{"private": true, "type": "module"}\n')
    (OUT / "previews.js").write_text(THEIRS)
    if not (OUT / "node_modules" / "sharp").is_dir():
        command = [npm, "install", "--no-audit", "--no-fund", "--no-save", "--silent", SHARP]
        subprocess.run(command, cwd=OUT, check=True)
    return True


def compare_speed(photos: list[Path]) -> float:
    """Our CPU over theirs for all files, medians of whole processes; prints each file's share."""
    ours, theirs = [], []
    for _ in range(RUNS):
        ours.append(measured(run_ours, photos))
        theirs.append(measured(run_theirs, photos))
    print(f"{'photo':<40}{'ours ms':>9}{'sharp ms':>10}{'ratio':>7}")
    for photo in photos:
        mine = statistics.median(spent[photo.name] for _, spent in ours)
        peer = statistics.median(spent[photo.name] for _, spent in theirs)
        print(f"{photo.name:<40}{mine * 1e3:>9.0f}{peer * 1e3:>10.0f}{mine / peer:>7.2f}")
    total, peers = (statistics.median(seconds for seconds, _ in runs) for runs in (ours, theirs))
    print(f"{'whole process':<40}{total * 1e3:>9.0f}{peers * 1e3:>10.0f}{total / peers:>7.2f}")
    return total / peers


def measured(
    run: Callable[[Path, list[Path]], dict[str, float]], photos: list[Path]
) -> tuple[float, dict[str, float]]:
    """CPU seconds of the whole child process, and what it says of each file."""
    with tempfile.TemporaryDirectory() as out:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = run(Path(out), photos)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, spent


def run_ours(out: Path, photos: list[Path]) -> dict[str, float]:
    """The product's own stage over the product's own subject, file by file."""
    return _said([sys.executable, "-c", OURS, str(out), *map(str, photos)])


def run_theirs(out: Path, photos: list[Path]) -> dict[str, float]:
    """The same sizes and qualities from sharp."""
    sizes = (
        derivatives.PREVIEW_SIDE,
        derivatives.PREVIEW_QUALITY,
        derivatives.THUMBNAIL_SIDE,
        derivatives.THUMBNAIL_QUALITY,
    )
    script = str(OUT / "previews.js")
    return _said(["node", script, str(out), *map(str, sizes), *map(str, photos)])


def _said(command: list[str]) -> dict[str, float]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=True, capture_output=True, env=environment)
    spent: dict[str, float] = json.loads(done.stdout)
    return spent


def compare_quality(photos: list[Path]) -> float:
    """The lowest SSIMULACRA2 of our previews; prints each."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        run_ours(out, photos)
        scores = {photo.name: score(photo, out / photo.stem / "preview.jpg") for photo in photos}
    for name, value in scores.items():
        print(f"{name:<40}{value:>9.1f}")
    return min(scores.values())


def score(photo: Path, preview: Path) -> float:
    """SSIMULACRA2 of a preview against the photo decoded whole and scaled by Lanczos."""
    from ssimulacra2 import compute_ssimulacra2

    with Image.open(preview) as made:
        truth = preview.with_name("truth.png")
        reference(photo).resize(made.size, Image.Resampling.LANCZOS).save(truth, compress_level=1)
    return float(compute_ssimulacra2(str(truth), str(preview)))


def reference(photo: Path) -> Image.Image:
    """Every pixel of the photo, upright, in sRGB."""
    with Image.open(photo) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        profile = image.info.get("icc_profile")
    if not profile:
        return upright
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    converted = ImageCms.profileToProfile(upright, source, ImageCms.createProfile("sRGB"))
    assert converted is not None
    return converted


if __name__ == "__main__":
    sys.exit(main())
