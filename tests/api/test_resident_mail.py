"""The links of a mail that a real SMTP server has received open the right demand, and close it."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from domain.vocabulary import Outcome, Stage
from service.channels import open_gateway
from service.delivering import Delivering, Surroundings
from service.delivery_desk import DeliveryDesk
from service.notice_plans import Planner
from service.notifying import Notifying
from tests.api.callers import Http
from tests.api.residents import HOST, SATISFIED, by_telephone, handled, sending, with_link
from tests.builders import Product
from tests.gateways.mail_server import Letter, MailServer, mail_server


async def sent(product: Product, server: MailServer) -> None:
    """What there is to tell is planned and delivered as by the worker, at an hour at which reporters are written to."""
    settings = sending(product, smtp_url=f"smtp://127.0.0.1:{server.port}")
    await Notifying(Planner(settings, product.desk.watch), product.pool).once()
    latest: datetime = await product.pool.fetchval("select max(next_at) from delivery")
    desk = DeliveryDesk(settings, product.pool, product.desk.watch)
    around = Surroundings(product.pool, desk, now=lambda: latest + timedelta(seconds=1))
    delivering = Delivering({"email": open_gateway(settings, "email")}, around)
    await delivering.once()
    await delivering.close()


def token_in(letter: Letter) -> str:
    (line,) = [line for line in letter.text.splitlines() if f"https://{HOST}/f#" in line]
    return urlsplit(line[line.index("https://") :]).fragment


async def test_each_reporter_answers_for_their_own_demand(http: Http, product: Product) -> None:
    async with mail_server() as server:
        mailboxes = {f"reporter{n}@example.cn": await by_telephone(http, reporter={"email": f"reporter{n}@example.cn"})
                     for n in range(3)}  # fmt: skip
        await sent(product, server)
        assert sorted(server.to) == sorted(mailboxes)
        for letter in server.received:
            told = mailboxes[letter.recipient]
            assert told["number"] in letter.text and told["code"] in letter.text
            assert (await with_link(http, token_in(letter)).get()).json()["number"] == told["number"]
        server.received.clear()
        for told in mailboxes.values():
            await handled(product, told["number"])
        await sent(product, server)
        assert sorted(server.to) == sorted(mailboxes)
        for letter in server.received:
            number = mailboxes[letter.recipient]["number"]
            assert "路灯" not in letter.text and "修好" not in letter.text, "whoever holds the telephone may read it"
            answered = await with_link(http, token_in(letter)).post("/answer", SATISFIED)
            assert (answered.json()["number"], answered.json()["outcome"]) == (number, "resolved")
            d = await product.row(number)
            assert (d.stage, d.outcome) == (Stage.CLOSED, Outcome.RESOLVED)
    for told in mailboxes.values():
        events = [e for e in await product.entries(told["number"]) if e.type in ("feedback_given", "closed")]
        assert [(e.type, e.actor) for e in events] == [
            (type, f"reporter:{told['number']}") for type in ("feedback_given", "closed")
        ]
