"""What `doctor` says of PostgreSQL: what lies between it and this server, and whether what it acknowledges is kept by a
second server."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from server.merchant.finding import Finding
from server.store import Store

_ASKED = """
SELECT COALESCE(current_setting('postern.direct', true), ''), current_setting('lock_timeout'),
       current_setting('statement_timeout'), current_setting('synchronous_commit'),
       current_setting('synchronous_standby_names'), CAST(current_user AS TEXT)"""


async def look(store: Store, url: str) -> list[Finding]:
    """Raises `StoreUnavailable`."""
    direct, locks, statements, commit, standbys, user = (await store.read(_ASKED))[0]
    found = [_limits(direct == "yes", (locks, statements), user)]
    if _has_hosts(url):
        found.append(_standby(commit, standbys))
    return found


def _limits(is_direct: bool, limits: tuple[str, str], user: str) -> Finding:
    what = "time limits of the database"
    words = "a wait for a lock ends after {}, a statement after {}".format(*limits)
    if is_direct:
        return Finding(what, True, words)
    if "0" not in limits:
        return Finding(what, True, f"a pooler is in between, so no statement is prepared; {words}")
    remedy = (
        f"Run: ALTER ROLE \"{user}\" SET lock_timeout = '5s'; ALTER ROLE \"{user}\" SET statement_timeout = '10s'; "
        "and let the pooler connect again (docs/operations.md)."
    )
    return Finding(what, False, "a pooler is in between, and takes them away: a lock is waited for without end", remedy)


def _standby(commit: str, standbys: str) -> Finding:
    what = "second database server"
    if standbys and commit not in ("off", "local"):
        return Finding(what, True, f"every commit is with a standby before it is acknowledged ({standbys})")
    words = "PORTAL_DATABASE names several, and no commit waits for a second one: the newest changes are lost with the first"
    remedy = "Set synchronous_standby_names, and leave synchronous_commit on (docs/operations.md)."
    return Finding(what, False, words, remedy)


def _has_hosts(url: str) -> bool:
    parts = urlsplit(url)
    return "," in parts.netloc.rpartition("@")[2] + "".join(parse_qs(parts.query).get("host", []))
