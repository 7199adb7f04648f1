"""The command line: `roomreel COMMAND`, the same as `python -m appservice COMMAND`."""

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appservice import __version__
from appservice.config import Config, Log, load_config
from appservice.core.errors import ConfigError, RoomreelError
from transcode.errors import TranscodeError


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Let an import that is optional fail."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


# structlog imports it for stack traces that we do not log, where pgqueuer's command line brings it along: three MB.
with _without("rich"):
    from appservice.logs import set_up_logging

OK, FAILED, USAGE = 0, 1, 2


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return port


def _count(text: str) -> int:
    count = int(text)
    if not 0 < count <= 100_000:
        raise argparse.ArgumentTypeError(f"{text} is not a number of lines")
    return count


def _add_runner(runner: argparse.ArgumentParser) -> None:
    runner.add_argument("--server", required=True, metavar="URL", help="`web.public_url` of the server")
    runner.add_argument("--token-file", type=Path, metavar="FILE", help="the token (or by ROOMREEL_RUNNER_TOKEN)")
    runner.add_argument("--token", metavar="TEXT", help="the same, where nobody else sees the command line")
    runner.add_argument("--ca", type=Path, metavar="FILE", help="certificates to trust in place of the system's")
    runner.add_argument("--encoder", default="libx264", metavar="NAME", help="ffmpeg's H.264 encoder (libx264)")
    runner.add_argument("--ffmpeg", metavar="PATH", help="the ffmpeg to use (default: the one that is found)")
    runner.add_argument("--ffprobe", metavar="PATH", help="the ffprobe to use")
    runner.add_argument("--threads", type=_count, metavar="N", help="threads of ffmpeg (default: by the processors)")
    runner.add_argument("--scratch", type=Path, metavar="FOLDER", help="where files lie meanwhile (default: in /tmp)")


