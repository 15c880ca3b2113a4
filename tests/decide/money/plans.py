"""Arms by three numbers, as the published comparisons give them."""

from weighbridge.decide.money.ledger import ArmPlan, Band, CostInput, CostLine, MachineLine, exact
from weighbridge.decide.money.ownership import MoneyCase
from weighbridge.decide.money.uncertainty import Trials


def given(value: float | Band) -> CostInput:
    band = value if isinstance(value, Band) else exact(value)
    return CostInput(label="a number", unit="money", band=band, basis="scenario")


def make_case(
    arms: dict[str, tuple[float | Band, float | Band, float | Band]],
    *,
    volume: float | Band = 10_000.0,
    months: int = 36,
    growth: float | Band = 0.0,
    discount: float = 0.0,
    draws: int = 400,
) -> MoneyCase:
    """Return a case of arms that cost (once, a year, an answer)."""
    inputs = {"volume": given(volume), "growth": given(growth)}
    plans = []
    for name, amounts in arms.items():
        inputs |= {
            f"{name}.{key}": given(amount) for key, amount in zip(("once", "year", "answer"), amounts, strict=True)
        }
        lines = (
            CostLine(label="set-up", timing="once", factors=(f"{name}.once",)),
            CostLine(label="running", timing="month", factors=(f"{name}.year",), scale=1 / 12),
            CostLine(label="answers", timing="answer", factors=(f"{name}.answer",)),
        )
        plans.append(ArmPlan(name=name, lines=lines))
    trials = Trials(draws=draws, seed=7, months=months, discount=discount)
    return MoneyCase(currency="USD", inputs=inputs, plans=tuple(plans), trials=trials)


def machine_plan(
    name: str,
    inputs: dict[str, CostInput],
    *,
    price: float,
    capacity: float,
    idle_floor: float = 1.0,
    once: float = 0.0,
) -> ArmPlan:
    """Return an arm on machines that each answer `capacity` questions a month. Its inputs are added to `inputs`."""
    inputs |= {
        f"{name}.price": given(price),
        f"{name}.seconds": given(730 * 3600 / capacity),
        f"{name}.utilisation": given(1.0),
        f"{name}.floor": given(idle_floor),
        f"{name}.once": given(once),
    }
    machine = MachineLine(
        price=f"{name}.price", seconds=f"{name}.seconds", utilisation=f"{name}.utilisation", idle_floor=f"{name}.floor"
    )
    return ArmPlan(
        name=name, lines=(CostLine(label="set-up", timing="once", factors=(f"{name}.once",)),), machine=machine
    )
