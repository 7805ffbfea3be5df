"""Codes and links made from the data keys: the same again, other ones for another demand, good through a rotation."""

from __future__ import annotations

import re

from store.reporter_keys import ALPHABET, ReporterKeys

OLD, NEW = b"o" * 32, b"n" * 32
NUMBER = "20261123-000007"


def test_a_code_is_the_same_again_and_another_for_another_number_generation_or_key() -> None:
    keys = ReporterKeys({"k1": OLD})
    codes = {
        keys.code(NUMBER, 0), keys.code(NUMBER, 1), keys.code("20261123-000008", 0), ReporterKeys({"k1": NEW}).code(NUMBER, 0),
    }  # fmt: skip
    assert len(codes) == 4 and keys.code(NUMBER, 0) == ReporterKeys({"other": OLD}).code(NUMBER, 0)


def test_a_code_can_be_read_out_and_typed_as_people_do() -> None:
    keys = ReporterKeys({"k1": OLD})
    code = keys.code(NUMBER, 0)
    assert re.fullmatch(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", code)
    assert not set(ALPHABET) & set("0O1IL2Z5S8B")
    wide = "".join(chr(ord(ch) + 0xFEE0) for ch in code.replace("-", ""))
    for said in (code, code.lower(), code.replace("-", ""), f" {code[:4]} {code[5:]} ", wide):
        assert keys.fits(said, NUMBER, 0), said
    for said in ("", code[:-1], f"{code}3", code[::-1], "ＡＡＡＡ", "\ud800", code.replace(code[0], "\u0130")):
        assert not keys.fits(said, NUMBER, 0) or said == code[::-1] == code, said


def test_codes_use_the_whole_alphabet_evenly() -> None:
    keys, seen = ReporterKeys({"k1": OLD}), dict.fromkeys(ALPHABET, 0)
    for n in range(2_000):
        for ch in keys.code(f"20261123-{n:06d}", 0).replace("-", ""):
            seen[ch] += 1
    expected = 2_000 * 8 / len(ALPHABET)
    assert all(abs(count - expected) < expected * 0.25 for count in seen.values()), seen


def test_a_code_of_before_a_rotation_fits_as_long_as_its_key_is_in_the_ring() -> None:
    before = ReporterKeys({"k1": OLD})
    during, after = ReporterKeys({"k2": NEW, "k1": OLD}), ReporterKeys({"k2": NEW})
    code = before.code(NUMBER, 0)
    assert during.fits(code, NUMBER, 0) and during.code(NUMBER, 0) != code
    assert during.fits(during.code(NUMBER, 0), NUMBER, 0)
    assert not after.fits(code, NUMBER, 0)
    assert before.tokens(7, NUMBER, 0)[0] in during.tokens(7, NUMBER, 0)[1:]


def test_a_link_has_256_bits_that_say_nothing_of_what_it_opens() -> None:
    keys = ReporterKeys({"k1": OLD})
    tokens = {keys.tokens(notice, number, 0)[0] for notice in (1, 2) for number in (NUMBER, "20261123-000008")}
    assert len(tokens) == 4 and all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)
    assert keys.code(NUMBER, 0).replace("-", "") not in "".join(tokens).upper()
