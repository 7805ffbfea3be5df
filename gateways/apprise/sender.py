"""Sends through an apprise URL in which `{address}` stands for the recipient.

The library is synchronous and answers yes or no. So each message has a thread of ours with a time limit, and what the
services answered over HTTP is read beside it (`answers.py`): only that tells what is worth another try.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from domain.delivery import DELIVERED, Outcome, Reason, refused, try_again
from gateways.sending import Message

if TYPE_CHECKING:
    from apprise import NotifyBase

AT_ONCE = 4
SEND_SECONDS = 45.0
CONNECT_SECONDS, READ_SECONDS = 10, 20
PLACE = "{address}"
# Any address that every service takes: tells an unusable address from an unusable template.
_SAMPLE = "13800000000"


class AppriseGateway:
    def __init__(self, template: str, *, send_seconds: float = SEND_SECONDS) -> None:
        self._template, self._send_seconds = template, send_seconds
        self._threads: ThreadPoolExecutor | None = None

    @property
    def at_once(self) -> int:
        return AT_ONCE

    async def send(self, message: Message) -> Outcome:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="apprise")
        work = self._threads.submit(self._send, message)
        try:
            async with asyncio.timeout(self._send_seconds):
                return await asyncio.wrap_future(work)
        except TimeoutError:
            # A thread cannot be ended. One that has not begun has sent nothing.
            return try_again(Reason.TIMED_OUT if work.cancelled() else Reason.ANSWER_LOST)

    async def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    # ---- in the thread

    def _send(self, message: Message) -> Outcome:
        from gateways.apprise import answers

        service = self._service(message.address)
        if service is None:
            usable = self._service(_SAMPLE) is not None
            return refused(Reason.INVALID_ADDRESS) if usable else try_again(Reason.NOT_CONFIGURED)
        with answers.listening() as heard:
            try:
                taken = _notify(service, message)
            except Exception:  # a plugin's bug; its words may quote the message
                taken = False
        worst = answers.judged(heard, str(service.schema), taken=taken)
        return DELIVERED if worst is None else worst

    def _service(self, address: str) -> NotifyBase | None:
        from apprise import Apprise
        from apprise.asset import AppriseAsset

        from gateways.apprise import answers

        answers.hush()
        asset = AppriseAsset(
            app_id="Linli", app_desc="Linli", app_url="", async_mode=False, service_timeout=0, secure_logging=True
        )  # fmt: skip
        found: Any = Apprise.instantiate(_filled(self._template, address), asset=asset, suppress_exceptions=True)
        return None if isinstance(found, str) else found


def _filled(template: str, address: str) -> str:
    url = template.replace(PLACE, quote(address, safe=""))
    for name, seconds in (("cto", CONNECT_SECONDS), ("rto", READ_SECONDS)):
        if f"{name}=" not in url:
            url += f"{'&' if '?' in url else '?'}{name}={seconds}"
    return url


def _notify(service: NotifyBase, message: Message) -> bool:
    from apprise import Apprise
    from apprise.common import NotifyFormat

    services = Apprise(asset=service.asset)
    services.add(service)
    return bool(services.notify(title=message.subject, body=message.body, body_format=NotifyFormat.TEXT))
