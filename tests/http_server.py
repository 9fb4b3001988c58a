"""A web server on this machine that can be made to behave badly."""

import re
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Serves a folder's files; what it shall do wrong is set on it.

    cuts: bytes after which the next answers break off, in turn; statuses:
    what the next answers say instead of a file; ranges: whether a part
    can be asked for; headers: sent along; asked: the name and the range
    of every question so far.
    """

    def __init__(self, folder, address):
        self.folder, self.address = folder, address
        self.cuts, self.statuses, self.headers = [], [], {}
        self.ranges = True
        self.asked = []


class Handler(SimpleHTTPRequestHandler):
    server_version = "Test"

    def __init__(self, server, *of):
        self.says = server
        super().__init__(*of)

    def do_GET(self):
        says, name = self.says, self.path.strip("/")
        wanted = self.headers.get("Range")
        says.asked.append((name, wanted))
        if says.statuses:
            self.send_error(says.statuses.pop(0))
            return
        if not (says.folder / name).is_file():
            self.send_error(404)
            return
        whole = (says.folder / name).read_bytes()
        first = int(re.findall(r"\d+", wanted)[0]) if wanted else 0
        if wanted and says.ranges and first >= len(whole):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(whole)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if wanted and says.ranges:
            self.send_response(206)
            sent = f"bytes {first}-{len(whole) - 1}/{len(whole)}"
            self.send_header("Content-Range", sent)
            whole = whole[first:]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(whole)))
        for header in says.headers.items():
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(whole[: says.cuts.pop(0)] if says.cuts else whole)

    def log_message(self, *_):
        pass


@contextmanager
def serving(folder):
    """A `Server` of a folder, on a port of its own."""
    server = Server(folder, "")
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, server)
    ) as listening:
        server.address = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(
            target=listening.serve_forever, kwargs={"poll_interval": 0.01}
        )
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
