#!/usr/bin/env python3
"""Verifies Exequatur receipts and ledger exports: a second verifier, written from docs/ledger.md.

    python3 verify.py --trust KEY_POLICY [--since CHECKPOINT]... FILE...

It needs Python 3.8, its standard library, and the `openssl` command (3.0 or later) for Ed25519. It asks
no server, no network and no database. It ends with 0 if every file is genuine, 1 if one is not, and 2 if
it cannot tell.
"""
import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from decimal import Decimal

NOT_GENUINE = {
    "forged_signature", "extra_entries", "root_mismatch", "older_than_checkpoint", "forked",
    "not_in_log", "payload_mismatch", "statement_mismatch", "story_mismatch",
}
RECEIPT_BYTES_MAX = 16_777_216
ENTRY_BYTES_MAX = 65_535
SAFE_INTEGER_MAX = 2**53 - 1


class Doubt(Exception):
    """Why something could not be verified, by code; verification stops at the first."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def malformed(what):
    return Doubt("malformed", f"{what} is not as the format says")


# ------------------------------------------------------------------ JSON, strictly, and RFC 8785

def no_duplicates(pairs):
    members = dict(pairs)
    if len(members) < len(pairs) or "__proto__" in members:
        raise ValueError("a key stands twice, or is forbidden")
    return members


def no_constant(name):
    raise ValueError(f"{name} is no json")


def parse_canonical(data, what):
    """The value of bytes that are exactly its canonical form."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=no_duplicates,
                           parse_constant=no_constant)
        same = canonical(value) == data
    except (ValueError, RecursionError):
        raise Doubt("malformed", f"{what} is no json that can be read") from None
    if not same:
        raise Doubt("malformed", f"{what} is not in its one canonical form")
    return value


def canonical(value):
    return write(value, 0).encode("utf-8")


def write(value, depth):
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        if any(0xFDD0 <= ord(c) <= 0xFDEF or ord(c) & 0xFFFE == 0xFFFE for c in value):
            raise ValueError("a noncharacter")
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        if abs(value) > SAFE_INTEGER_MAX:
            raise ValueError("an integer that is not exact")
        return str(value)
    if isinstance(value, float):
        return write_number(value)
    if depth >= 64:
        raise ValueError("too deep")
    if isinstance(value, list):
        return "[" + ",".join(write(each, depth + 1) for each in value) + "]"
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(f"{write(key, 0)}:{write(value[key], depth + 1)}" for key in keys) + "}"


def write_number(value):
    """As ECMAScript writes it (RFC 8785, section 3.2.2.3)."""
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("no number")
    if value == 0:
        return "0"
    sign, digit_tuple, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, digit_tuple))
    count, point = len(digits), len(digits) + exponent
    if count <= point <= 21:
        text = digits + "0" * (point - count)
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        mantissa = digits[0] + ("." + digits[1:] if count > 1 else "")
        text = f"{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return ("-" if sign else "") + text


def members(value, what, names=None):
    if not isinstance(value, dict) or (names is not None and not set(value) <= set(names)):
        raise malformed(what)
    return value


def items(value, what):
    if not isinstance(value, list):
        raise malformed(what)
    return value


def text(value, what):
    if not isinstance(value, str):
        raise malformed(what)
    return value


def text_or_none(value, what):
    return None if value is None else text(value, what)


def texts(value, what):
    return [text(each, what) for each in items(value, what)]


def count(value, what):
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= SAFE_INTEGER_MAX:
        raise malformed(what)
    return value


def unbase64(value, what):
    """Exactly one text for each value: no other alphabet, no missing padding, no bits left over."""
    try:
        data = base64.b64decode(text(value, what), validate=True)
    except ValueError:
        raise malformed(what) from None
    if base64.b64encode(data).decode() != value:
        raise malformed(what)
    return data


def sha256(data):
    return hashlib.sha256(data).digest()


def digest_of(tag, value):
    return hashlib.sha256(tag.encode() + b"\0" + canonical(value)).hexdigest()


