"""Settings come from the environment, whole or not at all, and never show a secret."""

from __future__ import annotations

import base64

import pytest
from pydantic import ValidationError

from runtime.settings import PROJECT_ROOT, Settings, SettingsError, load_settings, variable_of

KEY = base64.b64encode(b"0" * 32).decode()
OTHER = base64.b64encode(b"1" * 32).decode()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for field in Settings.model_fields:
        monkeypatch.delenv(variable_of(field), raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://linli:hunter2@127.0.0.1:5432/linli")
    monkeypatch.setenv("LINLI_DATA_KEYS", f"k2:{OTHER},k1:{KEY}")
    return monkeypatch


def test_two_variables_are_enough(environment: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    assert settings.pack == PROJECT_ROOT / "config/shengli-road"
    assert settings.calendar == PROJECT_ROOT / "config/calendar"
    assert (settings.temporal_address, settings.task_queue) == ("127.0.0.1:7233", "linli")
    assert (settings.max_body_bytes, settings.starters) == (262_144, 4)
    assert settings.dev_token_secret is None
    assert settings.pack_overlay is None


def test_the_first_key_is_the_current_one(environment: pytest.MonkeyPatch) -> None:
    assert list(load_settings().key_ring().items()) == [("k2", b"1" * 32), ("k1", b"0" * 32)]


def test_an_empty_variable_means_the_default(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LINLI_PACK", "")
    environment.setenv("LINLI_DEV_TOKEN_SECRET", "")
    assert load_settings().pack == PROJECT_ROOT / "config/shengli-road"
    assert load_settings().dev_token_secret is None


def test_paths_of_ones_own_stay(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LINLI_PACK", "/srv/pack")
    environment.setenv("LINLI_PACK_OVERLAY", "config/overlays/fast.toml")
    assert str(load_settings().pack) == "/srv/pack"
    assert load_settings().pack_overlay == PROJECT_ROOT / "config/overlays/fast.toml"


def test_nothing_can_be_changed_afterwards(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError):
        load_settings().starters = 9


def test_secrets_are_not_printed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LINLI_DEV_TOKEN_SECRET", "a long development secret")
    settings = load_settings()
    for text in (repr(settings), str(settings)):
        assert "hunter2" not in text
        assert KEY not in text
        assert "a long development secret" not in text


def test_missing_variables_get_a_line_each(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("DATABASE_URL")
    environment.delenv("LINLI_DATA_KEYS")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines] == ["DATABASE_URL", "LINLI_DATA_KEYS"]
    assert all("not set" in line for line in lines)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DATABASE_URL", "mysql://hunter2@h/db", "postgresql://"),
        ("DATABASE_URL", "postgresql://hunter2", "postgresql://"),
        ("TEMPORAL_ADDRESS", "hunter2", "host:port"),
        ("TEMPORAL_ADDRESS", "hunter2:99999", "host:port"),
        ("LINLI_DATA_KEYS", "hunter2", "id:base64"),
        ("LINLI_DATA_KEYS", "k1:hunter2!", "base64"),
        ("LINLI_DATA_KEYS", f"k1:{KEY[:8]}", "32 bytes"),
        ("LINLI_DATA_KEYS", f"k1:{KEY},k1:{OTHER}", "once"),
        ("LINLI_STARTERS", "hunter2", "integer"),
        ("LINLI_STARTERS", "0", "greater"),
        ("LINLI_MAX_BODY_BYTES", "1", "greater"),
        ("LINLI_LOG_LEVEL", "hunter2", "debug"),
        ("LINLI_DEV_TOKEN_SECRET", "hunter2", "16"),
        ("LINLI_DB_POOL_MAX", "1000", "less"),
    ],
)
def test_a_wrong_value_is_named_but_not_shown(
    environment: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    environment.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    text = str(caught.value)
    assert said in text
    assert variable in text
    assert "hunter2" not in text
    assert len(text.splitlines()) == 1
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
