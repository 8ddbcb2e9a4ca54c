"""The pure core of the daily cycle: one client's numbers in, candidates and skipped candidates out.

`analyse` reads nothing and writes nothing; the same input gives the same output. A cheap pass over whole
columns finds the entities a rule touches; gates and confidence are for these only, draws only for what will
be proposed. Reasons are codes with numbers; the words are the caller's.
"""

from dataclasses import asdict, dataclass, replace
from datetime import timedelta

import numpy as np

from apps.ads import benchmarks as bench
from apps.suggestions import confidence
from apps.suggestions.candidates import ACTION_OF, REASON_OF, SKIP_CODES, Analysis, Candidate, Skipped
from apps.suggestions.evidence import Fingerprint, material_change, plain
from apps.suggestions.gates import Subject, blocked, capped, hours
from apps.suggestions.metrics import LEVEL_OF, PAUSE, REFRESH, SCALE, Policy, Rule, Table

__all__ = ["SKIP_CODES", "Analysis", "Candidate", "Skipped", "analyse"]

_ORDER = {PAUSE: 0, SCALE: 1, REFRESH: 2}  # a pause is proposed first, so that others can give way to it
_HALF = 1.645  # half a 90 % interval in standard errors


def analyse(metrics, rules, policy: Policy, now):
    """Suggestions for one client at `now` (aware). Deterministic by `policy.seed`.

    `metrics` is an AccountMetrics in the client's currency, `rules` any number of Rule. Raises ValueError
    when a rule asks for a level and window for which `metrics` has no table.
    """
    run = _Run(metrics, policy, now)
    for rule in sorted(rules, key=lambda rule: (_ORDER[rule.kind], rule.priority, rule.key)):
        if rule.kind == REFRESH:
            run.fatigue(rule)
        else:
            run.returns(rule)
    return run.finish()


@dataclass
class _Case:
    """One rule over one table: the columns its subjects' rows point into (campaigns are appended to them)."""

    rule: Rule
    table: Table
    bar: float  # threshold on the return
    marks: bench.Benchmarks
    posterior: bench.ReturnPosterior
    sums: np.ndarray  # (3, rows): conversions, spend, revenue
    shared: dict | None = None

    def numbers(self, row):
        conversions, spend, revenue = self.sums[:, row].tolist()
        return {"roi": revenue / spend, "spend": spend, "conversions": conversions, "revenue": revenue}

    @property
    def lowest(self):
        """The lower of the plain and the estimated percentile: whoever is above it deserves an answer."""
        percentile = self.rule.percentile
        return min(self.marks.estimate[percentile], self.marks.raw.get(percentile, 0.0))


@dataclass(frozen=True)
class _Finding:
    """What passed every gate, before its evidence is drawn up. `case` is None for a refresh, whose
    fingerprint and numbers need no draws.
    """

    rule: Rule
    subject: Subject
    sure: float
    stake: float  # currency at stake over the window, to order by
    case: _Case | None
    target_minor: int | None = None
    limited_by: str = ""
    fingerprint: Fingerprint | None = None
    evidence: dict | None = None

    @property
    def rank(self):
        return self.rule.priority, -self.sure * self.stake, self.subject.entity_id


