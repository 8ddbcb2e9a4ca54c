"""A web server on loopback that answers as it is told, and remembers what it was asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Outside:
    """`answers` are given in their order, the last one for ever: `(status, headers, body)`, "drop" or "hang"."""

    def __init__(self):
        self.answers, self.requests = [(200, {}, {"ok": True})], []
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                outside.requests.append((self.command, self.path, self.rfile.read(length).decode()))
                answer = outside.answers.pop(0) if len(outside.answers) > 1 else outside.answers[0]
                if answer == "hang":
                    outside.released.wait(10)
                if answer in ("drop", "hang"):
                    self.close_connection = True
                    return
                status, headers, body = answer
                content = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _answer

            def log_message(self, *args):
                pass

        self.released = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)
