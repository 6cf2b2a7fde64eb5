"""The benchmark's command: what it is told must be possible, before a lab is started for it."""

import pytest

from lab.bench import __main__ as bench


@pytest.mark.parametrize("rounds", ["0", "-1", "many"])
def test_refuses_a_number_of_rounds_that_measures_nothing(
    rounds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.main([f"--rounds={rounds}"])

    assert ended.value.code == 2
    assert f"'{rounds}'; allowed: a whole number from 1" in capsys.readouterr().err
