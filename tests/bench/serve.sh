# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts here: a private nginx on a free loopback port.

# serve DIRECTORY WORKDIR: starts nginx over DIRECTORY and sets $url.
serve() {
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  cat >"$2/nginx.conf" <<CONF
worker_processes 1;
daemon off;
pid $2/nginx.pid;
error_log $2/error.log;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; keepalive_timeout 300s;
  client_body_temp_path $2/body; proxy_temp_path $2/proxy; fastcgi_temp_path $2/fastcgi;
  uwsgi_temp_path $2/uwsgi; scgi_temp_path $2/scgi;
  server { listen 127.0.0.1:$port; root $1; }
}
CONF
  /usr/sbin/nginx -p "$2" -c "$2/nginx.conf" &
  nginx_pid=$!
  url=http://127.0.0.1:$port
  for _ in $(seq 100); do curl -s -o /dev/null "$url/" && return; sleep 0.05; done
  echo "nginx did not start: $(cat "$2/error.log")" >&2
  return 1
}

stop_serving() { [ -z "${nginx_pid:-}" ] || kill "$nginx_pid" 2>/dev/null || true; wait 2>/dev/null || true; }
