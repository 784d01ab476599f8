"""`python -m server <command>`: the merchant's commands. The work is in `merchant/`; here are the words around it.

Settings come from the environment (`settings.py`). A mistake of the user is one plain message; the exit code is 2 for
settings and arguments, 1 for everything else that did not work.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from server import settings
from server.access.api_keys import PERMISSIONS
from server.brands import Brand, ThemeError
from server.merchant import link
from server.merchant.arguments import moment, port, workers
from server.merchant.piping import while_read
from server.merchant.studio.rights import RIGHTS
from server.settings import Settings, SettingsError
from server.store import Store, StoreUnavailable, open_store

console = Console(width=None if sys.stdout.isatty() else 160)


def now() -> datetime:
    return datetime.now(UTC)


def serve(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="postern-counts-") as counts:
        # Before anything that counts is imported: Prometheus's library looks for it then, in each process.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
        from server.merchant import serve  # noqa: PLC0415 (the other commands need no web server)

        where = {"host": options.host, "port": options.port, "workers": options.workers, "static": options.static}
        try:
            serve.serve(settings.from_environment(os.environ), **where, counts=Path(counts), work=not options.no_worker)
        except serve.ServeError as error:
            return refuse(str(error))
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]
    return 0


def work(options: argparse.Namespace) -> int:
    from server.merchant import work  # noqa: PLC0415 (the other commands need none of it)

    work.work("server.app:worker_from_environment", parent=options.parent)
    return 0


def link_activate(options: argparse.Namespace) -> int:
    active = link.brand_named(themes_folder(), options.brand).config.login_page
    if active.enabled and active.link and not options.new:
        shown = link_show(options)
        if options.test != active.link.startswith("test_"):
            kind, new = ("live", "--new --test") if options.test else ("test", "--new")
            return refuse(f"This link is active, and is one for {kind} data. To replace it: {new}")
        print("This link is active already. To replace it, so that nobody can log in by it any more: --new")
        return shown
    link.activate(link.brand_in(themes_folder(), options.brand), test=options.test)
    link_show(options)
    print("Build the pages again (python3 build.py build), and publish them: the log-in page is at this link then.")
    return 0


def link_deactivate(options: argparse.Namespace) -> int:
    link.deactivate(link.brand_in(themes_folder(), options.brand))
    print("The server refuses the link from now on. Build and publish the pages again, so that its page goes too.")
    return 0


def link_show(options: argparse.Namespace) -> int:
    brand = link.brand_named(themes_folder(), options.brand)
    url = link.url(brand, without_secrets().origin)
    if not url:
        return refuse(f"{brand.name} has no active link. Run: python -m server link activate {brand.name}")
    print(url)
    if url.startswith("/"):
        print("(below the server's origin: set PORTAL_ORIGIN to see the whole link)")
    return 0


def import_command(options: argparse.Namespace) -> int:
    from server.merchant.importing import report  # noqa: PLC0415
    from server.merchant.importing.files import ImportRefused, Options, import_files  # noqa: PLC0415

    brand = link.brand_named(themes_folder(), options.brand)
    if options.leave_out_broken is not None:
        try:
            options.leave_out_broken.touch()  # before anything is imported that it would have to name
        except OSError as error:
            return refuse(f"--leave-out-broken {options.leave_out_broken}: {error.strerror}\nNothing was imported.")
    page = brand.config.login_page
    live = not page.link.startswith("test_") if page.link else None
    chosen = Options(
        billed_until=options.billed_until,
        leave_out=options.leave_out_broken is not None,
        without_automatic_tax=options.bill_without_automatic_tax,
        is_dry=options.dry_run,
        dunning=brand.config.dunning,
    )

    async def work(store: Store) -> int:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        with Progress(*columns, transient=True, console=Console(stderr=True)) as bar:
            task = bar.add_task("reading", total=None)

            def told(what: str, done: int, whole: int) -> None:
                bar.update(task, description=what, completed=done, total=whole or None)

            try:
                done = await import_files(
                    store, brand.name, options.files, live=live, now=now(), options=chosen, progress=told
                )
            except ImportRefused as error:
                return refuse(f"{error}\nNothing was imported.")
        if options.leave_out_broken is not None:
            options.leave_out_broken.write_text("".join(f"{each}\n" for each in done.broken))
        print(report.as_json(done) if options.json else "\n".join(report.lines(done)))
        return 0

    return with_store(work)


def sync(options: argparse.Namespace) -> int:
    from server.merchant import syncing  # noqa: PLC0415

    brand = link.brand_named(themes_folder(), options.brand)
    read = without_secrets()

    async def work(store: Store) -> int:
        with Progress(TextColumn("{task.description}"), transient=True, console=Console(stderr=True)) as bar:
            task = bar.add_task("reading", total=None)

            def told(what: str, done: int) -> None:
                bar.update(task, description=f"{what}: {done}", completed=done)

            try:
                lines = await syncing.sync(read, store, brand, now, told, check=options.check)
            except syncing.NotSynced as error:
                return refuse(str(error))
        print("\n".join(lines))
        return 0

    return with_store(work)


def config_import(options: argparse.Namespace) -> int:
    from server.merchant import config_import  # noqa: PLC0415

    folder = link.brand_in(themes_folder(), options.brand)
    try:
        done = config_import.import_config(folder, options.file)
    except config_import.ConfigRefused as error:
        return refuse(f"{error}\nNothing was changed.")
    if done.taken:
        print(f"Taken: {done.taken}")
    print(f"Written into {folder / 'portal.toml'}: " + (", ".join(done.tables) or "nothing"))
    for each in done.unplaced:
        print(f"No place for: {each}")
    return 0


def customers_search(options: argparse.Namespace) -> int:
    from server.merchant import customers  # noqa: PLC0415

    brand: Brand = link.brand_named(themes_folder(), options.brand)

    async def work(store: Store) -> int:
        console.print(await customers.search(store, brand.name, options.whom))
        return 0

    return with_store(work)


def customers_tax_id(options: argparse.Namespace) -> int:
    from server.merchant import tax_ids  # noqa: PLC0415

    brand: Brand = link.brand_named(themes_folder(), options.brand)

    async def work(store: Store) -> int:
        told = {"name": options.name, "address": options.address}
        try:
            done = await tax_ids.say(store, brand, options.customer, options.value, options.state, **told, now=now())
        except tax_ids.NotSaid as error:
            return refuse(f"{error}\nNothing was changed.")
        print(f"{done.value} ({done.kind}) of {options.customer} is {done.verification}.")
        return 0

    return with_store(work)


def of_a_brand(module: str, verb: str) -> Callable[[argparse.Namespace], int]:
    """The command that a function of this module of `merchant` does over the store: it answers what is printed."""

    def does(options: argparse.Namespace) -> int:
        brand = link.brand_named(themes_folder(), options.brand)
        work: Callable[..., Awaitable[str]] = getattr(importlib.import_module(f"server.merchant.{module}"), verb)

        return with_store(printed(lambda store: work(store, brand, options, now())))

    return does


def of_the_store(module: str, verb: str) -> Callable[[argparse.Namespace], int]:
    """The same over the whole store, of no brand."""

    def does(_: argparse.Namespace) -> int:
        work: Callable[..., Awaitable[str]] = getattr(importlib.import_module(f"server.merchant.{module}"), verb)
        return with_store(printed(lambda store: work(store, now())))

    return does


def command(of: str, verb: str) -> Callable[[argparse.Namespace], int]:
    """The command that `commands.py` in this folder of `merchant` does, whatever the files of the brand hold."""

    def does(options: argparse.Namespace) -> int:
        commands = importlib.import_module(f"server.merchant.{of}.commands")
        if options.brand:
            link.brand_in(themes_folder(), options.brand)
        return with_store(printed(lambda store: getattr(commands, verb)(store, options, now())))

    return does


def printed(work: Callable[[Store], Awaitable[str]]) -> Callable[[Store], Awaitable[int]]:
    async def does(store: Store) -> int:
        try:
            print(await work(store))
        except link.NotDone as error:
            return refuse(str(error))
        return 0

    return does


def doctor(options: argparse.Namespace) -> int:
    from server.merchant import doctor  # noqa: PLC0415

    findings = asyncio.run(doctor.examine(os.environ, now, head=options.history))
    for each in findings:
        print(f"{'ok  ' if each.is_fine else 'FAIL'} {each.what}: {each.words}")
        if each.remedy:
            print(f"     -> {each.remedy}")
    return 0 if all(each.is_fine for each in findings) else 1


def without_secrets() -> Settings:
    """For what seals and checks nothing: `link` must work before the secrets are there."""
    return settings.from_environment(os.environ, secrets_needed=False)


def themes_folder() -> Path:
    return without_secrets().themes


def with_store(work: Callable[[Store], Awaitable[int]]) -> int:
    read = without_secrets()

    async def opened() -> int:
        store = open_store(read.database)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(opened())


def refuse(words: str, code: int = 1) -> int:
    print(words, file=sys.stderr)
    return code


def import_menu(imported: argparse.ArgumentParser) -> None:
    imported.add_argument("brand")
    imported.add_argument("files", nargs="+", type=Path, metavar="file")
    imported.add_argument(
        "--billed-until", type=moment, metavar="MOMENT", help="until when others billed; default: now"
    )
    imported.add_argument("--dry-run", action="store_true", help="keep nothing; say what would come next")
    imported.add_argument(
        "--leave-out-broken", type=Path, metavar="FILE", help="import without the broken records, and list them there"
    )
    imported.add_argument(
        "--bill-without-automatic-tax",
        action="store_true",
        help="bill what Stripe would have added a tax to without it",
    )
    imported.add_argument("--json", action="store_true", help="print the report as JSON")


def add(to: object, name: str, does: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = to.add_parser(name, help=words, description=words)  # type: ignore[attr-defined]
    made.set_defaults(does=does)
    return made


def sync_menu(synced: argparse.ArgumentParser) -> None:
    synced.add_argument("brand")
    words = "read every copied account again, say what differed, repair it"
    synced.add_argument("--check", action="store_true", help=words)


def customers_menu(customers: argparse.ArgumentParser) -> None:
    verbs = customers.add_subparsers(required=True, metavar="verb")
    searched = add(verbs, "search", customers_search, "who is this, and which customer does a log-in open")
    searched.add_argument("brand")
    searched.add_argument("whom", metavar="address", help="an address, or a part of a name, an address or an id")
    told = add(verbs, "tax-id", customers_tax_id, "what a tax office said of a customer's number; the customer sees it")
    told.add_argument("brand")
    told.add_argument("customer", help="the id, such as cus_123: customers search prints it")
    told.add_argument("value", help="the number, however it is written, or its id")
    told.add_argument("state", choices=("verified", "unverified"))
    told.add_argument("--name", default="", help="whose it is, as the office says")
    told.add_argument("--address", default="", help="and where")


def keys_menu(keys: argparse.ArgumentParser) -> None:
    verbs = keys.add_subparsers(required=True, metavar="verb")
    created = add(verbs, "create", of_a_brand("api_keys", "create"), "make a key; it is shown once")
    created.add_argument("--test", action="store_true", help="for test data: the key begins with sk_test_ or rk_test_")
    words = "only what is named, and may be repeated: " + ", ".join(PERMISSIONS)
    created.add_argument("--may", action="append", choices=PERMISSIONS, metavar="PERMISSION", help=words)
    revoked = add(verbs, "revoke", of_a_brand("api_keys", "revoke"), "the key opens nothing any more")
    for each in (
        created,
        add(verbs, "list", of_a_brand("api_keys", "show"), "every key there was, without what would open anything"),
        revoked,
    ):
        each.add_argument("brand")
    revoked.add_argument("key", help="its id, such as key_1a2b: keys list prints it")


def events_menu(events: argparse.ArgumentParser) -> None:
    verbs = events.add_subparsers(required=True, metavar="verb")
    listed = add(
        verbs, "list", of_a_brand("events", "show"), "the newest events, to whom they went and what came of it"
    )
    again = add(verbs, "resend", of_a_brand("events", "resend"), "send an event once more")
    for each in (
        listed,
        again,
        add(verbs, "secret", of_a_brand("events", "secrets"), "what each endpoint verifies signatures with"),
    ):
        each.add_argument("brand")
    again.add_argument("event", help="its id, such as evt_1a2b: events list prints it")


def operators_menu(people: argparse.ArgumentParser) -> None:
    verbs = people.add_subparsers(required=True, metavar="verb")
    added = add(verbs, "add", command("studio", "add"), "give somebody a role in the studio, or another one")
    removed = add(verbs, "remove", command("studio", "remove"), "take the role away")
    for each in (added, removed):
        each.add_argument("address")
        each.add_argument("--brand", default="", help="for this brand only; default: for every brand")
    added.add_argument("--role", required=True, choices=tuple(RIGHTS))
    added.add_argument(
        "--lost-passkey", action="store_true", help="forget their passkeys, and make a word for a new one"
    )
    listed = add(verbs, "list", command("studio", "show"), "who has which role; checks the history and prints its head")
    listed.add_argument("--head", default="", help="a head that list printed earlier: the history must still hold it")
    listed.set_defaults(brand="")


def releases_menu(releases: argparse.ArgumentParser) -> None:
    verbs = releases.add_subparsers(required=True, metavar="verb")
    for verb, words in (
        ("list", "what is kept, and what is served"),
        ("publish", "serve the brand as its files are"),
        ("rebuild", "build what is served again, after an upgrade, without what was saved since"),
        ("back", "serve another release that is kept"),
    ):
        add(verbs, verb, command("releases", verb.replace("list", "show")), words).add_argument("brand")
    verbs.choices["back"].add_argument("release", type=int, help="its number: releases list prints it")


def menu() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m server", description="The merchant's commands.")
    commands = parser.add_subparsers(required=True, metavar="command")

    served = add(commands, "serve", serve, "the production server")
    served.add_argument("--host", default="127.0.0.1", help="the address to listen on; default: 127.0.0.1")
    served.add_argument("--port", type=port, default=8000, help="default: 8000")
    served.add_argument("--workers", type=workers, default=1, help="how many HTTP workers; default: 1")
    served.add_argument("--static", type=Path, metavar="DIST", help="serve the pages of this build too")
    served.add_argument("--no-worker", action="store_true", help="leave the background work out: it runs elsewhere")
    worked = add(
        commands, "work", work, "the background work alone: mails, renewals, clean-up; any number, on any host"
    )
    worked.add_argument("--parent", type=int, default=0, help=argparse.SUPPRESS)
    links = commands.add_parser("link", help="a brand's log-in link").add_subparsers(required=True, metavar="verb")
    activated = add(links, "activate", link_activate, "make a link, and show it; one that is active stays")
    activated.add_argument(
        "--new", action="store_true", help="replace an active link: nobody can log in by it any more"
    )
    activated.add_argument("--test", action="store_true", help="for a ledger of test data: the link begins with test_")
    shown = add(links, "show", link_show, "print the active link")
    for each in (activated, shown, add(links, "deactivate", link_deactivate, "nobody can log in by the link any more")):
        each.add_argument("brand")
    import_menu(add(commands, "import", import_command, "fill the ledger from Stripe-shaped JSON"))
    sync_menu(add(commands, "sync", sync, "fill catalog and directory from Stripe; stopped, it goes on where it was"))
    configs = commands.add_parser("config", help="a brand's configuration").add_subparsers(
        required=True, metavar="verb"
    )
    words = "write a billing_portal.configuration (JSON) into portal.toml; its comments stay"
    carried = add(configs, "import", config_import, words)
    carried.add_argument("brand")
    carried.add_argument("file", type=Path)
    customers_menu(commands.add_parser("customers", help="look for customers, say whether a tax number is theirs"))
    events_menu(commands.add_parser("events", help="what your endpoints were told"))
    keys_menu(commands.add_parser("keys", help="the keys of your back end, which asks the API"))
    operators_menu(commands.add_parser("operators", help="who may use the studio"))
    releases_menu(commands.add_parser("releases", help="what is published"))
    add(commands, "backed-up", of_the_store("backups", "note"), "after a backup: note it, for doctor and the studio")
    ended = "after a backup was put back: end its sessions, codes and mails"
    add(commands, "restored", of_the_store("restored", "told"), ended)
    examined = add(commands, "doctor", doctor, "check settings, store, mail, links and clock")
    examined.add_argument("--history", default="", metavar="HEAD", help="a head of the studio's history from the log")
    return parser


def main(arguments: list[str] | None = None) -> int:
    options = menu().parse_args(arguments)
    try:
        return int(options.does(options))
    except SettingsError as error:
        return refuse(str(error), 2)
    except StoreUnavailable as error:
        return refuse(f"PORTAL_DATABASE: {error}")
    except ThemeError as error:
        return refuse(str(error))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(while_read(main))
