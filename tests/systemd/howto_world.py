#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The servers that docs/howto.md speaks of, on this machine alone.

usage: howto_world.py FOLDER

Over HTTPS (443) one signed repository as repository.example.com and its mirrors, and as
private.example.com for who says what stands in FOLDER/token; over 3128 a proxy for who has the
password of FOLDER/proxy-password, which writes down whom it was asked for, FOLDER/proxy.log.
"""
import base64
import http.server
import pathlib
import select
import socket
import ssl
import sys
import threading

FOLDER = pathlib.Path(sys.argv[1])


def text(name):
    return (FOLDER / name).read_text().strip()


class Repository(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments):
        super().__init__(*arguments, directory=str(FOLDER / "repositories/healthy"))

    def do_GET(self):
        private = self.headers.get("Host", "").startswith("private.")
        if private and self.headers.get("Authorization") != text("token"):
            self.send_error(401)
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self):
        wanted = base64.b64encode(text("proxy-password").encode()).decode()
        if self.headers.get("Proxy-Authorization") != f"Basic {wanted}":
            self.send_error(407)
            return
        with open(FOLDER / "proxy.log", "a", encoding="utf-8") as log:
            log.write(f"CONNECT {self.path}\n")
        host, port = self.path.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as server:
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            self.carry(server)
        self.close_connection = True

    def carry(self, server):
        ends = {self.connection: server, server: self.connection}
        while True:
            for each in select.select(list(ends), [], [], 60)[0]:
                piece = each.recv(65536)
                if not piece:
                    return
                ends[each].sendall(piece)

    def log_message(self, *_):
        pass


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "tls/server.pem", FOLDER / "tls/server.key")
    repository = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Repository)
    repository.socket = context.wrap_socket(repository.socket, server_side=True)
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 3128), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    repository.serve_forever()


if __name__ == "__main__":
    main()