# ------------------------------------------------------------------ Ed25519, by openssl

def is_signed(public_key, signature, signed):
    if len(public_key) != 32 or len(signature) != 64:
        return False
    der = bytes.fromhex("302a300506032b6570032100") + public_key
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for name, data in (("key", der), ("signature", signature), ("signed", signed)):
            names[name] = os.path.join(folder, name)
            with open(names[name], "wb") as file:
                file.write(data)
        ran = subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", names["key"],
             "-rawin", "-in", names["signed"], "-sigfile", names["signature"]],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return ran.returncode == 0


# ------------------------------------------------------------------ signed notes and checkpoints

class Key:
    """A verifier key: NAME+ID+BASE64(TYPE ‖ PUBLIC KEY). Type 1 is a log's, type 4 a witness's."""

    def __init__(self, vkey):
        name, _, rest = vkey.partition("+")
        key_id, _, encoded = rest.partition("+")
        data = unbase64(encoded, "a key")
        if not name or any(c.isspace() for c in name) or len(data) != 33 or data[0] not in (1, 4):
            raise malformed("a key")
        self.name, self.id, self.type, self.public = name, key_id, data[0], data[1:]
        if sha256(name.encode() + b"\n" + data)[:4].hex() != key_id:
            raise malformed("a key id")


def read_note(note):
    if re.search("[\0-\t\x0b-\x1f]", note) or "\n\n" not in note or not note.endswith("\n"):
        raise malformed("a signed note")
    body, _, lines = note.rpartition("\n\n")
    signatures = []
    for line in lines[:-1].split("\n"):
        match = re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})", line)
        data = unbase64(match[2], "a signature") if match else b""
        if len(data) < 5:
            raise malformed("a signature line")
        signatures.append((match[1], data[:4].hex(), data[4:]))
    if len(signatures) > 64:
        raise malformed("a signed note")
    return body + "\n", signatures


def standing(note, key):
    """None where the key did not sign, else the second of a cosignature, or 0."""
    body, signatures = note
    times = []
    for name, key_id, data in signatures:
        if (name, key_id) != (key.name, key.id):
            continue
        second, signature, signed = 0, data, body
        if key.type == 4:
            second, signature = int.from_bytes(data[:8], "big"), data[8:]
            signed = f"cosignature/v1\ntime {second}\n{body}"
        if not is_signed(key.public, signature, signed.encode()):
            raise Doubt("forged_signature", f"the signature of {key.name} is not by its key")
        times.append(second)
    return times[0] if times else None


def read_checkpoint(body):
    lines = body.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0] or not re.fullmatch("0|[1-9][0-9]*", lines[1]):
        raise malformed("the checkpoint")
    origin, size, root = lines[0], int(lines[1]), unbase64(lines[2], "the checkpoint")
    if len(root) != 32 or size > SAFE_INTEGER_MAX:
        raise malformed("the checkpoint")
    return origin, size, root


class Trusted:
    """A checkpoint that a key of its log signed, and enough witnesses."""

    def __init__(self, signed, policy):
        note = read_note(signed)
        self.origin, self.size, self.root = read_checkpoint(note[0])
        self.keys = [key for key in policy.logs if key.name == self.origin]
        self.signers = [key for key in self.keys if standing(note, key) is not None]
        if not self.signers:
            raise Doubt("no_key", f"no key that the policy names signed for {self.origin}")
        seen = {name: standing(note, key) for name, key in policy.witnesses.items()}
        latest = time.time() + 300
        self.witnesses = {name for name, at in seen.items() if at is not None and at <= latest}
        if not policy.is_quorum(policy.quorum, self.witnesses):
            raise Doubt("no_quorum", "too few witnesses cosigned the checkpoint")


# ------------------------------------------------------------------ the key policy (C2SP tlog-policy)

