"""How much of an allowance is used: the scarcest counts, and no limit is never used up."""

import pytest
from pydantic import ValidationError

from appservice.core.rules.quotas import MIB, Allowance, Quotas, QuotaScope, Used


@pytest.mark.parametrize(
    ("allowance", "used", "share"),
    [
        (Allowance(), Used(10**6, 10**15), 0.0),
        (Allowance(videos=10), Used(9, 10**15), 0.9),
        (Allowance(size=10), Used(10**6, 5 * MIB), 0.5),
        (Allowance(videos=10, size=10), Used(2, 10 * MIB), 1.0),
        (Allowance(videos=1), Used(3, 0), 3.0),
    ],
)
def test_share(allowance: Allowance, used: Used, share: float) -> None:
    assert allowance.share(used) == pytest.approx(share)
    assert allowance.is_nearly_used_up(used) == (share >= 0.9)
    assert allowance.is_used_up(used) == (share >= 1)


def test_only_what_has_a_limit_is_counted() -> None:
    quotas = Quotas(user=Allowance(videos=1), server=Allowance(size=5))
    assert [scope for scope, _ in quotas.limited()] == [QuotaScope.USER, QuotaScope.SERVER]
    assert not list(Quotas().limited())


@pytest.mark.parametrize("wrong", [{"videos": 0}, {"size": -1}, {"videos": "many"}, {"bytes": 1}])
def test_wrong_limits(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Quotas.model_validate({"user": wrong})
