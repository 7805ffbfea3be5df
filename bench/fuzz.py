"""`python -m bench.fuzz`: the long run of schemathesis, all phases, as everybody in turn, on a fresh stack.

Prints a line for each caller and exits with 1 when a check failed, an answer was a 5xx, or the product stopped taking
demands. The short run of the same stands in tests/contract/test_schemathesis.py.
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import closing
from types import FrameType

from bench.ground import BenchError
from bench.hostility import SKIPPED, Ground, Outcome, Plan, run
from devstack.errors import StackError
from devstack.reset import temporary_folder
from devstack.stack import Stack

PHASES = ("examples", "coverage", "fuzzing", "stateful")
UNLIMITED = {"LINLI_RATE_LIMIT": "0", "LINLI_RATE_LIMIT_UNKNOWN": "0"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument(
        "--examples", type=int, default=25, metavar="N", help="of each operation (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="the same seed, the same cases")
    parser.add_argument("--caller", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--operation", action="append", metavar="ID", help="only this one; may be repeated")
    return parser


def _fuzz(arguments: argparse.Namespace) -> list[Outcome]:
    found = []
    with (
        temporary_folder() as folder,
        Stack(folder, port=0, settings=UNLIMITED, say=lambda line: None) as stack,
        closing(Ground(stack)) as ground,
    ):
        plan = Plan(
            examples=arguments.examples, seed=arguments.seed, phases=PHASES, values=ground.values(),
            operations=frozenset(arguments.operation) if arguments.operation else None,
        )  # fmt: skip
        for caller in ground.callers():
            if not arguments.caller or caller.name in arguments.caller:
                found.append(run(ground, caller, [plan]))
                print(found[-1], flush=True)
                for each in found[-1].wrong:
                    print(each, file=sys.stderr, flush=True)
    return found


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    for operation, why in SKIPPED.items():
        print(f"Not run: {operation}: {why}.")
    try:
        found = _fuzz(arguments)
    except (BenchError, StackError) as broken:
        print(broken, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    wrong = sum(len(one.wrong) for one in found)
    print(f"{sum(one.cases for one in found)} cases, {wrong} failures, seed {arguments.seed}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
