"""``voice-agent household``: the devices that share keys; bringing one in, putting one out."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.config import Config
    from agent.sync.household.file import HouseholdFile
    from agent.sync.household.generations import Generations
    from agent.sync.household.keyring import HouseholdKeyring
    from agent.sync.household.membership import Member, Membership
    from agent.sync.household.shelf import Shelf

HELP = "devices that share conversations and names: create, invite, join, show, remove, leave"
_CODE = re.compile(r"[\d -]*\d[\d -]*")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="start a household with this device")
    create.add_argument("name", help="what the household is called")
    create.add_argument("--device", help="what this device is called (default: the host's name)")
    invite = actions.add_parser(
        "invite", help="show a code, and listen in the local network for the device that has it")
    invite.add_argument("--address", help="address to listen on (default: this machine's own)")
    invite.add_argument("--port", type=int, help="port to listen on (default: 47823)")
    invite.add_argument("--minutes", type=float, default=5.0,
                        help="how long the code is good (default: 5)")
    join = actions.add_parser("join", help="join the household of the device that shows a code")
    join.add_argument("where", nargs="*", metavar="ADDRESS CODE",
                      help="address[:port] as the other device shows it (looked for when not "
                           "given), and the code (asked for when not given)")
    join.add_argument("--device", help="what this device is called (default: the host's name)")
    show = actions.add_parser("show", help="the household and its devices")
    show.add_argument("--json", action="store_true", help="as one JSON object")
    remove = actions.add_parser("remove", help="put a device out; the others get new keys")
    remove.add_argument("device", help="its name, or the beginning of its id")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    leave = actions.add_parser("leave", help="make this device forget the household")
    leave.add_argument("--yes", action="store_true", help="do not ask")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; 1 when it was not confirmed.

    Raises:
        AgentError: It could not be done; nothing was changed.
    """
    from agent.config import load
    from agent.sync.household.membership import MalformedError

    config = load()
    actions = {"create": _create, "invite": _invite, "join": _join, "show": _show,
               "remove": _remove, "leave": _leave}
    try:
        return actions[args.action](args, config)
    except MalformedError as error:
        raise AgentError(str(error), "choose another name") from None


def _create(args: argparse.Namespace, config: Config) -> int:
    from agent.sync.household.membership import create
    from agent.sync.household.ratchet import hour_of

    membership = create(args.name, args.device or socket.gethostname(), hour_of(_now_ms()))
    _file(config).create(membership)
    print(f"household “{membership.household.name}” with this device, “{membership.me.name}”",
          file=sys.stderr)
    print("next: `voice-agent cloud setup` makes its tables, `voice-agent household invite` "
          "brings a second device in", file=sys.stderr)
    return 0


def _invite(args: argparse.Namespace, config: Config) -> int:
    from agent.sync.household.inviting import PORT, own_address
    from agent.sync.household.pairing import new_code

    if not 0 < args.minutes <= 60:
        raise AgentError("an invitation stands for up to 60 minutes", "give --minutes 1 to 60")
    port = PORT if args.port is None else args.port
    if not 0 <= port < 65536:
        raise AgentError(f"{port} is no port", "a port is 0 (any) to 65535")
    keyring = _keyring(config)
    keyring.epoch(_now_ms())
    # The new device must get the newest keys, and the others must be able to give it newer ones.
    _with_cloud(config, keyring, lambda generations, shelf: generations.follow())
    member = asyncio.run(_invited(keyring.file, new_code(), args.address or own_address(), port,
                                  60 * args.minutes))
    print(f"“{member.name}” belongs to the household now", file=sys.stderr)
    _with_cloud(config, keyring, lambda generations, shelf: shelf.publish({}))
    return 0


def _with_cloud(config: Config, keyring: HouseholdKeyring,
                step: Callable[[Generations, Shelf], object]) -> None:
    """Do something that is good to do while the cloud is there, and can wait while it is not."""
    from agent.sync.faults import CloudError

    if config.sync.enabled:
        try:
            step(*_cloud(config, keyring))
        except CloudError as error:
            print(f"going on without the cloud: {error.what}", file=sys.stderr)


def _cloud(config: Config, keyring: HouseholdKeyring) -> tuple[Generations, Shelf]:
    from agent.sync.dynamodb import DynamoDb
    from agent.sync.household.generations import Generations
    from agent.sync.household.shelf import Shelf

    shelf = Shelf(DynamoDb(config.sync, keyring.household), keyring)
    return Generations(shelf, keyring), shelf


async def _invited(file: HouseholdFile, code: str, address: str, port: int,
                   lifetime_s: float) -> Member:
    from agent.sync.household import discovery
    from agent.sync.household.inviting import Inviter

    inviter = Inviter(file, code, lifetime_s)
    bound = await inviter.listen(address, port)
    answering = await discovery.answer(bound)
    try:
        print(f"on the other device: voice-agent household join {address}:{bound} {code}")
        print(f"waiting for {lifetime_s / 60:g} minutes; the code is good for one attempt",
              file=sys.stderr)
        sys.stdout.flush()
        return await inviter.member()
    finally:
        if answering:
            answering.close()


def _join(args: argparse.Namespace, config: Config) -> int:
    from agent.sync.household import discovery
    from agent.sync.household.joining import join

    address, port, code = _where(args.where)
    name = args.device or socket.gethostname()
    file = _file(config)

    async def joined() -> Membership:
        place = discovery.Place(address, port) if address else await discovery.find()
        return await join(file, place.address, place.port, code or _asked_code(), name)

    file.prepare()
    membership = asyncio.run(joined())
    others = [m.name for m in membership.household.members if m.id != membership.device]
    print(f"this device, “{membership.me.name}”, belongs to “{membership.household.name}” now, "
          f"with {', '.join(others)}", file=sys.stderr)
    if not config.sync.enabled:
        print("next: give this device its own cloud credentials and set sync.enabled = true "
              "(docs/cloud.md)", file=sys.stderr)
    return 0


