"""What the paper states, number by number, and how each is computed from its traces."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from lineage_repo.analysis.diversity import Diversity, diversity
from lineage_repo.analysis.economy import rate
from lineage_repo.analysis.progress import statuses, trajectory
from lineage_repo.analysis.roles import architecture, edges, roles
from lineage_repo.analysis.support import recorded_trials
from lineage_repo.model.ledger import Trial
from lineage_repo.model.measurement import Status
from lineage_repo.record.lineage import Lineage

MAIN, NANO, CIFAR = "pg_main", "nanochat_d12", "cifar"
SWARM, BLIND = "pg_ablation_lineage_on", "pg_ablation_lineage_off"
GENERIC, SINGLE = "pg_variant_generic_multi", "pg_variant_single_agent"
RUNS = (MAIN, NANO, CIFAR, SWARM, BLIND, GENERIC, SINGLE)

Runs = Mapping[str, Lineage]
"""The runs at hand, by name."""
_Show = Callable[[Mapping[str, float]], str]


class Claim(NamedTuple):
    """One number, or a few that the paper prints together."""

    quantity: str
    paper: str
    runs: tuple[str, ...]
    """What it is computed from."""
    compute: Callable[[Runs], str]
    close: float = 0.0
    """Relative difference of any number in it that still counts as close."""
    note: str = ""


def claims(runs: Runs) -> list[Claim]:
    return [*_headline(), *_controls(), *_roles(), *_single_trials(), *_rates(), *_diversity(runs), *_not_released()]


def _headline() -> list[Claim]:
    """Section 4 of the paper: the three headline runs."""
    claims = [
        Claim("trials, all three headline runs", "1197", (MAIN, NANO, CIFAR), _summed(_trials)),
        Claim("keeps, all three", "45", (MAIN, NANO, CIFAR), _summed(_kept)),
        Claim("valid non-improvements", "592", (MAIN, NANO, CIFAR), _summed(_discards)),
        Claim("architecture audit, all", "157", (MAIN, NANO, CIFAR), _summed(lambda x: architecture(x).trials)),
    ]
    for name, title, table, audit, balance in (
        (MAIN, "Parameter Golf", "1.0722, -0.81%, 900, 36", "95", "84-96, 0.049"),
        (NANO, "NanoChat", "0.2244, +38.7%, 200, 5", "42", "33-45, 0.100"),
        (CIFAR, "CIFAR", "25.1464, -4.59%, 97, 4", "20", "18-21, 0.062"),
    ):
        claims += [
            Claim(f"{title}: best, change, trials, keeps", table, (name,), _of(name, _table1(name))),
            Claim(f"{title}: architecture audit", audit, (name,), _of(name, lambda x: f"{architecture(x).trials}")),
            Claim(f"{title}: trials per role, variation", balance, (name,), _of(name, _balance)),
        ]
    gate = Claim("CIFAR: gate misses", "81 of 97", (CIFAR,), _of(CIFAR, lambda x: _part(x, Status.DISQUALIFIED)))
    keeps = Claim(
        "CIFAR: keeps arch opt aug loss reg",
        "0 2 1 0 1",
        (CIFAR,),
        _of(CIFAR, lambda x: _keeps(x, "arch opt aug loss reg")),
    )
    return [*claims, gate, keeps]


def _controls() -> list[Claim]:
    """Table 1's control rows, and what the text says of them."""
    claims: list[Claim] = []
    for name, title, table, cap, heads, last in (
        (SWARM, "role swarm, control", "1.0731, -0.73%, 200, 16", "19.0%", "15", ""),
        (BLIND, "no lineage", "1.0774, -0.33%, 200, 3", "61.5%", "3", "075, 125 after"),
        (GENERIC, "generic-10", "1.0745, -0.60%, 200, 10", "59.0%", "13", ""),
        (SINGLE, "single generalist", "1.0754, -0.52%, 200, 14", "", "", ""),
    ):
        claims.append(Claim(f"{title}: best, change, trials, keeps", table, (name,), _of(name, _table1(name))))
        if cap:
            claims.append(Claim(f"{title}: evaluation-cap hits", cap, (name,), _of(name, _cap_hits)))
            claims.append(
                Claim(f"{title}: parent heads", heads, (name,), _of(name, lambda x: f"{len(edges(x).heads)}"))
            )
        if last:
            claims.append(Claim(f"{title}: last keep, trials after it", last, (name,), _of(name, _last_keep)))
    runs = (SWARM, BLIND, GENERIC, SINGLE)
    claims.append(
        Claim("control trials", "600", runs, _summed(_trials, runs), note="four runs of 200 are released, not three")
    )
    note = "the control row is a separate run, not the headline's first 200 trials"
    first = Claim("control as the headline's first 200: best, keeps", "1.0731, 16", (MAIN,), _first_200, note=note)
    return [*claims, first]


