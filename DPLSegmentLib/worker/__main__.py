"""`python -m DPLSegmentLib.worker`: the engine, talked to through its standard input and output."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from DPLSegmentLib.worker import protocol
from DPLSegmentLib.worker.memory import embedding_bytes
from DPLSegmentLib.worker.sentences import is_ours, refusal
from DPLSegmentLib.worker.speaker import Speaker, own_pipes

if TYPE_CHECKING:
    from DPLSegmentLib.propagation.engine import Engine


def main(words: Sequence[str] | None = None) -> int:
    """Serve until the client is gone; 1 when there is no engine to serve with."""
    arguments = _parser().parse_args(words)
    incoming, outgoing = own_pipes()
    say = Speaker(outgoing)
    try:
        _serve(arguments, incoming, say)
    except Exception as error:
        if not is_ours(error):
            traceback.print_exception(error, file=sys.stderr)
        say(protocol.Refused(protocol.VERSION, *refusal(error)))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m DPLSegmentLib.worker", description=__doc__)
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cuda, mps or cpu")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="other weights than the bundled ones")
    parser.add_argument("--memory-limit", type=int, metavar="MIB", help="bounds what is kept of earlier scans")
    return parser


def _serve(arguments: argparse.Namespace, incoming: int, say: Speaker) -> None:
    """Imports are here so that the client is told when one of them fails, and so that its end is noticed before."""
    from DPLSegmentLib.worker.inbox import Inbox

    inbox = Inbox(incoming)
    inbox.listen()
    from DPLSegmentLib.worker.server import Server, hello

    engine = _engine(arguments)
    server = Server(engine, inbox, say)
    say(hello(engine))
    server.serve()


def _engine(arguments: argparse.Namespace) -> Engine:
    from DPLSegmentLib.propagation.engine import load_engine

    engine = load_engine(arguments.device, arguments.weights)
    engine.cache.limit = embedding_bytes(arguments.memory_limit)
    return engine


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
