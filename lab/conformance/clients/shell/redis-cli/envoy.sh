#!/bin/sh
# The password goes by the environment: all users of a machine may read its command lines.
case $LAB_WAY in *resp3) protocol=-3 ;; *) protocol=-2 ;; esac # -2 is the default
REDISCLI_AUTH=$LAB_PASSWORD exec redis-cli "$protocol" --tls --cacert "$LAB_CA_FILE" \
  -h "$LAB_ENDPOINT" -p "$LAB_PORT" --user "$LAB_USERNAME" --no-auth-warning "$@"
