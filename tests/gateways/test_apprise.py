"""Through apprise to a real HTTP receiver: a general gateway (json://), and DingTalk, which refuses with status 200."""

from __future__ import annotations

import http.server
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from domain.delivery import DELIVERED, Outcome, Reason, refused, try_again
from gateways.apprise import AppriseGateway
from gateways.sending import Message

# The library's own imports.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

PHONE = "+8613900001234"


@dataclass
class Receiver:
    port: int = 0
    status: int = 200
    answer: bytes = b"{}"
    drops: bool = False
    waits: threading.Event | None = None
    received: list[tuple[str, Any]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.received.append((self.path, body))
            if told.waits is not None:
                told.waits.wait(10)
            if told.drops:
                self.close_connection = True
                return
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.answer)))
            self.end_headers()
            self.wfile.write(told.answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield told
    finally:
        if told.waits is not None:
            told.waits.set()
        server.shutdown()
        server.server_close()
        thread.join()


def message(address: str = PHONE) -> Message:
    return Message(id="7.17", address=address, subject="诉求已派单", body="您有一条新诉求。")


async def test_a_general_gateway_gets_the_words_and_the_number(receiver: Receiver) -> None:
    gateway = AppriseGateway(f"json://127.0.0.1:{receiver.port}/send?:to={{address}}")
    try:
        assert await gateway.send(message()) == DELIVERED
        assert await gateway.send(message("a&rto=0/../x?y#z")) == DELIVERED, "an address adds nothing to the URL"
    finally:
        await gateway.close()
    (path, body), (_, strange) = receiver.received
    assert (path, body["title"], body["message"], body["to"]) == ("/send", "诉求已派单", "您有一条新诉求。", PHONE)
    assert strange["to"] == "a&rto=0/../x?y#z"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (500, try_again(Reason.BUSY)),
        (503, try_again(Reason.UNREACHABLE)),
        (429, try_again(Reason.RATE_LIMITED)),
        (401, try_again(Reason.LOGIN_REFUSED)),
        (404, try_again(Reason.GATEWAY_REFUSED)),
        (400, refused(Reason.REFUSED_MESSAGE)),
    ],
)
async def test_what_the_gateway_answers_is_told_apart(receiver: Receiver, status: int, outcome: Outcome) -> None:
    receiver.status = status
    gateway = AppriseGateway(f"json://127.0.0.1:{receiver.port}/send?:to={{address}}")
    assert await gateway.send(message()) == outcome
    receiver.status = 200
    assert await gateway.send(message()) == DELIVERED
    await gateway.close()


async def test_away_dropping_or_too_slow(receiver: Receiver) -> None:
    gateway = AppriseGateway("json://127.0.0.1:1/send?:to={address}")
    assert await gateway.send(message()) == try_again(Reason.UNREACHABLE)
    await gateway.close()
    receiver.drops = True
    gateway = AppriseGateway(f"json://127.0.0.1:{receiver.port}/send?:to={{address}}", send_seconds=1)
    assert await gateway.send(message()) == try_again(Reason.ANSWER_LOST)
    receiver.drops, receiver.waits = False, threading.Event()
    assert await gateway.send(message()) == try_again(Reason.ANSWER_LOST)
    await gateway.close()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"errcode": 0, "errmsg": "ok"}, DELIVERED),
        ({"errcode": 310000, "errmsg": "keywords not in content"}, try_again(Reason.GATEWAY_REFUSED)),
        ({"errcode": 130101, "errmsg": "send too fast"}, try_again(Reason.RATE_LIMITED)),
    ],
)
async def test_dingtalk_says_no_with_status_200(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], outcome: Outcome
) -> None:
    from apprise.plugins.dingtalk import NotifyDingTalk

    at = f"http://127.0.0.1:{receiver.port}/robot/send?access_token={{token}}"
    monkeypatch.setattr(NotifyDingTalk, "notify_url", at)
    receiver.answer = json.dumps(answer).encode()
    gateway = AppriseGateway("dingtalk://abcdefgh12345/{address}")
    assert await gateway.send(message("13900001234")) == outcome
    await gateway.close()
    ((path, body),) = receiver.received
    assert path == "/robot/send?access_token=abcdefgh12345" and body["at"]["atMobiles"] == ["13900001234"]
    assert body["text"]["content"] == "诉求已派单\r\n您有一条新诉求。"


async def test_an_unusable_template_is_the_channels_and_an_unusable_address_the_recipients() -> None:
    nonsense = AppriseGateway("nosuchservice://{address}")
    assert await nonsense.send(message()) == try_again(Reason.NOT_CONFIGURED)
    await nonsense.close()
    bot = AppriseGateway("wecombot://{address}")
    assert await bot.send(message("!")) == refused(Reason.INVALID_ADDRESS)
    await bot.close()


async def test_nothing_of_a_message_is_logged(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.status = 500
    with caplog.at_level(logging.DEBUG):
        for port in (receiver.port, 1):
            gateway = AppriseGateway(f"json://127.0.0.1:{port}/send?:to={{address}}")
            assert not (await gateway.send(message())).delivered
            await gateway.close()
    assert not any(word in caplog.text for word in ("13900001234", "诉求", "127.0.0.1"))
