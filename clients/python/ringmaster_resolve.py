"""Reference resolver for Ringmaster manifests: the Python standard library only, Python 3.9 or newer.

It decides what a device is offered, from a manifest that is verified already (by any TUF client), the device's own
report and the time. docs/resolution.md describes every step; this file shows that others can implement it.

    python3 ringmaster_resolve.py < questions.ndjson

answers one question a line: {"manifest", "report", "device", "now"}.
"""

import hashlib
import json
import re
import sys
from collections import namedtuple

EVERYBODY = 1 << 128
MAX_VERSION_LENGTH = 256
MAX_REQUIREMENT_LENGTH = 1024
MAX_SAFE_INTEGER = 2**53 - 1


class Refused(Exception):
    """The manifest decides nothing; the device keeps what it has. `code` says why."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


# --- texts ----------------------------------------------------------------------------------------------------------

_SURROGATE = re.compile("[\ud800-\udfff]")


def _utf8(text):
    """UTF-8 as every encoder of the web writes it: half a surrogate pair becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", text).encode("utf-8")


# --- versions -------------------------------------------------------------------------------------------------------

_NUMBER = "(0|[1-9][0-9]*)"
_VERSION = re.compile(
    _NUMBER + r"\." + _NUMBER + r"(?:\." + _NUMBER + r")?"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_DIGITS = re.compile("[0-9]+")


def _identifier(text):
    """Numbers come before words; None where a number has a leading zero."""
    if not _DIGITS.fullmatch(text):
        return (1, 0, text)
    return None if text.startswith("0") and text != "0" else (0, int(text), "")


def _parse_operand(text):
    """(key, has_patch), or None. Keys compare by SemVer 2.0.0 precedence."""
    match = _VERSION.fullmatch(text) if len(text) <= MAX_VERSION_LENGTH else None
    if match is None:
        return None
    major, minor, patch, pre = match.groups()
    identifiers = tuple(_identifier(part) for part in pre.split(".")) if pre is not None else ()
    if None in identifiers:
        return None
    # A version without a pre-release comes after all of its pre-releases.
    return (int(major), int(minor), int(patch or 0), (0, identifiers) if pre is not None else (1, ())), patch is not None


def parse_version(text):
    """The sort key of a version `1.2.3`, `1.2.3-rc.1`, `1.2.3+build`, or None for anything else."""
    operand = _parse_operand(text) if isinstance(text, str) else None
    return operand[0] if operand is not None and operand[1] else None


# --- requirements (Elixir's) ----------------------------------------------------------------------------------------

_LEXEMES = re.compile("( and | or |>=|<=|~>|==|!=|[><! ])")
_OPERATORS = {"==": "==", "!=": "!=", "!": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<=", "~>": "~>"}
_HOLDS = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
_LOWEST_PRE = (0, ((0, 0, ""),))


def _clause(operator, text):
    operand = _parse_operand(text)
    if operand is None:
        return None
    (major, minor, patch, pre), has_patch = operand
    if operator != "~>":
        return [(operator or "==", operand[0])] if has_patch else None
    # The upper bound is the lowest pre-release of what comes next, so that it keeps all of them out.
    upper = (major, minor + 1, 0, _LOWEST_PRE) if has_patch else (major + 1, 0, 0, _LOWEST_PRE)
    return [(">=", (major, minor, patch, pre)), ("<", upper)]


def compile_requirement(text):
    """Alternatives of comparisons, or None where the text is no requirement of Elixir's Version module."""
    if len(text) > MAX_REQUIREMENT_LENGTH:
        return None
    alternatives, operator, complete = [[]], None, False
    for lexeme in _LEXEMES.split(text):
        if lexeme in ("", " "):
            continue
        if lexeme in (" and ", " or "):
            if not complete:
                return None
            if lexeme == " or ":
                alternatives.append([])
            operator, complete = None, False
        elif complete:
            return None
        elif lexeme in _OPERATORS:
            if operator is not None:
                return None
            operator = _OPERATORS[lexeme]
        else:
            clause = _clause(operator, lexeme)
            if clause is None:
                return None
            alternatives[-1].extend(clause)
            complete = True
    return alternatives if complete else None


def satisfies(requirement, version):
    """Whether a parsed version meets a compiled requirement; pre-releases are ordered like any version."""
    return any(all(_HOLDS[operator](version, bound) for operator, bound in clause) for clause in requirement)


# --- instants -------------------------------------------------------------------------------------------------------

_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _day_number(year, month, day):
    """Days since 1970-01-01, or None where no calendar has that day. The year 0000 is allowed, as in RFC 3339."""
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1] + (month == 2 and _is_leap(year)):
        return None
    before = year - 1
    to_year = before * 365 + before // 4 - before // 100 + before // 400 - 719_162
    return to_year + sum(_DAYS[: month - 1]) + (month > 2 and _is_leap(year)) + day - 1


def instant_ms(text):
    """Milliseconds since 1970 of an RFC 3339 date-time, or None. Leap seconds are none."""
    match = _INSTANT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, sign, offset_hours, offset_minutes = match.groups()[6:]
    days = _day_number(year, month, day)
    if days is None or hour > 23 or minute > 59 or second > 59:
        return None
    ms = ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + int((fraction or "").ljust(3, "0")[:3])
    if sign is None:
        return ms
    if int(offset_hours) > 23 or int(offset_minutes) > 59:
        return None
    offset = (int(offset_hours) * 60 + int(offset_minutes)) * 60_000
    return ms + offset if sign == "-" else ms - offset


# --- buckets, thresholds, ramps -------------------------------------------------------------------------------------


def _framed_digest(domain, parts):
    digest = hashlib.sha256(domain)
    for part in parts:
        data = _utf8(part)
        digest.update(len(data).to_bytes(4, "big"))
        digest.update(data)
    return digest.hexdigest()[:32]


def bucket_of(cohort, release, salt, pseudonym):
    """A device's bucket for one channel release: 32 lower-case hexadecimal digits."""
    return _framed_digest(b"phase/1", (cohort, release, salt, pseudonym))


def pseudonym_digest(list_id, salt, pseudonym):
    """How overrides and quarantines name a device in a public file."""
    return _framed_digest(b"named/1", (list_id, salt, pseudonym))


_SHARE = re.compile(r"([01])(?:\.([0-9]{1,18}))?")
_THRESHOLD = re.compile("0|[1-9a-f][0-9a-f]{0,31}|10{32}")
_BUCKET = re.compile("[0-9a-f]{32}")


def _share(text):
    match = _SHARE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    decimals = match.group(2) or ""
    numerator, denominator = int(match.group(1) + decimals), 10 ** len(decimals)
    return (numerator, denominator) if numerator <= denominator else None


def share_of(text, whole):
    """floor(share * whole) in integers, or None where the text is no share: decimal text from 0 to 1, 18 decimals."""
    share = _share(text)
    return None if share is None else share[0] * whole // share[1]


def parse_threshold(text):
    """A threshold from 0 to 2^128, or None where the text is not exactly in its one form."""
    return int(text, 16) if isinstance(text, str) and _THRESHOLD.fullmatch(text) else None


def count_threshold(buckets, count):
    """A threshold that admits exactly `count` of the sorted buckets (as numbers), or all where there are fewer."""
    admitted = min(count, len(buckets))
    if admitted == 0:
        return 0
    upper = buckets[admitted] if admitted < len(buckets) else EVERYBODY
    return (buckets[admitted - 1] + 1 + upper) // 2


_RampLine = namedtuple("_RampLine", "start to begins seconds until_ms")


def _read_ramp(ramp):
    """(from, to, startsAt, endsAt, until), instants in milliseconds, or None where the ramp is not in its form."""
    if not isinstance(ramp, dict):
        return None
    start, to = parse_threshold(ramp.get("from")), parse_threshold(ramp.get("to"))
    begins, ends, until = (instant_ms(ramp.get(name)) for name in ("startsAt", "endsAt", "until"))
    if None in (start, to, begins, ends, until) or start > to or begins >= ends:
        return None
    return start, to, begins, ends, until


def _ramp_line(ramp):
    """The ramp in whole seconds, or None where rounding leaves it no duration."""
    read = _read_ramp(ramp)
    if read is None:
        return None
    start, to, begins, ends, until = read
    seconds = ends // 1000 - begins // 1000
    return _RampLine(start, to, begins // 1000, seconds, until) if seconds > 0 else None


def _threshold_at(line, now_ms):
    """None before the ramp starts."""
    elapsed = min(now_ms, line.until_ms) // 1000 - line.begins
    if elapsed < 0:
        return None
    return line.start + (line.to - line.start) * min(elapsed, line.seconds) // line.seconds


def ramp_threshold(ramp, now):
    """The threshold of a ramp at an instant, 0 before its start; None where ramp or instant cannot be read."""
    line, now_ms = _ramp_line(ramp), instant_ms(now)
    return None if line is None or now_ms is None else _threshold_at(line, now_ms) or 0


# --- admission ------------------------------------------------------------------------------------------------------


def _is_text(value, least, most):
    return isinstance(value, str) and least <= len(value) <= most


def _is_whole(value):
    """JSON has one kind of number: 7 and 7.0 are the same epoch; true is none."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and value == value and 0 <= value <= MAX_SAFE_INTEGER and value == int(value)


def _is_tags(value, least):
    return isinstance(value, list) and least <= len(value) <= 1000 and all(_is_text(tag, 1, 128) for tag in value)


def _is_halt(value):
    return isinstance(value, dict) and instant_ms(value.get("at")) is not None and _is_text(value.get("reason"), 0, 2000)


def _is_bucket_phase(phase):
    epoch, tags = phase.get("epoch"), phase.get("tags")
    if not _is_text(phase.get("salt"), 1, 128):
        return False
    return (epoch is None or _is_whole(epoch)) and (tags is None or _is_tags(tags, 0))


def _is_list(buckets):
    fits = isinstance(buckets, list) and len(buckets) <= 10_000
    return fits and all(isinstance(bucket, str) and _BUCKET.fullmatch(bucket) for bucket in buckets)


_FORMS = {
    "everybody": lambda phase: True,
    "tags": lambda phase: _is_tags(phase.get("tags"), 1),
    "share": lambda phase: parse_threshold(phase.get("threshold")) is not None and _is_bucket_phase(phase),
    "ramp": lambda phase: _read_ramp(phase) is not None and _is_bucket_phase(phase),
    "list": lambda phase: _is_list(phase.get("buckets")) and _is_bucket_phase(phase),
}


def _is_phase(phase):
    if not isinstance(phase, dict) or not isinstance(phase.get("kind"), str) or phase["kind"] not in _FORMS:
        return False
    halted = phase.get("halted")
    return (halted is None or _is_halt(halted)) and _FORMS[phase["kind"]](phase)


def _no(code, **data):
    return {"admitted": False, "code": code, **data}


def _yes(code):
    return {"admitted": True, "code": code}


def _known_tags(device):
    """The tags of a device; none where any of them is not in its form, for nobody knows what else is wrong there."""
    tags = device.get("tags")
    fits = isinstance(tags, list) and len(tags) <= 1000 and all(_is_text(tag, 0, 128) for tag in tags)
    return tags if fits else ()


def _known_pseudonym(device):
    """The pseudonym of a device, None where it has none in its form."""
    pseudonym = device.get("pseudonym")
    return pseudonym if _is_text(pseudonym, 1, 1024) else None


def _is_tagged(device, tags):
    return any(tag in tags for tag in _known_tags(device))


def _by_threshold(bucket, threshold):
    return _yes("bucket") if int(bucket, 16) < threshold else _no("above_threshold", threshold=format(threshold, "x"))


def _by_ramp(phase, bucket, now_ms):
    if now_ms is None:
        return _no("malformed")
    threshold = _threshold_at(_ramp_line(phase), now_ms)
    return _no("not_started", startsAt=phase["startsAt"]) if threshold is None else _by_threshold(bucket, threshold)


_BY_BUCKET = {
    "share": lambda phase, bucket, now_ms: _by_threshold(bucket, int(phase["threshold"], 16)),
    "ramp": _by_ramp,
    "list": lambda phase, bucket, now_ms: _yes("listed") if bucket in phase["buckets"] else _no("not_listed"),
}


def _admit_by_bucket(cohort, release, phase, device, now_ms):
    if cohort == "" or release == "" or (phase["kind"] == "ramp" and _ramp_line(phase) is None):
        return _no("malformed")
    if _is_tagged(device, phase.get("tags") or ()):
        return _yes("tag")
    pseudonym, epoch, enrolled = _known_pseudonym(device), phase.get("epoch"), device.get("epoch")
    if pseudonym is None:
        return _no("malformed")
    if epoch is not None and not (_is_whole(enrolled) and enrolled <= epoch):
        return _no("not_enrolled_in_time", epoch=epoch)
    return _BY_BUCKET[phase["kind"]](phase, bucket_of(cohort, release, phase["salt"], pseudonym), now_ms)


def admit(cohort, release, phase, device, now_ms):
    """Whether a release's phase lets a device in, with its code. What is not exactly in its form admits nobody."""
    if not _is_phase(phase):
        return _no("malformed")
    if phase.get("halted") is not None:
        return _no("halted", at=phase["halted"]["at"], reason=phase["halted"]["reason"])
    if phase["kind"] == "everybody":
        return _yes("everybody")
    if phase["kind"] == "tags":
        return _yes("tag") if _is_tagged(device, phase["tags"]) else _no("not_tagged", tags=phase["tags"])
    return _admit_by_bucket(cohort, release, phase, device, now_ms)


# --- the channel ----------------------------------------------------------------------------------------------------


class Station:
    """One release, read once. The first release of an id counts."""

    def __init__(self, release):
        self.raw = release
        self.id = release["id"]
        self.bundle = release["bundle"]
        self.next = release.get("next")
        self.required = release.get("required") is True
        self.version = parse_version(release.get("version"))
        self.requirement_text = release.get("requirement") or ""
        self.requirement = compile_requirement(self.requirement_text) if self.requirement_text else None
        self.schedule_ms = instant_ms(release.get("schedule"))


class Channel:
    """The releases of a cohort in the order of their creation, with `admission(release, device, now_ms)`."""

    def __init__(self, releases, admission, is_complete=lambda release: True):
        self.stations = [Station(release) for release in releases]
        self.by_id = {}
        for station in self.stations:
            self.by_id.setdefault(station.id, station)
        self.admission = admission
        self.is_complete = is_complete

    def serving(self, bundle):
        """Of the releases that serve a bundle: those with a version first, the lowest of them, else the earliest."""
        serving = [station for station in self.stations if station.bundle == bundle]
        return _lowest([station for station in serving if station.version is not None]) or next(iter(serving), None)

    def entry(self, version):
        """Of the releases with a version and a requirement that the device's version meets: the lowest."""
        return _lowest(
            [
                station
                for station in self.stations
                if station.version is not None
                and station.requirement is not None
                and satisfies(station.requirement, version)
            ]
        )

    def path(self, station):
        """From a release forward to the first required one or the latest; None where the path is broken."""
        path, seen = [], set()
        while station is not None and station not in seen:
            seen.add(station)
            path.append(station)
            if station.required or station.next is None:
                return path
            station = self.by_id.get(station.next)
        return None


def _lowest(stations):
    return min(stations, key=lambda station: station.version) if stations else None


# --- resolution -----------------------------------------------------------------------------------------------------


def _override_for(overrides, device, now_ms):
    chosen, chosen_start = None, None
    for override in overrides:
        start, end = instant_ms(override.get("startsAt")), override.get("endsAt")
        end_ms = None if end is None else instant_ms(end)
        active = start is not None and start <= now_ms and (end is None or (end_ms is not None and now_ms < end_ms))
        if active and (chosen is None or start >= chosen_start) and _names(override, device):
            chosen, chosen_start = override, start
    return chosen


def _names(override, device):
    if _is_tagged(device, override.get("tags") or ()):
        return True
    pseudonym = _known_pseudonym(device)
    return pseudonym is not None and pseudonym_digest(override["id"], override["salt"], pseudonym) in (
        override.get("devices") or ()
    )


class _Place:
    """Where a device is: the release it is on or enters at, and the version that requirements are tested against."""

    def __init__(self, position, ignored, current=None, candidate=None, version=None):
        self.position, self.ignored = position, ignored
        self.current, self.candidate, self.version = current, candidate, version


_NOWHERE = {"by": "nothing"}


def _place(channel, report):
    reported = parse_version(report.get("version"))
    ignored = []
    for field, find in (("release", channel.by_id.get), ("bundle", channel.serving)):
        if report.get(field) is None:
            continue
        current = find(report[field])
        if current is not None:
            version = current.version if reported is None else reported
            following = channel.by_id.get(current.next) if current.next is not None else None
            return _Place({"by": field, "release": current.id}, ignored, current, following, version)
        ignored.append(field)
    if reported is None:
        return _Place(_NOWHERE, ignored + (["version"] if report.get("version") is not None else []))
    entry = channel.entry(reported)
    position = _NOWHERE if entry is None else {"by": "version", "release": entry.id}
    return _Place(position, ignored, None, entry, reported)


def _against(station, version, device, now_ms):
    """The first reason against a release but for its phase, or None."""
    raw = station.raw
    if raw.get("disabled") is not None:
        return {"release": station.id, "code": "disabled", "reason": raw["disabled"]["reason"]}
    target = device.get("target")
    for hold in raw.get("holds") or ():
        # A device that does not say its target may be of the one that is held.
        if target is None or target == hold["target"]:
            return {
                "release": station.id,
                "code": "held_for_target",
                "target": hold["target"],
                "reason": hold["reason"],
            }
    if station.requirement_text:
        text = station.requirement_text
        if station.requirement is None:
            return {"release": station.id, "code": "requirement_unreadable", "requirement": text}
        if version is not None and not satisfies(station.requirement, version):
            return {"release": station.id, "code": "requirement_not_met", "requirement": text}
    if station.schedule_ms is None or now_ms < station.schedule_ms:
        return {"release": station.id, "code": "scheduled", "schedule": raw.get("schedule")}
    return None


def _no_update(reason, position=_NOWHERE, ignored=(), passed_over=(), release=None):
    answer = {"kind": "no_update", "reason": reason}
    if release is not None:
        answer["release"] = release
    return {**answer, "position": position, "ignored": list(ignored), "passedOver": list(passed_over)}


def _without_candidate(place, report):
    if place.current is not None:
        return "on_latest" if place.current.next is None else "channel_broken"
    if place.version is not None:
        return "no_entry"
    return "nothing_reported" if all(report.get(f) is None for f in ("release", "bundle", "version")) else "not_identified"


def _resolve_in(channel, place, report, device, now_ms):
    if place.candidate is None:
        return _no_update(_without_candidate(place, report), place.position, place.ignored)
    path = channel.path(place.candidate)
    if path is None:
        return _no_update("channel_broken", place.position, place.ignored)
    passed_over = []
    for station in reversed(path):
        against = _against(station, place.version, device, now_ms)
        if against is None:
            admission = channel.admission(station.raw, device, now_ms)
            if admission["admitted"]:
                if not channel.is_complete(station.raw):
                    return _no_update("bundle_incomplete", place.position, place.ignored, passed_over, station.id)
                return _update("release", station.id, station.bundle, place, passed_over)
            against = {"release": station.id, "code": "phase", "refusal": admission}
        passed_over.append(against)
    return _no_update("nothing_available", place.position, place.ignored, passed_over)


def _update(kind, source, bundle, place, passed_over=()):
    return {
        "kind": "update",
        "source": {"kind": kind, "id": source},
        "bundle": bundle,
        "position": _NOWHERE if place is None else place.position,
        "ignored": [] if place is None else list(place.ignored),
        "passedOver": list(passed_over),
    }


def resolve(channel, overrides, report, device, now):
    """One update check: quarantine, override, place, forward, back. `channel` is None for a device of no cohort.

    Returns a dict: `kind` (update, no_update, device_quarantine), with `source` and `bundle` or `reason`, and always
    `position`, `ignored` and `passedOver`.
    """
    if device.get("quarantined"):
        return {"kind": "device_quarantine", "position": _NOWHERE, "ignored": [], "passedOver": []}
    now_ms = instant_ms(now)
    if now_ms is None:
        return _no_update("clock_unreadable")
    # An empty text reports nothing: clients write one, or leave the field out, for what they do not know.
    report = {field: text for field, text in report.items() if text != ""}
    place = None if channel is None else _place(channel, report)
    override = _override_for(overrides, device, now_ms)
    if override is not None:
        on = report.get("bundle")
        if on is None and place is not None and place.current is not None:
            on = place.current.bundle
        if (device.get("recordedBundle") if on is None else on) == override["bundle"]:
            return _no_update("on_override_bundle", *((place.position, place.ignored) if place is not None else ()))
        return _update("override", override["id"], override["bundle"], place)
    return _no_update("no_cohort") if channel is None else _resolve_in(channel, place, report, device, now_ms)


# --- manifests ------------------------------------------------------------------------------------------------------

QUARANTINE_ID = "quarantine"
# An id that no release can have: a device of unknown place stands just before the entry release.
_BEFORE_ENTRY = "\0before-entry"
_LOST = ("nothing_reported", "not_identified")


def _check(manifest, now):
    if not isinstance(manifest, dict) or manifest.get("schema") != "ringmaster/manifest/1":
        raise Refused("manifest-invalid", "expected a manifest of the schema ringmaster/manifest/1")
    if manifest.get("requirementDialect") != "elixir":
        raise Refused("dialect-unsupported", "expected requirementDialect elixir: npm ranges are not read here")
    now_ms, expires_ms = instant_ms(now), instant_ms(manifest.get("expiresAt"))
    if expires_ms is None or (now_ms is not None and now_ms >= expires_ms):
        raise Refused("manifest-expired", "expected a manifest that is valid now")


def _is_quarantined(manifest, device):
    quarantine, pseudonym = manifest.get("quarantine"), device.get("pseudonym")
    if not quarantine or not pseudonym:
        return False
    return pseudonym_digest(QUARANTINE_ID, quarantine["salt"], pseudonym) in quarantine["devices"]


def resolve_manifest(manifest, report, device, now):
    """What a verified manifest offers a device, as `resolve` tells it, or {"kind": "moved", "to": cohort}.

    Raises Refused for a manifest that is expired, of another schema, or whose requirements are npm ranges. What
    protects a device beyond resolution (no re-offer of what it rolled back, no downgrade, the clock floor) is not
    here: docs/devices.md.
    """
    _check(manifest, now)
    try:
        return _resolve_checked(manifest, report, device, now)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refused("manifest-invalid", f"expected a whole manifest, found {error!r}") from error


def _resolve_checked(manifest, report, device, now):
    cohort, moved_to, entry = manifest["cohort"], manifest.get("movedTo"), manifest.get("entryRelease")
    if moved_to is not None and moved_to != cohort:
        return {"kind": "moved", "to": moved_to}
    device = {**device, "quarantined": device.get("quarantined") is True or _is_quarantined(manifest, device)}

    def admission(release, asking, now_ms):
        return admit(cohort, release["id"], release.get("phase"), asking, now_ms)

    def answer(releases, asked):
        return resolve(Channel(releases, admission), manifest["overrides"], asked, device, now)

    first = answer(manifest["releases"], report)
    if first["kind"] != "no_update" or first["reason"] not in _LOST or entry is None:
        return first
    start = {"id": _BEFORE_ENTRY, "bundle": _BEFORE_ENTRY, "next": entry}
    lost = {"release": _BEFORE_ENTRY, **({"version": report["version"]} if report.get("version") is not None else {})}
    return answer([*manifest["releases"], start], lost)


def _answer_line(line):
    question = json.loads(line)
    try:
        return resolve_manifest(question["manifest"], question["report"], question["device"], question["now"])
    except Refused as refused:
        return {"kind": "refused", "code": refused.code, "message": str(refused)}


if __name__ == "__main__":
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(_answer_line(line)), flush=True)
