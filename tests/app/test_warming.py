"""What loads beside the first page: garbage is looked for again afterwards, whatever went wrong."""

from __future__ import annotations

import gc

import pytest

from errata_app import warming


@pytest.mark.parametrize("trouble", [None, ImportError("not there")])
def test_garbage_is_looked_for_again(monkeypatch, trouble):
    seen = []

    def load(uri):
        seen.append((uri, gc.isenabled()))
        if trouble is not None:
            raise trouble

    monkeypatch.setattr(warming, "_import_and_look", load)
    try:
        if trouble is None:
            warming._load("sqlite:///a.db")
        else:
            with pytest.raises(ImportError):
                warming._load("sqlite:///a.db")
        assert seen == [("sqlite:///a.db", False)]
        assert gc.isenabled()
    finally:
        gc.unfreeze()
