#!/bin/sh
# The password goes by the environment: all users of a machine may read its command lines.
REDISCLI_AUTH=$LAB_PASSWORD exec redis-cli -3 --tls --cacert "$LAB_CA_FILE" \
  -h "$LAB_ENDPOINT" -p "$LAB_PORT" --user "$LAB_USERNAME" --no-auth-warning "$@"
