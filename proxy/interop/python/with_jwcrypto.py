"""A service provider that encrypts with jwcrypto.

It makes every call of the job on stdin and reports on stdout.
"""

import base64
import hashlib
import hmac
import json
import platform
import secrets
import ssl
import sys
import traceback
from datetime import datetime, timedelta, timezone
from http.client import HTTPSConnection
from importlib.metadata import version
from urllib.parse import urlsplit

from jwcrypto import jwe, jwk

KST = timezone(timedelta(hours=9))


def main():
    job = json.load(sys.stdin)
    server_key = jwk.JWK.from_pem(job["serverPublicKey"].encode())
    client_key = jwk.JWK.from_pem(job["clientPrivateKey"].encode())
    trust = ssl.create_default_context(cafile=job["caFile"])
    connection = HTTPSConnection(urlsplit(job["url"]).netloc, context=trust)
    results = []
    for call in job["calls"]:
        try:
            result = exchange(connection, job, call, server_key, client_key)
        except Exception:
            result = {"error": traceback.format_exc()}
        results.append({"name": call["name"], **result})
    client = f"jwcrypto {version('jwcrypto')}, Python {platform.python_version()}"
    json.dump({"client": client, "results": results}, sys.stdout)


def exchange(connection, job, call, server_key, client_key):
    body = json.dumps({"encData": seal(call, server_key)})
    headers = sign(job, call, body)
    connection.request("POST", call["path"], body.encode(), headers)
    answer = connection.getresponse()
    received = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"status {answer.status}: {received!r}")
    token = jwe.JWE()
    token.deserialize(json.loads(received)["encData"], key=client_key)
    return {
        "token": headers["X-KM-Tran-Token"],
        "correlationId": answer.headers["X-KM-Correlation-Id"],
        "keyId": answer.headers["X-KM-Crypto-Key-Id"],
        "alg": token.jose_header["alg"],
        "enc": token.jose_header["enc"],
        "answer": base64.b64encode(token.payload).decode(),
    }


def seal(call, server_key):
    header = {"enc": call["enc"], "alg": call["alg"]}
    token = jwe.JWE(base64.b64decode(call["body"]), protected=json.dumps(header))
    token.add_recipient(server_key)
    return token.serialize(compact=True)


def sign(job, call, body):
    """Returns the headers of a body. The token covers the text that is sent."""
    now = datetime.now(KST).strftime("%Y%m%d%H%M%S%f")
    digest = hmac.new(job["secretKey"].encode(), body.encode(), hashlib.sha256).digest()
    mac = base64.b64encode(digest).decode()
    if not call["padded"]:
        mac = mac.rstrip("=")
    return {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "X-KM-User-AspId": job["aspId"],
        "X-KM-Correlation-Id": now[2:14] + "-" + secrets.token_hex(4)[1:],
        "X-KM-Access-Key": job["accessKey"],
        "X-KM-Crypto-Key-Id": job["keyId"],
        "X-KM-Tran-Token": ":".join(["KMV1", now[: call["timeDigits"]], mac]),
        "X-KM-Tran-Time": now[:14],
        "X-KM-Time-Zone": "KST",
    }


main()
