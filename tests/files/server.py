#!/usr/bin/env python3
"""A web server on a free port of this machine, for the tests of downloads. Prints the port; ends with its standard input.

/whole/NAME   the file, ranges honoured          /plain/NAME   the file, ranges ignored
/cut/NAME     the first half, then the line drops /wrong/NAME   other bytes of the same length
/moved/NAME   a redirect to /whole/NAME           /endless/NAME  zeros without a length, for ever
/slow/NAME    the file, 3 bytes a second          /silent/NAME   no answer
anything else 404
/log          what was asked for: path and Range, a line each
"""
import http.server
import os
import re
import sys
import threading
import time

folder = sys.argv[1]
asked = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/log":
            self.answer(200, "".join(line + "\n" for line in asked).encode())
            return
        asked.append(self.path + " " + self.headers.get("Range", "-"))
        match = re.fullmatch(r"/(whole|plain|cut|wrong|moved|endless|slow|silent)/([\w.-]+)", self.path)
        path = os.path.join(folder, match.group(2)) if match else ""
        if not match or not os.path.isfile(path):
            self.answer(404, b"no")
            return
        kind = match.group(1)
        with open(path, "rb") as stream:
            body = stream.read()
        if kind == "moved":
            self.answer(302, Location="/whole/" + match.group(2))
        elif kind == "cut":
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
        elif kind == "silent":
            time.sleep(60)
        elif kind in ("endless", "slow"):
            self.send_response(200)
            if kind == "slow":
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                while kind == "endless":
                    self.wfile.write(bytes(1 << 16))
                for i in range(0, len(body), 3):
                    self.wfile.write(body[i : i + 3])
                    time.sleep(1)
            except OSError:
                pass  # the other side has gone
        elif kind == "wrong":
            self.answer(200, bytes(len(body)))
        elif kind == "whole" and self.headers.get("Range"):
            start = int(re.fullmatch(r"bytes=(\d+)-", self.headers["Range"]).group(1))
            if start >= len(body):
                self.answer(416, Content_Range="bytes */%d" % len(body))
            else:
                self.answer(206, body[start:], Content_Range="bytes %d-%d/%d" % (start, len(body) - 1, len(body)))
        else:
            self.answer(200, body)


http.server.ThreadingHTTPServer.daemon_threads = True
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
