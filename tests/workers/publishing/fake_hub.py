"""The part of the Hugging Face Hub's HTTP API that an upload uses, on loopback, keeping what it is sent."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeHub:
    """status: path's beginning → status with which requests there are answered instead."""

    def __init__(self) -> None:
        self.status: dict[str, int] = {}
        self.requests: list[str] = []
        self.repos: dict[str, dict[str, Any]] = {}
        self.tokens: set[str | None] = set()
        self.lfs: dict[str, bytes] = {}
        self.commits: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None: ...

            def do_POST(self) -> None:
                self._answer("POST")

            def do_PUT(self) -> None:
                self._answer("PUT")

            def do_GET(self) -> None:
                self._answer("GET")

            def _answer(self, method: str) -> None:
                body = self._body()
                hub.requests.append(f"{method} {self.path}")
                hub.tokens.add(self.headers.get("Authorization"))
                code = next((code for path, code in hub.status.items() if self.path.startswith(path)), 0)
                answer = {"error": "refused by the test"} if code else hub.answer(method, self.path, body)
                data = json.dumps({"error": "not found"} if answer is None else answer).encode()
                self.send_response(code or (200 if answer is not None else 404))
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                data = b""
                while size := int(self.rfile.readline(), 16):
                    data += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return data

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, body: bytes) -> dict[str, Any] | None:
        """What the Hub says; None for a path that it does not have."""
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
            self.repos.setdefault(name, asked)
            return {"url": f"{self.url}/{name}", "id": name, "name": name}
        if path == "/api/validate-yaml":
            return {"errors": [], "warnings": []}
        if "/preupload/" in path:
            files = json.loads(body)["files"]
            modes = [(each["path"], "lfs" if each["path"].endswith(".gguf") else "regular") for each in files]
            return {"files": [{"path": name, "uploadMode": mode, "shouldIgnore": False} for name, mode in modes]}
        if path.endswith(".git/info/lfs/objects/batch"):
            return {"transfer": "basic", "objects": [self._slot(each) for each in json.loads(body)["objects"]]}
        if path.startswith("/lfs/") and method == "PUT":
            self.lfs[path.removeprefix("/lfs/")] = body
            return {}
        if path.startswith("/verify/"):
            asked = json.loads(body)
            return {} if len(self.lfs[asked["oid"]]) == asked["size"] else None
        if "/commit/" in path:
            return self._commit(path, body)
        return None

    def _slot(self, wanted: dict[str, Any]) -> dict[str, Any]:
        oid = wanted["oid"]
        actions = {"upload": {"href": f"{self.url}/lfs/{oid}"}, "verify": {"href": f"{self.url}/verify/{oid}"}}
        return {"oid": oid, "size": wanted["size"], **({} if oid in self.lfs else {"actions": actions})}

    def _commit(self, path: str, body: bytes) -> dict[str, Any]:
        lines = [json.loads(line) for line in body.splitlines()]
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                self.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                content = self.lfs[value["oid"]]
                assert hashlib.sha256(content).hexdigest() == value["oid"]
                self.files[value["path"]] = content
        self.commits.append(lines[0]["value"])
        repo = path.removeprefix("/api/models/").partition("/commit/")[0]
        return {"success": True, "commitUrl": f"{self.url}/{repo}/commit/c0ffee", "commitOid": "c0ffee"}