class Policy:
    def __init__(self, data):
        self.logs, self.witnesses, self.groups, self.quorum = [], {}, {}, None
        self.members = set()
        if len(data) > 262_144 or (data and not data.endswith(b"\n")):
            raise malformed("the key policy")
        for number, line in enumerate(data.decode("utf-8").split("\n"), 1):
            if re.search("[\0-\x08\x0b-\x1f\x7f]", line):
                raise malformed(f"line {number} of the key policy")
            words = [word for word in re.split("[ \t]+", line) if word]
            if words and not words[0].startswith("#") and not self.read(words):
                raise malformed(f"line {number} of the key policy")
        if self.quorum is None:
            raise Doubt("malformed", "the key policy has no quorum line")

    def read(self, words):
        keyword, rest = words[0], words[1:]
        if keyword == "log" and 1 <= len(rest) <= 2:
            key = Key(rest[0])
            fresh = all(key.public != other.public for other in self.logs)
            self.logs.append(key)
            return key.type == 1 and fresh
        if keyword == "witness" and 2 <= len(rest) <= 3:
            key = Key(rest[1])
            fresh = all(key.public != other.public for other in self.witnesses.values())
            free = self.is_free(rest[0])
            self.witnesses[rest[0]] = key
            return key.type == 4 and fresh and free
        if keyword == "group" and len(rest) >= 3:
            name, threshold, names = rest[0], rest[1], rest[2:]
            need = {"all": len(names), "any": 1}.get(threshold)
            if need is None:
                need = int(threshold) if re.fullmatch("[1-9][0-9]{0,3}", threshold) else 0
            once = len(set(names)) == len(names) and not self.members & set(names)
            good = self.is_free(name) and once and not any(map(self.is_free, names))
            self.members |= set(names)
            self.groups[name] = (need, names)
            return good and "none" not in names and 1 <= need <= len(names)
        if keyword == "quorum" and len(rest) == 1 and self.quorum is None:
            self.quorum = rest[0]
            return rest[0] == "none" or not self.is_free(rest[0])
        return False

    def is_free(self, name):
        return name != "none" and name not in self.witnesses and name not in self.groups

    def is_quorum(self, name, cosigned):
        if name in self.groups:
            need, names = self.groups[name]
            return sum(self.is_quorum(each, cosigned) for each in names) >= need
        return name == "none" or name in cosigned


# ------------------------------------------------------------------ the Merkle tree (RFC 9162, section 2.1)

def leaf_hash(entry):
    return sha256(b"\0" + entry)


def node_hash(left, right):
    return sha256(b"\1" + left + right)


def is_included(index, size, leaf, proof, root):
    if index >= size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place % 2 == 1 or place == last:
            found = node_hash(sibling, found)
            while place % 2 == 0 and place != 0:
                place, last = place // 2, last // 2
        else:
            found = node_hash(found, sibling)
        place, last = place // 2, last // 2
    return last == 0 and found == root


class Tree:
    def __init__(self):
        self.size, self.subtrees = 0, []

    def append(self, entry):
        found, size = leaf_hash(entry), self.size
        while size % 2 == 1:
            found = node_hash(self.subtrees.pop(), found)
            size //= 2
        self.subtrees.append(found)
        self.size += 1

    def root(self):
        if not self.subtrees:
            return sha256(b"")
        found = self.subtrees[-1]
        for left in reversed(self.subtrees[:-1]):
            found = node_hash(left, found)
        return found


# ------------------------------------------------------------------ receipts

def read_proof(proof):
    """index, hashes and checkpoint of a C2SP tlog-proof without extra data."""
    head, found, checkpoint = proof.partition("\n\n")
    lines = head.split("\n")
    match = re.fullmatch("index (0|[1-9][0-9]{0,15})", lines[1]) if len(lines) > 1 else None
    if not found or lines[0] != "c2sp.org/tlog-proof@v1" or match is None:
        raise malformed("a proof")
    hashes = [unbase64(line, "a proof") for line in lines[2:]]
    if len(hashes) > 53 or any(len(each) != 32 for each in hashes):
        raise malformed("a proof")
    if int(match[1]) > SAFE_INTEGER_MAX:
        raise malformed("a proof")
    return int(match[1]), hashes, checkpoint


