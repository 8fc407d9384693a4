"""A provider of logins (OIDC) as small as one can be: whoever types an address is believed to be there."""

from __future__ import annotations

import json
import secrets
import time
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "errata", secrets.token_hex(16)
FORM = """<!doctype html><title>Provider</title><form method="post"><input type="hidden" name="asked" value="{asked}">
<label>Address <input name="email"></label><label><input type="checkbox" name="verified" checked> verified</label>
<button>Continue</button></form>"""


class Provider(ThreadingHTTPServer):
    """Discovery, authorization with PKCE, token, keys."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.codes = {}

    def metadata(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def id_token(self, email, verified, nonce):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": email, "iat": now, "exp": now + 300, "nonce": nonce}
        claims |= {"email": email, "email_verified": verified, "name": email.partition("@")[0]}
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)


class _Answer(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_):
        pass

    def do_GET(self):
        asked = urlsplit(self.path)
        if asked.path == "/.well-known/openid-configuration":
            self.say(self.server.metadata())
        elif asked.path == "/keys":
            self.say(KeySet([self.server.key]).as_dict(private=False))
        elif asked.path == "/authorize":
            self.send(200, FORM.format(asked=asked.query.replace("&", "&amp;")).encode(), "text/html")
        else:
            self.send_error(404)

    def do_POST(self):
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(sent).items()}
        if urlsplit(self.path).path == "/authorize":
            self.back(form)
        else:
            self.token(form)

    def back(self, form):
        """To the application, with a code that it can change for a token once."""
        asked = {name: values[0] for name, values in parse_qs(form["asked"]).items()}
        assert asked["client_id"] == CLIENT
        code = secrets.token_urlsafe(16)
        self.server.codes[code] = (asked, form["email"], "verified" in form)
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")
        self.end_headers()

    def token(self, form):
        asked, email, verified = self.server.codes.pop(form["code"])
        digest = sha256(form["code_verifier"].encode()).digest()
        if urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            self.send_error(400)
            return
        told = self.server.id_token(email, verified, asked["nonce"])
        self.say({"access_token": secrets.token_hex(8), "token_type": "Bearer", "expires_in": 300, "id_token": told})

    def say(self, document):
        self.send(200, json.dumps(document).encode(), "application/json")

    def send(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def provider():
    """A provider that answers."""
    running = Provider()
    Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield running
    finally:
        running.shutdown()
        running.server_close()
