"""Runs the worked cases through the reference resolver: python3 conformance.py resolution|phasing|static [FILE]

One line for each failure, then `N passed, M failed`. Of the suite `resolution` the kinds resolve and version_match
are run: the others are about changing a channel, which a resolver does not do.
"""

import json
import math
import re
import sys
from decimal import Decimal
from pathlib import Path

sys.dont_write_bytecode = True  # A checkout stays as it was.
import ringmaster_resolve as rr  # noqa: E402

DEFAULT_NOW = "2026-01-15T12:00:00Z"


def check_equal(what, found, expected):
    return [] if found == expected else [f"{what}: expected {json.dumps(expected)}, found {json.dumps(found)}"]


# --- what the cases give --------------------------------------------------------------------------------------------


def as_object(raw):
    return raw if isinstance(raw, dict) else {}


def case_report(raw):
    names = {"release_prn": "release", "bundle_prn": "bundle", "release_version": "version"}
    # A header is text: anything else is malformed, and what is malformed is passed over like what is left out.
    return {names[name]: value for name, value in raw.items() if name in names and isinstance(value, str)}


def case_release(raw):
    release = {
        "id": raw["id"],
        "bundle": raw.get("bundle") or f"B-{raw['id']}",
        "version": raw.get("version"),
        "requirement": raw.get("version_requirement"),
        "next": raw.get("next"),
        "required": raw.get("required", False),
        "schedule": raw.get("schedule_date", "2000-01-01T00:00:00Z"),
        "complete": raw.get("all_binaries_signed", True),
        "phase": raw.get("phase", {"kind": "everybody"}),
        "counted": raw,
    }
    if raw.get("disabled"):
        release["disabled"] = {"reason": "as the case says"}
    return release


def case_overrides(overrides):
    return [
        {
            "id": override["id"],
            "bundle": override["bundle"],
            "startsAt": override["starts_at"],
            "endsAt": override.get("ends_at"),
            "salt": "cases",
            "devices": [rr.pseudonym_digest(override["id"], "cases", device) for device in override.get("devices", [])],
        }
        for override in overrides
    ]


def is_complete(release):
    return release["complete"]


def case_answer(resolution):
    """The decision in the field names of the documented device API."""
    if resolution["kind"] != "update":
        return {"status": resolution["kind"]}
    source = resolution["source"]
    source_type = "bundle_override" if source["kind"] == "override" else "release"
    return {"status": "update", "source_type": source_type, "source": source["id"], "bundle": resolution["bundle"]}


def check_answer(resolution, expected):
    expected = {name: value for name, value in expected.items() if value is not None}
    return check_equal("answer", case_answer(resolution), expected)


# --- counted admission (what a server does; the cases of `resolution` count) ---------------------------------------


def phase_limit(value, device_count):
    """How many devices may hold a claim; None for everybody. The value is exact decimal: 0.29 of 100 is 29."""
    exact = Decimal(repr(value))
    if exact == 1:
        return None
    if 0 <= exact < 1:
        return math.floor(exact * device_count)
    if exact == int(exact) and 2 <= exact <= 1_000_000_000:
        return int(exact)
    raise ValueError(f"phase_value {value!r} is neither a share nor a count")


def claims_admission(claims, device_count, device_id, members):
    def admit(release, device, _now_ms):
        raw = release["counted"]
        if (raw.get("phase_mode") or "numeric") == "tags":
            tagged = any(tag in raw["phase_tags"] for tag in device["tags"])
            return {"admitted": tagged, "code": "tag" if tagged else "not_tagged"}
        held = claims.get(release["id"], 0)
        limit = phase_limit(raw.get("phase_value", 1), device_count)
        if limit is None or (isinstance(held, list) and device_id in held):
            return {"admitted": True, "code": "claim_held"}
        # The claims of current members count; a holder of whom nothing is told but its name is one.
        counted = sum(1 for holder in held if members.get(holder, True)) if isinstance(held, list) else held
        within = counted < limit
        return {"admitted": within, "code": "within_limit" if within else "limit_reached"}

    return admit


def check_resolve(case):
    given, request = case["given"], case["request"]
    devices = {device["id"]: device for device in given.get("devices", [])}
    device = devices[request["device"]]
    cohort = device.get("cohort", "C1")
    releases = [case_release(raw) for raw in given.get("releases", []) if (raw.get("cohort") or "C1") == cohort]
    members = {name: other.get("cohort", "C1") == cohort for name, other in devices.items()}
    device_count = given.get("cohort_device_count", sum(members.values()))
    admission = claims_admission(given.get("claims", {}), device_count, device["id"], members)
    asking = {
        "pseudonym": device["id"],
        "tags": device.get("tags") or [],
        "quarantined": device.get("quarantined", False),
    }
    channel = None if cohort is None else rr.Channel(releases, admission, is_complete)
    overrides = case_overrides(given.get("overrides", []))
    report = case_report(request["report"])
    return check_answer(rr.resolve(channel, overrides, report, asking, given.get("now", DEFAULT_NOW)), case["expect"])


def check_match(case):
    requirement, version = rr.compile_requirement(case["requirement"]), rr.parse_version(case["version"])
    if requirement is None:
        found = "invalid_requirement"
    else:
        found = "invalid_version" if version is None else rr.satisfies(requirement, version)
    return check_equal("match", found, case["expect"])