class Entry:
    MEMBERS = ("action", "at", "body", "kind", "payloads", "tenant", "v")

    def __init__(self, index, data, payloads):
        self.sequence = index + 1
        where = f"entry {self.sequence}"
        if len(data) > ENTRY_BYTES_MAX:
            raise malformed(where)
        entry = members(parse_canonical(data, where), where)
        if entry.get("v") != 1 or isinstance(entry["v"], bool):
            raise Doubt("unknown_version", f"{where} is of an unknown version")
        members(entry, where, self.MEMBERS)
        named = members(entry.get("payloads"), where)
        self.payloads = {}
        for name, (salt, salted) in payloads.items():
            found = hashlib.sha256(b"exequatur/payload/v1\0" + salt + salted).hexdigest()
            if len(salt) != 32 or named.get(name) != found:
                raise Doubt("payload_mismatch", f"{name} is not the payload that {where} names")
            self.payloads[name] = parse_canonical(salted, f"payload {name} of {where}")
        self.erased = [name for name in named if name not in payloads]
        if "body" in self.erased:
            raise Doubt("erased", f"what {where} says in full was erased")
        self.tenant = text(entry.get("tenant"), where)
        self.at = count(entry.get("at"), where)
        self.kind = text(entry.get("kind"), where)
        self.action = text(entry["action"], where) if "action" in entry else None
        self.body = members(self.payloads.pop("body", entry.get("body")), where)
        self.where = where


def known(gathered):
    gathered = members(gathered, "what was gathered")
    return gathered.get("value") if gathered.get("kind") == "known" else None


def mismatch(message):
    return Doubt("story_mismatch", message)


RESOLUTION = ("identity", "environment", "operation", "effect", "credential", "executor", "files")


def consent_of(entry, subject):
    """The digests that an approval is a yes to: consent, resolution, preview."""
    resolved = members(subject.get("resolution"), "a resolution")
    if not set(RESOLUTION) <= set(resolved):
        raise malformed("a resolution")
    resolution = digest_of("exequatur/resolution/v1", {name: resolved[name] for name in RESOLUTION})
    shown = subject.get("preview")
    if shown is None and "preview" not in subject:
        raise malformed("a preview")
    material = None
    if shown is not None and shown != "none":
        if "material" not in members(shown, "a preview"):
            raise malformed("a preview")
        material = shown["material"]
    preview = digest_of("exequatur/preview/v1", material)
    if entry.action is None or "actionDigest" not in subject or "nonce" not in subject:
        raise malformed("what was consented to")
    consent = digest_of("exequatur/consent/v1", {
        "action": entry.action, "actionDigest": subject["actionDigest"], "nonce": subject["nonce"],
        "preview": preview, "resolution": resolution, "tenant": entry.tenant})
    return consent, resolution, preview


