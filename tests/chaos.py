"""Kills a real build on the tiny base at random moments, until it has killed it often enough.

`python tests/chaos.py [--kills 100] [--seed 1]` (`make chaos`). Each time the build process, its worker, both, or the
process that forks workers get SIGKILL. After each kill: a placed file is absent or whole, and no stage that had
finished is undone. Each build that gets through has to give what an undisturbed one gives, byte for byte, by
`fgbuild plan` with nothing left to do.
Ends with exit code 1 at the first wrong result, and says after which kill (the seed repeats it).
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from toy_domain import write_project

REPOSITORY = Path(__file__).parent.parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
UNTIL = "verify"
STEPS = 45


class WrongResult(Exception):
    pass


def command(root: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "fgbuild", "--root", str(root), *arguments, "--profile", "test", "--until", UNTIL]


def build(root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(root, "build", "--all", "--headless", "--keep-going"), env=ENVIRONMENT, stdout=subprocess.DEVNULL
    )


def planned(root: Path) -> dict[str, str]:
    """What a build would do with each stage."""
    plan = subprocess.run(command(root, "plan", "--json"), env=ENVIRONMENT, capture_output=True, check=True)
    return {stage["id"]: stage["action"] for stage in json.loads(plan.stdout)["stages"]}


def placed(root: Path) -> dict[str, str]:
    """SHA-256 of every file below agents/; what is being written has a temporary name."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.glob("agents/**/*")
        if path.is_file() and not path.name.startswith(".")
    }


def processes(build: int, root: Path) -> dict[str, int]:
    """Ids of a build's worker, whether started or forked, and of the process that forks, where there are any."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes()
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            forked = b"fgbuild.executors.forkserver" in line
            if forked and parent == build:
                found["server"] = int(entry.name)
            elif str(root / "cache" / "tmp").encode() in line or (forked and (entry / "cwd").readlink() == root):
                found["worker"] = int(entry.name)
        except OSError:
            continue
    return found


def kill(process: subprocess.Popen[bytes], root: Path, victims: str) -> None:
    others = processes(process.pid, root)
    if victims in ("build", "both"):
        process.kill()
    for name in {"both": ("worker",), "worker": ("worker",), "server": ("server",)}.get(victims, ()):
        if name in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(others[name], signal.SIGKILL)
    process.wait()


def check_after_kill(root: Path, before: set[str], reference: dict[str, str]) -> set[str]:
    for path, digest in placed(root).items():
        if reference.get(path) != digest:
            raise WrongResult(f"{path} is not what an undisturbed build gives")
    after = {stage for stage, action in planned(root).items() if action != "run"}
    if lost := before - after:
        raise WrongResult(f"finished and lost: {', '.join(sorted(lost))}")
    return after


def check_complete(root: Path, reference: dict[str, str]) -> None:
    if placed(root) != reference:
        raise WrongResult("a build that got through gave something else than an undisturbed one")
    left = [stage for stage, action in planned(root).items() if action == "run" and not stage.endswith(":verify")]
    if left:
        raise WrongResult(f"still to run after a build that got through: {', '.join(left)}")


def run(kills: int, seed: int, directory: Path) -> None:
    rng = random.Random(seed)
    started = time.monotonic()
    calm = write_project(directory / "calm", steps=STEPS)
    build(calm).wait()
    reference, longest = placed(calm), time.monotonic() - started
    if not reference:
        raise WrongResult("the undisturbed build made nothing")
    print(f"undisturbed: {len(reference)} files in {longest:.0f} s", flush=True)
    root, rounds, before = write_project(directory / "0", steps=STEPS), 0, set[str]()
    done = 0
    while done < kills:
        process = build(root)
        try:
            process.wait(rng.uniform(0, longest / 2))
        except subprocess.TimeoutExpired:
            victims = rng.choice(("build", "worker", "both", "server"))
            kill(process, root, victims)
            done += 1
            before = check_after_kill(root, before, reference)
            print(f"kill {done} of {kills}: {victims:<6} · {len(before)} stages finished", flush=True)
            continue
        check_complete(root, reference)
        rounds += 1
        print(f"round {rounds}: got through, as undisturbed", flush=True)
        root, before = write_project(directory / str(rounds), steps=STEPS), set()
    while build(root).wait() not in (0, 3):
        pass
    check_complete(root, reference)
    print(f"{kills} kills, {rounds + 1} rounds, no wrong result, nothing finished lost")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fgbuild-chaos-") as directory:
        try:
            run(arguments.kills, arguments.seed, Path(directory))
        except WrongResult as error:
            print(f"seed {arguments.seed}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