def check_static(case):
    given = case["given"]
    cohort = given.get("cohort", "C1")
    raw_device = as_object(given.get("device"))
    device = {name: value for name, value in raw_device.items() if value is not None}
    releases = [case_release(raw) for raw in given["releases"] if (raw.get("cohort") or cohort) == cohort]

    def admission(release, asking, now_ms):
        return rr.admit(cohort, release["id"], release["phase"], asking, now_ms)

    has_cohort = raw_device.get("cohort", cohort) is not None
    channel = rr.Channel(releases, admission, is_complete) if has_cohort else None
    overrides = case_overrides(given.get("overrides", []))
    report = case_report(case["report"])
    return check_answer(rr.resolve(channel, overrides, report, device, given.get("now", DEFAULT_NOW)), case["expect"])


# --- phasing --------------------------------------------------------------------------------------------------------


def check_bucket(case):
    return check_equal("bucket", rr.bucket_of(case["cohort"], case["release"], case["salt"], case["device"]), case["bucket"])


def as_hex(threshold):
    return None if threshold is None else format(threshold, "x")


def check_share(case):
    expected = None if case.get("rejected") else case["threshold"]
    return check_equal("threshold", as_hex(rr.share_of(case["share"], rr.EVERYBODY)), expected)


def check_roster_share(case):
    expected = None if case.get("rejected") else case["permissions"]
    return check_equal("permissions", rr.share_of(case["share"], case["enrolled"]), expected)


def check_count(case):
    scope = (case["cohort"], case["release"], case["salt"])
    names = (case["rosterPattern"] % i for i in range(case["enrolled"]))
    buckets = sorted(int(rr.bucket_of(*scope, name), 16) for name in names)
    low, high = int(case["thresholdFrom"], 16), int(case["thresholdTo"], 16)
    threshold = rr.count_threshold(buckets, case["count"])
    wrong = [] if low <= threshold <= high else [f"threshold {threshold:x} is out of range"]
    for name, at in (("threshold", threshold), ("thresholdFrom", low), ("thresholdTo", high)):
        wrong += check_equal(f"admitted at {name}", sum(1 for bucket in buckets if bucket < at), case["admitted"])
    return wrong


def check_ramp(case):
    expected = None if case.get("rejected") else case["threshold"]
    return check_equal("threshold", as_hex(rr.ramp_threshold(case["ramp"], case["now"])), expected)


def check_admission(case):
    cohort, release = (name if isinstance(name, str) else "" for name in (case["cohort"], case["release"]))
    found = rr.admit(cohort, release, case.get("phase"), as_object(case.get("device")), rr.instant_ms(case["now"]))
    return check_equal("admitted", found["admitted"], case["admitted"]) + check_equal("code", found["code"], case["code"])


PHASING = {
    "buckets": check_bucket,
    "shares": check_share,
    "rosterShares": check_roster_share,
    "exactCounts": check_count,
    "ramps": check_ramp,
    "admissions": check_admission,
}
RESOLUTION = {"resolve": check_resolve, "version_match": check_match}
OUT_OF_SCOPE = ("sequence", "mutate")


# --- running --------------------------------------------------------------------------------------------------------


def unknown(what):
    def check(_case):
        return [f"there is no {what} here"]

    return check


def id_of(case, at):
    return case["id"] if isinstance(case, dict) and isinstance(case.get("id"), str) else f"cases[{at}]"


def resolution_cases(file):
    for at, case in enumerate(file["cases"]):
        kind = case.get("kind") if isinstance(case, dict) else None
        if kind not in OUT_OF_SCOPE:
            yield id_of(case, at), RESOLUTION.get(kind, unknown(f"kind {kind!r}")), case


def static_cases(file):
    for at, case in enumerate(file["cases"]):
        yield id_of(case, at), check_static, case


def phasing_cases(file):
    for name, rows in file.items():
        if isinstance(rows, list):
            for at, case in enumerate(rows):
                yield f"{name}[{at}]", PHASING.get(name, unknown(f"array {name!r}")), case


SUITES = {
    "resolution": ("resolution-cases/2", resolution_cases),
    "phasing": ("phasing-cases/2", phasing_cases),
    "static": ("static-cases/1", static_cases),
}


def run_case(check, case):
    try:
        return check(case)
    except Exception as error:  # Whatever a case makes the resolver do, it is that case's failure.
        return [f"cannot be read: {error!r}"]


def run(name, path):
    schema, cases_of = SUITES[name]
    file = json.loads(path.read_text(encoding="utf-8"))
    if file.get("schema") != schema:
        raise ValueError(f"expected the schema {schema}, found {file.get('schema')!r}")
    passed, failed = 0, []
    for case_id, check, case in cases_of(file):
        why = run_case(check, case)
        if why:
            failed.append(f"FAIL {case_id}: " + re.sub(r"\s*\n\s*", " ", "; ".join(why)))
        else:
            passed += 1
    return passed, failed


def main(arguments):
    if not 1 <= len(arguments) <= 2 or arguments[0] not in SUITES:
        print(f"Usage: conformance.py {'|'.join(SUITES)} [FILE]", file=sys.stderr)
        return 2
    name = arguments[0]
    beside = Path(__file__).resolve().parents[3] / "shared" / "cases" / f"{name}.json"
    path = Path(arguments[1]) if len(arguments) == 2 else beside
    if not path.exists():
        print(f"No case file at {path}; name one as FILE.", file=sys.stderr)
        return 2
    try:
        passed, failed = run(name, path)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        passed, failed = 0, [f"FAIL {path}: {error}"]
    for line in failed:
        print(line)
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