class Story:
    """One action's life; entries that do not make one, in the order of the log, are no receipt."""

    def __init__(self, entries):
        if entries[0].action is None:
            raise mismatch("the entries are about no action")
        self.tenant, self.action = entries[0].tenant, entries[0].action
        self.state, self.proposed, self.decision, self.crossing, self.ending = "new", None, None, None, None
        self.answers, self.consumed, self.barred_count, last = {}, set(), 0, 0
        self.erasures = []
        steps = {
            "proposed": self.propose, "decided": self.decide, "approved": self.answer,
            "confirmed": self.answer, "rejected": self.end, "withdrawn": self.end,
            "crossed": self.cross, "barred": self.bar, "settled": self.settle, "resolved": self.settle,
            "erased": self.erase,
        }
        for entry in entries:
            if (entry.tenant, entry.action) != (self.tenant, self.action):
                raise mismatch(f"{entry.where} is about another action")
            if entry.sequence <= last:
                raise mismatch("the entries are not in the order of the log")
            last = entry.sequence
            if entry.kind not in steps:
                raise Doubt("unknown_kind", f"{entry.where} is of kind {entry.kind}")
            if self.proposed is None and entry.kind != "proposed":
                raise mismatch("the first entry is not the proposal")
            steps[entry.kind](entry, entry.body, entry.where)
        self.erased = [{"entry": e.sequence, "payload": p} for e in entries for p in e.erased]

    def come_from(self, entry, *states):
        if self.state not in states:
            raise mismatch(f"{entry.where} says {entry.kind} of an action that is {self.state}")

    def propose(self, entry, body, where):
        self.come_from(entry, "new")
        for name in ("digest", "request", "agent", "target", "operation"):
            text(body.get(name), where)
        text_or_none(body.get("delegator"), where)
        if "action" in entry.payloads:
            action = members(entry.payloads["action"], "the action")
            told = (entry.tenant, body["target"], body["operation"])
            if (digest_of("exequatur/action/v1", action) != body["digest"]
                    or (action.get("tenant"), action.get("target"), action.get("operation")) != told):
                raise mismatch(f"the action beside the proposal is not what {where} says it is")
        self.proposed, self.state = entry, "proposed"

    def read_decision(self, entry, body, where):
        text(body.get("verdict"), where)
        texts(body.get("matched"), where)
        texts(body.get("codes"), where)
        if "rules" in body:
            texts(body["rules"], where)
        text(body.get("policy"), where)
        count(body.get("epoch"), where)
        self.decision = entry

    def decide(self, entry, body, where):
        held = self.state == "held"
        self.come_from(entry, "proposed", "held")
        self.read_decision(entry, body, where)
        if body["verdict"] == "hold":
            self.state = "held"
        elif body["verdict"] != "deny":
            raise malformed(where)
        else:
            self.state = "expired" if held and "deadline_passed" in body["codes"] else "denied"

    def answer(self, entry, body, where):
        self.come_from(entry, "held")
        for name in ("approval", "approver", "consent", "requirement"):
            text(body.get(name), where)
        count(body.get("expiresAt"), where)
        if body["approval"] in self.answers:
            raise mismatch(f"{where} gives an approval that was given before")
        if "subject" in entry.payloads:
            subject = members(entry.payloads["subject"], "the subject of an approval")
            told = (self.proposed.body["digest"], entry.tenant, entry.action)
            if ((subject.get("actionDigest"), subject.get("tenant"), subject.get("action")) != told
                    or consent_of(entry, subject)[0] != body["consent"]):
                raise mismatch(f"what was approved is not what {where} says it is")
        self.answers[body["approval"]] = entry

    def end(self, entry, _body, _where):
        self.come_from(entry, "held")
        self.state = entry.kind

    def cross(self, entry, body, where):
        self.come_from(entry, "proposed", "held")
        text(body.get("execution"), where)
        text_or_none(body.get("effect"), where)
        text_or_none(body.get("consent"), where)
        texts(body.get("consumes"), where)
        self.read_decision(entry, body, where)
        if body["verdict"] != "admit":
            raise malformed(where)
        for approval in body["consumes"]:
            answer = self.answers.get(approval)
            if answer is None:
                raise mismatch(f"the approval that {where} uses is not in the receipt")
            if answer.body["consent"] != body.get("consent"):
                raise mismatch(f"{where} uses an approval of something else")
            if answer.body["expiresAt"] <= entry.at:
                raise mismatch(f"{where} uses an approval that had expired")
            if approval in self.consumed:
                raise mismatch(f"{where} uses an approval a second time")
            self.consumed.add(approval)
        if "inputs" in entry.payloads:
            inputs = members(entry.payloads["inputs"], "the inputs")
            good = inputs.get("actionDigest") == self.proposed.body["digest"]
            if good and body.get("consent") is not None:
                subject = {"actionDigest": self.proposed.body["digest"],
                           "resolution": known(inputs.get("resolution"))}
                shown = members(inputs.get("preview"), "what was gathered")
                if shown.get("kind") == "known" and "value" in shown:
                    subject["preview"] = shown["value"]
                if "nonce" in inputs:
                    subject["nonce"] = inputs["nonce"]
                told = (body["consent"], body.get("resolution"), body.get("preview"))
                good = consent_of(entry, subject) == told
            if not good:
                raise mismatch(f"what was decided from is not what {where} says it is")
        self.crossing, self.state = entry, "executing"

    def same_execution(self, entry, body, state):
        self.come_from(entry, state)
        if body.get("execution") != self.crossing.body["execution"]:
            raise mismatch(f"{entry.where} is about another execution")

    def bar(self, entry, body, _where):
        self.same_execution(entry, body, "executing")
        self.consumed -= set(self.crossing.body["consumes"])
        self.crossing, self.state = None, "held"
        self.barred_count += 1

    def settle(self, entry, body, where):
        late = entry.kind == "resolved"
        self.same_execution(entry, body, "unknown" if late else "executing")
        outcome = text(body.get("outcome"), where)
        possible = {"succeeded", "failed", "not_executed"} | (set() if late else {"unknown"})
        if outcome not in possible or not isinstance(body.get("sent"), bool):
            raise malformed(where)
        text(body.get("code"), where)
        text_or_none(body.get("by"), where)
        self.ending, self.state = entry, outcome

    def erase(self, entry, body, where):
        self.erasures.append({"at": entry.at, "by": text(body.get("by"), where)})

    # -------------------------------------------------------------- the in-toto statement

    def statement(self):
        proposed, latest = self.proposed, self.decision or self.proposed
        inputs = latest.payloads.get("inputs")
        if "inputs" in latest.payloads:
            members(inputs, "the inputs")
        resolution = known(inputs.get("resolution")) if inputs is not None else None
        return {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": self.action, "digest": {"sha256": proposed.body["digest"]}}],
            "predicateType": "https://exequatur.dev/execution/v1",
            "predicate": {
                "action": self.action,
                "tenant": self.tenant,
                "state": self.state,
                "proposedAt": proposed.at,
                "request": proposed.body["request"],
                "principal": {"agent": proposed.body["agent"],
                              "delegator": proposed.body.get("delegator")},
                "target": proposed.body["target"],
                "operation": proposed.body["operation"],
                "environment": None if resolution is None
                else members(resolution, "environment").get("environment"),
                "decision": None if self.decision is None else self.decision_json(),
                "resolution": resolution,
                "preview": None if inputs is None else known(inputs.get("preview")),
                "facts": None if inputs is None else facts_json(inputs.get("facts"), latest.at),
                "approvals": [self.answer_json(each) for each in self.answers.values()],
                "execution": None if self.crossing is None else execution_json(self.crossing),
                "redemption": None if inputs is None else inputs.get("redemption"),
                "barred": self.barred_count,
                "outcome": None if self.ending is None else ending_json(self.ending),
                "isolation": None if self.crossing is None else self.crossing.body.get("isolation"),
                "erasures": self.erasures,
                "erased": self.erased,
            },
        }

    def decision_json(self):
        body, told = self.decision.body, self.decision.payloads.get("decision")
        return {
            "at": self.decision.at, "verdict": body["verdict"], "policy": body["policy"],
            "epoch": body["epoch"], "matched": body["matched"], "codes": body["codes"],
            "rules": body.get("rules"),
            "findings": members(told, "findings").get("findings")
            if "decision" in self.decision.payloads else None,
        }

    def answer_json(self, entry):
        body = entry.body
        return {
            "id": body["approval"], "kind": entry.kind, "approver": body["approver"], "at": entry.at,
            "expiresAt": body["expiresAt"], "requirement": body["requirement"],
            "consent": body["consent"], "consumed": body["approval"] in self.consumed,
            "assertion": entry.payloads.get("assertion"),
        }


