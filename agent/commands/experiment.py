"""``voice-agent experiment``: what each context signal adds, on synthetic or recorded dialogues."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.asr import Recogniser
    from agent.context import Entry, Signal
    from agent.evaluate.experiment import Bench, Case, Row, SignalSet
    from agent.evaluate.experiment_cache import Cache
    from agent.evaluate.runner import Noise

HELP = "measure what each context signal adds"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("manifest", nargs="?", type=Path, metavar="MANIFEST",
                        help="recorded answers with what was said before; made up if omitted")
    parser.add_argument("--dialogues", type=_count, default=300, metavar="N",
                        help="synthetic dialogues a seed (300)")
    parser.add_argument("--entries", type=_count, default=5200, metavar="N",
                        help="names that the synthetic user has (5200)")
    parser.add_argument("--seeds", type=_count, default=1, metavar="N",
                        help="how many times dialogues are drawn (1)")
    parser.add_argument("--limit", type=_count, default=300, metavar="N",
                        help="names selected for a turn (300)")
    parser.add_argument("--audio", action="store_true",
                        help="also recognise the answers (synthetic ones are spoken by the "
                             "synthesisers that are installed)")
    parser.add_argument("--noise", metavar="FILE", type=Path, help="noise to mix into the answers")
    parser.add_argument("--snr", metavar="DB", type=float, help="level of speech over the noise")
    parser.add_argument("--set", action="append", default=[], metavar="NAME[,NAME...]",
                        dest="sets", help="try this set of signals; repeat for more; the usual "
                                          "sets if omitted")
    parser.add_argument("--only", action="append", default=[], metavar="SET",
                        help="of the usual sets, only this one; repeat for more")
    parser.add_argument("--without", action="append", default=[], metavar="SIGNAL",
                        help="leave a signal out everywhere")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where results are kept")
    parser.add_argument("--json", metavar="OUT", type=Path, help="write figures and every "
                                                                 "dialogue's result")
    parser.add_argument("--plot", metavar="OUT", type=Path, help="write the figures as SVG")


def run(args: argparse.Namespace) -> int:
    """Try every set of signals on every dialogue.

    Raises:
        AgentError: A file cannot be used, a signal is unknown, or the encoder is not installed.
    """
    from agent.context import signals
    from agent.evaluate import experiment_report as report
    from agent.evaluate.experiment_cache import Cache, default_folder

    available = signals.load(args.without)
    chosen = _sets(args, available)
    entries, cases = _cases(args)
    cache = Cache(args.cache or default_folder())
    try:
        bench = _bench(args, cache, entries, available)
        results = {of.name: _tried(bench, cases, of) for of in chosen}
    finally:
        cache.close()
    figures = report.summarise(results)
    print("\n".join(report.table(figures)))
    print(f"{len(entries)} names; {cache.computed} results computed, the rest as before",
          file=sys.stderr)
    if args.json:
        _write(args.json, json.dumps(_record(args, entries, figures, results), indent=1) + "\n")
    if args.plot:
        _write(args.plot, report.plot(figures, f"{len(cases)} dialogues, {len(entries)} names"))
    return 0


def _sets(args: argparse.Namespace, available: tuple[Signal, ...]) -> tuple[SignalSet, ...]:
    from agent.evaluate.experiment import SignalSet, usual_sets

    names = [signal.name for signal in available]
    if not args.sets:
        usual = usual_sets(available, recognition=args.audio)
        unknown = set(args.only) - {of.name for of in usual}
        if unknown:
            raise AgentError(f"no usual set is called {sorted(unknown)[0]!r}",
                             f"they are {'; '.join(of.name for of in usual)}")
        return tuple(of for of in usual if not args.only or of.name in args.only)
    sets = []
    for text in args.sets:
        wanted = tuple(name for name in text.split(",") if name)
        for name in wanted:
            if name not in names:
                raise AgentError(f"there is no signal {name!r}", f"there are {', '.join(names)}")
        sets.append(SignalSet(text, wanted))
    return tuple(sets)


def _cases(args: argparse.Namespace) -> tuple[tuple[Entry, ...], list[Case]]:
    from agent.evaluate import experiment_sets, manifest, synthesis
    from agent.evaluate.experiment_dialogues import dialogues
    from agent.evaluate.experiment_world import world

    noise = _noise(args)
    if args.manifest is not None:
        lines = manifest.read(args.manifest)
        cases = experiment_sets.recorded(lines, noise)
        if not cases:
            raise AgentError(f"{args.manifest}: no line has a text and a context with `previous`",
                             "see docs/context.md")
        return experiment_sets.entries_of(lines), cases
    voices = synthesis.installed() if args.audio else ()
    if args.audio and not voices:
        raise AgentError("no synthesiser is installed to speak the answers", "install flite")
    made = world(args.entries)
    found = [d for seed in range(args.seeds) for d in dialogues(made, args.dialogues, seed=seed)]
    return made.entries, experiment_sets.synthetic(found, voices=voices, noise=noise)


def _noise(args: argparse.Namespace) -> Noise | None:
    from agent.evaluate.runner import Noise

    if (args.noise is None) != (args.snr is None):
        raise AgentError("--noise and --snr belong together", "give both or neither")
    return None if args.noise is None else Noise.read(args.noise, args.snr)


def _bench(args: argparse.Namespace, cache: Cache, entries: tuple[Entry, ...],
           available: tuple[Signal, ...]) -> Bench:
    from agent.context.encoder import Encoder
    from agent.context.library import Library
    from agent.evaluate.experiment import Bench
    from models import catalogue, locate

    encoder = Encoder(locate("context-encoder"))
    version = catalogue()["context-encoder"].built[0].sha256 or ""
    print(f"vectors of {len(entries)} names …", file=sys.stderr)
    library = Library.of(entries)
    vectors = cache.vectors(version, library.entries, encoder)
    recogniser, recognised_by = _recogniser() if args.audio else (None, "")
    return Bench(library.with_vectors(vectors), encoder, version, cache, available, args.limit,
                 recogniser, recognised_by)


def _recogniser() -> tuple[Recogniser, str]:
    """The recogniser, and what names its model and thresholds."""
    import dataclasses

    from agent.asr.factory import choose, open_choice
    from agent.config import load
    from models import locate

    config = load()
    choice = choose(config.asr, locate)
    print(f"recogniser: {choice.reason}", file=sys.stderr)
    recogniser = open_choice(choice, config.asr,
                             bias=dataclasses.replace(config.bias, budget_ms=0, enabled=True))
    return recogniser, f"{choice.model} {getattr(recogniser, 'arbiter', '')}"


def _tried(bench: Bench, cases: list[Case], of: SignalSet) -> list[Row]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return list(track(bench.run(cases, of), total=len(cases), description=of.name,
                      console=console, disable=not console.is_terminal))


def _record(args: argparse.Namespace, entries: tuple[Entry, ...], figures: Any,
            results: dict[str, list[Row]]) -> dict[str, Any]:
    import dataclasses

    from agent.evaluate import experiment_report as report

    return {"names": len(entries), "limit": args.limit, "seeds": args.seeds,
            "snr_db": args.snr, "figures": report.as_json(figures),
            "results": {name: [dataclasses.asdict(row) for row in rows]
                        for name, rows in results.items()}}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AgentError(f"cannot write {path}: {error.strerror}") from error


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
