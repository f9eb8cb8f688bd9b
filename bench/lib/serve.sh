# Servers of Weir below $work, which `end_disk` ends.
#
# serve HOME DATA: sets `url`, `invitation` and `server`.
serve() {
  : >"$work/$1.said"
  # Not by `as`: what is killed is to be the server, and not a shell that waits for it.
  WEIR_HOME=$work/$1 "$WEIR" --json serve "$work/$2" --listen 127.0.0.1:0 >"$work/$1.said" 2>"$work/$1.log" &
  server=$!
  SERVER_PIDS="${SERVER_PIDS:-} $server"
  until grep -q '^}' "$work/$1.said"; do sleep 0.05; done
  url=$(sed -n 's/.*"url": "\([^"]*\)".*/\1/p' "$work/$1.said")
  invitation=$(sed -n 's/.*"invitation": "\([^"]*\)".*/\1/p' "$work/$1.said")
}
