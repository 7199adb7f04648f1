#!/bin/sh
# The start of a container: what its configuration lacks is written and explained at the first one (exit code 3).
set -eu
config=/data/config.yaml before=
for word; do
    [ "$before" != -c ] || config=$word
    before=$word
done
case "${1:-}" in
    serve | work | migrate) roomreel init --first-start -c "$config" ;;
esac
exec roomreel "$@"