def facts_json(facts, at):
    told = []
    for name in sorted(members(facts, "the facts"), key=lambda each: each.encode("utf-16-be")):
        gathered = members(facts[name], "what was gathered")
        if gathered.get("kind") != "known" or "value" not in gathered:
            told.append({"name": name, "known": False})
            continue
        fact = members(gathered["value"], "a fact")
        observed = count(fact.get("observedAt"), "a fact")
        told.append({"name": name, "known": True, "source": text(fact.get("source"), "a fact"),
                     "observedAt": observed, "ageMs": at - observed, "value": fact.get("value")})
    return told


def execution_json(entry):
    body = entry.body
    return {
        "id": body["execution"], "crossedAt": entry.at, "effect": body.get("effect"),
        "consent": body.get("consent"), "consumes": body["consumes"],
        "reserves": items(body.get("reserves"), entry.where),
        "resolution": body.get("resolution"), "preview": body.get("preview"),
    }


def ending_json(entry):
    body = entry.body
    return {"state": body["outcome"], "code": body["code"], "sent": body["sent"], "at": entry.at,
            "by": body.get("by")}


def verify_receipt(data, policy):
    if len(data) > RECEIPT_BYTES_MAX:
        raise Doubt("too_large", "the receipt is too large")
    receipt = members(parse_canonical(data[:-1] if data.endswith(b"\n") else data, "the receipt"),
                      "the receipt")
    if receipt.get("format") != "exequatur-receipt/v1":
        raise Doubt("unknown_version", "the file is no exequatur-receipt/v1")
    members(receipt, "the receipt", ("format", "statement", "entries"))
    listed = items(receipt.get("entries"), "the receipt")
    if not 1 <= len(listed) <= 10_000:
        raise malformed("the receipt")
    envelope = members(receipt.get("statement"), "the envelope", ("payload", "payloadType", "signatures"))
    payload_type = text(envelope.get("payloadType"), "the envelope")
    payload = unbase64(envelope.get("payload"), "the envelope")
    signatures = []
    for each in items(envelope.get("signatures"), "the envelope"):
        members(each, "a signature", ("keyid", "sig"))
        signatures.append((text(each.get("keyid"), "a signature"), unbase64(each.get("sig"), "a signature")))
    if len(signatures) > 16:
        raise malformed("the envelope")
    read = []
    for each in listed:
        members(each, "an entry", ("entry", "proof", "payloads"))
        payloads = {}
        for name, salted in members(each.get("payloads"), "an entry").items():
            members(salted, "a payload", ("salt", "bytes"))
            payloads[name] = (unbase64(salted.get("salt"), "salt"), unbase64(salted.get("bytes"), "bytes"))
        read.append((unbase64(each.get("entry"), "an entry"),
                     read_proof(text(each.get("proof"), "an entry")), payloads))
    if len({proof[2] for _, proof, _ in read}) != 1:
        raise Doubt("not_in_log", "the proofs are not all for the same checkpoint")
    trusted = Trusted(read[0][1][2], policy)
    for entry, (index, hashes, _), _ in read:
        if not is_included(index, trusted.size, leaf_hash(entry), hashes, trusted.root):
            raise Doubt("not_in_log", f"entry {index + 1} is not in the log")
    entries = [Entry(proof[0], entry, payloads) for entry, proof, payloads in read]
    signed = b"DSSEv1 %d %s %d %s" % (
        len(payload_type.encode()), payload_type.encode(), len(payload), payload)
    claims = [(key, signature) for key_id, signature in signatures
              for key in trusted.keys if key.id == key_id]
    if not all(is_signed(key.public, signature, signed) for key, signature in claims):
        raise Doubt("forged_signature", "the statement's signature is not by the key it names")
    if not claims:
        raise Doubt("no_key", "the statement is signed by no key that the policy names for its log")
    story = Story(entries)
    if payload_type != "application/vnd.in-toto+json" or payload != canonical(story.statement()):
        raise Doubt("statement_mismatch", "the statement does not say what the entries say")
    return (f"{story.state}: {story.proposed.body['operation']} at {story.proposed.body['target']}, "
            f"action {story.action}, in log {trusted.origin} at size {trusted.size}, "
            f"{len(trusted.witnesses)} witnesses")


