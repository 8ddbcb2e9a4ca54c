"""Did it work? The effect of executed actions, against what would have happened anyway.

An ad set is acted on because last week was extreme, and extreme weeks are followed by ordinary ones:
regression to the mean. So the week that fired the rule is dropped, the baseline is the weeks -4..-2, and
the change is compared with entities that were not acted on, best those that fired the same rule (difference
in differences on log ratios).

Effects are log ratios: 0.1 is about +10 %, `percent` converts. Intervals cover 90 %. One action says little
(its interval is about -40 %..+60 %): effects are pooled by type of action, and single ones shrunk to the
pool.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

BASELINE = (-28, -8)  # days relative to the action, both ends included
TRIGGER = (-7, -1)
AFTER = (1, 14)
FEWEST_CONTROLS = 3
COVERAGE = 0.90
GRADE_OF = {"holdout": "A", "same_trigger": "B", "sibling": "C"}
NO_CONTROLS = "D"
CONFIRMED, CONTRADICTED, INCONCLUSIVE = "confirmed", "contradicted", "inconclusive"
_PRIOR_FREEDOM = 4  # weight, in degrees of freedom, of the common variance when a single one is steadied


@dataclass(frozen=True)
class Traces:
    """Daily numbers of some entities around an action: `day` (days,) relative to it, `top` and `bottom`
    (entities, days), the metric being sum(top) / sum(bottom), such as revenue / spend or conversions /
    spend.

    `unit` is the worth of one event in `top` (1 for conversions, the order value for revenue); half of it
    is added to each sum, which makes the log of a Poisson count nearly unbiased (Haldane-Anscombe). A
    metric per day has ones in `bottom`.
    """

    day: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    unit: float = 1.0

    def log_changes(self, *, before=BASELINE, after=AFTER):
        """Log of metric after / metric before, array (entities,); NaN without exposure on one side."""
        (top, bottom), (top_after, bottom_after) = self._sums(before), self._sums(after)
        known = (bottom > 0) & (bottom_after > 0)
        change = np.full(len(top), np.nan)
        half = self.unit / 2
        change[known] = np.log((top_after[known] + half) / bottom_after[known] * bottom[known] / (top[known] + half))
        return change

    def counting_noise(self, *, phi=1.0, before=BASELINE, after=AFTER):
        """Variance of each log change from counting alone, array (entities,)."""
        events = [self._sums(span)[0] / self.unit + 0.5 for span in (before, after)]
        return phi / events[0] + phi / events[1]

    def _sums(self, span):
        inside = (np.asarray(self.day) >= span[0]) & (np.asarray(self.day) <= span[1])
        return tuple(np.asarray(column, float)[:, inside].sum(axis=1) for column in (self.top, self.bottom))


@dataclass(frozen=True)
class Control:
    """Why an entity may serve as control: `kind` "holdout", "same_trigger" (fired the rule, was refused or
    expired) or "sibling". `budget_id` is whose budget feeds it (its own or the campaign's), `acted`
    whether anybody changed it between the baseline and the end of the window.
    """

    kind: str
    budget_id: int
    acted: bool = False


def choose_controls(controls, changes, *, budget_id):
    """(evidence grade, indices of the controls to use): the best kind of which 3 or more are usable.

    A: randomised holdout, B: same trigger not executed, C: siblings, D: none. Not usable are those that
    were acted on, have no measurable change, or are fed by the treated entity's budget: what one gains
    there the other loses.
    """
    for kind, grade in GRADE_OF.items():
        usable = [
            place
            for place, control in enumerate(controls)
            if control.kind == kind
            and not control.acted
            and control.budget_id != budget_id
            and np.isfinite(changes[place])
        ]
        if len(usable) >= FEWEST_CONTROLS:
            return grade, usable
    return NO_CONTROLS, []


@dataclass(frozen=True)
class Effect:
    """A log effect with its interval. Its variance is `own` (the treated entity's) plus `shared` (the
    controls' mean), with `freedom` degrees of freedom.
    """

    mid: float
    low: float
    high: float
    own: float
    shared: float
    freedom: int
    grade: str
    controls: int

    @property
    def variance(self):
        return self.own + self.shared


@dataclass(frozen=True)
class Evaluation:
    """One executed action, measured. `effect` is None at grade D: then no number is shown. `naive` is the
    plain change from the trigger week to after, kept to show what it would have claimed.
    """

    grade: str
    effect: Effect | None
    naive: float | None
    verdict: str


def evaluate(treated, others, controls, *, budget_id, direction, phi=1.0, after=AFTER):
    """Measure one executed action.

    `treated` is a Traces of one entity, `others` of the possible controls, with one `Control` each. The
    interval is Student's t from the controls' own changes, widened where the treated entity counts fewer
    events than they do.
    """
    changes = others.log_changes(after=after)
    mine = float(treated.log_changes(after=after)[0])
    naive = naive_change(treated, after=after)
    grade, usable = choose_controls(controls, changes, budget_id=budget_id)
    if grade == NO_CONTROLS or not np.isfinite(mine):
        return Evaluation(NO_CONTROLS, None, naive, INCONCLUSIVE)
    theirs = changes[usable]
    spread = float(theirs.var(ddof=1))
    noise = float(treated.counting_noise(phi=phi, after=after)[0])
    usual = float(others.counting_noise(phi=phi, after=after)[usable].mean())
    # A smaller ad set than its controls is noisier by counting alone; what exceeds counting is common to all.
    own = spread * noise / usual if spread < usual else spread - usual + noise
    found = effect(mine - float(theirs.mean()), own, spread / len(theirs), len(theirs), grade)
    return Evaluation(grade, found, naive, verdict(found.low, found.high, direction))


def effect(mid, own, shared, controls, grade):
    """An Effect with its t interval from `controls` - 1 degrees of freedom."""
    half = float(special.stdtrit(controls - 1, 0.5 + COVERAGE / 2) * np.sqrt(own + shared))
    return Effect(mid, mid - half, mid + half, own, shared, controls - 1, grade, controls)


def naive_change(treated, *, after=AFTER):
    """Before/after without controls, the trigger week as baseline: what a dashboard shows, and biased."""
    change = float(treated.log_changes(before=TRIGGER, after=after)[0])
    return change if np.isfinite(change) else None


def verdict(low, high, direction):
    """Confirmed or contradicted only when the whole interval lies on one side of zero, else inconclusive."""
    if low > 0 or high < 0:
        return CONFIRMED if (1 if low > 0 else -1) == direction else CONTRADICTED
    return INCONCLUSIVE


@dataclass(frozen=True)
class PooledEffect:
    """The mean log effect of a type of action: `mid` with its interval and standard error `error`.

    `between` is the standard deviation of true effects between actions, and `between_odds` how probable
    other values are, as (value, probability) pairs; `common` is the sampling variance of a single effect.
    `actions` were measured, in `clusters` independent groups, `grades` counts them by evidence.
    """

    mid: float
    low: float
    high: float
    error: float
    between: float
    between_odds: tuple[tuple[float, float], ...]
    common: float
    actions: int
    clusters: int
    grades: dict[str, int]


def pool(effects, clusters=None):
    """Random-effects mean of the effects of one type of action; None without any.

    Paule-Mandel variance between actions, Hartung-Knapp t interval, as `statsmodels`
    `combine_effects(method_re="pm", use_t=True)` computes them; written out here because that one divides
    by zero for a single study, and importing it costs every process two seconds and a large dependency for
    twenty lines.

    `clusters` labels effects that share controls (same client, same week): their common control noise is
    counted once, not averaged away. Single variances are first steadied by the common one (Smyth 2004),
    because with three controls they are mostly luck and would hand the weight to whoever was lucky.
    """
    effects = [one for one in effects if one is not None]
    if not effects:
        return None
    labels = range(len(effects)) if clusters is None else clusters
    groups = {}
    for label, one in zip(labels, effects, strict=True):
        groups.setdefault(label, []).append(one)
    common = sum(one.freedom * one.variance for one in effects) / sum(one.freedom for one in effects)
    means, variances = [], []
    for members in groups.values():
        steadied = [_steadied(one, common) for one in members]
        shared = [
            total * one.shared / one.variance if one.variance else 0.0
            for total, one in zip(steadied, members, strict=True)
        ]
        own = sum(steadied) - sum(shared)
        means.append(float(np.mean([one.mid for one in members])))
        variances.append(own / len(members) ** 2 + float(np.mean(shared)))
    means, variances = np.array(means), np.array(variances)
    mid, error, between = combine(means, variances)
    freedom = len(means) - 1 or max(one.freedom for one in effects)
    half = float(special.stdtrit(freedom, 0.5 + COVERAGE / 2) * error)
    grades = [one.grade for one in effects]
    return PooledEffect(
        mid=mid,
        low=mid - half,
        high=mid + half,
        error=error,
        between=between,
        between_odds=_between_odds(means, variances),
        common=common,
        actions=len(effects),
        clusters=len(means),
        grades={grade: grades.count(grade) for grade in sorted(set(grades))},
    )


def _between_odds(means, variances):
    """Posterior of the standard deviation between true effects on a grid: restricted likelihood,
    half-normal prior of 0.5 on the log scale (Röver 2020, bayesmeta).
    """
    grid = np.linspace(0, 1.2, 25)
    total = variances + grid[:, None] ** 2
    weights = 1 / total
    mids = (weights * means).sum(axis=1) / weights.sum(axis=1)
    squares = (weights * (means - mids[:, None]) ** 2).sum(axis=1)
    log_odds = -0.5 * (np.log(total).sum(axis=1) + np.log(weights.sum(axis=1)) + squares + (grid / 0.5) ** 2)
    odds = np.exp(log_odds - log_odds.max())
    return tuple(zip(grid.tolist(), (odds / odds.sum()).tolist(), strict=True))


def _steadied(one, common):
    """The variance of one effect, drawn to the common one."""
    return (_PRIOR_FREEDOM * common + one.freedom * one.variance) / (_PRIOR_FREEDOM + one.freedom)


def combine(means, variances):
    """(mean, Hartung-Knapp standard error, standard deviation between) of independent estimates, arrays
    (k,).
    """
    if len(means) == 1:
        return float(means[0]), float(np.sqrt(variances[0])), 0.0
    between = _paule_mandel(means, variances)
    weights = 1 / (variances + between)
    mid = (weights * means).sum() / weights.sum()
    scale = (weights * (means - mid) ** 2).sum() / (len(means) - 1)
    return float(mid), float(np.sqrt(scale / weights.sum())), float(np.sqrt(between))


def _paule_mandel(means, variances):
    """The variance between at which the weighted sum of squares equals its degrees of freedom; 0 when none
    is needed.

    Newton from zero (DerSimonian and Kacker 2007): the sum falls with the variance and is convex, so every
    step stays below the root.
    """
    between = 0.0
    for _ in range(50):
        weights = 1 / (variances + between)
        mid = (weights * means).sum() / weights.sum()
        squares = weights * (means - mid) ** 2
        excess = squares.sum() - (len(means) - 1)
        if excess <= 1e-10:
            return between
        between += float(excess / (weights * squares).sum())
    return between


def shrink(one, pooled):
    """(mid, low, high) of a single effect drawn to its type's pooled effect: what may be shown for one
    action.

    Normal-normal empirical Bayes (Morris 1983), averaged over how much actions may truly differ, with the
    error of the pool carried along: a point estimate of zero difference would claim to know every single
    effect.
    """
    variance = _steadied(one, pooled.common)
    between, odds = (np.array(column) for column in zip(*pooled.between_odds, strict=True))
    share = between**2 / (between**2 + variance)
    mids = pooled.mid + share * (one.mid - pooled.mid)
    mid = float((odds * mids).sum())
    spread = share * variance + (1 - share) ** 2 * pooled.error**2 + (mids - mid) ** 2
    freedom = _PRIOR_FREEDOM + one.freedom
    half = float(special.stdtrit(freedom, 0.5 + COVERAGE / 2) * np.sqrt((odds * spread).sum()))
    return mid, mid - half, mid + half


def percent(log_effect):
    """A log effect as a percentage: 0.0953 -> 10.0."""
    return float(np.expm1(log_effect) * 100)
