"""An agent in Python's standard library: one call for each of three answers. Needs EXEQUATUR_KEY."""
import json
import os
import secrets
import time
import urllib.error
import urllib.request

URL = os.environ.get("EXEQUATUR_URL", "http://localhost:7373")
KEY = os.environ["EXEQUATUR_KEY"]


def ask(method, path, body=None, headers=None):
    """The layer's answer: that an action never runs is a problem document, and an answer as well."""
    request = urllib.request.Request(
        URL + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=90) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return json.load(error)


def act(target, operation, args, wait=10, tries=5):
    """Proposes once: every try has the same idempotency key, so it never executes twice."""
    headers = {"Idempotency-Key": secrets.token_hex(16), "Prefer": f"wait={wait}"}
    body = {"target": target, "operation": operation, "args": args}
    for attempt in range(tries):
        try:
            answer = ask("POST", "/v1/actions", body, headers)
            # Without a state no action was taken: `status` 503 may go well later, anything else does not.
            if "state" in answer or answer.get("status") != 503:
                return answer
        except (OSError, ValueError):
            if attempt == tries - 1:
                raise  # Nobody said what became of it: act again with the same key, or ask a person.
        time.sleep(min(5, 0.25 * 2**attempt))
    return answer


def until_settled(action, seconds=60):
    """Waits for an action that was held or executing: poll its id, and do not propose again."""
    until = time.monotonic() + seconds
    while action["state"] in ("held", "executing") and time.monotonic() < until:
        action = ask("GET", f"/v1/actions/{action['id']}?wait=10")
    return action


for operation, args in [("append", {"text": "hello"}), ("erase", {"pages": 3}), ("erase", {"pages": 1000})]:
    answer = act("notebook", operation, args)
    print(f"{operation}: {answer.get('state', answer.get('code'))}, executed: {answer['executed']}")