# ------------------------------------------------------------------ ledger exports

def head_line(file):
    line = file.readline(28)
    if not line.endswith(b"\n") and len(line) < 28:
        raise Doubt("truncated", "the export ends before its checkpoint")
    return line


def verify_export(file, policy, since):
    if head_line(file) != b"exequatur-ledger/v1\n":
        raise Doubt("unknown_version", "the file is no exequatur-ledger/v1")
    length = head_line(file)
    if not re.fullmatch(rb"[1-9][0-9]{0,4}\n", length) or int(length) > 65_536:
        raise Doubt("malformed", "the export says no length of its checkpoint")
    signed = file.read(int(length))
    if len(signed) < int(length):
        raise Doubt("truncated", "the export ends within its checkpoint")
    trusted = Trusted(signed.decode("utf-8"), policy)
    kept = {}
    for each in since:
        checkpoint = Trusted(each.decode("utf-8"), policy)
        if checkpoint.origin != trusted.origin:
            raise Doubt("other_log", "a checkpoint that was kept is of another log")
        if checkpoint.size > trusted.size:
            raise Doubt("older_than_checkpoint",
                        f"the ledger has {trusted.size} entries and had {checkpoint.size} already")
        kept.setdefault(checkpoint.size, []).append(checkpoint.root)
    tree, forked = Tree(), False
    while True:
        forked = forked or any(root != tree.root() for root in kept.get(tree.size, ()))
        head = file.read(2)
        if not head:
            break
        entry = file.read(int.from_bytes(head, "big")) if len(head) == 2 else b""
        if len(head) < 2 or len(entry) < int.from_bytes(head, "big"):
            raise Doubt("truncated", "the export ends within an entry")
        if tree.size == trusted.size:
            raise Doubt("extra_entries", f"there are more than {trusted.size} entries")
        tree.append(entry)
    if tree.size < trusted.size:
        raise Doubt("truncated", f"the export holds {tree.size} of {trusted.size} entries")
    if tree.root() != trusted.root:
        raise Doubt("root_mismatch", "the entries are not the ones that were signed")
    if forked:
        raise Doubt("forked", "the ledger does not begin as the checkpoint that was kept says")
    return (f"ledger of {trusted.size} entries, log {trusted.origin}, {len(trusted.witnesses)} witnesses, "
            f"compared with {len(since)} checkpoints that were kept")