def _add_runners(runners: argparse.ArgumentParser) -> None:
    deeds = runners.add_subparsers(dest="deed", required=True, metavar="DEED")
    add = deeds.add_parser("add", help="register a runner, and print its token, once")
    add.add_argument("name", help="what it is called here")
    add.add_argument("--encrypted", action="store_true", help="it is also given videos of encrypted rooms, in clear")
    deeds.add_parser("list", help="all runners: when they were seen, and what they did")
    deeds.add_parser("revoke", help="let a runner do nothing more, at once").add_argument("name", help="its name")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="roomreel", description="Every Matrix room gets a screen.")
    parser.add_argument("--version", action="version", version=f"roomreel {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, *, config: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        if config:
            sub.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")
        return sub

    demo = command("demo", "Show a working room on this machine, from nothing.", config=False)
    demo.add_argument("--check", action="store_true", help="end with 0 once a browser has seen a video play")
    demo.add_argument("--state", type=Path, metavar="FILE", help="write addresses and users there, as JSON")
    demo.add_argument("--port", type=_port, metavar="N", help="the port of the host page (default: a free one)")
    init = command("init", "Ask five questions, and write the configuration and the registration.", config=False)
    init.add_argument("-c", "--config", type=Path, default=Path("config.yaml"), metavar="FILE", help="where to")
    init.add_argument("-r", "--registration", type=Path, metavar="FILE", help="where to (default: beside it)")
    for name, text in (
        ("server-name", "the part after the colon in your users' ids"), ("homeserver-url", "where Roomreel reaches it"),
        ("public-url", "where viewers reach Roomreel"), ("admin", "a Matrix id"),
        ("database", "`embedded`, or an address"), ("appservice-url", "where the homeserver reaches Roomreel"),
    ):  # fmt: skip
        init.add_argument(f"--{name}", metavar="TEXT", help=f"{text} (instead of asking)")
    init.add_argument("--first-start", action="store_true", help="of a container: by variables; exit 3 when it wrote")
    serve = command("serve", "Run the web server, the application service and one worker.")
    serve.add_argument("--no-worker", action="store_true", help="leave the work on videos to `roomreel work`")
    work = command("work", "Run one more worker on the same database.")
    work.add_argument(
        "--metrics-port", type=_port, metavar="N", help="serve its metrics at this port of `metrics.host`"
    )
    _add_runner(command("runner", "Make ladders for a server, over HTTPS and with nothing but a token.", config=False))
    migrate = command("migrate", "Bring the database to this release's schema.")
    migrate.add_argument("--phase", choices=["before", "after"], help="only what may run before, or after, the deploy")
    registration = command("generate-registration", "Write the file that the homeserver needs.")
    registration.add_argument("-r", "--registration", type=Path, required=True, metavar="FILE", help="where to")
    check = command("check", "Check configuration, database, homeserver, proxy and storage, and say what to do.")
    check.add_argument(
        "-r",
        "--registration",
        type=Path,
        metavar="FILE",
        help="the registration (default: registration.yaml beside it)",
    )
    admin = command("admin", "Look after a running installation.")
    actions = admin.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("status", help="how many videos there are in each state, and what is worked on")
    top = actions.add_parser("top", help="queues, work in progress, failures and throughput, again and again")
    top.add_argument("--once", action="store_true", help="print it once, for scripts")
    actions.add_parser("requeue", help="give a failed video a new start").add_argument("video", help="its id")
    audit = actions.add_parser("audit", help="who did what, the newest last: all, or about a user, a room or a video")
    audit.add_argument("whom", nargs="?", help="a user id (@…), a room id (!…) or a video's id")
    audit.add_argument("--most", type=_count, default=100, metavar="N", help="how many lines (default: 100)")
    renew = actions.add_parser("renew-device", help="replace the bot's device in encrypted rooms by a new one")
    renew.add_argument(
        "--reset-cross-signing", action="store_true", help="with new cross-signing keys: who verified the bot sees it"
    )
    actions.add_parser("move-storage", help="move videos from `storage.also` to `storage.url`, while all else goes on")
    _add_runners(actions.add_parser("runners", help="machines that make ladders with nothing but a token"))
    actions.add_parser("backup", help="write database and media into a new folder").add_argument("to", type=Path)
    actions.add_parser("restore", help="restore such a folder, where nothing is yet").add_argument("source", type=Path)
    for name, text in (
        ("erase", "delete all that is kept of a user or a room"),
        ("remains", "prove what is left of a user or a room; exit 1 when something is"),
    ):
        actions.add_parser(name, help=text).add_argument("whom", help="a user id (@…) or a room id (!…)")
    return parser


@contextmanager
def _without_garbage_collector() -> Iterator[None]:
    """Disable the garbage collector during start-up, and freeze what survives.

    Modules stay for good: looking through them again and again takes a quarter of a start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


async def _run(args: argparse.Namespace, config: Config) -> int:
    # Each command imports what it needs: `--help` and `generate-registration` respond at once.
    match args.command:
        case "serve":
            with _without_garbage_collector():
                from appservice.wiring import process

            await process.serve(config, with_worker=not args.no_worker)
        case "work":
            with _without_garbage_collector():
                from appservice.wiring import process

            await process.work(config, metrics_port=args.metrics_port)
        case "check":
            from appservice.check import check

            file = args.registration or args.config.parent / "registration.yaml"
            return OK if await check(config, print, registration_file=file) else FAILED
        case "migrate":
            from appservice.operator_commands import migrate_now

            print(await migrate_now(config, args.phase))
        case "admin":
            return await _admin(args, config)
    return OK


async def _admin(args: argparse.Namespace, config: Config) -> int:  # noqa: C901 - one case for each action
    from appservice import operator_commands

    match args.action:
        case "status":
            print(await operator_commands.status(config))
        case "top":
            async for text in operator_commands.top(config, once=args.once):
                # On a terminal, in place of what it said before.
                print(f"\x1b[H\x1b[2J{text}" if sys.stdout.isatty() and not args.once else f"{text}\n", flush=True)
        case "requeue":
            print(await operator_commands.requeue(config, args.video))
        case "audit":
            print(await operator_commands.audit(config, args.whom, args.most))
        case "renew-device":
            print(await operator_commands.renew_device(config, reset_cross_signing=args.reset_cross_signing))
        case "runners":
            from appservice import runner_commands

            print(await runner_commands.runners(config, args.deed, vars(args)))
        case "backup":
            from appservice.backup.make import backup

            print(await backup(config, args.to))
        case "restore":
            from appservice.backup.restore import restore

            print(await restore(config, args.source))
        case "erase":
            print(await operator_commands.erase(config, args.whom))
        case "move-storage":
            text, all_moved = await operator_commands.move_storage(config, print)
            print(text)
            return OK if all_moved else FAILED
        case "remains":
            text, nothing = await operator_commands.remains(config, args.whom)
            print(text)
            return OK if nothing else FAILED
    return OK


def _generate_registration(config: Config, target: Path) -> None:
    from appservice.registration import render_registration

    try:
        # It holds both tokens: only its owner may read it. An existing file retains its mode and owner.
        target.touch(mode=0o600)
        target.write_text(render_registration(config), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"The registration cannot be written to {target}: {error}") from error
    print(f"Wrote {target}. Name it in homeserver.yaml under app_service_config_files and restart Synapse.")


def _demo(args: argparse.Namespace) -> int:
    try:
        from appservice.demo.run import demo
    except ImportError as error:
        raise ConfigError(f"The demo needs more parts ({error}): pip install 'roomreel[demo]'.") from error
    set_up_logging(Log(level="warning"))
    return asyncio.run(demo(check=args.check, state=args.state, port=args.port))


def _runner(args: argparse.Namespace) -> int:
    from appservice.runner.run import Options, run

    set_up_logging(Log())
    names = ("server", "token", "token_file", "ca", "encoder", "ffmpeg", "ffprobe", "threads", "scratch")
    asyncio.run(run(Options(**{name: getattr(args, name) for name in names})))
    return OK


def _init(args: argparse.Namespace) -> int:
    from appservice.init.run import Init

    registration = args.registration or args.config.parent / "registration.yaml"
    ask = input if sys.stdin.isatty() else None
    run = Init(args.config, registration, vars(args), os.environ, print, ask)
    return run.first_start() if args.first_start else run.run()


def _dispatch(args: argparse.Namespace) -> int:
    if args.command == "demo":
        return _demo(args)
    if args.command == "init":
        return _init(args)
    if args.command == "runner":
        return _runner(args)
    config = load_config(args.config)
    set_up_logging(config.log)
    if args.command == "generate-registration":
        _generate_registration(config, args.registration)
        return OK
    return asyncio.run(_run(args, config))


def main() -> None:
    """Run the command of the command line and exit: 0 done, 1 failed, 2 usage or configuration."""
    try:
        code = _dispatch(_parser().parse_args())
    except ConfigError as error:
        print(f"roomreel: {error}", file=sys.stderr)
        code = USAGE
    except (RoomreelError, TranscodeError) as error:
        print(f"roomreel: {error}", file=sys.stderr)
        code = FAILED
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
