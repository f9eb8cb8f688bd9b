# A fresh file system for a measurement, and its end.
#
# For minutes after large trees were deleted, ext4 makes creating files 10 to 25 times slower, so
# nothing is measured on a file system with a past: `fresh_disk` makes a new ext4 in memory, behind a
# loop device. Where that is not permitted it falls back to a folder of /dev/shm, and says so.
# Needs: root for the loop device. Sets: DISK (the folder), DISK_KIND (what it is, for the report).

fresh_disk() {
  local size=${1:-4G}
  DISK=$(mktemp -d "${TMPDIR:-/tmp}/weir-bench.XXXXXX")
  DISK_IMAGE=$(mktemp /dev/shm/weir-bench.XXXXXX)
  truncate -s "$size" "$DISK_IMAGE"
  if mkfs.ext4 -q -F -i 4096 -E lazy_itable_init=0 "$DISK_IMAGE" 2>/dev/null &&
    mount -o loop,noatime "$DISK_IMAGE" "$DISK" 2>/dev/null; then
    DISK_KIND="fresh ext4 on a loop device in memory"
  else
    rm -f "$DISK_IMAGE"
    DISK_IMAGE=
    rmdir "$DISK"
    DISK=$(mktemp -d /dev/shm/weir-bench.XXXXXX)
    DISK_KIND="tmpfs"
  fi
  trap end_disk EXIT
}

end_disk() {
  local server
  for server in ${SERVER_PIDS:-}; do kill "$server" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [[ -n ${DISK_IMAGE:-} ]]; then
    umount "$DISK" 2>/dev/null || umount -l "$DISK" 2>/dev/null || true
    rm -f "$DISK_IMAGE"
    rmdir "$DISK" 2>/dev/null || true
  elif [[ -n ${DISK:-} ]]; then
    rm -rf "$DISK"
  fi
}

# static_server ROOT [PORT]: serves a folder on loopback with nginx; sets SERVER (its address) and
# SERVER_LOG (its access log: status, bytes of the body, bytes with headers, path).
static_server() {
  local root=$1 port=${2:-$((20000 + RANDOM % 20000))} run
  run=$(mktemp -d "$DISK/nginx.XXXXXX")
  SERVER_LOG=$run/access.log
  cat >"$run/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $run/pid; error_log $run/error.log;
$([[ $(id -u) == 0 ]] && echo "user root;")
events { worker_connections 512; }
http {
  log_format bench '\$status \$body_bytes_sent \$bytes_sent \$request_uri';
  access_log $SERVER_LOG bench; sendfile on; tcp_nodelay on; keepalive_requests 100000;
  default_type application/octet-stream; types { application/json json; }
  client_body_temp_path $run/body; proxy_temp_path $run/proxy; fastcgi_temp_path $run/fastcgi;
  uwsgi_temp_path $run/uwsgi; scgi_temp_path $run/scgi;
  server {
    listen 127.0.0.1:$port; root $root;
    location / { try_files \$uri.json \$uri =404; }
  }
}
CONF
  nginx -p "$run" -c "$run/nginx.conf" -e "$run/error.log" &
  SERVER_PIDS="${SERVER_PIDS:-} $!"
  SERVER=http://127.0.0.1:$port
  local try
  for try in $(seq 100); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
    sleep 0.05
  done
  cat "$run/error.log" >&2
  return 1
}

# The program to measure: WEIR, or the release build of this checkout.
find_weir() {
  WEIR=${WEIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target/release/weir}
  if [[ ! -x $WEIR ]]; then
    echo "no release build: run \`cargo build --release -p weir\`, or set WEIR" >&2
    exit 2
  fi
  export WEIR
}
