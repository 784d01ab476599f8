"""A fingerprint reader of the machine, in any engine whose driver has one."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

READER = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


class VirtualAuthenticator:
    """Of one page; its finger is there or not."""

    _say: Callable[[bool], object]

    def __init__(self, page: Page) -> None:
        if marionette := getattr(page.context.browser, "marionette", None):
            made = marionette.send("WebAuthn:AddVirtualAuthenticator", **READER, isUserConsenting=True)
            # It is there for every page until then; but only the page in front asks for it.
            page.bring_to_front()
            page.on("close", lambda _: marionette.send("WebAuthn:RemoveVirtualAuthenticator", authenticatorId=made))
            self._say = lambda yes: marionette.send(
                "WebAuthn:SetUserVerified", authenticatorId=made, isUserVerified=yes
            )
            return
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        options = {**READER, "automaticPresenceSimulation": True}
        made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
        self._say = lambda yes: session.send(
            "WebAuthn.setUserVerified", {"authenticatorId": made, "isUserVerified": yes}
        )

    def recognizes_its_user(self, *, yes: bool) -> None:
        self._say(yes)
