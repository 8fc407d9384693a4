"""The line that shows how far the trials are."""

from __future__ import annotations

import io

from mlflow_errata.trials.progress import WIDTH, Progress


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self):
        return True


def test_a_terminal_is_told_and_left_clean():
    seen = Terminal()
    progress = Progress(lambda: 15.0, 0.0, 60.0, seen)
    progress("resample: over")
    assert seen.getvalue().strip("\r ") == "errata [#####...............] 15 of 60 s, trying resample: over"
    progress.close()
    assert seen.getvalue().endswith("\r" + " " * WIDTH + "\r")


def test_long_names_stay_on_one_line():
    seen = Terminal()
    Progress(lambda: 90.0, 0.0, 60.0, seen)("x" * 200)
    assert len(seen.getvalue().strip("\r")) == WIDTH
    assert "[####################] 90 of 60 s" in seen.getvalue()


def test_a_file_or_a_pipe_is_not_written_to():
    seen = io.StringIO()
    progress = Progress(lambda: 1.0, 0.0, 60.0, seen)
    progress("anything")
    progress.close()
    assert seen.getvalue() == ""
