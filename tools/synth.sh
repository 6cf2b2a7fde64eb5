#!/bin/sh
# synth.sh ENV [OUT]: the templates of one environment in OUT (build/cdk.out), checked by the CDK's own rules, cdk-nag
# and cfn-lint. ENV may be a number: an app of that many made-up nodes (lab/bench/product/sized_app.py). What was in OUT stays there
# until the new templates have passed; those that failed are beside it, in OUT.new.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)
environment=$1
app=$here
mkdir -p build
out=$(realpath -m "${2:-build/cdk.out}")
new=$out.new
old=$out.old

exec 9<build && flock 9 # one synth at a time in this folder
rm -rf "$new" "$old"
case $environment in
'' | *[!0-9]*) ;;
*)
    app=$here/build/sized/$environment
    environment=$(.venv/bin/python -m lab.bench.product.sized_app "$1" "$app")
    ;;
esac
# A look-up needs a Region's answer, never the address service of a machine that is no EC2 instance.
export AWS_EC2_METADATA_DISABLED=true CDK_DISABLE_CLI_TELEMETRY=true
(cd "$app" && "$here/.venv/bin/cdk" synth --context env="$environment" --quiet --no-notices --output "$new")
# W3005: the CDK writes some dependencies that a Ref or GetAtt implies already.
.venv/bin/cfn-lint --ignore-checks W3005 -- "$new"/*.template.json
[ ! -e "$out" ] || mv "$out" "$old"
mv "$new" "$out"
rm -rf "$old"
echo "templates of $1 in ${2:-build/cdk.out}"
