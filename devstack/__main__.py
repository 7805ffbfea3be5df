"""The command line behind `./run demo` and `./run reset`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from devstack.errors import StackError, from_os_error
from devstack.program import ROOT


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is not a port; choose one from 1 to 65535, or 0 for any free one")
    return port


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    data = Path(os.environ.get("LINLI_DATA") or ROOT / ".data")
    demo = commands.add_parser("demo", help="start everything; Ctrl-C stops it")
    demo.add_argument("--data", type=Path, default=data, metavar="DIR", help="data folder (default: %(default)s)")
    demo.add_argument("--port", type=_port, metavar="N", help="HTTP port (default: 8000 or the next free one)")
    demo.add_argument("--seed", type=int, default=7, metavar="S", help="seed of the demands (default: %(default)s)")
    demo.add_argument("--empty", action="store_true", help="start without demands")
    demo.add_argument("--overlay", type=Path, metavar="FILE", help="settings laid over the district pack")
    demo.add_argument("--json", action="store_true", help="one JSON line on stdout when ready, the rest on stderr")
    reset = commands.add_parser("reset", help="remove the data folder")
    reset.add_argument("--data", type=Path, default=data, metavar="DIR", help="data folder (default: %(default)s)")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def main() -> int:
    arguments = _parser().parse_args()
    try:
        if arguments.command == "reset":
            from devstack.reset import reset

            reset(arguments.data, asked=arguments.yes)
            return 0
        from devstack.demo import Options, demo

        return demo(
            Options(
                data=arguments.data,
                port=arguments.port,
                seed=arguments.seed,
                empty=arguments.empty,
                overlay=arguments.overlay,
                json=arguments.json,
            )
        )
    except StackError as problem:
        print(problem, file=sys.stderr)
        return problem.exit_code
    except OSError as problem:
        print(from_os_error(problem, arguments.data), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.exit(code)
