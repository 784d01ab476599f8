"""The peer that most would write: Django with its ORM, templates, sessions and usual middleware, a table for each kind of
thing. It shows the same HTML of the same customer as the portal, for one brand in one language."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

HERE = Path(__file__).parent
USUAL = ("security.SecurityMiddleware", "common.CommonMiddleware", "csrf.CsrfViewMiddleware")


def application(folder: Path, account: Any) -> tuple[Callable[..., Any], str]:
    """The WSGI application over a database with this account, and the cookie of a session of its customer."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # it is called in turns with others, on the event loop's thread
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "django.sqlite"}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", __name__],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            *(f"django.middleware.{each}" for each in USUAL),
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        TEMPLATES=[{
            "BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [HERE / "templates"],
            "OPTIONS": {"libraries": {"shown": f"{__name__}.filters"}},
        }],
        ROOT_URLCONF=f"{__name__}.views", SECRET_KEY="of the bench", ALLOWED_HOSTS=["127.0.0.1"], USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )  # fmt: skip
    import django

    django.setup()
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from tests.bench.by_django.models import fill

    call_command("migrate", run_syncdb=True, verbosity=0)
    fill(account)
    session = SessionStore()
    session["customer"] = account.customer.id
    session.create()
    return get_wsgi_application(), f"sessionid={session.session_key}"
