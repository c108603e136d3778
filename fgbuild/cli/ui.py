"""`fgbuild ui`: the dashboard on the running or latest build, or on a past one."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fgbuild.events import Event, EventReader

_POLL_SECONDS = 0.2
_NO_RUN = "No build has run here yet; `fgbuild build` starts one."
_WEB_DRIVER = "textual.drivers.web_driver:WebDriver"
LOOPBACK = "127.0.0.1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--replay",
        metavar="RUN",
        help="show a past build: its id or the start of it (`fgbuild runs` lists them)",
    )
    parser.add_argument("--theme", metavar="NAME", help="light, dark, or one that the command palette (^p) lists")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--inline", action="store_true", help="show it below the prompt and not on a full screen")
    way.add_argument("--serve", action="store_true", help="show it in a browser, at the address that is printed")
    way.add_argument(
        "--announce",
        action="store_true",
        help="tell what happens in full sentences, line by line, for screen readers; ends with the build",
    )
    parser.add_argument(
        "--host", default=LOOPBACK, metavar="ADDRESS", help="where --serve listens (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="port for --serve (default: a free one)")
    parser.add_argument("--no-token", action="store_true", help="let everyone who reaches --serve's address in")


def run(args: argparse.Namespace) -> int:
    """Open the dashboard; without a terminal, or with CI set, print the run's summary instead."""
    from fgbuild.engine.paths import Paths
    from fgbuild.engine.runs import find_run
    from fgbuild.root import find_root

    root = find_root(args.root)
    replay = find_run(Paths(root), args.replay) if args.replay else None
    if args.serve:
        return _serve(args, root, replay)
    if args.announce:
        return _announce(root, replay)
    if not _has_terminal():
        return _print_summary(root, replay)
    from fgbuild.cli.desk import ProjectDesk
    from fgbuild.views.tui import terminal
    from fgbuild.views.tui.app import DashboardApp

    app = DashboardApp(ProjectDesk(root), replay, theme=args.theme)
    with terminal.guarded(app.end):
        app.run(inline=args.inline)
    if app.feed.going:
        terminal.tell(f"The build goes on (run {app.feed.run}); `fgbuild` shows it again.")
    return app.return_code or 0


def _serve(args: argparse.Namespace, root: Path, replay: str | None) -> int:
    import secrets

    from fgbuild.cli.output import say
    from fgbuild.executors.processes import import_path
    from fgbuild.views.tui.launch import FGBUILD
    from fgbuild.views.web import DashboardServer

    os.environ["PYTHONPATH"] = import_path()  # so that the dashboards find the fgbuild that serves them
    command = [*FGBUILD, "--root", str(root), "ui", *(["--replay", replay] if replay else [])]
    command += ["--theme", args.theme] if args.theme else []
    token = "" if args.no_token else secrets.token_urlsafe(24)
    server = DashboardServer(command, args.host, args.port, token, root.resolve().name)
    print(server.address, flush=True)
    if not token and not server.loopback:
        say("warning: without a token, whoever reaches this address can start builds and edit manifests")
    say("Ctrl-C ends it; builds go on")
    server.run()
    return 0


def _has_terminal() -> bool:
    """Whether a person sits at a terminal, or a browser's, that can show a full screen."""
    if os.environ.get("TEXTUAL_DRIVER") == _WEB_DRIVER:
        return True
    if os.environ.get("CI") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty() and sys.stdin.isatty()


def _print_summary(root: Path, run_id: str | None) -> int:
    from fgbuild.events import read_events
    from fgbuild.views import runs, table, text
    from fgbuild.views.state import BuildState, apply

    shown = run_id or runs.latest_run(root)
    if shown is None:
        print(_NO_RUN)
        return 0
    state = BuildState(run=shown)
    for event in read_events(runs.log_path(root, shown)):
        apply(state, event)
    lines = table.summary(state, going=runs.is_going(state))
    print(text.for_encoding("\n".join(lines), sys.stdout.encoding))
    return 0


def _announce(root: Path, run_id: str | None) -> int:
    """Say what happened in a run, and go on with what happens in it until it ends."""
    from fgbuild.events import EventReader
    from fgbuild.views import runs
    from fgbuild.views.announce import Announcer

    shown = run_id or runs.latest_run(root)
    if shown is None:
        print("No build has run here yet. The command fgbuild build starts one.")
        return 0
    announcer, reader = Announcer(), EventReader(runs.log_path(root, shown))
    try:
        _await_beginning(root, run_id, runs.log_path(root, shown))
        told = [sentence for event in _until_now(reader) for sentence in announcer.announce(event)]
        going = runs.is_going(announcer.state)
        if not going:  # what was written while it ended
            told += [sentence for event in _until_now(reader) for sentence in announcer.announce(event)]
        _speak(announcer.standing() if going else told)
        while going and not announcer.state.finished:
            time.sleep(_POLL_SECONDS)
            going = runs.is_going(announcer.state)  # asked first: what is written while it ends is still said
            for event in _until_now(reader):
                _speak(announcer.announce(event))
        if not announcer.state.finished:
            _speak(["The build process is gone. Finished stages stay finished."])
    except KeyboardInterrupt:
        pass  # the build goes on
    return 0


def _await_beginning(root: Path, replay: str | None, log: Path) -> None:
    """Where the latest build has its log and no word in it yet, say so and wait for one."""
    from fgbuild.engine.lock import holder
    from fgbuild.engine.paths import Paths
    from fgbuild.views import runs

    said = False
    while replay is None and not log.stat().st_size and (held := holder(Paths(root).lock)) and runs.is_alive(*held):
        if not said:
            _speak(["The build is being prepared."])
        said = True
        time.sleep(_POLL_SECONDS)


def _until_now(reader: EventReader) -> Iterator[Event]:
    while events := reader.read():
        yield from events


def _speak(sentences: list[str]) -> None:
    from fgbuild.views import text

    for sentence in sentences:
        print(text.for_encoding(sentence, sys.stdout.encoding), flush=True)
