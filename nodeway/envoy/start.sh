# For `bash -c` in Envoy's container: runs Envoy, says its counters, and on SIGTERM lets the clients go before it goes.
# ENVOY_CONFIG: the configuration; ADMIN_PORT: of it; CLUSTER: what the counters are told of; WORKERS; REPORT_SECONDS;
# GRACE_SECONDS: how long a stopping Envoy still takes connections, while DNS moves away from it;
# DRAIN_SECONDS: how long its clients then have to come to the end of a request.
set -u

# admin METHOD PATH: Envoy's answer, headers and all. The image has no HTTP client, and Envoy wants HTTP/1.1.
admin() {
  exec 3<>"/dev/tcp/127.0.0.1/$ADMIN_PORT" || return
  printf '%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" "$2" >&3
  cat <&3
  exec 3>&-
}

# What is told, by name: Envoy's counters since the last time, and its gauges as they are; those of one name are added.
counters='
redirects cluster.cache.upstream_internal_redirect_succeeded_total
redirects_failed cluster.cache.upstream_internal_redirect_failed_total
connect_failures cluster.cache.upstream_cx_connect_fail
connections_lost cluster.cache.upstream_cx_destroy_remote_with_active_rq
timeouts cluster.cache.upstream_rq_timeout
topology_failures cluster.cache.update_failure
requests redis.resp2.downstream_rq_total
requests redis.resp3.downstream_rq_total
unsupported_commands redis.resp2.splitter.unsupported_command
unsupported_commands redis.resp3.splitter.unsupported_command
wrong_protocol redis.resp2.downstream_rq_noproto
wrong_protocol redis.resp3.downstream_rq_noproto
'
gauges='
clients redis.resp2.downstream_cx_active
clients redis.resp3.downstream_cx_active
nodes cluster.cache.membership_total
'
declare -A before=()

# One JSON line for CloudWatch Logs, whose metric filters make metrics of it (stacks/envoy_metrics.py).
report() {
  local name stat value text=
  local -A now=() told=()
  while read -r name value; do
    now[${name%:}]=${value%$'\r'}
  done < <(admin GET '/stats?filter=%5E(cluster.cache|redis.resp.)%5C.(upstream|update|membership|downstream|splitter)')
  ((${#now[@]})) || return
  while read -r name stat; do
    [ -n "$name" ] || continue
    value=${now[$stat]:-0}
    told[$name]=$((${told[$name]:-0} + value - ${before[$stat]:-0}))
    before[$stat]=$value
  done <<<"$counters"
  while read -r name stat; do
    [ -n "$name" ] || continue
    told[$name]=$((${told[$name]:-0} + ${now[$stat]:-0}))
  done <<<"$gauges"
  for name in "${!told[@]}"; do
    text+=",\"$name\":${told[$name]}"
  done
  printf '{"message":"envoy","cluster":"%s"%s}\n' "$CLUSTER" "$text"
}

reports() {
  while sleep "$REPORT_SECONDS"; do
    report
  done
}

# A sleep that a shell with a trap can be woken from.
pause() {
  sleep "$1" &
  wait $!
}

leave() {
  pause "$GRACE_SECONDS"
  # from now on a client's connection is closed behind its next answer: nothing is lost, and it connects to another Envoy
  admin POST /healthcheck/fail >/dev/null
  pause "$DRAIN_SECONDS"
  kill -TERM "$envoy"
}

envoy --config-yaml "$ENVOY_CONFIG" --concurrency "$WORKERS" --disable-hot-restart --log-level warning &
envoy=$!
reports &
trap leave TERM
trap 'kill $(jobs -p) 2>/dev/null' EXIT
# `wait` ends when the trap has run, too
while kill -0 "$envoy" 2>/dev/null; do
  wait "$envoy"
  code=$?
done
exit "$code"