# ------------------------------------------------------------------ the command

def verify_file(name, policy, since):
    """The exit code for one file, and the line about it."""
    try:
        with open(name, "rb") as file:
            if file.peek(1)[:1] == b"{":
                summary = verify_receipt(file.read(RECEIPT_BYTES_MAX + 1), policy)
            else:
                summary = verify_export(file, policy, since)
        return 0, f"genuine: {name}: {summary}"
    except Doubt as doubt:
        exit_code = 1 if doubt.code in NOT_GENUINE else 2
        word = "not genuine" if exit_code == 1 else "cannot tell"
        return exit_code, f"{word} ({doubt.code}): {name}: {doubt}"
    except UnicodeDecodeError:
        return 2, f"cannot tell (malformed): {name}: the file is no utf-8"


def main():
    parser = argparse.ArgumentParser(description="Verify Exequatur receipts and ledger exports.")
    parser.add_argument("--trust", required=True, help="key policy file (C2SP tlog-policy)")
    parser.add_argument("--since", action="append", default=[], help="a checkpoint that was kept elsewhere")
    parser.add_argument("files", nargs="+")
    given = parser.parse_args()
    try:
        with open(given.trust, "rb") as file:
            policy = Policy(file.read(262_145))
        since = []
        for name in given.since:
            with open(name, "rb") as file:
                since.append(file.read(65_537))
        told = [verify_file(name, policy, since) for name in given.files]
    except (Doubt, OSError, UnicodeDecodeError) as error:
        print(f"cannot tell: {error}", file=sys.stderr)
        return 2
    for _, line in told:
        print(line)
    codes = {code for code, _ in told}
    return 1 if 1 in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
