# For `sh -c` in HAProxy's container: says that it starts, tells HAProxy's counters while that runs, and becomes HAProxy.
# HAPROXY_CFG: the configuration; CLUSTER, and NODE_HOSTNAME where there is one node: whom the lines are of; REPORT_SECONDS.
# The image has BusyBox's shell, wget and awk. Nothing here may keep HAProxy from its start.
node=${NODE_HOSTNAME:-*}
export CLUSTER="${CLUSTER:-}" NODE="${node%%.*}"
of="\"cluster\":\"$CLUSTER\",\"node\":\"$NODE\""
figures='http://127.0.0.1:8405/metrics?scope=global&scope=frontend&scope=backend'

# What is told of the figures of the last time and those of now, which come behind a line `now`: what a counter has grown
# by, and gauges as they are.
tell='
$1 == "now" { later = 1; next }
/state="/ && !/state="DOWN"/ { next }
/^haproxy_process_/ || /proxy="(redis|node)"/ {
  sub(/\{.*/, "", $1)
  if (later) now[$1] = $2; else before[$1] = $2
}
function grown(name) { return now["haproxy_" name] - before["haproxy_" name] }
function is(name) { return now["haproxy_" name] }
function say(field, value) { line = line ",\"" field "\":" sprintf("%.0f", value) }
END {
  say("sessions", grown("frontend_sessions_total"))
  say("current", is("frontend_current_sessions"))
  say("limit", is("frontend_limit_sessions"))
  line = line sprintf(",\"connect_milliseconds\":%.3f", 1000 * is("backend_connect_time_average_seconds"))
  say("bytes_in", grown("frontend_bytes_in_total"))
  say("bytes_out", grown("frontend_bytes_out_total"))
  say("aborted_by_client", grown("backend_client_aborts_total"))
  say("aborted_by_server", grown("backend_server_aborts_total"))
  say("connect_failures", grown("backend_connection_errors_total"))
  say("refused", grown("frontend_denied_connections_total") + grown("frontend_requests_denied_total"))
  say("retries", grown("backend_retry_warnings_total") + grown("backend_redispatch_warnings_total"))
  say("queue", is("backend_current_queue"))
  say("backend_down", is("backend_status"))
  say("uptime_seconds", is("process_uptime_seconds"))
  print line
}'

# One JSON line for CloudWatch Logs, whose metric filters make metrics of it (stacks/haproxy_metrics.py). An answer that
# did not come, or not whole, is told with the next one.
report() {
  now=$(wget -q -O - "$figures") || return 0
  told=$(printf '%s\nnow\n%s\n' "$before" "$now" | awk "$tell") || return 0
  before=$now
  printf '{"message":"haproxy",%s%s}\n' "$of" "$told"
}

# `$$` is the shell that becomes HAProxy: with it this ends, also where no kernel ends it with its container.
reports() {
  before=
  while sleep "${REPORT_SECONDS:-60}" && kill -0 $$; do
    report
  done
}

printf '{"message":"started",%s}\n' "$of"
reports 2>/dev/null &
# The configuration comes by standard input, so there is no image to build and no file to write; `exec` makes HAProxy the
# process that gets the stop signal.
exec haproxy -db -f /dev/stdin <<CONFIGURATION
$HAPROXY_CFG
CONFIGURATION
