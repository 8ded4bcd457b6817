# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands for an outbound agent's platform in tests: an HTTP server that is asked to have calls made."""
import http.server
import json
import queue
import threading


class WebhookServer:
    """Answers POSTs to /ok with 200, to /fail with 500, to /redirect with a 302 to /ok. What /ok was asked is in `asked`."""

    def __init__(self):
        self.asked = queue.Queue()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = {"/ok": 200, "/redirect": 302}.get(self.path, 500)
                if status == 200:
                    outer.asked.put({"type": self.headers["Content-Type"], "body": json.loads(body)})
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/ok")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/ok"):
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"

    def next(self, seconds=20):
        """The next request, as it was sent."""
        return self.asked.get(timeout=seconds)
