from appservice.encryption.budget import Budget


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_sender_and_all_together_have_a_limit_that_ends_with_the_window() -> None:
    clock = _Clock()
    budget = Budget(per_sender=2, in_all=3, window_s=60, clock=clock)
    assert [budget.take("@a:x") for _ in range(3)] == [True, True, False]
    assert [budget.take(f"@{n}:x") for n in range(3)] == [True, False, False]
    clock.now = 59.9
    assert not budget.take("@late:x")
    clock.now = 60
    assert budget.take("@a:x")
