"""Webhooks going out: which addresses may be called (`address`), signatures (`signing`), one HTTP POST (`sender`)."""