class _Run:
    """State of one analysis; lives for one call."""

    def __init__(self, metrics, policy, now):
        self.metrics, self.policy, self.now = metrics, policy, now
        self.findings, self.skipped = [], []
        self.proposed = {}  # entity id -> kinds proposed in this run
        self.exponents = None  # draws of the diminishing return, the same for every raise
        self.windows = {}  # window days -> (posterior, benchmarks)
        self.phi = metrics.daily.dispersion() if metrics.daily else 1.0
        weeks = metrics.weeks
        self.prior = metrics.prior or bench.fit_prior(weeks.conversions, weeks.spend, self.phi, weeks.entity_id)
        self.value = bench.fit_order_value(weeks.conversions, weeks.revenue, weeks.entity_id)

    def skip(self, rule, subject, code, /, **numbers):
        skipped = Skipped(rule.kind, rule.key, subject.level, subject.entity_id, code, plain(numbers))
        self.skipped.append(skipped)

    def window(self, table):
        """Posterior and benchmarks of all ad sets of a window, computed once; two None without a value."""
        if table.window_days not in self.windows:
            # A client without history yet is judged by the window alone.
            self.prior = self.prior or bench.fit_prior(table.conversions, table.spend, self.phi)
            self.value = self.value or bench.fit_order_value(
                table.conversions, table.revenue, table.entity_id, hint=self.policy.value_hint
            )
            posterior = marks = None
            if self.prior and self.value:
                sums = table.conversions, table.spend, table.revenue
                posterior = self.posterior(*sums)
                marks = bench.benchmarks(
                    bench.return_posterior(*sums, prior=self.prior, value=self.value, phi=self.phi),
                    table.spend,
                    table.revenue,
                    prior=self.prior,
                    value=self.value,
                    seed=self.policy.seed,
                )
            self.windows[table.window_days] = posterior, marks
        return self.windows[table.window_days]

    def posterior(self, conversions, spend, revenue):
        prior = self.prior.widened()
        return bench.return_posterior(conversions, spend, revenue, prior=prior, value=self.value, phi=self.phi)

    def returns(self, rule):
        """Scale and pause: the return of ad sets against the client's target."""
        table = self.metrics.table(LEVEL_OF[rule.kind], rule.window_days)
        posterior, marks = self.window(table)
        target = self.policy.roi_target
        if not target or posterior is None:
            for row in np.flatnonzero(table.spend > rule.min_spend).tolist():
                numbers = {"spend": table.spend[row], "revenue": table.revenue[row]}
                self.skip(rule, Subject.of_row(table, row), "no_revenue", roi_target=target, **numbers)
            return
        sums = np.stack([table.conversions, table.spend, table.revenue])
        case = _Case(rule, table, target * rule.roi_factor, marks, posterior, sums)
        spent = table.spend > 0
        roi = np.divide(table.revenue, table.spend, out=np.zeros(len(spent)), where=spent)
        touched = spent & (roi < case.bar)
        if rule.kind == SCALE:
            alone = spent.sum() == 1  # the only budget of the client: nothing to rank it against
            touched = spent & (roi > case.bar) & (alone | (roi > case.lowest))
        subjects = self._active(rule, table, np.flatnonzero(touched))
        if rule.kind == SCALE:
            subjects = self._to_campaigns(case, [replace(one, ranked=not alone) for one in subjects])
        self._weigh(case, self._open(rule, subjects))

    def _active(self, rule, table, rows):
        """The touched entities that deliver and have spent enough."""
        subjects = []
        for row in rows.tolist():
            subject = Subject.of_row(table, row)
            spend = table.spend[row]
            if table.status[row] != "ACTIVE":
                self.skip(rule, subject, "not_delivering", status=str(table.status[row]))
            elif spend <= rule.min_spend:
                self.skip(
                    rule,
                    subject,
                    "below_min_spend",
                    spend=spend,
                    min_spend=rule.min_spend,
                    revenue=table.revenue[row],
                )
            else:
                subjects.append(subject)
        return subjects

    def _open(self, rule, subjects):
        """The subjects for which no gate is shut."""
        kept = []
        for subject in subjects:
            shut = blocked(rule, subject, self.metrics.past, self.proposed, self.now)
            if shut:
                self.skip(rule, subject, shut[0], **shut[1])
            else:
                kept.append(subject)
        return kept

    def _to_campaigns(self, case, subjects):
        """Ad sets fed by a campaign budget cannot be raised: the campaign takes their place if it passes as
        a whole.

        One bright ad set in a poor campaign is no reason to pour money over all of them, so the campaign's
        sums over all of its ad sets have to pass the same test. The percentile ranks places where the money
        could go instead: a client whose only budget is this campaign has none, and only the target is
        asked.
        """
        table, kept, inside = case.table, [], {}
        for subject in subjects:
            if table.budget_level[subject.row] == "campaign":
                inside.setdefault(int(table.campaign_id[subject.row]), []).append(subject)
            else:
                kept.append(subject)
        for campaign_id, bright in inside.items():
            rows = np.flatnonzero(table.campaign_id == campaign_id)
            whole = case.sums[:, rows].sum(axis=1)
            ranked = bool((table.spend[table.campaign_id != campaign_id] > 0).any())
            roi = whole[2] / whole[1]
            passes = bool(roi > case.bar and (not ranked or roi > case.lowest))
            numbers = {"campaign_id": campaign_id, "retargeted": passes, "campaign_roi": roi}
            numbers |= {"campaign_spend": whole[1], "bar": case.bar}
            for subject in bright:
                self.skip(case.rule, subject, "campaign_budget", **numbers)
            if passes:
                kept.append(Subject.of_campaign(table, rows, campaign_id, case.sums.shape[1], ranked=ranked))
                case.sums = np.column_stack([case.sums, whole])
        if case.sums.shape[1] > len(table.spend):
            case.posterior = self.posterior(*case.sums)
        return kept

    def _weigh(self, case, subjects):
        """Keep the subjects whose case is strong enough once noise is taken off."""
        if not subjects:
            return
        rule, marks = case.rule, case.marks
        chosen = case.posterior.take(np.array([subject.row for subject in subjects]))
        above = chosen.above(case.bar)
        sure = (above if rule.kind == SCALE else 1.0 - above).tolist()
        for subject, mean, probability in zip(subjects, chosen.mean().tolist(), sure, strict=True):
            numbers = case.numbers(subject.row) | {"roi_expected": mean, "bar": case.bar}
            if rule.kind == SCALE and subject.ranked and mean <= marks.estimate[rule.percentile]:
                numbers |= {"percentile": rule.percentile, "benchmark": marks.estimate[rule.percentile]}
                self.skip(rule, subject, "below_percentile", n=marks.n, **numbers)
            elif probability < rule.min_confidence:
                numbers |= {"confidence": probability, "min_confidence": rule.min_confidence}
                self.skip(rule, subject, "low_confidence", **numbers)
            else:
                self._find_return(case, subject, probability)

    def _find_return(self, case, subject, sure):
        rule, target, limit = case.rule, None, ""
        refusal = self.metrics.past.refused.get((subject.entity_id, rule.kind))
        if refusal:
            draws = self._draws(case, subject)
            if not self._fresh(rule, subject, refusal, _return_print(case, subject, draws)):
                return
        if rule.kind == SCALE:
            target, limit = capped(rule, subject, self.policy)
            if target is None:
                numbers = {"before_minor": subject.budget_minor, "cap_minor": self.policy.max_budget_minor}
                numbers |= {"change_percent": rule.change_percent}
                limits = {"max_change_percent": self.policy.max_change_percent}
                self.skip(rule, subject, limit, **numbers, **limits)
                return
        numbers = case.numbers(subject.row)
        stake = abs(numbers["roi"] - case.bar) * numbers["spend"]
        self._found(_Finding(rule, subject, sure, stake, case, target, limit))

    def _fresh(self, rule, subject, refusal, now_print):
        if material_change(refusal, now_print, self.now):
            return True
        then, days = refusal.evidence.as_dict(), hours(self.now - refusal.at) / 24
        self.skip(rule, subject, "refused_unchanged", days_ago=days, then=then, now=now_print.as_dict())
        return False

    def _found(self, finding):
        self.findings.append(finding)
        entity = finding.subject.entity_id
        self.proposed[entity] = self.proposed.get(entity, frozenset()) | {finding.rule.kind}

    def _draws(self, case, subject):
        """Possible returns, (draws, 1). Each entity has its own stream: its interval does not move because
        another entity appeared, which is what a refusal is compared on.
        """
        return case.posterior.take([subject.row]).draws(self._stream(subject.entity_id), confidence.DRAWS)

    def _stream(self, key):
        return np.random.Generator(np.random.SFC64([self.policy.seed, key]))

    def fatigue(self, rule):
        """Refresh: ads whose viewers see them more often and click less, beyond noise."""
        table = self.metrics.table(LEVEL_OF[REFRESH], rule.window_days)
        seen = (table.impressions > 0) & (table.impressions_before > 0)
        rate, before = (
            np.divide(clicks, shown, out=np.zeros(len(seen)), where=seen)
            for clicks, shown in (
                (table.clicks, table.impressions),
                (table.clicks_before, table.impressions_before),
            )
        )
        risen = table.frequency >= table.frequency_before * (1 + rule.frequency_rise)  # False where unknown
        touched = seen & risen & (before > 0) & (rate <= before * (1 - rule.ctr_drop))
        subjects = self._open(rule, self._active(rule, table, np.flatnonzero(touched)))
        if not subjects:
            return
        phi = self.metrics.daily_clicks.dispersion() if self.metrics.daily_clicks else self.policy.click_phi
        rows = np.array([subject.row for subject in subjects])
        fall = _fall(table, seen, rows, phi)
        for subject, change, error, sure, drift in zip(subjects, *fall, strict=True):
            row = subject.row
            numbers = {
                "ctr": rate[row],
                "ctr_before": before[row],
                "ctr_change": np.expm1(change),
                "ctr_change_of_rest": np.expm1(drift),
                "frequency": table.frequency[row],
                "frequency_before": table.frequency_before[row],
                "clicks": table.clicks[row],
                "impressions": table.impressions[row],
                "spend": table.spend[row],
            }
            if sure < rule.min_confidence:
                limits = {"confidence": sure, "min_confidence": rule.min_confidence}
                self.skip(rule, subject, "low_confidence", **numbers, **limits)
                continue
            spread = np.exp(_HALF * np.sqrt(phi / (table.clicks[row] + 0.5)))
            measured = (rate[row], rate[row] / spread, rate[row] * spread, table.spend[row], before[row])
            print_ = Fingerprint(REFRESH, *map(float, measured))
            refusal = self.metrics.past.refused.get((subject.entity_id, REFRESH))
            if refusal and not self._fresh(rule, subject, refusal, print_):
                continue
            numbers |= {
                "ctr_low": print_.low,
                "ctr_high": print_.high,
                "ctr_change_low": np.expm1(change - _HALF * error),
                "ctr_change_high": np.expm1(change + _HALF * error),
                "phi": phi,
                "n": int(seen.sum()),
            }
            stake = float(table.spend[row])
            self._found(_Finding(rule, subject, float(sure), stake, None, fingerprint=print_, evidence=numbers))

    def finish(self):
        """The most important first; what exceeds the day's cap is skipped. Evidence is drawn up for the
        rest.
        """
        ordered = sorted(self.findings, key=lambda finding: finding.rank)
        room = max(0, self.policy.daily_actions - self.policy.actions_today)
        for finding in ordered[room:]:
            limits = {"daily_actions": self.policy.daily_actions, "actions_today": self.policy.actions_today}
            self.skip(finding.rule, finding.subject, "daily_cap", confidence=finding.sure, **limits)
        candidates = tuple(self._candidate(finding) for finding in ordered[:room])
        marks = {days: found[1] for days, found in self.windows.items() if found[1]}
        return Analysis(candidates, tuple(self.skipped), marks, self.prior, self.value, self.phi)

    def _candidate(self, finding):
        rule, subject, case = finding.rule, finding.subject, finding.case
        impact, print_, numbers, weeks = None, finding.fingerprint, finding.evidence, self.metrics.ad_weeks
        if case:
            draws = self._draws(case, subject)
            print_ = _return_print(case, subject, draws)
            impact = self._impact(finding, draws, print_)
            numbers = self._return_evidence(finding, print_)
            weeks = self.metrics.weeks
        evidence = plain(numbers | {"confidence": finding.sure, "impact": impact and impact.as_dict()})
        evidence |= {
            "kind": rule.kind,
            "rule": rule.key,
            "window_days": rule.window_days,
            "currency": self.policy.currency,
            "weeks": weeks.series(subject.members),
        }
        if case:
            evidence |= self._shared_evidence(case)
        return Candidate(
            kind=rule.kind,
            rule_key=rule.key,
            level=subject.level,
            entity_id=subject.entity_id,
            action=ACTION_OF[rule.kind],
            reason=REASON_OF[rule.kind],
            confidence=finding.sure,
            priority=rule.priority,
            expires_at=self.now + timedelta(hours=rule.expiry_hours),
            before_minor=subject.budget_minor if rule.kind == SCALE else None,
            target_minor=finding.target_minor,
            limited_by=finding.limited_by,
            impact=impact,
            fingerprint=print_,
            evidence=evidence,
        )

    def _impact(self, finding, draws, print_):
        spend = [print_.spend]
        if finding.rule.kind == PAUSE:
            return confidence.pause_impacts(draws, spend, target=self.policy.roi_target)[0]
        change = finding.target_minor / finding.subject.budget_minor - 1
        if self.exponents is None and self.metrics.returns:
            self.exponents = self.metrics.returns.draws(self._stream(0), confidence.DRAWS)
        return confidence.raise_impacts(draws, spend, change, self.exponents, target=self.policy.roi_target)[0]

    def _return_evidence(self, finding, print_):
        rule, subject, case = finding.rule, finding.subject, finding.case
        evidence = case.numbers(subject.row) | {
            "roi_expected": float(case.posterior.take([subject.row]).mean()[0]),
            "roi_low": print_.low,
            "roi_high": print_.high,
            "percentile": rule.percentile if rule.kind == SCALE and subject.ranked else None,
        }
        if subject.level == "campaign":
            evidence["ad_sets"] = list(subject.members)
        if rule.kind == SCALE:
            evidence |= {
                "change_percent": rule.change_percent,
                "before_minor": subject.budget_minor,
                "target_minor": finding.target_minor,
                "limited_by": finding.limited_by,
            }
        return evidence

    def _shared_evidence(self, case):
        """What all candidates of a rule have in common, made once; they share the nested dicts."""
        if case.shared is None:
            case.shared = plain(
                {
                    "roi_target": self.policy.roi_target,
                    "bar": case.bar,
                    "min_spend": case.rule.min_spend,
                    "phi": self.phi,
                    "order_value": self.value.mean,
                    "prior": asdict(self.prior),
                    "benchmarks": asdict(case.marks),
                }
            )
        return case.shared


def _return_print(case, subject, draws):
    span = confidence.spans(draws)[0]
    numbers = case.numbers(subject.row)
    return Fingerprint(case.rule.kind, numbers["roi"], span.low, span.high, numbers["spend"], case.bar)


def _fall(table, seen, rows, phi):
    """Change, error, confidence and drift of the rest of the account, for the ads in `rows`."""
    columns = (table.clicks, table.impressions, table.clicks_before, table.impressions_before)
    own = [column[rows] for column in columns]
    clicks, shown, clicks_before, shown_before = (
        column[seen].sum() - mine for column, mine in zip(columns, own, strict=True)
    )
    known = (clicks > 0) & (clicks_before > 0)
    drift = np.zeros(len(rows))
    drift[known] = np.log(clicks[known] / shown[known] * shown_before[known] / clicks_before[known])
    return *confidence.confidence_of_fall(*own, phi=phi, drift=drift), drift