def _roles() -> list[Claim]:
    """Who builds on whom (Table 3's last columns), and roles with a keep."""
    claims: list[Claim] = []
    for name, title, parent, keep in (
        (SWARM, "role swarm, control", "154/184", "10/12"),
        (BLIND, "no lineage", "155/174", "0/1"),
        (GENERIC, "generic-10", "125/158", "7/9"),
        (MAIN, "Parameter Golf", "781/895", "32/33"),
    ):
        claims.append(Claim(f"{title}: cross parent edges", parent, (name,), _of(name, _cross_parent)))
        claims.append(Claim(f"{title}: cross keep edges", keep, (name,), _of(name, _cross_keep)))
    for name, title, paper in ((SWARM, "role swarm, control", "8 of 10"), (BLIND, "no lineage", "2 of 10")):
        claims.append(Claim(f"{title}: roles with a keep", paper, (name,), _of(name, _with_keep)))
    return claims


def _single_trials() -> list[Claim]:
    """Trials that the text names."""
    bpb: list[tuple[str, str, _Show]] = [
        ("587", "1.072431, 2056 over", lambda x: f"{x['val_bpb']:.6f}, {x['artifact_bytes'] - 16e6:.0f} over"),
        ("596", "1.072251, 15995930", lambda x: f"{x['val_bpb']:.6f}, {x['artifact_bytes']:.0f}"),
        ("746", "1.072246", lambda x: f"{x['val_bpb']:.6f}"),
        ("750", "1.072210", lambda x: f"{x['val_bpb']:.6f}"),
    ]
    core = [("007", "0.1695"), ("020", "0.2029"), ("025", "0.2241"), ("156", "0.2244")]
    return [
        *(Claim(f"Parameter Golf {id_}", paper, (MAIN,), _value(MAIN, id_, show)) for id_, paper, show in bpb),
        *(Claim(f"NanoChat {i}", p, (NANO,), _value(NANO, i, lambda x: f"{x['core_metric']:.4f}")) for i, p in core),
        Claim("CIFAR 060: s, accuracy", "25.1650, 0.959560", (CIFAR,), _value(CIFAR, "060", _cifar)),
        Claim("CIFAR 070: s, accuracy", "25.1464, 0.960080", (CIFAR,), _value(CIFAR, "070", _cifar)),
    ]


def _rates() -> list[Claim]:
    note = "the rate holds for the separate control run"
    first = Claim("trials/h, headline's first 200", "18.15", (MAIN,), _first_rate, note=note)
    claims = [
        Claim(f"trials/h, {title}", paper, (name,), _of(name, lambda x: f"{rate(x).per_hour:.2f}"))
        for name, title, paper in (
            (SINGLE, "single generalist", "2.26"),
            (SWARM, "role swarm", "18.15"),
            (GENERIC, "generic-10", "16.79"),
        )
    ]
    for name, title, paper in ((SWARM, "role swarm", "0.80"), (GENERIC, "generic-10", "0.74")):
        claims.append(Claim(f"parallel efficiency, {title}", paper, (name, SINGLE), _efficiency(name)))
    return [*claims, first]


def _diversity(runs: Runs) -> list[Claim]:
    """Table 3. The idf weights come from every run at hand; the paper had seven."""
    corpus = [trial.proposal.hypothesis for run in runs.values() for trial in recorded_trials(run)]
    weights = (
        f"idf over {len(corpus)} hypotheses, the paper's over more" if len(runs) < len(RUNS) else "rules not stated"
    )
    row = "one trial more or less; the paper states no threshold"
    claims: list[Claim] = []
    for name, title, effective, top, near, shared in (
        (SWARM, "role swarm, control", "134.8", "3.5%", "2.0%", "5 of 29, 19 trials"),
        (BLIND, "no lineage", "121.7", "2.5%", "2.0%", "5 of 28, 19 trials"),
        (GENERIC, "generic-10", "41.1", "12.0%", "1.5%", "22 of 30, 135 trials"),
        (SINGLE, "single generalist", "61.9", "17.5%", "10.1%", ""),
        (MAIN, "Parameter Golf", "439.6", "2.2%", "1.1%", "31 of 134, 168 trials"),
    ):
        found = diversity(runs[name], corpus) if name in runs else None
        for what, paper, show, close, note in (
            ("effective clusters", effective, _effective, 0.03, weights),
            ("top cluster", top, _top, 0.25, weights),
            ("near-duplicates", near, _near, 0.26, row),
            ("shared clusters", shared, _shared, 0.25, weights),
        ):
            if paper:
                claims.append(Claim(f"{title}: {what}", paper, (name,), _shown(found, show), close, note))
    return claims