def _where(words: list[str]) -> tuple[str, int, str]:
    """Address (empty when not given), port and code (empty when not given)."""
    from agent.sync.household.inviting import PORT

    code = "".join(word for word in words if _CODE.fullmatch(word))
    places = [word for word in words if not _CODE.fullmatch(word)]
    if len(places) > 1:
        raise AgentError(f"{' '.join(places)}: more than one address",
                         "voice-agent household join ADDRESS CODE")
    found = re.fullmatch(r"\[([0-9a-fA-F:.%\w]+)\](?::(\d+))?|([^:\s]+)(?::(\d+))?",
                         places[0]) if places else None
    if places and not found:
        raise AgentError(f"{places[0]} is no address", "give it as 192.168.1.20:47823")
    if not found:
        return "", PORT, code
    port = int(found[2] or found[4] or PORT)
    if not 0 < port < 65536:
        raise AgentError(f"{port} is no port", "give the address as 192.168.1.20:47823")
    return found[1] or found[3], port, code


def _asked_code() -> str:
    print("code: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _show(args: argparse.Namespace, config: Config) -> int:
    keyring = _keyring(config)
    membership = keyring.membership
    household = membership.household
    if args.json:
        print(json.dumps({
            "household": household.id, "name": household.name, "device": membership.device,
            "generation": household.chain.generation, "sync": config.sync.enabled,
            "devices": [{"id": m.id, "name": m.name, "this": m.id == membership.device}
                        for m in household.members]}, ensure_ascii=False))
        return 0
    print(f"household   {household.name}\nid          {household.id}")
    print(f"generation  {household.chain.generation}")
    print(f"sync        {'on' if config.sync.enabled else 'off'}")
    for member in household.members:
        mark = "  (this device)" if member.id == membership.device else ""
        print(f"device      {member.name:24} {member.id[:12]}{mark}")
    return 0


def _remove(args: argparse.Namespace, config: Config) -> int:
    keyring = _keyring(config)
    if not config.sync.enabled:
        raise AgentError("the other devices hear of a removal through the cloud, and sync is off",
                         "set sync.enabled = true (docs/cloud.md)")
    keyring.epoch(_now_ms())
    generations, shelf = _cloud(config, keyring)
    record, _ = generations.follow()
    shelf.learn(shelf.seen(record).index)
    member = _meant(keyring.membership.household.members, args.device)
    if not args.yes and not _confirmed(f"Put “{member.name}” out of the household?"):
        return 1
    generations.remove(member, _now_ms())
    print(f"“{member.name}” is out; the others take the new keys at their next look",
          file=sys.stderr)
    print("what it knew until now it still knows. Delete its cloud credentials now, so that it "
          "cannot use the tables any more (docs/cloud.md)", file=sys.stderr)
    return 0


def _meant(members: tuple[Member, ...], text: str) -> Member:
    from agent.sync.household.generations import NoSuchDeviceError

    found = [m for m in members if m.name.casefold() == text.casefold()]
    if not found and len(text) >= 4:
        found = [m for m in members if m.id.startswith(text.lower())]
    if len(found) == 1:
        return found[0]
    problem = "more than one device is" if found else "no device is"
    raise NoSuchDeviceError(f"{problem} called {text!r}",
                            "`voice-agent household show` lists them; give the id instead")


def _leave(args: argparse.Namespace, config: Config) -> int:
    from agent.sync.household.kept import KeptKeys
    from agent.sync.household.keyring import HouseholdKeyring, Life

    file = _file(config)
    if not file.path.exists():
        file.read()  # raises
    if not args.yes and not _confirmed("Make this device forget the household and its keys?"):
        return 1
    try:
        keyring = _keyring(config)
    except AgentError:
        # A file that cannot be read any more is left, too.
        keyring = HouseholdKeyring(file, KeptKeys(None, ""), Life.of(config.store.retention))
    keyring.forget()
    _forget_documents(config)
    print("this device has forgotten the household", file=sys.stderr)
    print("on another device, run `voice-agent household remove` for it: the keys that it had are "
          "then worth nothing for what is said later", file=sys.stderr)
    return 0


def _forget_documents(config: Config) -> None:
    """Remove from the store what the other devices shared."""
    from agent.store import NotInstalledError, guest
    from agent.store.catalogue import page, remove
    from agent.sync.catalogues import CATALOGUE

    try:
        with guest.visit(config.store) as engine:
            while keys := [e.key for e in engine.submit(lambda s: page(s, CATALOGUE)).result()]:
                engine.submit(partial(remove, name=CATALOGUE, keys=keys)).result()
    except NotInstalledError:
        pass


def _file(config: Config) -> HouseholdFile:
    from agent.sync.household.file import HouseholdFile

    return HouseholdFile(config.store.directory)


def _keyring(config: Config) -> HouseholdKeyring:
    from agent.sync.household.keyring import HouseholdKeyring, Life

    keyring = HouseholdKeyring.open(config.store.directory, Life.of(config.store.retention))
    if keyring is None:
        _file(config).read()  # raises
        raise AssertionError
    return keyring


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise AgentError("this needs a yes", "run it with --yes")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
