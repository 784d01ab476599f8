"""A real SMTP server on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from tests.support.served import free_port


class MailServer(ABC):
    """It listens at `url` from when it is made until `stop`."""

    def __init__(self) -> None:
        self._controller = _Controller(self, hostname="127.0.0.1", port=free_port())
        self._controller.start()
        self.url = f"smtp://127.0.0.1:{self._controller.port}"

    @abstractmethod
    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        """What becomes of a mail, as the answer that its sender reads."""

    def stop(self) -> None:
        self._controller.stop()


class _Controller(Controller):
    """aiosmtpd's own leaves a connection open whose client went away before it was greeted: once it is collected, some
    other test is blamed for it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._speaking: list[SMTP] = []

    def factory(self) -> SMTP:
        self._speaking = [each for each in self._speaking if each.transport]
        self._speaking.append(made := super().factory())
        return made

    def stop(self, no_assert: bool = False) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result(10)
        super().stop(no_assert)

    async def _hang_up(self) -> None:
        self.server.close()
        while connections := [each.transport for each in self._speaking if each.transport]:
            for each in connections:
                each.abort()
            await asyncio.sleep(0)
