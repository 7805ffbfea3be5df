"""Which channels the settings set up, and that nothing secret in them is ever shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.errors import ConfigError
from domain.notice_rules import VIAS
from gateways.apprise import AppriseGateway
from gateways.email import EmailGateway
from runtime.settings import Settings, SettingsError, load_settings
from service.channels import NotConfigured, configured, open_gateway
from tests.builders import settings_for

SMTP, SENDER = "smtp://linli:t0psecret@mail.example.cn:587", "邻里 <noreply@example.cn>"


def settings(**more: Any) -> Settings:
    return settings_for("postgresql://linli@127.0.0.1/linli", "127.0.0.1:7233", "q", **more)


def test_without_settings_no_channel_is_set_up_and_what_is_planned_ends_visibly() -> None:
    assert configured(settings()) == frozenset()
    assert all(isinstance(open_gateway(settings(), via), NotConfigured) for via in VIAS)


def test_each_setting_sets_up_its_channels() -> None:
    chosen = settings(
        smtp_url=SMTP,
        mail_from=SENDER,
        apprise=json.dumps({"sms": "json://127.0.0.1:1?:to={address}", "wecom": "wecombot://k3y"}),
    )
    assert configured(chosen) == {"email", "sms", "wecom"}
    assert isinstance(open_gateway(chosen, "email"), EmailGateway)
    assert isinstance(open_gateway(chosen, "wecom"), AppriseGateway)
    assert isinstance(open_gateway(chosen, "feishu"), NotConfigured)
    assert "t0psecret" not in repr(chosen) and "k3y" not in repr(chosen)


def test_what_makes_no_sense_is_said_without_repeating_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="LINLI_MAIL_FROM"):
        open_gateway(settings(smtp_url=SMTP), "email")
    with pytest.raises(ConfigError, match="LINLI_APPRISE"):
        configured(settings(apprise='{"pigeon": "json://127.0.0.1"}'))
    monkeypatch.setenv("DATABASE_URL", "postgresql://linli@127.0.0.1/linli")
    monkeypatch.setenv("LINLI_DATA_KEYS", "k1:" + "A" * 43 + "=")
    for name, value in (
        ("LINLI_SMTP_URL", "t0psecret@mail"),
        ("LINLI_APPRISE", '{"sms": "t0psecret"}'),
        ("LINLI_APPRISE", "[]"),
    ):
        monkeypatch.setenv(name, value)
        with pytest.raises(SettingsError, match=name) as wrong:
            load_settings()
        assert "t0psecret" not in str(wrong.value)
        monkeypatch.delenv(name)