def _not_released() -> list[Claim]:
    """What only the authors could recompute."""
    return [
        Claim(what, paper, (f"{source}, not released",), _nothing)
        for what, paper, source in (
            ("historical swarm: cross parent edges", "76/86", "the historical runs"),
            ("historical single, swarm: effective clusters", "39.3, 74.1", "the historical runs"),
            ("shell calls that read records", "57.9%", "the sessions"),
            ("checks per trial", "2.39-2.96", "the sessions"),
        )
    ]


def _nothing(_: Runs) -> str:
    return ""


# ---- how a number is computed, and written as the paper writes it


def _of(name: str, show: Callable[[Lineage], str]) -> Callable[[Runs], str]:
    return lambda runs: show(runs[name])


def _summed(count: Callable[[Lineage], int], names: tuple[str, ...] = (MAIN, NANO, CIFAR)) -> Callable[[Runs], str]:
    return lambda runs: f"{sum(count(runs[name]) for name in names)}"


def _kept(lineage: Lineage) -> int:
    return _status(lineage, Status.KEEP)


def _trials(lineage: Lineage) -> int:
    return len(recorded_trials(lineage))


def _status(lineage: Lineage, status: Status) -> int:
    return statuses(lineage).counts.get(status, 0)


def _discards(lineage: Lineage) -> int:
    return _status(lineage, Status.DISCARD)


def _part(lineage: Lineage, status: Status) -> str:
    return f"{_status(lineage, status)} of {_trials(lineage)}"


def _table1(name: str) -> Callable[[Lineage], str]:
    def show(lineage: Lineage) -> str:
        found = trajectory(lineage)
        places = 1 if name == NANO else 2
        return f"{found.best:.4f}, {found.relative_change or 0:+.{places}%}, {found.trials}, {found.keeps}"

    return show


def _balance(lineage: Lineage) -> str:
    found = roles(lineage)
    return f"{found.least}-{found.most}, {found.cv:.3f}"


def _keeps(lineage: Lineage, names: str) -> str:
    keeps = {row.role: row.keeps for row in roles(lineage).rows}
    return " ".join(str(keeps.get(name, 0)) for name in names.split())


def _cap_hits(lineage: Lineage) -> str:
    return f"{_status(lineage, Status.EVAL_BUDGET_OVERRUN) / _trials(lineage):.1%}"


def _last_keep(lineage: Lineage) -> str:
    found = trajectory(lineage)
    return f"{found.best_trial:03d}, {found.after_last_keep} after"


def _cross_parent(lineage: Lineage) -> str:
    found = edges(lineage)
    return f"{found.parent_cross}/{found.parent}"


def _cross_keep(lineage: Lineage) -> str:
    found = edges(lineage)
    return f"{found.keep_cross}/{found.keep}"


def _with_keep(lineage: Lineage) -> str:
    found = roles(lineage)
    return f"{found.with_keep} of {len(found.rows)}"


def _first(lineage: Lineage) -> list[Trial]:
    return recorded_trials(lineage)[:200]


def _first_200(runs: Runs) -> str:
    keeps = [t for t in _first(runs[MAIN]) if t.status is Status.KEEP]
    return f"{keeps[-1].score or 0:.4f}, {len(keeps)}"


def _first_rate(runs: Runs) -> str:
    trials = _first(runs[MAIN])
    return f"{len(trials) / ((trials[-1].at - trials[0].at).total_seconds() / 3600):.2f}"


def _efficiency(name: str) -> Callable[[Runs], str]:
    return lambda runs: f"{rate(runs[name], runs[SINGLE]).efficiency or 0:.2f}"


def _value(name: str, id_: str, show: _Show) -> Callable[[Runs], str]:
    def find(runs: Runs) -> str:
        return next(show(t.imported.values) for t in recorded_trials(runs[name]) if t.imported and t.imported.id == id_)

    return find


def _cifar(values: Mapping[str, float]) -> str:
    return f"{values['total_s']:.4f}, {values['accuracy']:.6f}"


def _shown(found: Diversity | None, show: Callable[[Diversity], str]) -> Callable[[Runs], str]:
    return lambda _: show(found) if found else ""


def _effective(found: Diversity) -> str:
    return f"{found.effective:.1f}"


def _top(found: Diversity) -> str:
    return f"{found.top_share:.1%}"


def _near(found: Diversity) -> str:
    return f"{found.near_duplicates or 0:.1%}"


def _shared(found: Diversity) -> str:
    return f"{found.shared} of {found.plural}, {found.shared_trials} trials"
