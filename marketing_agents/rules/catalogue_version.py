"""Another version of the rule files: a folder, or the catalogue's folder as it was in a commit."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


class VersionNotFoundError(ValueError):
    """There is no such folder and no such commit, or it holds no rule files. The message names what was looked for and where."""


@contextmanager
def catalogue_at(version: str, directory: Path) -> Iterator[Path]:
    """The folder of rule files that `version` names: a folder as it is, else a commit of the repository that holds `directory`.

    Raises:
        VersionNotFoundError
    """
    if version and Path(version).is_dir():
        yield Path(version)
        return
    with TemporaryDirectory(prefix="catalogue-") as folder:
        _write_files(version, directory, Path(folder))
        yield Path(folder)


def _write_files(commit: str, directory: Path, folder: Path) -> None:
    # `--end-of-options` and the refusal of a leading hyphen: what a person types must not become an option of git.
    if not commit or commit.startswith("-"):
        raise VersionNotFoundError(f"{commit!r} is neither a folder nor the name of a commit")
    try:
        named = _git(directory, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}").decode().strip()
    except VersionNotFoundError:
        raise VersionNotFoundError(f"{commit!r} is neither a folder nor a commit of the repository of {directory}") from None
    listed = _git(directory, "ls-tree", "--name-only", "-z", named, "./").decode().split("\0")
    names = [name for name in listed if name.endswith(".yaml") and "/" not in name]
    if not names:
        raise VersionNotFoundError(f"{commit!r} has no rule files in {directory}")
    for name in names:
        (folder / name).write_bytes(_git(directory, "show", f"{named}:./{name}"))


def _git(directory: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(directory), *arguments], capture_output=True, check=False)  # noqa: S603, S607 - fixed words, and a commit that was checked
    except OSError as error:
        raise VersionNotFoundError(f"git cannot be run ({error.strerror}): name a folder of rule files instead") from None
    if done.returncode:
        raise VersionNotFoundError(f"git {arguments[0]} failed in {directory}: {done.stderr.decode(errors='replace').strip()[:300]}")
    return done.stdout
